"""The bodies of the rc calls, as pure functions: data in, a dict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from orchestrator.paths import is_local, join_location

Body: TypeAlias = dict[str, Any]

GROUP = "music-orchestrator"
"""One statistics group for everything: rclone keeps a record for each group that it meets."""


def split_root(fs: str) -> tuple[str, str]:
    """A location as the root of its remote and the path below: ("s3:", "bucket/music"), ("/", "srv/music")."""
    if is_local(fs):
        return "/", fs.strip("/")
    name, colon, path = fs.partition(":")
    slash = "/" if path.startswith("/") else ""
    return f"{name}{colon}{slash}", path.strip("/")


def net(fs: str, trash: str | None) -> Body:
    """The `_config` under which rclone puts what lies in the way into `trash`, whatever its size and time."""
    return {"IgnoreTimes": True} if trash is None else {"BackupDir": join_location(fs, trash), "IgnoreTimes": True}


def look(fs: str, path: str, *, mtime: bool, hashes: Sequence[str], server_mtime: bool = False) -> Body:
    """`operations/stat` of a file. Asks for no more than is free. `server_mtime`: the time of upload, not rclone's own."""
    options: Body = {"filesOnly": True, "noMimeType": True, "noModTime": not mtime}
    if hashes:
        options |= {"showHash": True, "hashTypes": list(hashes)}
    return {"fs": with_server_mtime(fs) if server_mtime else fs, "remote": path, "opt": options}


def with_server_mtime(fs: str) -> str:
    """The same location with --use-server-modtime: S3 looks at it when a remote is opened, so `_config` comes too late."""
    return with_option(fs, "override.use_server_modtime=true")


def with_option(fs: str, option: str) -> str:
    """The same location, opened with one option more (`name=value`)."""
    name, colon, path = fs.partition(":")
    return f"{name},{option}{colon}{path}"


def transfer(source_fs: str, source: str, target_fs: str, target: str, *, trash: str | None) -> Body:
    """`operations/movefile` and `operations/copyfile`."""
    return {
        "srcFs": source_fs,
        "srcRemote": source,
        "dstFs": target_fs,
        "dstRemote": target,
        "_config": net(target_fs, trash),
    }


def directory_move(fs: str, source: str, target: str) -> Body:
    """`sync/move` of a directory by the server alone.

    Where that cannot be, rclone would go on to move the files one by one, into whatever lies at the target. A BackupDir that is
    the source is a mistake to it, found before the first of them: its answer then ends with OVERLAP, and nothing has changed.
    """
    moved = join_location(fs, source)
    return {"srcFs": moved, "dstFs": join_location(fs, target), "_config": net(moved, "")}


OVERLAP = "parameter to --backup-dir mustn't overlap"


def item(fs: str, path: str) -> Body:
    """`operations/deletefile`, `mkdir` and `rmdir`."""
    return {"fs": fs, "remote": path}


def names_in(fs: str, path: str) -> Body:
    """`operations/list` of one directory, names only."""
    return {**item(fs, path), "opt": {"noModTime": True, "noMimeType": True}}


def by_id(command: str, fs: str, object_id: str, target: str) -> Body:
    """`backend/command` of the drive backend for one file: "moveid" to a location, "copyid" to a location or a local path."""
    return {"command": command, "fs": fs, "arg": [object_id, target]}


def serve(fs: str, socket: str, user: str, password: str, *, piece: int, number: int) -> Body:
    """`serve/start` of a location on a unix socket, to read parts of up to `piece` bytes from it.

    Servers of equal options share what they have listed: `number` makes each one different.
    """
    return {
        "type": "http",
        "fs": fs,
        "addr": f"unix://{socket}",
        "user": user,
        "pass": password,
        "read_only": True,
        "dir_cache_time": f"{24 * 3600 + number}s",
        "poll_interval": "0s",  # else rclone asks Google Drive every minute what has changed
        "vfs_cache_mode": "off",
        "vfs_read_chunk_size": f"{piece}B",
        "vfs_read_wait": "0s",
        "no_checksum": True,  # of small files, which are read as a whole
        "no_modtime": True,
        "_config": {"BufferSize": 0},  # else it reads ahead: more bytes, and more requests than one
    }


def hash_sum(fs: str, path: str, hash_type: str, *, download: bool) -> Body:
    """`operations/hashsumfile`."""
    return {"fs": fs, "remote": path, "hashType": hash_type, "download": download}


def batch(calls: Sequence[tuple[str, Mapping[str, Any]]], concurrency: int) -> Body:
    """`job/batch` of (method, body) pairs."""
    return {
        "inputs": [{"_path": method, **body} for method, body in calls],
        "concurrency": concurrency,
        "_group": GROUP,
    }
