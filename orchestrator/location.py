"""What a user types -> where it is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from orchestrator.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from orchestrator.config.model import Cloud, Config

SCHEMES = ("s3", "gs", "azure", "dropbox", "gdrive")
CLOUD_REMOTE = "cloud"
ENVIRONMENT_REMOTES = {"s3": "s3env", "gs": "gsenv", "azure": "azureenv"}
"""What the remotes made from environment variables are called; plans and the journal name them."""
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "azure": "AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
}
"""The variables that the providers' own tools take."""
MAX_NAMES = 8
"""So many names of `locations:` may lead to one another."""

# Backends on which "/path" and "path" are two places, or which pass the path on to one where they are.
_ROOTED = frozenset(
    {"sftp", "ftp", "local", "alias", "crypt", "union", "combine", "chunker", "compress", "hasher", "cache", "hdfs"}
)
_REMOTE_NAME = re.compile(r"[\w.+@ -]+")
_PASSWORD = re.compile(r"[^/]*:.*@", re.DOTALL)
_BACKENDS = {
    "gcs": "google cloud storage",
    "gs": "google cloud storage",
    "azure": "azureblob",
    "gdrive": "drive",
    "google drive": "drive",
}


class RemoteDefinition(msgspec.Struct, frozen=True):
    """A remote that the rclone config does not have; rclone gets it by environment."""

    name: str
    type: str
    options: dict[str, str]


class Location(msgspec.Struct, frozen=True):
    """One place: where it is, and how it was typed."""

    fs: str
    """Canonical: `remote:path` or an absolute path, no slash at the end."""
    typed: str
    definition: RemoteDefinition | None = None
    """The remote to define before rclone starts, where the location needs one."""

    @property
    def local(self) -> bool:
        """Whether it is a directory of this machine."""
        return self.fs.startswith("/")

    @property
    def remote(self) -> str | None:
        """The remote's name; None for a local directory."""
        return None if self.local else self.fs.partition(":")[0]


Remotes = Callable[[], Mapping[str, str]]
"""Gives the configured remotes, name -> type. Called only when they matter."""


def resolve(
    text: str, config: Config, remotes: Remotes | Mapping[str, str], environment: Mapping[str, str] | None = None
) -> Location:
    """The place that `text` means. Raises UsageError that says what to type instead.

    Only names are looked at: whether the place exists is found out by listing it.
    """
    environment = os.environ if environment is None else environment
    known = remotes if callable(remotes) else lambda: remotes
    followed = text
    for _ in range(MAX_NAMES):
        if followed not in config.locations:
            break
        followed = config.locations[followed]
    else:
        raise ConfigError(f"locations: {text} leads to itself")
    found = _resolve(followed, config, known, environment)
    return msgspec.structs.replace(found, typed=text)


def cloud_definition(cloud: Cloud) -> RemoteDefinition:
    """The remote called `cloud` that the config's `cloud:` section makes. Raises ConfigError when no provider is named."""
    if cloud.provider is None:
        raise ConfigError("cloud: the provider is missing; `music-orchestrator config set cloud.provider s3` sets it")
    provider = cloud.provider.lower()
    backend = _BACKENDS.get(provider, provider)
    options: dict[str, str] = {}
    if backend == "s3":
        options["provider"] = "Other" if cloud.endpoint else "AWS"
        if "access_key_id" not in cloud.options:
            options["env_auth"] = "true"
    elif backend in ("google cloud storage", "azureblob") and not cloud.options:
        options["env_auth"] = "true"
    if cloud.region:
        options["location" if backend == "google cloud storage" else "region"] = cloud.region
    if cloud.endpoint:
        options["endpoint"] = cloud.endpoint
    return RemoteDefinition(CLOUD_REMOTE, backend, options | cloud.options)


