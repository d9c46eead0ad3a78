"""What a storage can do: what rclone says about the remote, refined by what we know about its provider."""

from __future__ import annotations

from typing import Any

from orchestrator.profiles import Profile
from orchestrator.records import Capabilities

SERVER_MTIME_PRECISION_NS = 10**9
"""A HEAD gives the upload time in whole seconds (HTTP's Last-Modified); a listing may give more."""
_NO_MODIFICATION_TIMES_NS = 365 * 24 * 3600 * 10**9
"""rclone reports a precision of a hundred years for remotes that store no modification times."""


def capabilities_of(profile: Profile, remote_type: str, info: dict[str, Any]) -> Capabilities:
    """The capabilities of a remote: `info` is rclone's `operations/fsinfo`, `profile` the facts for this remote."""
    features: dict[str, bool] = info.get("Features") or {}
    directories = bool(features.get("CanHaveEmptyDirectories", True))
    return Capabilities(
        move=bool(features.get("Move")),
        copy=bool(features.get("Copy")),
        refuses_taken_names=profile.names_by in {"rename", "move"},
        refuses_taken_uploads=profile.names_by == "upload" and profile.refuses_taken_uploads,
        directory_move=bool(features.get("DirMove")),
        case_insensitive=bool(features.get("CaseInsensitive")),
        duplicate_names=bool(features.get("DuplicateFiles")),
        by_directory=profile.by_directory,
        flat_listing=bool(features.get("ListR")),
        current_listings=profile.current_listings,
        by_id=profile.by_id and bool(features.get("DuplicateFiles")),
        empty_directories=directories,
        rmdir_is_recursive=profile.directory_delete == "recursive" and directories,
        hashes=_free_hashes(profile, features, info.get("Hashes") or []),
        mtime=profile.server_mtime or (not features.get("SlowModTime") if profile.free_mtime is None else profile.free_mtime),
        own_mtime=not profile.server_mtime,
        mtime_precision_ns=SERVER_MTIME_PRECISION_NS if profile.server_mtime else _precision_ns(info.get("Precision")),
        quota=bool(features.get("About")),
        local=bool(features.get("IsLocal")),
        names=profile.names,
        max_component_bytes=profile.max_component_bytes,
        max_path_bytes=profile.max_path_bytes,
        remote_type=remote_type,
    )


def _free_hashes(profile: Profile, features: dict[str, bool], hashes: list[str]) -> tuple[str, ...]:
    if profile.free_hashes is not None:
        return tuple(name for name in profile.free_hashes if name in hashes)
    return () if features.get("SlowHash") else tuple(hashes)


def _precision_ns(precision: object) -> int | None:
    return precision if isinstance(precision, int) and precision < _NO_MODIFICATION_TIMES_NS else None
