"""Where a storage's path lies on a disk of this machine."""

from __future__ import annotations

from orchestrator.storage.protocol import Storage


def local_path(storage: Storage, path: str) -> str | None:
    """The absolute path of a file on this machine's disk; None for a remote storage."""
    if not storage.capabilities.local:
        return None
    root = storage.fs if storage.fs.startswith("/") else storage.fs.partition(":")[2]
    return f"{root.rstrip('/')}/{path}" if root.startswith("/") else None
