"""A directory moves in one request if nothing prevents it; otherwise its files move one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.results import FileChange, RunResult
from orchestrator.apply.settings import Settings
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import (
    AuthError,
    DestinationExistsError,
    ExitCode,
    OrchestratorError,
    PermanentError,
    QuotaError,
    RateLimitError,
    TransientError,
)
from orchestrator.plan.model import Plan
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.fake.faults import RecordedCall
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import WITHOUT_WAITS, contents, library, move, plan, run, run_again

NAMES = ("1.mp3", "2.mp3", "3.mp3", "4.mp3", "cd/5.mp3", "cover.jpg")


@pytest.fixture(params=["drive", "dropbox"])
def storage(request: pytest.FixtureRequest) -> MemoryStorage:
    """An album in a folder with the wrong name, and another one in the right one."""
    made = MemoryStorage.like(str(request.param), "one:library")
    for name in NAMES:
        made.put(f"in/al/{name}", name.encode())
    made.put("Other/Album/1.mp3", b"other")
    return made


def moving(storage: MemoryStorage, source: str = "in/al", target: str = "Band/Album") -> Plan:
    """Moves everything in one directory to another."""
    files = [entry.path.removeprefix(f"{source}/") for entry in storage.list(source)]
    return plan(*[move(storage, f"{source}/{name}", f"{target}/{name}") for name in files], source=storage.fs, storages=[storage])


def moved(target: str = "Band/Album") -> dict[str, bytes]:
    return {"Other/Album/1.mp3": b"other", **{f"{target}/{name}": name.encode() for name in NAMES}}


def changes(storage: MemoryStorage) -> list[tuple[str, str]]:
    """The changes of directories and files, without our own and without emptied directories that are moved to the trash."""
    kinds = {"move", "move_directory", "copy", "delete"}
    return [
        (asked.verb, asked.path)
        for asked in storage.log
        if asked.verb in kinds and not (asked.dst or "").startswith(OWN_DIRECTORY)
    ]


def at_the_request(storage: MemoryStorage, trouble: object, when: str = "before") -> None:
    """Let the next changing call, which moves the directory, fail."""
    storage.fail(storage.changes_made + 1, trouble, when=when, counting="changes")  # type: ignore[arg-type]


@pytest.mark.parametrize("foreign", ["in/al/#recycle/old.mp3", "in/al/cd/@eaDir/5.mp3/x.jpg", "in/al/.git/HEAD"])
def test_folders_of_other_programs_do_not_move_with_an_album(storage: MemoryStorage, tmp_path: Path, foreign: str) -> None:
    """Its files move one by one, or folder by folder, and the folder that it is in stays."""
    made = moving(storage)
    storage.put(foreign, b"theirs")
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 6)
    assert library(storage) == {**moved(), foreign: b"theirs"}


def test_an_album_moves_in_one_request_and_back(storage: MemoryStorage, tmp_path: Path) -> None:
    before, ids = library(storage), {entry.id for entry in storage.list()}
    made = moving(storage)
    stats, reported = storage.call_counts["stat"], list[FileChange]()
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(made, {storage.fs: storage}, journal, on_changes=reported.extend)
        assert (result.exit_code, result.done, result.bytes_moved) == (ExitCode.DONE, 6, sum(map(len, NAMES)))
        assert changes(storage) == [("move_directory", "in/al")]
        assert storage.call_counts["stat"] - stats <= 3 * len(NAMES), "as they arrive, and for the last proof"
        assert {(change.src.path, change.dst.path) for change in reported} == {
            (f"in/al/{name}", f"Band/Album/{name}") for name in NAMES
        }
        assert all(change.entry and change.entry.path == change.dst.path for change in reported)
        assert library(storage) == moved()
        assert "in" not in storage.directories()
        back = undo_plan(journal, result.run or "", tool_version="0", created="2026-01-01T00:00:00Z")
        assert apply_plan(back, {storage.fs: storage}, journal, undoes=result.run).exit_code == ExitCode.DONE
    assert changes(storage) == [("move_directory", "in/al"), ("move_directory", "Band/Album")]
    assert library(storage) == before
    assert {entry.id for entry in storage.list()} == ids


@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "sftp"])
def test_on_other_remotes_files_move_one_by_one(tmp_path: Path, kind: str) -> None:
    storage = MemoryStorage.like(kind, "one:library")
    for name in NAMES:
        storage.put(f"in/al/{name}", name.encode())
    assert run(moving(storage), tmp_path / "journal", storage).done == len(NAMES)
    assert {verb for verb, _ in changes(storage)} <= {"move", "copy", "delete"}


def test_a_file_that_the_plan_does_not_know_stays_and_the_others_move_one_by_one(storage: MemoryStorage, tmp_path: Path) -> None:
    made = moving(storage)
    storage.put("in/al/.new", b"new")
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 6)
    assert library(storage) == {**moved(), "in/al/.new": b"new"}
    assert {verb for verb, _ in changes(storage)} <= {"move", "copy", "delete"}


def test_the_quarantine_of_a_location_inside_does_not_move_along(storage: MemoryStorage, tmp_path: Path) -> None:
    """Its folder is not empty afterwards either: it stays where it is, with everything in it."""
    made = moving(storage)
    inner = f"in/al/cd/{OWN_DIRECTORY}/quarantine/run/x.mp3"
    storage.put(inner, b"kept")
    result = run(made, tmp_path / "journal", storage, fresh=True)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 6)
    assert library(storage) == {**moved(), inner: b"kept"}
    assert {verb for verb, _ in changes(storage)} <= {"move", "copy", "delete"}


def test_a_changed_file_is_skipped_and_the_rest_moves(storage: MemoryStorage, tmp_path: Path) -> None:
    made = moving(storage)
    storage.put("in/al/2.mp3", b"2.MP3", mtime_ns=storage.mtime("in/al/2.mp3"))
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.done, result.skipped) == (ExitCode.SOME_FAILED, 5, 1)
    assert library(storage) == {**{p: c for p, c in moved().items() if not p.endswith("2.mp3")}, "in/al/2.mp3": b"2.MP3"}


def test_albums_move_one_by_one_into_an_existing_artist(tmp_path: Path) -> None:
    storage = MemoryStorage.like("drive", "one:library")
    for number in (1, 2, 3):
        for name in NAMES:
            storage.put(f"band/{number}/{name}", f"{number} {name}".encode())
    storage.put("Bands/Band/3/there.txt", b"there")
    made = moving(storage, "band", "Bands/Band")
    storage.put("band/2/new", b"new")
    assert run(made, tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert [path for verb, path in changes(storage) if verb == "move_directory"] == ["band/1"]
    assert sum(verb == "move" for verb, _ in changes(storage)) == 2 * len(NAMES)
    assert library(storage).keys() == {
        *(f"Bands/Band/{number}/{name}" for number in (1, 2, 3) for name in NAMES), "Bands/Band/3/there.txt", "band/2/new"
    }  # fmt: skip


@pytest.mark.parametrize("fresh", [False, True])
def test_a_target_that_appears_is_skipped_and_nothing_is_merged(storage: MemoryStorage, tmp_path: Path, fresh: bool) -> None:
    """Between the look and the request: the files whose names are free move one by one."""
    made = moving(storage)
    at_the_request(storage, lambda _: storage.put("Band/Album/1.mp3", b"1.mp3"))
    result = run(made, tmp_path / "journal", storage, fresh=fresh)
    assert (result.exit_code, result.done, result.skipped) == (ExitCode.SOME_FAILED, 5, 1)
    assert "already exists" in result.problems[0].message
    assert library(storage) == {**moved(), "in/al/1.mp3": b"1.mp3"}
    assert ("move_directory", "in/al") not in changes(storage)


@pytest.mark.parametrize("trouble", [TransientError("connection reset"), RateLimitError("slow down"), PermanentError("no")])
def test_after_a_lost_answer_a_look_shows_what_was_done(
    storage: MemoryStorage, tmp_path: Path, trouble: OrchestratorError
) -> None:
    made = moving(storage)
    at_the_request(storage, trouble, "after")
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 6)
    assert changes(storage) == [("move_directory", "in/al")]
    assert library(storage) == moved()


@pytest.mark.parametrize(
    "trouble", [TransientError("connection reset"), RateLimitError("slow down", retry_after=3), PermanentError("no folders")]
)
def test_if_the_directory_is_refused_its_files_move_one_by_one(
    storage: MemoryStorage, tmp_path: Path, trouble: OrchestratorError
) -> None:
    made = moving(storage)
    at_the_request(storage, trouble)
    waits: list[float] = []
    backoff = type(WITHOUT_WAITS)(sleep=waits.append)
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(made, {storage.fs: storage}, journal, backoff=backoff)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 6)
    assert {verb for verb, _ in changes(storage)} == {"move"}
    assert library(storage) == moved()
    assert max(waits) >= (getattr(trouble, "retry_after", None) or 0)


@pytest.mark.parametrize(("trouble", "code"), [(AuthError("revoked"), ExitCode.AUTH), (QuotaError("full"), ExitCode.SOME_FAILED)])
def test_errors_that_stop_a_remote_stop_it_here_too(
    storage: MemoryStorage, tmp_path: Path, trouble: OrchestratorError, code: ExitCode
) -> None:
    for name in NAMES:
        storage.put(f"in/second/{name}", b"second " + name.encode())
    made = plan(*moving(storage).operations, *moving(storage, "in/second", "Band/Second").operations, source=storage.fs)
    before = library(storage)
    at_the_request(storage, trouble)
    result = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.done, result.pending, library(storage)) == (code, 0, 12, before)
    assert storage.changes_made == storage.call_counts["move_directory"] == 1
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert library(storage) == {**moved(), **{f"Band/Second/{name}": b"second " + name.encode() for name in NAMES}}


def test_a_stop_takes_effect_between_directories(tmp_path: Path) -> None:
    storage = MemoryStorage.like("drive", "one:library")
    made: list[Plan] = []
    for number in (1, 2):
        for name in NAMES:
            storage.put(f"in/{number}/{name}", f"{number} {name}".encode())
        made.append(moving(storage, f"in/{number}", f"Band/Album {number}"))
    stop = threading.Event()

    def stop_run(_: Sequence[FileChange]) -> None:
        stop.set()

    with Journal(tmp_path / "journal") as journal:
        both = plan(*made[0].operations, *made[1].operations, source=storage.fs)
        result = apply_plan(both, {storage.fs: storage}, journal, on_changes=stop_run, stop=stop)
    assert (result.exit_code, result.done, result.pending) == (ExitCode.INTERRUPTED, 6, 6)
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert [verb for verb, _ in changes(storage)] == ["move_directory"] * 2, "the others still move in one request"


def in_the_middle(storage: MemoryStorage, act: Callable[[], None]) -> None:
    def then(_: RecordedCall) -> None:
        act()

    at_the_request(storage, then)


def test_a_directory_that_vanishes_during_the_run_is_skipped(storage: MemoryStorage, tmp_path: Path) -> None:
    made = moving(storage)

    def away() -> None:
        for name in NAMES:
            storage.remove(f"in/al/{name}")
        storage._objects.directories.pop("in/al")

    in_the_middle(storage, away)
    result: RunResult = run(made, tmp_path / "journal", storage)
    assert (result.exit_code, result.skipped) == (ExitCode.STALE, 6)


def test_a_file_added_before_the_request_moves_with_the_directory(storage: MemoryStorage, tmp_path: Path) -> None:
    """Between the listing and the request: it is then beside the others."""
    made, before = moving(storage), contents(storage)
    in_the_middle(storage, lambda: storage.put("in/al/new", b"new"))
    assert run(made, tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert library(storage) == {**moved(), "Band/Album/new": b"new"}
    assert before <= contents(storage)


def test_windows_smaller_than_the_directory_make_no_difference(storage: MemoryStorage, tmp_path: Path) -> None:
    """Refused because the target exists by now, with windows of two."""
    made = moving(storage)
    at_the_request(storage, DestinationExistsError("there"))
    with Journal(tmp_path / "journal") as journal:
        result = apply_plan(made, {storage.fs: storage}, journal, settings=Settings(window=2), backoff=WITHOUT_WAITS)
    assert (result.exit_code, library(storage)) == (ExitCode.DONE, moved())