def definitions(
    texts: Iterable[str], config: Config, environment: Mapping[str, str] | None = None
) -> dict[str, RemoteDefinition]:
    """The remotes that must be defined before rclone starts: those of the config, and those that these locations need.

    Raises UsageError for a location that is wrong in itself.
    """
    found: dict[str, RemoteDefinition] = {}
    for name, settings in config.remotes.items():
        if settings.type is not None:
            found[name] = RemoteDefinition(name, settings.type, settings.options)
    if config.cloud is not None and config.cloud.provider is not None:
        found[CLOUD_REMOTE] = cloud_definition(config.cloud)
    for text in texts:
        try:
            definition = resolve(text, config, _not_yet, environment).definition
        except _NotYetError:
            continue
        if definition is not None:
            found[definition.name] = definition
    return found


class _NotYetError(Exception):
    """The list of remotes is needed, and rclone does not run yet."""


def _not_yet() -> Mapping[str, str]:
    raise _NotYetError


def path_below(inner: str, outer: str) -> str | None:
    """The path of one place in another, "" when they are the same; None when it does not lie there.

    Both as `Session.identity_of` gives them: a place may have several names.
    """
    if inner == outer:
        return ""
    if not outer.startswith("/"):
        # "remote:/x" and "remote:x" are one place on some servers and two on others.
        inner, outer = (one.replace(":/", ":", 1) for one in (inner, outer))
    start = outer if outer.endswith((":", "/")) else f"{outer}/"
    return inner.removeprefix(start) if inner.startswith(start) and inner != start else None


def check_form(text: str) -> None:
    """Refuse what may hold a secret, whatever else is wrong with it, and repeat nothing of it. Raises UsageError."""
    if _is_path(text):
        return
    if text.startswith(":"):
        raise UsageError(
            "remotes made on the fly (`:backend,option=...:`) are refused: their secrets would show in logs; "
            "make a remote with `rclone config`, or name one under `remotes:` in the config"
        )
    head, colon, rest = text.partition(":")
    if "=" in head or (colon and "," in head):
        raise UsageError(
            "options inside a location are refused: secrets would show in logs; put them under `remotes:` in the config, "
            "and write ./ before the name of a folder"
        )
    first = rest.removeprefix("//").partition("/")[0]
    in_bucket = head.lower() in ENVIRONMENT_REMOTES and (":" in first or "@" in first)
    if rest.startswith("//") and (in_bucket or _PASSWORD.match(rest[2:])):
        raise UsageError(
            f"{head.lower()}://: no user name or password in a location; use the provider's environment variables or a remote"
        )
    if "/" in head and "@" in rest:
        raise UsageError("no user name or password in a location; write ./ before the name of a folder")


def _is_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~/")) or text in (".", "..", "~")


def _resolve(text: str, config: Config, remotes: Remotes, environment: Mapping[str, str]) -> Location:
    if not text or "\0" in text:
        raise UsageError("a location must not be empty; write ./ for the present folder")
    check_form(text)
    if _is_path(text):
        return Location(_local(text, environment), text)
    scheme, separator, rest = text.partition("://")
    if separator:
        return _from_url(scheme.lower(), rest, config, remotes, environment)
    name, separator, path = text.partition(":")
    if not separator or "/" in name:
        known = f"; names in the config: {', '.join(sorted(config.locations))}" if config.locations else ""
        raise UsageError(f"{text}: no such name under `locations:` in the config; write ./{text} for a folder{known}")
    if name == CLOUD_REMOTE and config.cloud is not None:
        return _below_cloud(config.cloud, path, text)
    for known_scheme, environment_remote in ENVIRONMENT_REMOTES.items():
        if name == environment_remote:
            definition = _from_environment(known_scheme, environment)
            return Location(f"{name}:{_clean(path, definition.type, text)}", text, definition)
    return _on_remote(name, path, text, config, remotes)


def _on_remote(name: str, path: str, text: str, config: Config, remotes: Remotes) -> Location:
    configured = config.remotes.get(name)
    if configured is not None and configured.type is not None:
        definition = RemoteDefinition(name, configured.type, configured.options)
        return Location(f"{name}:{_clean(path, configured.type, text)}", text, definition)
    known = remotes()
    if name not in known or not _REMOTE_NAME.fullmatch(name):
        listed = ", ".join(f"{one}:" for one in sorted(known))
        there_is = f"there is: {listed}" if listed else "it has none; `rclone config` makes one"
        raise UsageError(f"{name}: no such remote in the rclone config; {there_is}")
    return Location(f"{name}:{_clean(path, known[name], text)}", text)


