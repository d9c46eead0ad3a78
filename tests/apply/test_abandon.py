"""`runs abandon`: a run that cannot be finished is given up; what is half-way is named, and an undo takes back what was done."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.apply.abandon import abandon
from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.results import RunResult
from orchestrator.apply.resume import pending_in
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode, TransientError
from orchestrator.plan.model import Plan, Verb
from orchestrator.storage.fake.faults import Killed, When
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import NOW, WITHOUT_WAITS, contents, library, operation, plan, quick, run, through_temporary_name


def scene() -> tuple[MemoryStorage, MemoryStorage, Plan]:
    bucket, disk = MemoryStorage.like("s3", "one:library"), MemoryStorage.like("local", "two:library")
    for name in "abc":
        bucket.put(f"in/{name}.mp3", f"content of {name}".encode())
    disk.put("in/d.mp3", b"content of d")
    first, second = through_temporary_name(disk, "in/d.mp3", "IN/d.mp3")
    made = plan(
        *(operation(Verb.MOVE, bucket, f"in/{name}.mp3", disk, f"out/{name}.mp3") for name in "ab"),
        operation(Verb.COPY, bucket, "in/c.mp3", disk, "out/c.mp3"),
        first,
        second,
        source=bucket.fs,
        storages=(bucket, disk),
    )
    return bucket, disk, made


def give_up(journal: Journal, *storages: MemoryStorage) -> RunResult:
    by_fs = {storage.fs: storage for storage in storages}
    return abandon(journal.runs()[0].id, by_fs.__getitem__, journal)


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_a_killed_run_is_given_up_without_a_change_and_undone(tmp_path: Path, when: When) -> None:
    quiet_bucket, quiet_disk, made = scene()
    run(made, tmp_path / "quiet", quiet_bucket, quiet_disk)
    calls = [quiet_bucket.calls_made, quiet_disk.calls_made]
    for side in (0, 1):
        for number in range(1, calls[side] + 1):
            *storages, made = scene()
            before, everything = [library(storage) for storage in storages], contents(*storages)
            storages[side].fail(number, Killed("killed"), when=when)
            file = tmp_path / f"journal-{side}-{number}"
            with suppress(Killed):
                run(made, file, *storages)
            for storage in storages:
                storage.revive()
            with quick(Journal, file) as journal:
                if not journal.unfinished():
                    continue
                changes = [storage.changes_made for storage in storages]
                result = give_up(journal, *storages)
                assert [storage.changes_made for storage in storages] == changes, "nothing is changed"
                assert journal.unfinished() == []
                assert result.exit_code == (ExitCode.SOME_FAILED if result.problems else ExitCode.DONE)
                assert result.done + result.failed + result.skipped == result.planned
                half_way = {problem.path for problem in result.problems}
                first = journal.runs()[0].id
                back = undo_plan(journal, first, **NOW)
                by_fs = {storage.fs: storage for storage in storages}
                apply_plan(back, by_fs, journal, undoes=first, backoff=WITHOUT_WAITS)
            assert everything <= contents(*storages)
            for storage, files in zip(storages, before, strict=True):
                lost = {path for path in files.keys() - library(storage).keys() if path not in half_way}
                assert not lost, (side, number, result)


def test_what_cannot_be_looked_at_is_named_and_no_obstacle(tmp_path: Path) -> None:
    bucket, disk, made = scene()
    bucket.fail(bucket.calls_made + 6, Killed("killed"))
    with suppress(Killed):
        run(made, tmp_path / "journal", bucket, disk)
    bucket.revive()
    bucket.fail_always(lambda _: True, TransientError("connection refused"))
    with quick(Journal, tmp_path / "journal") as journal:
        result = give_up(journal, bucket, disk)
        assert (result.exit_code, result.state) == (ExitCode.SOME_FAILED, RunState.FAILED)
        assert any("connection refused" in problem.message for problem in result.problems)
        assert journal.unfinished() == []


def test_a_stuck_run_keeps_only_the_folders_of_its_own_operations(tmp_path: Path) -> None:
    storage = MemoryStorage.like("webdav", "one:library")
    storage.put("a/1.mp3", b"1")
    storage.put("b/2.mp3", b"2")
    made = plan(operation(Verb.MOVE, storage, "a/1.mp3", storage, "x/1.mp3"), source=storage.fs)
    storage.fail_always(lambda call: call.verb == "move", TransientError("500"))
    assert run(made, tmp_path / "journal", storage).exit_code == ExitCode.UNREACHABLE
    with quick(Journal, tmp_path / "journal") as journal:
        stuck = journal.runs()[0].id
        pending = {fs: pending_in(journal, stuck, [fs]) for fs in ("one:library", *(f"one:library/{name}" for name in "abx"))}
    assert pending == {"one:library": True, "one:library/a": True, "one:library/b": False, "one:library/x": True}
