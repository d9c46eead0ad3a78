"""Where a storage's path lies on a disk of this machine, and whether it may be changed there."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import struct
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.storage.protocol import Storage

_GET_FLAGS = 0x80086601
"""FS_IOC_GETFLAGS of linux/fs.h."""
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20
"""FS_IMMUTABLE_FL and FS_APPEND_FL."""
_SHOWN = re.compile("\u201b[\u2400-\u2421]|[\u2401-\u241f\u2421]")
"""What rclone shows instead of control characters in names; where a name has that symbol itself, it puts U+201B before it."""

_TRIES, _TICK_S, _CHANGES = 6, 0.005, 2


def local_path(storage: Storage, path: str) -> str | None:
    """The absolute path of a file on this machine's disk; None for a remote storage."""
    root = local_root(storage)
    return None if root is None else _below(root, path)


def local_root(storage: Storage) -> str | None:
    """The absolute path of a storage on this machine's disk, without a slash at its end; None for a remote storage."""
    if not storage.capabilities.local:
        return None
    root = storage.fs if storage.fs.startswith("/") else storage.fs.partition(":")[2]
    return root.rstrip("/") if root.startswith("/") else None


def _below(root: str, path: str) -> str:
    return f"{root}/{path if path.isascii() else _SHOWN.sub(_named, path)}"


def _named(shown: re.Match[str]) -> str:
    """The character of a name on the disk that rclone shows as another one."""
    symbol = shown[0]
    if len(symbol) > 1:
        return symbol[1:]
    return "\x7f" if symbol == "\u2421" else chr(ord(symbol) - 0x2400)


def status_on_disk(storage: Storage, path: str) -> os.stat_result | None:
    """What this machine's disk knows of a file; None for a remote storage, and where the path does not lead to it."""
    look = look_at_disk(storage)
    return None if look is None else look(path)


def look_at_disk(storage: Storage) -> Callable[[str], os.stat_result | None] | None:
    """`status_on_disk` for many files of one storage; None for a remote one."""
    root = local_root(storage)
    if root is None:
        return None

    def look(path: str) -> os.stat_result | None:
        try:
            return os.lstat(_below(root, path))
        except OSError:  # gone meanwhile, or rclone spells it otherwise: bytes that are not UTF-8
            return None

    return look


def has_change_times(storage: Storage, path: str) -> bool:
    """Whether the disk notes each change of a file in a time that programs cannot set (ctime): tried on a file of ours.

    FAT, exFAT, and some FUSE and SMB do not. One change does not count: a mount with a cache shows other times once it has
    written the file back. True where it cannot be tried, and for a remote storage.
    """
    file = local_path(storage, path)
    try:
        before = os.stat(file) if file is not None else None  # noqa: PTH116 - it is a plain string
        if before is None or file is None:
            return True
        changes = {before.st_ctime_ns}
        for _ in range(_TRIES):  # the clock of file systems ticks every few milliseconds
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            changes.add(os.stat(file).st_ctime_ns)  # noqa: PTH116 - it is a plain string
            if len(changes) > _CHANGES:
                return True
            time.sleep(_TICK_S)
    except OSError:  # a read-only disk, for example: it could not be tried
        return True
    return False


def is_link(storage: Storage, path: str) -> bool:
    """Whether a path of this machine's disk is a symlink, whatever it leads to."""
    file = local_path(storage, path)
    return file is not None and os.path.islink(file)  # noqa: PTH114 - paths with bytes that are not UTF-8 stay as they are


def why_not_writable(folder: str) -> str | None:
    """Why a folder of this machine, which need not exist, cannot be written to, and what to do about it; None if it can."""
    nearest = next(one for one in (Path(folder), *Path(folder).parents) if os.path.lexists(one))
    if os.access(nearest, os.W_OK | os.X_OK):
        return None
    why = "it is on a read-only disk or snapshot, or its permissions forbid it"
    return f"{nearest} is not writable: {why}; choose another folder, or fix its permissions"


def why_not_deletable(file: str) -> str | None:
    """Why a file of this machine cannot be deleted, and what to do about it; None if nothing says so."""
    folder = os.path.dirname(file)  # noqa: PTH120 - paths with bytes that are not UTF-8 stay as they are
    try:
        there, above = os.lstat(file), os.stat(folder)  # noqa: PTH116 - as above
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return f"{folder} is on a disk or snapshot that is mounted read-only"
    except OSError as error:
        return f"{folder} cannot be looked at ({error.strerror})"
    for path in (file, folder):
        flags = _flags(path)
        if flags & (_IMMUTABLE | _APPEND_ONLY):
            kind = "immutable" if flags & _IMMUTABLE else "append-only"
            return f"{path} is {kind} (`lsattr` shows it, `chattr -ia` changes it)"
    user = os.geteuid()
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"user {user} has no permission to write to the folder {folder} (mode {stat.S_IMODE(above.st_mode):04o})"
    if above.st_mode & stat.S_ISVTX and user not in {0, there.st_uid, above.st_uid}:
        return f"the folder {folder} has the sticky bit, so only the owners of a file and of the folder may delete it"
    return None


def _flags(path: str) -> int:
    """The flags that `lsattr` shows; 0 where the file system has none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return 0
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, _GET_FLAGS, bytes(4)))[0])
    except OSError:
        return 0
    finally:
        os.close(descriptor)