def _below_cloud(cloud: Cloud, path: str, text: str) -> Location:
    definition = cloud_definition(cloud)
    root = "/".join(part.strip("/") for part in (cloud.bucket, cloud.remote_path) if part).strip("/")
    below = _clean(path, definition.type, text)
    if root and below != root and not below.startswith(root + "/"):
        # What we print is canonical (`cloud:bucket/folder/x`) and may be typed again.
        below = f"{root}/{below}".rstrip("/")
    return Location(f"{CLOUD_REMOTE}:{below}", text, definition)


def _from_url(scheme: str, rest: str, config: Config, remotes: Remotes, environment: Mapping[str, str]) -> Location:
    text = f"{scheme}://{rest}"
    if scheme not in SCHEMES:
        raise UsageError(
            f"{scheme}://: not known; known are {', '.join(one + '://' for one in SCHEMES)} and the remotes of your rclone config"
        )
    if scheme in ("dropbox", "gdrive"):
        return _only_remote(scheme, rest, text, remotes)
    if not rest.strip("/"):
        raise UsageError(f"{text}: the {'container' if scheme == 'azure' else 'bucket'} is missing")
    named = getattr(config.schemes, scheme)
    if named is not None:
        return _on_remote(named.rstrip(":"), rest, text, config, remotes)
    definition = _from_environment(scheme, environment)
    return Location(f"{definition.name}:{_clean(rest, definition.type, text)}", text, definition)


def _only_remote(scheme: str, rest: str, text: str, remotes: Remotes) -> Location:
    backend = _BACKENDS.get(scheme, scheme)
    names = sorted(name for name, kind in remotes().items() if kind == backend)
    if not names:
        raise UsageError(f"{text}: the rclone config has no remote of type {backend}; make one with `rclone config`")
    if len(names) > 1:
        listed = ", ".join(f"{name}:" for name in names)
        raise UsageError(
            f"{text}: the rclone config has several remotes of type {backend} ({listed}); write {names[0]}:{rest} instead"
        )
    return Location(f"{names[0]}:{_clean(rest, backend, text)}", text)


def _from_environment(scheme: str, environment: Mapping[str, str]) -> RemoteDefinition:
    """The remote that the provider's usual environment variables describe; without any, instance roles."""
    options = {"env_auth": "true"}
    if scheme == "s3":
        endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        options["provider"] = "Other" if endpoint else "AWS"
        if endpoint:
            options["endpoint"] = endpoint
        if region:
            options["region"] = region
        return RemoteDefinition(ENVIRONMENT_REMOTES[scheme], "s3", options)
    if scheme == "gs":
        return RemoteDefinition(ENVIRONMENT_REMOTES[scheme], "google cloud storage", options)
    account = environment.get("AZURE_STORAGE_ACCOUNT") or environment.get("AZURE_STORAGE_ACCOUNT_NAME")
    key = environment.get("AZURE_STORAGE_KEY") or environment.get("AZURE_STORAGE_ACCOUNT_KEY")
    if account:
        options["account"] = account
    if account and key:
        options = {"account": account, "key": key}
    return RemoteDefinition(ENVIRONMENT_REMOTES[scheme], "azureblob", options)


def _local(text: str, environment: Mapping[str, str]) -> str:
    if text == "~" or text.startswith("~/"):
        home = environment.get("HOME") or str(Path.home())
        text = home + text[1:]
    path = os.path.abspath(text)  # noqa: PTH100 - Path.absolute keeps "..", Path.resolve follows links
    return "/" + path.lstrip("/")


def _clean(path: str, backend: str, text: str) -> str:
    """A path on a remote without "." and "..", doubled slashes or slashes at the end."""
    rooted = path.startswith("/") and backend in _ROOTED
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                raise UsageError(f"{text}: the path leads out of the remote")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts)
