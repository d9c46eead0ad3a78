"""The reading of one listed file, from the catalogue if it is known there, and kept there."""

from __future__ import annotations

import msgspec

from orchestrator.catalogue.file_ends import END
from orchestrator.catalogue.reading import read_entry
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import RemoteError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage
from orchestrator.tags.policy import KIB, Policy
from orchestrator.track import Reading, Status

_PATIENT = {"budget": 64 * 1024 * KIB, "requests": 200}
"""A file with a very large picture is not damaged."""


def reading_with_end(storage: Storage, catalogue: Catalogue, entry: Entry, policy: Policy) -> Reading:
    """The reading of a listed file and of its end. Raises the storage's error, and RemoteError if the file has changed.

    On a disk it is always read: an edit there may keep size and time, which is all that the catalogue goes by.
    """
    kept = not storage.capabilities.local and (entry.mtime_ns is not None or bool(entry.hashes))
    if kept:
        known = catalogue.reading(storage.fs, entry)
        if known is not None and known.end is not None and known.status is not Status.UNREADABLE:
            return known
    reading = read_entry(storage, entry, msgspec.structs.replace(policy, end_check=END, **_PATIENT))
    if reading.status is Status.UNREADABLE and _has_changed(storage, entry):
        raise RemoteError("it has changed since it was listed", path=entry.path)
    if kept:
        catalogue.save_readings([(one, reading) for one in catalogue.to_read_again(storage.fs, [entry]) if one.entry == entry])
    return reading


def _has_changed(storage: Storage, entry: Entry) -> bool:
    now = storage.stat(entry.path)
    return now is None or now.size != entry.size
