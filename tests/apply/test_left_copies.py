"""Where deleting is refused, a move leaves a copy: it is remembered, named, never made twice, and taken back by an undo."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.left_copies import left_copies, without_left_copies
from orchestrator.apply.results import RunResult
from orchestrator.apply.settings import Settings
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode, PermanentError, TransientError
from orchestrator.plan.model import Plan, Verb
from orchestrator.records import Item
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import NOW, WITHOUT_WAITS, contents, duplicate, library, move, operation, plan, quick, run, run_again

FILES = 12
WINDOW = 5


def bucket(fs: str = "one:library") -> MemoryStorage:
    storage = MemoryStorage.like("s3", fs)
    for number in range(FILES):
        storage.put(f"in/{number}.mp3", f"content of {number}".encode())
    return storage


def refuse_deletes(storage: MemoryStorage, only: str = ".mp3") -> None:
    storage.fail_always(
        lambda call: call.verb == "delete" and call.path.endswith(only), PermanentError("AccessDenied: Access Denied")
    )


def tonight(storage: MemoryStorage, journal: Path) -> Plan:
    """What organize plans: every file of `in/` to `out/`, but for copies whose sources are there."""
    items = [Item(entry) for entry in storage.list()]
    with quick(Journal, journal) as opened:
        shown = without_left_copies(left_copies(opened), {storage.fs: items})[storage.fs]
    names = {item.entry.path for item in shown}
    paths = sorted(path for path in names if path.startswith("in/"))
    return plan(*(move(storage, path, path.replace("in/", "out/")) for path in paths), source=storage.fs, storages=[storage])


def undo(storage: MemoryStorage, journal: Path, first: str) -> RunResult:
    with quick(Journal, journal) as opened:
        made = undo_plan(opened, first, **NOW)
        return apply_plan(
            made, {storage.fs: storage}, opened, undoes=first, settings=Settings(window=WINDOW), backoff=WITHOUT_WAITS
        )


@pytest.mark.parametrize("night_undone", [0, 2])
def test_three_nights_make_one_window_of_copies_and_undo_takes_them_back(tmp_path: Path, night_undone: int) -> None:
    """Fault case 33, its protocol: 6 each night; nothing is blocked: no run is left unfinished. Undoing any of the runs does."""
    storage, journal = bucket(), tmp_path / "journal"
    before = library(storage)
    refuse_deletes(storage)
    runs = []
    for night in range(3):
        copies = storage.call_counts["copy"]
        result = run(tonight(storage, journal), journal, storage, window=WINDOW)
        runs.append(result.run)
        assert (result.exit_code, result.state) == (ExitCode.AUTH, RunState.FAILED)
        assert storage.call_counts["copy"] - copies == (WINDOW if night == 0 else 0)
        assert (result.done, result.failed, result.skipped) == (0, WINDOW, FILES - WINDOW)
        named = [problem for problem in result.problems if problem.path is not None]
        assert len(named) == WINDOW
        assert all("copied to out/" in problem.message and "could not be deleted" in problem.message for problem in named)
        assert any("s3:DeleteObject" in problem.message for problem in result.problems)
        assert run_again(journal, storage).exit_code == ExitCode.DONE, "there is nothing to resume"
    assert len(storage.snapshot()) == FILES + WINDOW
    last = str(runs[night_undone])
    refused = undo(storage, journal, last)
    assert (refused.exit_code, refused.failed) == (ExitCode.AUTH, WINDOW)
    assert len(storage.snapshot()) == FILES + WINDOW
    storage.revive()
    assert undo(storage, journal, last).exit_code == ExitCode.DONE
    assert storage.snapshot() == before
    copies, changes = storage.call_counts["copy"], storage.changes_made
    assert undo(storage, journal, last).planned == 0
    assert (storage.call_counts["copy"], storage.changes_made) == (copies, changes)
    assert run(tonight(storage, journal), journal, storage).exit_code == ExitCode.DONE
    assert library(storage) == {path.replace("in/", "out/"): content for path, content in before.items()}


def test_once_deleting_is_allowed_the_next_night_finishes_without_another_copy(tmp_path: Path) -> None:
    storage, journal = bucket(), tmp_path / "journal"
    before = contents(storage)
    refuse_deletes(storage)
    run(tonight(storage, journal), journal, storage, window=WINDOW)
    storage.revive()
    copies = storage.call_counts["copy"]
    result = run(tonight(storage, journal), journal, storage, window=WINDOW)
    assert (result.exit_code, result.done) == (ExitCode.DONE, FILES)
    assert storage.call_counts["copy"] - copies == FILES - WINDOW
    assert (contents(storage), {path.partition("/")[0] for path in storage.snapshot()}) == (before, {"out"})
    with quick(Journal, journal) as opened:
        assert left_copies(opened) == []


@pytest.mark.parametrize("back", [True, False])
def test_a_source_rewritten_with_its_size_and_time_kept_is_not_taken_for_the_copied_one(tmp_path: Path, back: bool) -> None:
    """Neither an undo nor the next night deletes one of two different files."""
    storage, journal = MemoryStorage.like("webdav", "one:library"), tmp_path / "journal"
    target = MemoryStorage.like("sftp", "two:library")
    storage.put("in/a.mp3", b"content before", mtime_ns=10**18)
    refuse_deletes(storage)
    storage._objects._refuse = lambda path: path.startswith(".music-orchestrator/")
    made = plan(operation(Verb.MOVE, storage, "in/a.mp3", target, "out/a.mp3"), storages=[storage, target])
    first = run(made, journal, storage, target)
    assert (first.failed, library(target)) == (1, {"out/a.mp3": b"content before"}), first.problems
    storage.revive()
    storage.put("in/a.mp3", b"content after!", mtime_ns=10**18)
    if back:
        with quick(Journal, journal) as opened:
            reverse = undo_plan(opened, str(first.run), **NOW)
            stores = {storage.fs: storage, target.fs: target}
            apply_plan(reverse, stores, opened, undoes=first.run, backoff=WITHOUT_WAITS)
    else:
        run(made, journal, storage, target)
    assert library(storage) == {"in/a.mp3": b"content after!"}
    assert library(target) == {"out/a.mp3": b"content before"}


def test_one_file_under_retention_does_not_stop_the_others(tmp_path: Path) -> None:
    storage, journal = bucket(), tmp_path / "journal"
    refuse_deletes(storage, only="in/3.mp3")
    result = run(tonight(storage, journal), journal, storage, window=WINDOW)
    assert (result.exit_code, result.done, result.failed) == (ExitCode.SOME_FAILED, FILES - 1, 1)
    storage.put("in/new.mp3", b"new")
    copies = storage.call_counts["copy"]
    again = run(tonight(storage, journal), journal, storage, window=WINDOW)
    assert (again.exit_code, again.done, again.failed) == (ExitCode.SOME_FAILED, 1, 1)
    assert storage.call_counts["copy"] - copies == 1


def test_a_delete_that_fails_in_every_start_leaves_no_second_copy_either(tmp_path: Path) -> None:
    storage, journal = bucket(), tmp_path / "journal"
    storage.fail_always(lambda call: call.verb == "delete" and call.path == "in/3.mp3", TransientError("500 Internal Error"))
    assert run(tonight(storage, journal), journal, storage).exit_code == ExitCode.UNREACHABLE
    assert run_again(journal, storage).exit_code == ExitCode.SOME_FAILED
    copies = storage.call_counts["copy"]
    assert copies == FILES
    for _ in range(3):
        run(tonight(storage, journal), journal, storage)
        run_again(journal, storage)
    assert storage.call_counts["copy"] == copies
    assert library(storage).keys() == {"in/3.mp3", *(f"out/{number}.mp3" for number in range(FILES))}


def test_a_source_that_has_changed_since_is_not_deleted(tmp_path: Path) -> None:
    storage, journal = bucket(), tmp_path / "journal"
    refuse_deletes(storage)
    made = tonight(storage, journal)
    run(made, journal, storage, window=WINDOW)
    storage.revive()
    storage.put("in/0.mp3", b"edited")
    before = contents(storage)
    edited = plan(move(storage, "in/0.mp3", "out/0.mp3"), source=storage.fs)
    assert run(edited, journal, storage).exit_code == ExitCode.STALE
    assert contents(storage) == before


@pytest.mark.parametrize("kind", ["local", "webdav"])
def test_a_move_to_another_location_leaves_no_second_copy_either(tmp_path: Path, kind: str) -> None:
    """Fault case 33, its protocol, between two remotes."""
    storage, target, journal = bucket(), MemoryStorage.like(kind, "two:library"), tmp_path / "journal"
    before = contents(storage)
    refuse_deletes(storage)
    made = plan(
        *(operation(Verb.MOVE, storage, f"in/{number}.mp3", target, f"{number}.mp3") for number in range(FILES)),
        source=storage.fs,
    )
    for _ in range(3):
        assert run(made, journal, storage, target, window=WINDOW).exit_code == ExitCode.AUTH
        assert sum(contents(target).values()) == WINDOW
    storage.revive()
    assert run(made, journal, storage, target, window=WINDOW).exit_code == ExitCode.DONE
    assert (contents(target), contents(storage).total()) == (before, 0)


def test_a_quarantined_duplicate_is_not_copied_again(tmp_path: Path) -> None:
    storage, journal = MemoryStorage.like("s3", "one:library"), tmp_path / "journal"
    for name in ("kept", "copy"):
        storage.put(f"{name}.mp3", b"the same")
    before = storage.snapshot()
    refuse_deletes(storage)
    made = plan(duplicate(storage, "copy.mp3", storage, "kept.mp3"), source=storage.fs, storages=[storage])
    first = run(made, journal, storage)
    assert (first.exit_code, first.failed) == (ExitCode.SOME_FAILED, 1)
    copies = storage.call_counts["copy"]
    again = run(msgspec.structs.replace(made), journal, storage)
    assert (again.exit_code, again.skipped, storage.call_counts["copy"]) == (ExitCode.SOME_FAILED, 1, copies)
    assert str(first.run) in again.problems[0].message
    storage.revive()
    assert undo(storage, journal, str(first.run)).exit_code == ExitCode.DONE
    assert storage.snapshot() == before
