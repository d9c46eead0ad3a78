"""The final check of a run finds what it moved, wherever that is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import msgspec
import pytest

from orchestrator.apply.protocol.final_check import FinalState, check_final_state
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.errors import ExitCode, PartialListingError
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.storage.fake.memory import MemoryStorage
from tests.actions.fake_sync import MemoryPlace

KINDS = ("local", "s3", "drive")


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


@pytest.mark.parametrize(
    ("kind", "renamed", "copied", "code", "said"),
    [
        *((kind, True, copied, ExitCode.SOME_FAILED, "is at B/by its user.mp3") for kind in KINDS for copied in (True, False)),
        *((kind, False, True, ExitCode.SOME_FAILED, "this run did not touch inbox:a.mp3") for kind in KINDS),
        *((kind, False, False, ExitCode.INTEGRITY, "the storage has lost it") for kind in KINDS),
    ],
)
def test_a_file_that_somebody_has_taken_away_is_alarming_only_if_its_content_is_nowhere(
    kind: str, code: ExitCode, said: str, *, renamed: bool, copied: bool
) -> None:
    storage = MemoryStorage.like(kind)
    for number in range(3):
        storage.put(f"A/{number}.mp3", b"content %d" % number)
    refs = [Ref(storage.fs, f"A/{number}.mp3") for number in range(3)]
    wanted = FinalState(
        {ref: storage.stat(ref.path) for ref in refs}, frozenset(), {refs[1]: Ref("inbox:", "a.mp3")} if copied else {}
    )
    if renamed:
        MemoryPlace(storage).rename("A/1.mp3", "B/by its user.mp3")
    else:
        storage.remove("A/1.mp3")
    (problem,) = check_final_state(wanted, {storage.fs: storage}, Obstacles(), listed=None)
    assert (problem.fs, problem.path, problem.code) == (storage.fs, "A/1.mp3", code)
    proven = renamed and kind == "drive"  # by its id: nothing else tells it from a file that was there before
    assert problem.missing == (None if proven else refs[1])
    assert problem.message.endswith(said)


def test_of_two_missing_files_of_one_size_and_time_each_is_found_by_its_id() -> None:
    storage = MemoryStorage.like("drive")
    for name, content in (("1.mp3", b"one"), ("2.mp3", b"two")):
        storage.put(f"A/{name}", content, mtime_ns=10**18)
    refs = [Ref(storage.fs, f"A/{number}.mp3") for number in (1, 2)]
    # Without hashes, as of Google's documents.
    looks = ((ref, storage.stat(ref.path)) for ref in refs)
    there = {ref: look and msgspec.structs.replace(look, hashes={}) for ref, look in looks}
    MemoryPlace(storage).rename("A/2.mp3", "B/a, listed first.mp3")
    MemoryPlace(storage).rename("A/1.mp3", "B/b.mp3")
    problems = check_final_state(FinalState(there, frozenset()), {storage.fs: storage}, Obstacles(), listed=None)
    assert [(one.message.rpartition(": ")[2], one.missing) for one in problems] == [
        ("it is at B/b.mp3", None),
        ("it is at B/a, listed first.mp3", None),
    ]


def test_what_was_found_counts_if_some_folders_may_not_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage.like("drive")
    refs = [Ref(storage.fs, f"A/{number}.mp3") for number in (1, 2)]
    for ref in refs:
        storage.put(ref.path, ref.path.encode())
    wanted = FinalState({ref: storage.stat(ref.path) for ref in refs}, frozenset())
    MemoryPlace(storage).rename("A/1.mp3", "B/1.mp3")
    storage.remove("A/2.mp3")
    listed = [*storage.list("")]

    def closed(*_: object, **__: object) -> Iterator[Entry]:
        yield from listed
        raise PartialListingError("closed: permission denied", closed=["closed"])

    monkeypatch.setattr(storage, "list", closed)
    obstacles = Obstacles()
    found, lost = check_final_state(wanted, {storage.fs: storage}, obstacles, listed=None)
    assert (found.message.rpartition(": ")[2], found.code, lost.code) == (
        "it is at B/1.mp3",
        ExitCode.SOME_FAILED,
        ExitCode.INTEGRITY,
    )
    assert "not everything could be searched" in lost.message
    (problem,) = obstacles.problems
    assert "closed: permission denied" in problem.message


def test_many_files_of_which_the_server_lists_some_in_another_unicode_form_are_found() -> None:
    """rclone's own servers show one folder for two whose names differ only in that."""
    storage = MemoryStorage(normalization_insensitive=True)
    names = [f"Café/{number}.mp3" for number in range(240)]
    for name in names:
        storage.put(name, b"x")
    there = {Ref(storage.fs, unicodedata.normalize("NFD", name)): storage.stat(name) for name in names}
    assert check_final_state(FinalState(there, frozenset()), {storage.fs: storage}, Obstacles(), listed=None) == []
