"""A run can be undone, and what it quarantined can be restored or deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.own_paths import is_wanted_in_trash, replaced_of
from orchestrator.apply.quarantine import choose_files, older_than, quarantined_files
from orchestrator.apply.results import RunResult
from orchestrator.apply.undo import moved_on_by, undo_plan
from orchestrator.errors import ExitCode, UsageError
from orchestrator.plan.model import Operation, Plan, Verb
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, DeleteCall, MoveCall, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import (
    NOW,
    WITHOUT_WAITS,
    contents,
    depending,
    emptying,
    finishing,
    folders,
    library,
    move,
    operation,
    plan,
    quick,
    replacing,
    restoring,
    run,
    through_temporary_name,
)


def scene(kind: str) -> tuple[MemoryStorage, MemoryStorage, Plan]:
    storage, other = MemoryStorage.like(kind, "one:library"), MemoryStorage.like("local", "two:library")
    for name in "abcdef":
        storage.put(f"in/{name}.mp3", f"content of {name}".encode())
    a1, a2 = through_temporary_name(storage, "in/a.mp3", "in/b.mp3")
    b = move(storage, "in/b.mp3", "in/a.mp3", depends=[a1])
    c = move(storage, "in/c.mp3", "out/deep/c.mp3")
    made = plan(
        a1,
        b,
        depending(a2, a1, b),
        c,
        operation(Verb.QUARANTINE, storage, "in/d.mp3", storage, "in/d.mp3"),
        operation(Verb.COPY, storage, "in/e.mp3", other, "e.mp3"),
        operation(Verb.MOVE, storage, "in/f.mp3", other, "f.mp3"),
        source=storage.fs,
        storages=(storage, other),
    )
    return storage, other, made


def undo(run_id: str | None, journal: Path, *storages: Storage) -> RunResult:
    assert run_id is not None
    with quick(Journal, journal) as opened:
        made = undo_plan(opened, run_id, **NOW)
        return apply_plan(made, {s.fs: s for s in storages}, opened, command="undo", undoes=run_id, backoff=WITHOUT_WAITS)


@pytest.mark.parametrize("kind", ["local", "s3", "dropbox", "plain"])
def test_undo_restores_names_contents_and_count_and_a_second_undo_does_nothing(tmp_path: Path, kind: str) -> None:
    storage, other, made = scene(kind)
    before, directories = library(storage), folders(storage)
    result = run(made, tmp_path / "journal", storage, other)
    assert result.exit_code == ExitCode.DONE, result.problems
    undone = undo(result.run, tmp_path / "journal", storage, other)
    assert undone.exit_code == ExitCode.DONE, undone.problems
    assert library(storage) == before
    assert folders(storage) == directories
    assert library(other) == {}  # the copy is in the quarantine there
    changes = storage.changes_made, other.changes_made
    again = undo(result.run, tmp_path / "journal", storage, other)
    assert (again.exit_code, again.run) == (ExitCode.DONE, None)
    assert (storage.changes_made, other.changes_made) == changes


def test_an_undo_can_be_undone_and_the_run_undone_again(tmp_path: Path) -> None:
    storage, other, made = scene("local")
    before = library(storage)
    result = run(made, tmp_path / "journal", storage, other)
    after = library(storage)
    first = undo(result.run, tmp_path / "journal", storage, other)
    assert undo(first.run, tmp_path / "journal", storage, other).exit_code == ExitCode.DONE
    assert library(storage) == after
    assert undo(result.run, tmp_path / "journal", storage, other).exit_code == ExitCode.DONE
    assert library(storage) == before


def test_undo_skips_what_has_changed_since_and_can_be_repeated_later(tmp_path: Path) -> None:
    storage, other, made = scene("dropbox")
    result = run(made, tmp_path / "journal", storage, other)
    kept = storage.content("out/deep/c.mp3")
    storage.put("out/deep/c.mp3", b"edited since")
    part = undo(result.run, tmp_path / "journal", storage, other)
    assert part.exit_code == ExitCode.SOME_FAILED
    assert [problem.path for problem in part.problems] == ["out/deep/c.mp3"]
    storage.put("out/deep/c.mp3", kept)
    rest = undo(result.run, tmp_path / "journal", storage, other)
    assert (rest.exit_code, rest.done) == (ExitCode.DONE, 1)
    assert storage.content("in/c.mp3") == kept


@pytest.fixture
def put_away(tmp_path: Path) -> tuple[MemoryStorage, str]:
    storage, other, made = scene("local")
    result = run(made, tmp_path / "journal", storage, other)
    assert result.run is not None
    return storage, result.run


def test_the_quarantine_is_listed_and_restored(tmp_path: Path, put_away: tuple[MemoryStorage, str]) -> None:
    storage, run_id = put_away
    (item,) = quarantined_files(storage)
    assert (item.kind, item.run, item.path, item.id) == ("quarantine", run_id, "in/d.mp3", f"quarantine/{run_id}/in/d.mp3")
    for name in (item.id, run_id, "in/d.mp3", "last"):
        assert choose_files([item], [name]) == [item]
    with pytest.raises(UsageError):
        choose_files([item], ["in/nothing.mp3"])
    with pytest.raises(UsageError, match="matches 'last'"):
        choose_files([], ["last"])
    newer = msgspec.structs.replace(item, run="99990101-000000-000000", id="newer")
    assert choose_files([item, newer], ["last"]) == [newer]
    before = contents(storage)
    result = run(restoring(storage, [item]), tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.DONE, result.problems
    assert storage.content("in/d.mp3") == b"content of d"
    assert contents(storage) == before
    assert quarantined_files(storage) == []
    assert not any(directory.startswith(".music-orchestrator") for directory in storage.directories())


def test_a_restore_never_replaces_what_is_there_now(tmp_path: Path, put_away: tuple[MemoryStorage, str]) -> None:
    storage, _ = put_away
    storage.put("in/d.mp3", b"another d")
    result = run(restoring(storage, quarantined_files(storage)), tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.STALE
    assert storage.content("in/d.mp3") == b"another d"
    assert len(quarantined_files(storage)) == 1


def test_of_two_files_for_one_path_the_newest_is_restored(put_away: tuple[MemoryStorage, str]) -> None:
    storage, _ = put_away
    storage.put(".music-orchestrator/quarantine/99990101-000000-000000/in/d.mp3", b"newer d")
    made = restoring(storage, quarantined_files(storage))
    assert [one.src.path for one in made.operations] == [".music-orchestrator/quarantine/99990101-000000-000000/in/d.mp3"]
    assert [one.path for one in made.skipped] == ["in/d.mp3"]


def test_emptying_deletes_for_good_and_only_in_the_quarantine(tmp_path: Path, put_away: tuple[MemoryStorage, str]) -> None:
    storage, _ = put_away
    before = library(storage)
    result = run(emptying(storage, quarantined_files(storage)), tmp_path / "journal", storage)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 1)
    assert library(storage) == storage.snapshot() == before


def test_a_delete_of_a_plan_goes_to_the_trash(tmp_path: Path) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("a.mp3", b"content")
    result = run(plan(operation(Verb.DELETE, storage, "a.mp3", storage, "a.mp3")), tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.DONE
    assert storage.snapshot() == {f".music-orchestrator/trash/{result.run}/deleted/a.mp3": b"content"}


def test_undo_finds_nothing_to_do_however_a_file_was_restored(tmp_path: Path) -> None:
    """By an undo that was undone and done again, or by `quarantine restore`."""
    storage, journal = MemoryStorage.like("local", "one:library"), tmp_path / "journal"
    storage.put("a", b"content of a")
    storage.put("b", b"content of b")
    runs = [run(plan(move(storage, "a", "c"), source=storage.fs, storages=[storage]), journal, storage).run]
    for _ in range(3):
        runs.append(undo(runs[-1], journal, storage).run)
    assert "a" in library(storage)
    assert undo(runs[0], journal, storage).run is None
    runs.append(undo(runs[-1], journal, storage).run)
    assert undo(runs[0], journal, storage).done == 1
    assert "a" in library(storage)
    assert undo(runs[0], journal, storage).run is None

    away = [operation(Verb.QUARANTINE, storage, name, storage, name) for name in "ab"]
    put_away = run(plan(*away, source=storage.fs, storages=[storage]), journal, storage)
    restored = run(restoring(storage, choose_files(quarantined_files(storage), ["a"])), journal, storage)
    rest = undo(put_away.run, journal, storage)
    assert (rest.exit_code, rest.done) == (ExitCode.DONE, 1)
    assert undo(put_away.run, journal, storage).run is None
    undo(restored.run, journal, storage)
    assert undo(put_away.run, journal, storage).done == 1, "the restore was taken back itself"


def test_undo_is_not_misled_by_another_file_that_had_the_same_path(tmp_path: Path) -> None:
    storage, journal = MemoryStorage.like("local", "one:library"), tmp_path / "journal"
    storage.put("a", b"content of a")
    storage.put("other", b"another content")

    def moved(src: str, dst: str) -> str | None:
        return run(plan(move(storage, src, dst), source=storage.fs, storages=[storage]), journal, storage).run

    first, second, third = moved("a", "b"), moved("b", "c"), moved("other", "b")
    assert undo(third, journal, storage).done == 1
    assert undo(first, journal, storage).exit_code == ExitCode.STALE, "another run has moved it to c"
    assert undo(second, journal, storage).done == 1
    assert undo(first, journal, storage).done == 1
    assert library(storage) == {"a": b"content of a", "other": b"another content"}


def test_an_undo_of_another_run_that_was_undone_itself_has_not_undone_this_one(tmp_path: Path) -> None:
    """The file lies where the other run has put it: undo says so instead of leaving it there without a word."""
    storage, journal = MemoryStorage.like("local", "one:library"), tmp_path / "journal"
    storage.put("a", b"content of a")
    first = run(plan(move(storage, "a", "b"), source=storage.fs, storages=[storage]), journal, storage).run
    away = operation(Verb.QUARANTINE, storage, "b", storage, "b")
    second = run(plan(away, source=storage.fs, storages=[storage]), journal, storage).run
    redone = undo(undo(second, journal, storage).run, journal, storage).run
    assert first is not None
    with quick(Journal, journal) as opened:
        made = undo_plan(opened, first, **NOW)
        assert moved_on_by(opened, first, made) == {redone: 1}
    assert undo(first, journal, storage).exit_code == ExitCode.STALE
    assert undo(redone, journal, storage).done == 1
    assert undo(first, journal, storage).done == 1
    assert library(storage) == {"a": b"content of a"}


class _Meddling(ForwardingStorage):
    """Another program writes a new file at `b` as soon as the old one has moved."""

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        outcomes = self.inner.batch(calls, concurrency=concurrency)
        leaving = {
            call.src if isinstance(call, MoveCall) else call.path for call in calls if isinstance(call, MoveCall | DeleteCall)
        }
        if "b" in leaving:
            assert isinstance(self.inner, MemoryStorage)
            self.inner.put("b", b"somebody else's")
        return outcomes


def left_half_way(memory: MemoryStorage, journal: Path) -> RunResult:
    """A swap in which `a` gets as far as its temporary name."""
    memory.put("a", b"content of a")
    memory.put("b", b"content of b")
    storage = _Meddling(memory)
    first, second = through_temporary_name(storage, "a", "b")
    other = move(storage, "b", "a", depends=[first])
    swap = plan(first, other, depending(second, first, other), source=storage.fs, storages=[storage])
    return run(swap, journal, storage, window=1)


@pytest.mark.parametrize("kind", ["local", "s3", "webdav"])
def test_a_file_at_its_temporary_name_is_reported_by_its_old_path_and_restored(tmp_path: Path, kind: str) -> None:
    storage, journal = MemoryStorage.like(kind, "one:library"), tmp_path / "journal"
    result = left_half_way(storage, journal)
    assert result.exit_code == ExitCode.SOME_FAILED
    (problem,) = (problem for problem in result.problems if problem.path != "b")
    with quick(Journal, journal) as opened:
        (item,) = quarantined_files(storage, opened)
        (unknown,) = quarantined_files(storage)
    assert (problem.path, item.path, item.kind, item.run) == ("a", "a", "temporary", result.run)
    assert item.entry.path in problem.message
    assert "quarantine restore" in problem.message
    assert restoring(storage, [unknown]).operations == (), "without the journal its old path is unknown"
    made = emptying(storage, [item])
    assert (made.operations, [one.path for one in made.skipped]) == ((), ["a"])

    storage.remove("b")
    everything = contents(storage)
    assert undo(result.run, journal, storage).exit_code == ExitCode.DONE
    assert storage.snapshot() == {"a": b"content of a", "b": b"content of b"}
    assert undo(result.run, journal, storage).run is None
    assert contents(storage) == everything


def test_a_file_at_its_temporary_name_is_restored_by_its_old_path_and_that_can_be_undone(tmp_path: Path) -> None:
    storage, journal = MemoryStorage.like("local", "one:library"), tmp_path / "journal"
    left_half_way(storage, journal)
    storage.remove("a")
    with quick(Journal, journal) as opened:
        items = choose_files(quarantined_files(storage, opened), ["a"])
    restored = run(restoring(storage, items), journal, storage)
    assert (restored.exit_code, library(storage)) == (ExitCode.DONE, {"a": b"content of a", "b": b"somebody else's"})
    assert undo(restored.run, journal, storage).exit_code == ExitCode.DONE
    assert library(storage) == {"b": b"somebody else's"}
    with quick(Journal, journal) as opened:
        assert [item.path for item in quarantined_files(storage, opened)] == ["a"]


def test_replaced_files_lie_in_one_folder_where_their_paths_can_be_names_and_are_known_by_them() -> None:
    names = ["a.mp3", "a=b.mp3", "in/a.mp3", "in/100%, a + b.mp3", "in/a=b.mp3", "Björk/Début/01 Ü.mp3"]
    paths = [*names, f"in/{'a' * 133}.mp3", f"in/{'a' * 134}.mp3"]
    storage = MemoryStorage()
    for number, path in enumerate(paths):
        storage.put(replaced_of("20251201-120000-aaaaaa", path), f"{number}".encode())
    assert {file.path for file in quarantined_files(storage)} == {*paths}
    assert all(is_wanted_in_trash(file.entry.path) for file in quarantined_files(storage))
    flat = [path for path in paths if replaced_of("run", path).count("/") == 4 and "/" in path]
    assert flat == ["in/a.mp3", "in/100%, a + b.mp3", "Björk/Début/01 Ü.mp3", f"in/{'a' * 133}.mp3"]


def test_only_files_that_are_known_to_be_old_enough_are_chosen() -> None:
    """Their age is that of the run that put them there; not of one that began before its machine knew the time."""
    storage = MemoryStorage()
    for run_id in (
        "20251201-120000-aaaaaa",
        "20251231-115959-bbbbbb",
        "20251231-120001-cccccc",
        "19700101-000012-dddddd",
        "by hand",
    ):
        storage.put(f".music-orchestrator/trash/{run_id}/replaced/{run_id}.mp3", b"old")
        storage.put(f".music-orchestrator/quarantine/{run_id}/{run_id}.mp3", b"old")
    now_s = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
    found = older_than(quarantined_files(storage), 86400, now_s=now_s)
    assert sorted((file.kind, file.run) for file in found) == [
        *(("quarantine", run_id) for run_id in ("20251201-120000-aaaaaa", "20251231-115959-bbbbbb")),
        *(("trash", run_id) for run_id in ("20251201-120000-aaaaaa", "20251231-115959-bbbbbb")),
    ]


def test_undo_is_not_misled_by_what_other_runs_deleted_at_the_same_path(tmp_path: Path) -> None:
    """Only what later runs deleted for good is gone; a deletion to the trash, or before the run, is none of these."""
    ours, theirs = MemoryStorage.like("local", "one:library"), MemoryStorage.like("local", "two:library")
    journal = tmp_path / "journal"
    ours.put("a", b"first")

    def carried(*operations: Operation) -> str | None:
        return run(plan(*operations, source=ours.fs, storages=[ours, theirs]), journal, ours, theirs).run

    def copied() -> str | None:
        return carried(operation(Verb.COPY, ours, "a", theirs, "a"))

    copied()
    carried(operation(Verb.DELETE, theirs, "a", theirs, "a"))
    second = copied()
    undone = undo(second, journal, theirs, ours)
    assert (undone.exit_code, undone.done, library(theirs)) == (ExitCode.DONE, 1, {}), "it was deleted before that run"
    assert undo(undone.run, journal, theirs, ours).done == 1
    assert library(theirs) == {"a": b"first"}
    third = carried(operation(Verb.DELETE, theirs, "a", theirs, "a"))
    run(emptying(theirs, quarantined_files(theirs)), journal, theirs)
    with quick(Journal, journal) as opened:
        assert third is not None
        (skipped,) = undo_plan(opened, third, **NOW).skipped
        assert "deleted it for good" in skipped.reason
        assert second is not None
        plan_of_copy = undo_plan(opened, second, **NOW)
        assert (plan_of_copy.operations, plan_of_copy.skipped) == ((), ()), "a copy that is gone needs no undo"


@pytest.mark.parametrize("moves", [False, True])
def test_what_stands_in_for_a_file_that_is_gone_for_good_stays(tmp_path: Path, moves: bool) -> None:
    """The new content of a replaced file whose old one was deleted from the trash; the same for an undo of an undo."""
    ours, theirs = MemoryStorage.like("local", "one:library"), MemoryStorage.like("local", "two:library")
    journal = tmp_path / "journal"
    for name in ("a", "b"):
        ours.put(name, f"new {name}".encode())
        theirs.put(name, f"old {name}".encode())
    replaced = replacing(ours, "a", theirs, "a")
    finished = [finishing(ours, "a", theirs, "a", depends=[replaced])] if moves else []
    made = plan(
        replaced,
        *finished,
        operation(Verb.COPY, ours, "b", theirs, "c"),
        source=ours.fs,
        storages=[ours, theirs],
    )
    before = library(ours), library(theirs)
    result = run(made, journal, ours, theirs)
    assert result.exit_code == ExitCode.DONE, result.problems
    after = library(ours), library(theirs)
    undone = undo(result.run, journal, ours, theirs)
    assert (undone.exit_code, (library(ours), library(theirs))) == (ExitCode.DONE, before)
    again = undo(undone.run, journal, ours, theirs)
    assert (again.exit_code, (library(ours), library(theirs))) == (ExitCode.DONE, after)
    run(emptying(theirs, quarantined_files(theirs)), journal, theirs)
    with quick(Journal, journal) as opened:
        assert result.run is not None
        (skipped,) = undo_plan(opened, result.run, **NOW).skipped
    assert (skipped.path, skipped.code) == ("a", "deleted")
    assert "stays as it is" in skipped.reason
    rest = undo(result.run, journal, ours, theirs)
    assert (rest.exit_code, rest.done) == (ExitCode.DONE, 1), "what can be undone is undone"
    assert (library(ours), library(theirs)) == (after[0], {name: after[1][name] for name in ("a", "b")})
    if moves:
        return
    # The new content is what an undo put into the quarantine; from there it is deleted before the undo is undone.
    ours.put("a", b"newer a")
    last = run(plan(replacing(ours, "a", theirs, "a"), source=ours.fs, storages=[ours, theirs]), journal, ours, theirs).run
    undone = undo(last, journal, ours, theirs)
    run(emptying(theirs, quarantined_files(theirs)), journal, theirs)
    assert undo(undone.run, journal, ours, theirs).run is None
    assert library(theirs)["a"] == b"new a"
