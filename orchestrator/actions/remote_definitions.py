"""Tells rclone of the remotes that our config makes or adds to. Their secrets are read when a command uses the remote."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.actions.remote_check import option_problems
from orchestrator.config.problems import refuse
from orchestrator.config.references import References
from orchestrator.errors import AuthError, ConfigError, UsageError
from orchestrator.location import CLOUD_REMOTE, Location, RemoteDefinition, config_remotes
from orchestrator.user_paths import user_path

if TYPE_CHECKING:
    from orchestrator.config.loading import LoadedConfig
    from orchestrator.config.model import Config
    from orchestrator.config.references import Reference
    from orchestrator.rclone.backends import Backends
    from orchestrator.rclone.binary import Binary
    from orchestrator.rclone.runtime import Rclone


def rclone_config_file(chosen: str | Path | None) -> Path | None:
    """The rclone config file that the user set; None for rclone's own. Raises UsageError when there is no such file."""
    if chosen is None:
        return None
    path = user_path(chosen).absolute()
    if os.path.isdir(path):  # noqa: PTH112 - `Path` raises where a folder above may not be read
        raise UsageError(f"{path} is a folder, not an rclone config file: name the file in it")
    if not os.path.isfile(path):  # noqa: PTH113
        raise UsageError(f"{path}: no such rclone config file: correct it, or leave it out to use rclone's own")
    return path


def rclone_for(config: Config, binary: Binary, file: Path | None, references: References, **limits: Any) -> Rclone:
    """The rclone of one config, which opens the rclone config `file`. `limits`: as for `Rclone`.

    Raises AuthError when the password of an encrypted rclone config cannot be had.
    """
    from orchestrator.rclone.config_password import config_password  # noqa: PLC0415 - not every command needs rclone
    from orchestrator.rclone.environment import child_environment  # noqa: PLC0415 - as above
    from orchestrator.rclone.runtime import Rclone  # noqa: PLC0415 - as above

    if (where := config.rclone_config_password) is not None:
        password: str | None = references.text(where, "rclone_config_password")
    else:
        password = config_password(binary, child_environment(os.environ), file)
    return Rclone(
        binary,
        config=file,
        follow_links=[name for name, settings in config.remotes.items() if settings.follow_links],
        allow_undecryptable=[name for name, settings in config.remotes.items() if settings.allow_undecryptable],
        withheld=[config.cloud.credentials_env or ""] if config.cloud is not None else (),
        config_password=password,
        **limits,
    )


class KnownRemotes(NamedTuple):
    """What rclone says of its remotes and backends."""

    remotes: Mapping[str, str]
    """Of the rclone config and of the environment -> their types."""
    backends: Backends


def known_remotes(config: Config, binary: str | None, file: str | Path | None) -> KnownRemotes:
    """Ask the rclone of a config. `binary` and `file` (the rclone config) override its own. Raises what hinders it."""
    from orchestrator.rclone.binary import find_rclone  # noqa: PLC0415 - not every command needs rclone
    from orchestrator.rclone.secret_command import printed_by  # noqa: PLC0415 - as above

    found = find_rclone(binary or config.rclone)
    opened = rclone_config_file(file or config.rclone_config)
    with rclone_for(config, found, opened, References(os.environ, printed_by)) as rclone:
        return KnownRemotes(rclone.remotes(), rclone.backends)


class RemoteDefinitions:
    """The remotes of one config, for one rclone."""

    def __init__(self, rclone: Rclone, loaded: LoadedConfig, references: References) -> None:
        """Define all of them that need no secret of a reference, so that other remotes can lead to them."""
        self.rclone = rclone
        self._loaded = loaded
        self._config = config = loaded.config
        self._references = references
        self._complete: set[str] = set()
        """The remotes that rclone knows with all that the config adds to them."""
        self._secrets: dict[str, tuple[str, Mapping[str, Reference]]] = {
            name: (f"remotes.{name}", settings.secrets) for name, settings in config.remotes.items() if settings.secrets
        }
        if config.cloud is not None and config.cloud.secrets:
            self._secrets[CLOUD_REMOTE] = ("cloud", config.cloud.secrets)
        self._given = {name for name, settings in config.remotes.items() if settings.options} | {*self._secrets}
        """The remotes to which the config gives options."""
        if config.cloud is not None and config.cloud.options:
            self._given.add(CLOUD_REMOTE)
        with contextlib.suppress(AuthError, ConfigError):  # of the cloud: commands that name it raise this again
            for remote in config_remotes(config):
                rclone.define_remote(remote.name, remote.type, remote.options)

    def use(self, locations: Iterable[Location]) -> None:
        """Define the remotes of locations and those that they lead to, with their secrets.

        Raises AuthError for a secret that cannot be read, ConfigError for an option that the backend does not have: rclone would
        ignore it.
        """
        used: dict[str, str] = {}
        for location in locations:
            if location.definition is not None:
                self._define(location.definition)
                used[location.definition.name] = location.definition.type
            if location.remote is None or self._complete.issuperset(self._given):
                continue
            wrapped = self.rclone.wrapped_by(location.remote) - {location.remote.lower()}
            for name in [name for name in self._given if name.lower() in wrapped]:
                used[name] = kind = self.rclone.remote_type(f"{name}:")
                self._define(self._as_configured(name, kind))
        for name, kind in used.items():
            self._check(name, kind)

    def _as_configured(self, name: str, kind: str) -> RemoteDefinition:
        settings = self._config.remotes.get(name)
        if settings is not None and settings.type is None:
            return RemoteDefinition(name, kind, settings.options)
        return next(one for one in config_remotes(self._config) if one.name == name)

    def _define(self, remote: RemoteDefinition) -> None:
        if remote.name in self._complete:
            return
        options = remote.options
        if remote.name in self._secrets:
            key, references = self._secrets[remote.name]
            texts = {option: self._references.text(one, f"{key}.secrets.{option}") for option, one in references.items()}
            options = options | self.rclone.as_stored(remote.type, texts)
        self._complete.add(remote.name)
        self.rclone.define_remote(remote.name, remote.type, options)

    def _check(self, name: str, kind: str) -> None:
        """Whether the options that the config itself gives a remote exist."""
        settings = self._config.cloud if name == CLOUD_REMOTE else self._config.remotes.get(name)
        if settings is not None and (settings.options or settings.secrets):
            refuse([*option_problems(self._loaded, name, kind, self.rclone.backends)])
