"""The ends of files are read once, and the readings are saved."""

from __future__ import annotations

from orchestrator.catalogue.file_ends import read_ends
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import PermanentError
from orchestrator.records import Entry
from tests.audio_frames import flac
from tests.catalogue.helpers import Stubborn, run_scan


def test_the_reading_is_saved_and_a_file_that_cannot_be_read_is_unchanged(catalogue: Catalogue) -> None:
    whole = flac(40, 1)
    storage = Stubborn()
    for path, content in {"whole.flac": whole, "cut.flac": whole[:-9_000], "refused.flac": whole}.items():
        storage.write(path, content)
    run_scan(storage, catalogue)
    before = {one.entry.path: one for one in catalogue.entries(storage.fs)}
    assert {one.reading.suspect for one in before.values() if one.reading} == {None}
    storage.refuse_read = lambda path: PermanentError("no", path=path) if path == "refused.flac" else None
    entries = [one.entry for one in before.values()]
    outcomes = {one.unread.entry.path: one for one in read_ends(storage, catalogue, [*entries, Entry("unknown.flac", 1)])}
    assert {path for path, one in outcomes.items() if one.error is not None} == {"refused.flac"}
    after = {one.entry.path: one.reading for one in catalogue.entries(storage.fs)}
    assert {path: (one.whole, one.suspect is not None) for path, one in after.items() if one} == {
        "whole.flac": (True, False),
        "cut.flac": (False, True),
        "refused.flac": (False, False),
    }
    assert [path for path, _ in catalogue.unreadable_or_suspect(storage.fs)] == ["cut.flac"]
    assert run_scan(storage, catalogue).files_read == 0
