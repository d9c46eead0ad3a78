"""A scan of a messy library on every kind of storage, through rclone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.catalogue.selection import Selection
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.update import scan
from orchestrator.storage.protocol import Storage
from orchestrator.track import Status
from tests.catalogue.helpers import NOW_NS
from tests.library import make_library, upload


@pytest.mark.shows("list", "ranged tags")
def test_a_messy_library_is_read_once(catalogue: Catalogue, storage: Storage, tmp_path: Path) -> None:
    facts = make_library(tmp_path / "library", count=60, hostile="none")
    folds = storage.capabilities.case_insensitive  # there some names would be equal
    paths = upload(facts, storage, paths={path.lower(): path for path in facts.files}.values() if folds else None)
    first = scan(storage, catalogue, Selection(now_ns=NOW_NS))
    audio = {path for path in paths if path in facts.audio}
    assert (first.files_seen, first.audio_seen, first.files_read) == (len(paths), len(audio), len(audio))
    assert {path for path, _ in first.unreadable} == set(facts.unreadable)
    assert not first.failures
    assert not first.vanished
    for item in catalogue.entries(storage.fs):
        expected = facts.tracks.get(item.entry.path)
        if expected is not None:
            assert item.reading is not None
            assert item.reading.status is Status.TAGGED
            assert item.reading.track is not None
            assert item.reading.track.title == expected.title
    second = scan(storage, catalogue, Selection(now_ns=NOW_NS))
    assert (second.files_read, second.changed) == (0, False)
