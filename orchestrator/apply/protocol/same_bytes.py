"""Whether two files hold the same bytes, at the least cost that tells: free hashes, a read of the local side, a read of both."""

from __future__ import annotations

import hashlib
from enum import Enum, auto

from orchestrator.apply.protocol.fingerprint import same_content_by_hash
from orchestrator.errors import UnsupportedError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

FULL_HASH = "sha256"
_OURS = frozenset({"md5", "sha1", "sha256", "sha512"})
"""Hashes that need no storage to be made."""


class Match(Enum):
    """What a comparison came to."""

    SAME = auto()
    """By a hash of the whole content."""
    SAME_SIZE = auto()
    """Nothing more could be told without reading a remote file."""
    DIFFERENT = auto()


def compare(source: Storage, one: Entry, target: Storage, other: Entry, *, read_if_need_be: bool) -> Match:
    """Compare the file `one` of `source` with `other` of `target`. Raises the storages' errors.

    `read_if_need_be`: without a hash to go by, read both files in full rather than go by their size.
    """
    known = same_content_by_hash(one, other)
    if known is None:
        known = _by_local_read(source, one, target, other)
    if known is None and read_if_need_be:
        known = source.hash(one.path, FULL_HASH, download=True) == target.hash(other.path, FULL_HASH, download=True)
    if known is None:
        return Match.SAME_SIZE
    return Match.SAME if known else Match.DIFFERENT


def holds(storage: Storage, there: Entry, content: bytes) -> bool:
    """Whether a file holds just these bytes: by a hash that the storage gives for free, else by reading it back.

    Raises the storage's errors.
    """
    if there.size is not None and there.size != len(content):
        return False
    for kind in sorted(there.hashes.keys() & _OURS):
        return hashlib.new(kind, content, usedforsecurity=False).hexdigest() == there.hashes[kind].lower()
    return storage.read_range(there.path, 0, len(content) + 1) == content


def _by_local_read(source: Storage, one: Entry, target: Storage, other: Entry) -> bool | None:
    """Reading a file of this machine's disk costs no request, so a hash that only the other side gives is made here."""
    here, there = source.capabilities.local, target.capabilities.local
    if here and there:
        return source.hash(one.path, FULL_HASH, download=True) == target.hash(other.path, FULL_HASH, download=True)
    if here:
        return _against(source, one.path, other.hashes)
    if there:
        return _against(target, other.path, one.hashes)
    return None


def _against(storage: Storage, path: str, hashes: dict[str, str]) -> bool | None:
    for kind, value in sorted(hashes.items()):
        try:
            found = storage.hash(path, kind, download=True)
        except UnsupportedError:
            continue
        if found is not None:
            return found.lower() == value.lower()
    return None
