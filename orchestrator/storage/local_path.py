"""Where a storage's path lies on a disk of this machine, and whether it may be changed there."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.storage.protocol import Storage


def local_path(storage: Storage, path: str) -> str | None:
    """The absolute path of a file on this machine's disk; None for a remote storage."""
    if not storage.capabilities.local:
        return None
    root = storage.fs if storage.fs.startswith("/") else storage.fs.partition(":")[2]
    return f"{root.rstrip('/')}/{path}" if root.startswith("/") else None


def why_not_writable(folder: str) -> str | None:
    """Why a folder of this machine, which need not exist, cannot be written to, and what to do about it; None if it can."""
    nearest = next(one for one in (Path(folder), *Path(folder).parents) if os.path.lexists(one))
    if os.access(nearest, os.W_OK | os.X_OK):
        return None
    why = "it is on a read-only disk or snapshot, or its permissions forbid it"
    return f"{nearest} is not writable: {why}; choose another folder, or fix its permissions"
