"""From what a user types to a location: `library`, `gdrive:Music`, `s3://bucket/path`, `~/Music`."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from orchestrator import profiles
from orchestrator.config.cloud import cloud_options
from orchestrator.config.location_text import check_form, is_path
from orchestrator.errors import ConfigError, OrchestratorError, UsageError
from orchestrator.profiles import Profile

if TYPE_CHECKING:
    from orchestrator.config.model import Cloud, Config

CLOUD_REMOTE = "cloud"
"""The remote that the `cloud:` section of the config makes."""
MAX_NAMES = 8
"""How many names of `locations:` may lead to one another."""

_REMOTE_NAME = re.compile(r"[\w.+@ -]+")


class RemoteDefinition(msgspec.Struct, frozen=True):
    """A remote that we define for rclone: one that its config does not have, or options that our config adds to one."""

    name: str
    type: str
    options: dict[str, str]
    """Without those that the config refers to as secrets."""

    def __hash__(self) -> int:
        return hash(self.name)  # a session has one remote of each name, and its options have no hash


class Location(msgspec.Struct, frozen=True):
    """A folder on this machine or on a remote."""

    fs: str
    """Its canonical form: `remote:path` or an absolute path, without a slash at the end."""
    typed: str
    """What the user typed, for messages."""
    definition: RemoteDefinition | None = None
    """The remote to define in rclone, if its config does not have it as we need it."""

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.fs.startswith("/")

    @property
    def remote(self) -> str | None:
        """The name of the remote; None for a local folder."""
        return None if self.local else self.fs.partition(":")[0]

    @property
    def path(self) -> str:
        """The path on the remote or on this machine."""
        return self.fs if self.local else self.fs.partition(":")[2]


Remotes = Callable[[], Mapping[str, str]]
"""Gives the configured remotes, name -> type. Called only when they matter."""


def resolve(
    text: str,
    config: Config,
    remotes: Remotes | Mapping[str, str],
    environment: Mapping[str, str] | None = None,
    *,
    file: Callable[[], Path] | None = None,
) -> Location:
    """The location that `text` means. Raises UsageError, which says what to type instead.

    Looks at names only: whether the location exists shows when it is listed. `file`: rclone's config, to name it in an error.
    """
    written = text
    for _ in range(MAX_NAMES):
        if written not in config.locations:
            break
        written = config.locations[written]
    else:
        raise ConfigError(f"locations: {text} leads to itself")
    resolver = _Resolver(
        written,
        config,
        remotes if callable(remotes) else lambda: remotes,
        os.environ if environment is None else environment,
        file,
    )
    return msgspec.structs.replace(resolver.location(), typed=text)


def config_remotes(config: Config, environment: Mapping[str, str] | None = None) -> Iterator[RemoteDefinition]:
    """The remotes that the config itself makes, under `remotes:` and last under `cloud:`.

    Raises what `cloud_definition` raises.
    """
    for name, settings in config.remotes.items():
        if settings.type is not None:
            yield RemoteDefinition(name, settings.type, settings.options)
    if config.cloud is not None and config.cloud.provider is not None:
        yield cloud_definition(config.cloud, environment)


def cloud_definition(cloud: Cloud, environment: Mapping[str, str] | None = None) -> RemoteDefinition:
    """The remote called `cloud` that the config's `cloud:` section makes.

    Raises ConfigError when no provider is named, AuthError when the credentials that it refers to are not there.
    """
    return RemoteDefinition(CLOUD_REMOTE, *cloud_options(cloud, os.environ if environment is None else environment))


def path_below(inner: str, outer: str) -> str | None:
    """The path of one location inside another, "" when they are the same, None when it is not inside.

    Takes identities, because a location may have several names.
    """
    if inner == outer:
        return ""
    if not outer.startswith("/"):
        # "remote:/x" and "remote:x" are the same on some servers and differ on others.
        inner, outer = (one.replace(":/", ":", 1) for one in (inner, outer))
    start = outer if outer.endswith((":", "/")) else f"{outer}/"
    return inner.removeprefix(start) if inner.startswith(start) and inner != start else None


def path_below_all(inner: Collection[str], outer: Collection[str]) -> str | None:
    """The same for locations that are several folders at once (a union): the path that is the same in each of them."""
    found = {next((below for there in outer if (below := path_below(here, there)) is not None), None) for here in inner}
    return found.pop() if len(found) == 1 and len(inner) == len(outer) else None


def overlap(one: Collection[str], other: Collection[str]) -> bool:
    """Whether some folder belongs to both locations. Takes identities."""
    return any(path_below(*pair) is not None for here in one for there in other for pair in ((here, there), (there, here)))


class _Resolver(msgspec.Struct, frozen=True):
    """One text, and everything that its meaning depends on."""

    text: str
    config: Config
    remotes: Remotes
    environment: Mapping[str, str]
    file: Callable[[], Path] | None

    def location(self) -> Location:
        if not self.text or "\0" in self.text:
            raise UsageError("a location must not be empty; write ./ for the current folder")
        check_form(self.text)
        if is_path(self.text):
            return Location(_absolute(self.text, self.environment), self.text)
        scheme, separator, rest = self.text.partition("://")
        if separator:
            return self._from_url(scheme.lower(), rest)
        name, separator, path = self.text.partition(":")
        if not separator or "/" in name:
            raise UsageError(f"{self.text}: no such name under `locations:` in the config; {self._instead_of_name()}")
        if name == CLOUD_REMOTE and self.config.cloud is not None:
            return self._in_cloud(self.config.cloud, path)
        profile = profiles.profile_for_environment_remote(name)
        return self._on_remote(name, path) if profile is None else self._from_environment(profile, path)

    def _instead_of_name(self) -> str:
        """What may have been meant by a text that is neither a path nor the name of a location."""
        top, _, path = self.text.partition("/")
        known = ", ".join(sorted(self.config.locations))
        names = f"; names in the config: {known}" if known else ""
        with contextlib.suppress(OrchestratorError):  # without rclone, or the password of its config, no remote is known
            if top in self.remotes():
                return f"write {top}:{path} for the remote, or ./{self.text} for a folder{names}"
        return f"write ./{self.text} for a folder, and names with spaces in quotes{names}"

    def _from_url(self, scheme: str, rest: str) -> Location:
        profile = profiles.profile_for_url(scheme)
        if profile is None:
            known = ", ".join(sorted(f"{one.url_scheme}://" for one in profiles.all_profiles() if one.url_scheme))
            raise UsageError(f"{scheme}://: unknown; use {known} or a remote of your rclone config")
        if profile.has_buckets and not rest.strip("/"):
            raise UsageError(f"{self.text}: the {profile.top_level.removesuffix('s')} is missing")
        configured = getattr(self.config.schemes, scheme, None)
        if configured is not None:
            name = configured.rstrip(":")
            cloud = self.config.cloud
            return self._on_remote(name, rest) if name != CLOUD_REMOTE or cloud is None else self._url_in_cloud(cloud, rest)
        return (
            self._on_only_remote(profile.type, rest)
            if profile.environment.remote is None
            else self._from_environment(profile, rest)
        )

    def _on_only_remote(self, backend: str, path: str) -> Location:
        names = sorted(name for name, kind in self.remotes().items() if kind == backend)
        if not names:
            raise UsageError(f"{self.text}: the rclone config has no remote of type {backend}; make one with `rclone config`")
        if len(names) > 1:
            several = ", ".join(f"{name}:" for name in names)
            raise UsageError(
                f"{self.text}: the rclone config has several remotes of type {backend} ({several}); write {names[0]}:{path}"
            )
        return self._on_remote(names[0], path)

    def _from_environment(self, profile: Profile, path: str) -> Location:
        """On the remote that the provider's usual environment variables make; without any, instance roles apply."""
        name = profile.environment.remote or ""
        return self._at(name, path, RemoteDefinition(name, profile.type, profile.options_from(self.environment)))

    def _on_remote(self, name: str, path: str) -> Location:
        configured = self.config.remotes.get(name)
        if configured is not None and configured.type is not None:
            return self._at(name, path, RemoteDefinition(name, configured.type, configured.options))
        known = self.remotes()
        added = configured.options if configured is not None and (configured.options or configured.secrets) else None
        if name not in known or not _REMOTE_NAME.fullmatch(name):
            listed = ", ".join(f"{one}:" for one in sorted(known))
            there_is = f"it has {listed}" if listed else "it has none; `rclone config` makes one"
            near = get_close_matches(name, known, 1)
            meant = f"; did you mean {near[0]}:?" if near else ""
            file = f" {self.file()}" if self.file is not None else ""
            raise UsageError(f"{name}: no such remote in the rclone config{file}; {there_is}{meant}")
        return self._at(name, path, RemoteDefinition(name, known[name], added) if added is not None else known[name])

    def _in_cloud(self, cloud: Cloud, path: str) -> Location:
        found = self._at(CLOUD_REMOTE, path, cloud_definition(cloud, self.environment))
        root = _root_of(cloud)
        if not root or found.path == root or found.path.startswith(f"{root}/"):
            return found  # we print the canonical form, `cloud:bucket/folder/x`, and a user may type it again
        return msgspec.structs.replace(found, fs=f"{CLOUD_REMOTE}:{root}/{found.path}".rstrip("/"))

    def _url_in_cloud(self, cloud: Cloud, path: str) -> Location:
        """A URL of a bucket, where `schemes:` names the cloud: its canonical form must lie in the folder of the cloud."""
        found = self._at(CLOUD_REMOTE, path, cloud_definition(cloud, self.environment))
        root = _root_of(cloud)
        if not root or found.path == root or found.path.startswith(f"{root}/"):
            return found
        raise UsageError(f"{self.text}: is outside of {root}, where `cloud:` is, and `schemes:` leads there: name another remote")

    def _at(self, name: str, path: str, remote: RemoteDefinition | str) -> Location:
        """The path on a remote: its definition, or the type of one that rclone knows."""
        definition = remote if isinstance(remote, RemoteDefinition) else None
        profile = profiles.load_profile(remote.type if isinstance(remote, RemoteDefinition) else remote)
        return Location(f"{name}:{self._clean(path, profile)}", self.text, definition)

    def _clean(self, path: str, profile: Profile) -> str:
        """The path without ".", "..", double slashes and slashes at the end."""
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                if not parts:
                    raise UsageError(f"{self.text}: the path leads out of the remote")
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return ("/" if profile.absolute_paths and path.startswith("/") else "") + "/".join(parts)


def _root_of(cloud: Cloud) -> str:
    """The path of the cloud on its remote."""
    return "/".join(part.strip("/") for part in (cloud.bucket, cloud.remote_path) if part).strip("/")


def _absolute(text: str, environment: Mapping[str, str]) -> str:
    if text == "~" or text.startswith("~/"):
        text = (environment.get("HOME") or str(Path.home())) + text[1:]
    path = os.path.abspath(text)  # noqa: PTH100 - Path.absolute keeps "..", Path.resolve follows links
    return "/" + path.lstrip("/")
