"""Tells rclone of the remotes that our config makes or adds to. Their secrets are read when a command uses the remote."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchestrator.errors import AuthError, ConfigError
from orchestrator.location import CLOUD_REMOTE, Location, RemoteDefinition, config_remotes

if TYPE_CHECKING:
    from orchestrator.config.model import Config, Reference
    from orchestrator.config.references import References
    from orchestrator.rclone.runtime import Rclone


class RemoteDefinitions:
    """The remotes of one config, for one rclone."""

    def __init__(self, rclone: Rclone, config: Config, references: References) -> None:
        """Define all of them that need no secret of a reference, so that other remotes can lead to them."""
        self.rclone = rclone
        self._config = config
        self._references = references
        self._complete: set[str] = set()
        """The remotes whose secrets rclone has."""
        self._secrets: dict[str, tuple[str, Mapping[str, Reference]]] = {
            name: (f"remotes.{name}", settings.secrets) for name, settings in config.remotes.items() if settings.secrets
        }
        if config.cloud is not None and config.cloud.secrets:
            self._secrets[CLOUD_REMOTE] = ("cloud", config.cloud.secrets)
        with contextlib.suppress(AuthError, ConfigError):  # of the cloud: commands that name it raise this again
            for remote in config_remotes(config):
                rclone.define_remote(remote.name, remote.type, remote.options)

    def use(self, location: Location) -> None:
        """Define the remote of a location and those that it leads to, with their secrets.

        Raises AuthError for a secret that cannot be read.
        """
        if location.definition is not None:
            self._define(location.definition)
        if location.remote is None or self._complete.issuperset(self._secrets):
            return
        used = self.rclone.wrapped_by(location.remote) - {location.remote.lower()}
        for name in [name for name in self._secrets if name.lower() in used]:
            kind = self.rclone.remote_type(f"{name}:")
            options = self._config.remotes[name].options if name in self._config.remotes else {}
            made = next((one for one in config_remotes(self._config) if one.name == name), RemoteDefinition(name, kind, options))
            self._define(made)

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
