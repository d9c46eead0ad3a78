"""Whether two files hold the same bytes, as cheaply as possible: by free hashes, by reading a local file, by reading both."""

from __future__ import annotations

import hashlib
from enum import Enum, auto

from orchestrator.apply.protocol.fingerprint import same_content_by_hash
from orchestrator.errors import UnsupportedError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

FULL_HASH = "sha256"
_COMPUTABLE_HERE = frozenset({"md5", "sha1", "sha256", "sha512"})


class Match(Enum):
    """The result of a comparison."""

    SAME = auto()
    """By a hash of the whole content."""
    SAME_SIZE = auto()
    """Only the sizes could be compared without reading a remote file."""
    DIFFERENT = auto()


def compare(source: Storage, one: Entry, target: Storage, other: Entry, *, read_if_needed: bool) -> Match:
    """Compare the file `one` of `source` with `other` of `target`. Raises the storages' errors.

    `read_if_needed`: if no hash can be compared, read both files in full instead of comparing only their sizes.
    """
    same = same_content_by_hash(one, other)
    if same is None:
        same = _by_reading_local_file(source, one, target, other)
    if same is None and read_if_needed:
        same = source.hash(one.path, FULL_HASH, download=True) == target.hash(other.path, FULL_HASH, download=True)
    if same is None:
        return Match.SAME_SIZE
    return Match.SAME if same else Match.DIFFERENT


def holds(storage: Storage, there: Entry, content: bytes) -> bool:
    """Whether a file holds exactly these bytes: by a hash that the storage gives for free, otherwise by reading it back.

    Raises the storage's errors.
    """
    if there.size is not None and there.size != len(content):
        return False
    for kind in sorted(there.hashes.keys() & _COMPUTABLE_HERE):
        return hashlib.new(kind, content, usedforsecurity=False).hexdigest() == there.hashes[kind].lower()
    return storage.read_range(there.path, 0, len(content) + 1) == content


def _by_reading_local_file(source: Storage, one: Entry, target: Storage, other: Entry) -> bool | None:
    """Compare by reading files on this machine's disks, which costs no request; None if neither file is local."""
    here, there = source.capabilities.local, target.capabilities.local
    if here and there:
        return source.hash(one.path, FULL_HASH, download=True) == target.hash(other.path, FULL_HASH, download=True)
    if here:
        return _has_one_of(source, one.path, other.hashes)
    if there:
        return _has_one_of(target, other.path, one.hashes)
    return None


def _has_one_of(storage: Storage, path: str, hashes: dict[str, str]) -> bool | None:
    for kind, value in sorted(hashes.items()):
        try:
            found = storage.hash(path, kind, download=True)
        except UnsupportedError:
            continue
        if found is not None:
            return found.lower() == value.lower()
    return None
