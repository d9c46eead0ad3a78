"""What is known of each provider beyond what rclone itself tells: one YAML file a backend type."""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

import msgspec

from orchestrator.errors import UsageError
from orchestrator.records import Capabilities

SERVER_MTIME_PRECISION_NS = 10**9
"""A HEAD gives the time of upload in whole seconds (HTTP's Last-Modified), a listing may give more."""
_NO_MODIFICATION_TIMES_NS = 365 * 24 * 3600 * 10**9
"""rclone gives a precision of a hundred years to remotes that keep none."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one make of server (rclone's option `provider`) holds less than its protocol."""

    max_path_bytes: int


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to list, read, pace and name one kind of remote."""

    type: str
    """rclone's backend type; "default" stands for all that have no file of their own."""
    free_hashes: tuple[str, ...] | None = None
    """Hash types that a listing gives without reading a file; None: all that rclone calls not slow."""
    free_mtime: bool | None = None
    """Whether a listing gives modification times without a request an object; None: what rclone says."""
    server_mtime: bool = False
    """A listing gives the time of upload for nothing, while rclone's own modification time costs a request an object."""
    costly_hashes: bool = False
    """An object without a stored hash costs a listing that asks for hashes one request (S3: uploads in parts)."""
    delete_unseen: str | None = None
    """The option (`name=value`) under which rclone deletes a file without looking it up: a request less where we have looked."""
    directory_delete: Literal["empty", "trash", "recursive"] = "recursive"
    """What becomes of a file that rclone did not see in a directory that it removes. "empty": it stays, for the server refuses.
    "recursive": it goes, for rclone lists the directory and deletes it with all that is in it. "trash": as that, but the provider
    keeps it in a trash of its own, unless the remote's option `use_trash` is off."""
    by_id: bool = False
    """rclone's backend moves and fetches files by their ids (`backend/command` moveid and copyid)."""
    by_directory: bool = False
    """Requests are what the provider counts: directories are moved, and their files looked at, as a whole where that takes fewer.
    Elsewhere it would cost: each directory that rclone opens is a connection (SFTP), and a single rename is as cheap (WebDAV)."""
    read: Literal["rclone", "vfs", "direct"] = "rclone"
    """How a scan reads parts of files. "rclone": each by its path, after a look-up. "vfs": each directory is listed once, and a
    file is not looked up. "direct": from the disk, not through rclone."""
    policy: Literal["few-bytes", "few-requests"] = "few-bytes"
    """Whether reading tags should save bytes or requests."""
    requests_per_second: float | None = None
    """The pace that the provider allows; None: as fast as it goes."""
    names: str = "portable"
    """The rule set of `orchestrator.plan.layout.names` for the provider's own limits, taken when the user asks for no more."""
    max_component_bytes: int = 255
    max_path_bytes: int | None = None
    providers: dict[str, Limits] = {}
    """rclone's name of a provider -> what it holds less."""


def load_profile(name: str) -> Profile:
    """The profile of that name, "default" where there is none."""
    return _load(name) or _load("default") or Profile(type="default")


def profile_names() -> list[str]:
    """All profiles that there are."""
    return sorted(item.name.removesuffix(".yaml") for item in _directory().iterdir() if item.name.endswith(".yaml"))


def merge(
    profile: Profile, remote_type: str, info: dict[str, Any], provider: str | None = None, *, use_trash: str | None = None
) -> Capabilities:
    """What a storage can do: rclone's `operations/fsinfo`, refined by the profile and by two options of the remote."""
    kept = {"empty", "trash"} if (use_trash or "true").lower() in {"true", "t", "1"} else {"empty"}
    limits = profile.providers.get(provider or "")
    features: dict[str, bool] = info.get("Features") or {}
    hashes: list[str] = info.get("Hashes") or []
    if profile.free_hashes is not None:
        free = tuple(name for name in profile.free_hashes if name in hashes)
    else:
        free = () if features.get("SlowHash") else tuple(hashes)
    precision = info.get("Precision")
    precision_ns = precision if isinstance(precision, int) and precision < _NO_MODIFICATION_TIMES_NS else None
    return Capabilities(
        move=bool(features.get("Move")),
        copy=bool(features.get("Copy")),
        directory_move=bool(features.get("DirMove")),
        case_insensitive=bool(features.get("CaseInsensitive")),
        duplicate_names=bool(features.get("DuplicateFiles")),
        by_directory=profile.by_directory,
        by_id=profile.by_id and bool(features.get("DuplicateFiles")),
        empty_directories=bool(features.get("CanHaveEmptyDirectories", True)),
        rmdir_is_recursive=profile.directory_delete not in kept and bool(features.get("CanHaveEmptyDirectories", True)),
        hashes=free,
        mtime=profile.server_mtime or (not features.get("SlowModTime") if profile.free_mtime is None else profile.free_mtime),
        mtime_precision_ns=SERVER_MTIME_PRECISION_NS if profile.server_mtime else precision_ns,
        quota=bool(features.get("About")),
        local=bool(features.get("IsLocal")),
        names=profile.names,
        max_component_bytes=profile.max_component_bytes,
        max_path_bytes=limits.max_path_bytes if limits else profile.max_path_bytes,
        remote_type=remote_type,
    )


@cache
def _load(name: str) -> Profile | None:
    if "/" in name or name.startswith("."):
        return None
    file = _directory() / f"{name}.yaml"
    if not file.is_file():
        return None
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=Profile)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the profile {name}.yaml is wrong: {error}") from error


def _directory() -> Traversable:
    """In the wheel beside this module; in a checkout at its root."""
    shipped = resources.files("orchestrator.rclone") / "rclone_profiles"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "rclone_profiles"
