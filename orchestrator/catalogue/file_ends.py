"""Look at the ends of files of which the catalogue knows no more than their heads say."""

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

_FLAC_END = 64 * KIB
"""Frames of a CD take up to 16 KiB, of the finest sound 64."""


def read_ends(
    storage: Storage,
    catalogue: Catalogue,
    entries: Sequence[Entry],
    *,
    policy: Policy = FEW_BYTES,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Iterator[ReadResult]:
    """Read these files of the catalogue again, their ends included, and keep the readings there: a later scan does not ask again.

    Files that the catalogue no longer knows so are passed over. Raises what `Readers` raises.
    """
    progress = progress or NoProgress()
    policy = msgspec.structs.replace(policy, flac_end=_FLAC_END)
    waiting = catalogue.known(storage.fs, entries, by_id=storage.capabilities.by_id)
    progress.stage("looking at the ends of FLAC files", len(waiting))
    with (
        storage.reading(_FLAC_END),
        Readers(storage, iter(waiting), policy, reader_count(storage, None), stop) as outcomes,
    ):
        for outcome in outcomes:
            progress.advance(1, outcome.reading.bytes_read if outcome.reading is not None else 0)
            if outcome.reading is not None:
                catalogue.save_readings([(outcome.unread, outcome.reading)])
            yield outcome
