"""The number of the last sync in a file of ours at a place: a place that was restored from a backup has an older one."""

from __future__ import annotations

from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.protocol import Storage


def read_count(storage: Storage, name: str) -> int:
    """The number in a file of that name; 0 if there is none. Raises the storage's errors."""
    entry = storage.stat(_file(name))
    if entry is None:
        return 0
    text = storage.read_range(_file(name), 0, entry.size or 0).decode("ascii", "replace").strip()
    return int(text) if text.isascii() and text.isdigit() else 0


def write_count(storage: Storage, name: str, number: int) -> None:
    """Write a number into it. Raises the storage's errors."""
    storage.write(_file(name), f"{number}\n".encode("ascii"))


def _file(name: str) -> str:
    return f"{OWN_DIRECTORY}/synced-{name}"
