"""The bodies of the rc calls, as pure functions: data in, a dict out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from orchestrator.paths import is_local, join_location

Body: TypeAlias = dict[str, Any]

GROUP = "music-orchestrator"
"""The statistics group of every call: otherwise each has one of its own, and rclone forgets what the older ones have counted."""

_GROUP_OF_DIRECTORIES = f"{GROUP} directories"
"""That of whole directories: a sync may stop at the errors that its group has seen."""

BACKUP_OVERLAP = "parameter to --backup-dir mustn't overlap"
"""How the answer to `directory_move` ends when the server cannot move the directory by itself."""

_UNCHECKED: Body = {"NoCheckDest": True, "IgnoreTimes": True}

_UNCOMPARED: Body = {"IgnoreSize": True, "IgnoreChecksum": True}
"""rclone does not compare the copy with its source. Where these differ, it deletes what then lies at the destination."""


def split_root(fs: str) -> tuple[str, str]:
    """A location as the root of its remote and the path below it: ("s3:", "bucket/music"), ("/", "srv/music")."""
    if is_local(fs):
        return "/", fs.strip("/")
    name, colon, path = fs.partition(":")
    slash = "/" if path.startswith("/") else ""
    return f"{name}{colon}{slash}", path.strip("/")


def keep_replaced(fs: str, trash: str | None) -> Body:
    """The `_config` that makes rclone move an existing file out of the way into `trash`, whatever its size and time.

    None: the remote has no BackupDir.
    """
    return {"IgnoreTimes": True} if trash is None else {"BackupDir": join_location(fs, trash), "IgnoreTimes": True}


def stat(fs: str, path: str, *, mtime: bool, hashes: Sequence[str], server_mtime: bool = False) -> Body:
    """`operations/stat` of a file. Ask for no more than is free. `server_mtime`: the upload time instead of rclone's own."""
    options: Body = {"filesOnly": True, "noMimeType": True, "noModTime": not mtime}
    if hashes:
        options |= {"showHash": True, "hashTypes": list(hashes)}
    return {"fs": with_server_mtime(fs) if server_mtime else fs, "remote": path, "opt": options}


def with_server_mtime(fs: str) -> str:
    """The same location with --use-server-modtime. S3 checks it when a remote is opened, so `_config` would come too late."""
    return with_option(fs, "override.use_server_modtime=true")


def stat_own_mtime(fs: str, path: str, *, beside_server_mtime: bool) -> Body:
    """`operations/stat` of a file with its own modification time.

    `beside_server_mtime`: the location is open with the upload time, too. rclone takes both for one, unless an option differs.
    """
    return stat(with_option(fs, "description=own times") if beside_server_mtime else fs, path, mtime=True, hashes=())


def with_option(fs: str, option: str) -> str:
    """The same location, opened with one more option (`name=value`)."""
    name, colon, path = fs.partition(":")
    return f"{name},{option}{colon}{path}"


def transfer(source_fs: str, source: str, target_fs: str, target: str, *, trash: str | None) -> Body:
    """`operations/movefile` and `operations/copyfile`."""
    return {
        "srcFs": source_fs,
        "srcRemote": source,
        "dstFs": target_fs,
        "dstRemote": target,
        "_config": keep_replaced(target_fs, trash),
    }


def copy_to_own_name(source_fs: str, source: str, target_fs: str, target: str) -> Body:
    """`operations/copyfile` to a name of ours: rclone looks for nothing there."""
    return {**transfer(source_fs, source, target_fs, target, trash=None), "_config": _UNCHECKED}


def uncompared(body: Body) -> Body:
    """A copy or move to a final name, where another program may write to the copy: the caller compares it."""
    return {**body, "_config": {**body["_config"], **_UNCOMPARED}}


def unseen_move(source_fs: str, source: str, fs: str, target: str) -> Body:
    """`operations/movefile` where the server itself refuses a taken name, or keeps both files of the name.

    rclone looks at nothing and moves nothing away.
    """
    return {**transfer(source_fs, source, fs, target, trash=None), "_config": _UNCHECKED}


def refused_upload(source_fs: str, source: str, target_fs: str, target: str) -> Body:
    """`operations/copyfile` to S3, which refuses it if the name is taken when the upload ends. Not for server-side copies.

    The caller compares the copy.
    """
    headers = [{"Key": "If-None-Match", "Value": "*"}]
    body = transfer(source_fs, source, target_fs, target, trash=None)
    return {**body, "_config": {**_UNCHECKED, **_UNCOMPARED, "UploadHeaders": headers}}


