"""Read the ends of files of which only the beginning was read so far."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import msgspec

from orchestrator.catalogue.reading import Readers, ReadResult, reader_count
from orchestrator.catalogue.store import Catalogue
from orchestrator.progress import NoProgress, Progress
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage
from orchestrator.tags.policy import FEW_BYTES, KIB, Policy

END = 64 * KIB
"""A frame of FLAC takes up to 16 KiB for a CD, and 64 at the highest resolution."""


def read_ends(
    storage: Storage,
    catalogue: Catalogue,
    entries: Sequence[Entry],
    *,
    policy: Policy = FEW_BYTES,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Iterator[ReadResult]:
    """Read these files again, with their ends, and save the readings: a later scan does not read them again.

    Files that the catalogue no longer knows are skipped. Raises what `Readers` raises.
    """
    progress = progress or NoProgress()
    policy = msgspec.structs.replace(policy, end_check=END)
    waiting = catalogue.to_read_again(storage.fs, entries, by_id=storage.capabilities.by_id)
    progress.stage("looking at the ends of files", len(waiting), at=(storage.fs,))
    with (
        storage.reading(END, files=len(waiting)),
        Readers(storage, iter(waiting), policy, reader_count(storage, None), stop) as results,
    ):
        for outcome in results:
            progress.advance(1, outcome.reading.bytes_read if outcome.reading is not None else 0)
            if outcome.reading is not None:
                catalogue.save_readings([(outcome.unread, outcome.reading)])
            yield outcome
