"""Files on a disk of this machine: where a storage's path lies there, on which file system, and whether a file has changed."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

import msgspec

from orchestrator.paths import parents_of
from orchestrator.storage.local_path import local_path, status_on_disk
from orchestrator.storage.protocol import Storage

_MOUNTS = "/proc/self/mountinfo"


class DiskState(msgspec.Struct, frozen=True, gc=False):
    """A file as the disk knows it. A program can set the modification time back, but not the change time."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def disk_state(storage: Storage, path: str) -> DiskState | None:
    """The state of a file on this machine's disk; None elsewhere, and where the path does not lead to it.

    On disk, rclone spells control characters and bytes that are not UTF-8 differently.
    """
    found = status_on_disk(storage, path)
    return None if found is None else DiskState(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def on_one_file_system(one: str | None, other: str | None) -> bool:
    """Whether a rename can lead from one file to the other, existing or not; True where that cannot be looked up."""
    if one is None or other is None:
        return True
    here, there = (_file_system(os.path.dirname(path)) for path in (one, other))  # noqa: PTH120 - pathlib is ten times slower
    return None in {here, there} or here == there


def file_system_root(storage: Storage, path: str) -> str:
    """The highest directory above a file from which a rename can lead to it, relative to the storage's root.

    "" is the root itself: anything else is a mount point below it.
    """
    if local_path(storage, path) is None:
        return ""
    root = local_path(storage, "") or "/"
    found, above = "", _file_system(root.rstrip("/") or "/")
    for directory in reversed([*parents_of(path)]):
        here = _file_system(f"{root.rstrip('/')}/{directory}")
        if here is not None and here != above:
            found, above = directory, here
    return found


@lru_cache(maxsize=10_000)
def _file_system(directory: str) -> tuple[int, str] | None:
    """Device and mount point of a directory, or of the nearest existing directory above it: a rename leads to neither other."""
    while True:
        try:
            device = os.stat(directory).st_dev  # noqa: PTH116 - as in `on_one_file_system`
        except FileNotFoundError:
            above = os.path.dirname(directory)  # noqa: PTH120 - as in `on_one_file_system`
            if above == directory:
                return None
            directory = above
        except OSError:
            return None
        else:
            return device, _mount_point(os.path.realpath(directory))


def _mount_point(directory: str) -> str:
    """The nearest mount point: two of one device are two file systems for a rename. "" where the system does not list them."""
    mounts = _mount_points()
    while directory not in mounts:
        above = os.path.dirname(directory)  # noqa: PTH120 - as in `on_one_file_system`
        if above == directory:
            return ""
        directory = above
    return directory


@lru_cache(maxsize=1)
def _mount_points() -> frozenset[str]:
    try:
        lines = Path(_MOUNTS).read_bytes().decode(errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    spelled = (line.split(" ")[4] for line in lines)
    return frozenset(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path) for path in spelled)
