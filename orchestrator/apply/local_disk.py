"""Files on a disk of this machine: where a storage's path lies there, and which files a rename can reach."""

from __future__ import annotations

import os
from functools import lru_cache

from orchestrator.storage.protocol import Storage


def local_path(storage: Storage, path: str) -> str | None:
    """The absolute path of a file on this machine's disk; None for a remote storage."""
    if not storage.capabilities.local:
        return None
    root = storage.fs if storage.fs.startswith("/") else storage.fs.partition(":")[2]
    return f"{root.rstrip('/')}/{path}" if root.startswith("/") else None


def on_one_device(one: str | None, other: str | None) -> bool:
    """Whether two files, existing or not, lie on one file system; True where either cannot be looked up."""
    if one is None or other is None:
        return True
    here, there = _device(os.path.dirname(one)), _device(os.path.dirname(other))  # noqa: PTH120 - pathlib is ten times slower
    return None in {here, there} or here == there


@lru_cache(maxsize=10_000)
def _device(directory: str) -> int | None:
    """The device of a directory, or of the nearest existing directory above it."""
    while True:
        try:
            return os.lstat(directory).st_dev
        except FileNotFoundError:
            above = os.path.dirname(directory)  # noqa: PTH120 - as above
            if above == directory:
                return None
            directory = above
        except OSError:
            return None
