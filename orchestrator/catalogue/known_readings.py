"""The reading of one listed file, from the catalogue if it is known there, and kept there."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from orchestrator.catalogue.file_ends import END
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import RemoteError
from orchestrator.paths import parent_of
from orchestrator.plan.scan_estimate import ExpectedReads
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage
from orchestrator.tags.formats import by_name
from orchestrator.tags.policy import FEW_BYTES, KIB
from orchestrator.tags.reader import first_ranges, read_track
from orchestrator.track import Reading, Status

_POLICY = msgspec.structs.replace(FEW_BYTES, end_check=END, budget=64 * 1024 * KIB, requests=200)
"""Patient: a file with a very large picture is not damaged."""


def reading_with_end(
    storage: Storage, catalogue: Catalogue, entry: Entry, *, read_again: bool = False
) -> tuple[Reading, str | None]:
    """The reading of a listed file and of its end, and a digest of all parts that were read for it; None if it was known.

    `read_again`: it is read in any case. What the catalogue knows of a copy that this program made was read from its source.

    The same parts of equal files are read, from whatever storage. Raises the storage's error, and RemoteError if the file has
    changed since it was listed.

    On a disk it is always read: an edit there may keep size and time, which is all that the catalogue goes by.
    """
    kept = not storage.capabilities.local and (entry.mtime_ns is not None or bool(entry.hashes))
    if kept and not read_again:
        known = catalogue.reading(storage.fs, entry)
        if known is not None and known.end is not None and known.status is not Status.UNREADABLE:
            return known, None
    if entry.size is None:
        raise RemoteError("the remote does not report its size", path=entry.path)
    parts = sha256()

    def read_ranges(ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        found = storage.read_ranges(entry.path, ranges)
        for wanted, part in zip(ranges, found, strict=True):
            parts.update(repr(wanted).encode())
            parts.update(part)
        return found

    def read_range(offset: int, length: int) -> bytes:
        return read_ranges([(offset, length)])[0]

    reading = read_track(entry.path, entry.size, read_range, _POLICY, read_ranges=read_ranges)
    if reading.status is Status.UNREADABLE and _has_changed(storage, entry):
        raise RemoteError("it has changed since it was listed", path=entry.path)
    if kept:
        catalogue.save_readings([(one, reading) for one in catalogue.to_read_again(storage.fs, [entry]) if one.entry == entry])
    return reading, parts.hexdigest()


def expected_reads(entries: Sequence[Entry]) -> ExpectedReads:
    """What reading these files and their ends takes, about."""
    size = ranges = 0
    for entry in entries:
        head, tail = first_ranges(entry.size or 0, _POLICY, by_name(entry.path))
        size, ranges = size + head + tail, ranges + 1 + bool(tail)
    folders = {parent_of(entry.path) for entry in entries}
    return ExpectedReads(files=len(entries), folders_read=len(folders), ranges=ranges, size=size)


def _has_changed(storage: Storage, entry: Entry) -> bool:
    now = storage.stat(entry.path)
    return now is None or now.size != entry.size
