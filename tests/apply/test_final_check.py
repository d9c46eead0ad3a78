"""The final check of a run finds what it moved, wherever that is."""

from __future__ import annotations

import unicodedata

import pytest

from orchestrator.apply.protocol.final_check import FinalState, check_final_state
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.records import OWN_DIRECTORY, Ref
from orchestrator.storage.fake.memory import MemoryStorage


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_many_files_that_listings_leave_out_are_found(kind: str) -> None:
    """More than it looks at one by one: thumbnails that an undo has put back, and duplicates in the quarantine."""
    storage = MemoryStorage.like(kind)
    folders = ("A/@eaDir/1.mp3", "B/#recycle/@eaDir", f"{OWN_DIRECTORY}/quarantine/r/A/@eaDir", "A")
    paths = [f"{folder}/{number}.jpg" for folder in folders for number in range(60)]
    for path in paths:
        storage.put(path, b"x")
    there = {Ref(storage.fs, path): storage.stat(path) for path in paths}
    assert check_final_state(FinalState(there, frozenset()), {storage.fs: storage}, Obstacles(), listed=None) == []
    storage.remove("A/@eaDir/1.mp3/7.jpg")
    (problem,) = check_final_state(FinalState(there, frozenset()), {storage.fs: storage}, Obstacles(), listed=None)
    assert problem.path == "A/@eaDir/1.mp3/7.jpg"


def test_many_files_of_which_the_server_lists_some_in_another_unicode_form_are_found() -> None:
    """rclone's own servers show one folder for two whose names differ only in that."""
    storage = MemoryStorage(normalization_insensitive=True)
    names = [f"Café/{number}.mp3" for number in range(240)]
    for name in names:
        storage.put(name, b"x")
    there = {Ref(storage.fs, unicodedata.normalize("NFD", name)): storage.stat(name) for name in names}
    assert check_final_state(FinalState(there, frozenset()), {storage.fs: storage}, Obstacles(), listed=None) == []
