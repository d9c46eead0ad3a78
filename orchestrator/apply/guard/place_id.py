"""The id of a place: a small file of ours at its root, by which a sync knows it again under every name.

A disk that is not mounted, or another disk under the same path, has none, or another one.
"""

from __future__ import annotations

import re
import secrets

from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.protocol import Storage

PLACE_ID_FILE = f"{OWN_DIRECTORY}/place-id"
_ID = re.compile(r"[0-9a-f]{32}")


def place_id(storage: Storage) -> str | None:
    """The id of the place; None if it has none yet. Raises the storage's errors."""
    # Look before reading: to a read, a server that is away looks like one without the file.
    entry = storage.stat(PLACE_ID_FILE)
    if entry is None:
        return None
    text = storage.read_range(PLACE_ID_FILE, 0, entry.size or 0).decode("ascii", "replace").strip()
    return text if _ID.fullmatch(text) else None


def write_place_id(storage: Storage) -> str:
    """Give the place a new id. Raises the storage's errors."""
    identity = secrets.token_hex(16)
    storage.write(PLACE_ID_FILE, f"{identity}\n".encode("ascii"))
    return identity


def leads_to_the_same(storage: Storage, other: Storage) -> bool:
    """Whether two storages are one place under two names: what is written through the one is there through the other.

    A server may show for a while what it listed before, a disk does not: looked for is on the disk. Raises the storages' errors.
    """
    if storage.capabilities.local:
        storage, other = other, storage
    name = f"{PLACE_ID_FILE}-{secrets.token_hex(4)}"
    storage.write(name, b"Is this one place, or two?\n")
    try:
        other.forget_folders()
        return other.exists(name)
    finally:
        storage.delete(name)