def replacing_upload(body: Body, md5: str | None, *, unseen: bool) -> Body:
    """An upload over a file; `unseen`: rclone does not look for it.

    If it has this `md5`, an S3 server may refuse to replace another one when the upload ends.
    """
    config = {**body["_config"], "NoCheckDest": unseen}
    if md5 is not None:
        config["UploadHeaders"] = [{"Key": "If-Match", "Value": f'"{md5}"'}]
    return {**body, "_config": config}


def link(fs: str, source: str, target: str) -> Body:
    """`operations/copyfile` on an SFTP server as a second link to the file, without comparing the file with itself."""
    linking = with_option(fs, "copy_is_hardlink=true")
    config = {**_UNCHECKED, **_UNCOMPARED, "Inplace": True}
    return {**transfer(linking, source, linking, target, trash=None), "_config": config}


def in_combine(fs: str, path: str) -> str:
    """A path in a location, opened in a `combine` of that location, which uses what rclone knows of the folders there.

    Opened by itself, each folder of a Google Drive is looked up again from the root. With a slash at its end (`as_folder`),
    rclone does not even ask whether the path is a file (combine.go NewFs).
    """
    upstreams = '"m={}"'.format(fs.replace('"', '""'))
    return ':combine,upstreams="{}":m/{}'.format(upstreams.replace('"', '""'), path)


def as_folder(fs: str, path: str) -> str:
    """See `in_combine`."""
    return in_combine(fs, f"{path}/" if path else "")


def directory_move(fs: str, source: str, target: str, opened: Callable[[str, str], str] = join_location) -> Body:
    """`sync/move` of a directory, only if the server can do it alone. `opened`: how to open a path in `fs`.

    Otherwise rclone would go on and move the files one by one, even into an existing target. A BackupDir that equals the source
    makes rclone stop before the first file: its answer then ends with BACKUP_OVERLAP, and nothing has changed.
    """
    moved = opened(fs, source)
    config = keep_replaced(moved, "")
    return {"srcFs": moved, "dstFs": opened(fs, target), "_config": config, "_group": _GROUP_OF_DIRECTORIES}


def one_path(fs: str, path: str) -> Body:
    """`operations/deletefile`, `mkdir` and `rmdir`."""
    return {"fs": fs, "remote": path}


def delete_unseen(fs: str, path: str, option: str) -> Body:
    """`operations/deletefile` with the option (`name=value`) that makes rclone take for granted that the file is there.

    From the root of the remote: of any other folder, the Azure backend would take for granted that it is a file.
    """
    root, below = split_root(fs)
    return one_path(with_option(root, option), f"{below}/{path}" if below else path)


def list_names(fs: str, path: str) -> Body:
    """`operations/list` of one directory, names only."""
    return {**one_path(fs, path), "opt": {"noModTime": True, "noMimeType": True}}


def by_id(command: str, fs: str, object_id: str, target: str) -> Body:
    """`backend/command` of the drive backend for one file: "moveid" to a location, "copyid" to a location or a local path."""
    return {"command": command, "fs": fs, "arg": [object_id, target]}


def serve(fs: str, socket: str, user: str, password: str, *, chunk_bytes: int, number: int) -> Body:
    """`serve/start` of a location on a unix socket, to read ranges of up to `chunk_bytes` from it.

    Servers with equal options share what they have listed; `number` makes each one different.
    """
    return {
        "type": "webdav",  # "http" asks for the MIME type of each file, which is a HEAD on S3
        "fs": fs,
        "addr": f"unix://{socket}",
        "user": user,
        "pass": password,
        "read_only": True,
        "dir_cache_time": f"{24 * 3600 + number}s",
        "poll_interval": "0s",  # otherwise rclone asks Google Drive every minute what has changed
        "vfs_cache_mode": "off",
        "vfs_read_chunk_size": f"{chunk_bytes}B",
        "vfs_read_wait": "0s",
        "no_checksum": True,  # of small files, which are read completely
        "no_modtime": True,
        "_config": {"BufferSize": 0},  # otherwise rclone reads ahead: more bytes, and more than one request
    }


def list_tree(fs: str) -> Body:
    """`vfs/refresh` of all directories of a served location, in one listing where the remote can."""
    return {"fs": fs, "recursive": "true"}


def hash_sum(fs: str, path: str, hash_type: str, *, download: bool) -> Body:
    """`operations/hashsumfile`."""
    return {"fs": fs, "remote": path, "hashType": hash_type, "download": download}


def batch(calls: Sequence[tuple[str, Mapping[str, Any]]], concurrency: int) -> Body:
    """`job/batch` of (method, body) pairs."""
    return {
        "inputs": [{"_path": method, **body} for method, body in calls],
        "concurrency": concurrency,
    }
