"""Twins of which all but one go: however often it is interrupted, one is always there, and undo brings back each to its path."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.quarantine import plan_deleting_duplicates
from orchestrator.storage.fake.faults import Killed, When
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage
from tests.apply.plans import (
    NOW,
    WITHOUT_WAITS,
    contents,
    depending,
    duplicate,
    emptying,
    library,
    plan,
    quick,
    run,
    run_again,
    through_temporary_name,
)

TWINS = ("best/one.flac", "copy/one.flac", "old/one.flac")


def twins(kind: str) -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    for name in TWINS:
        storage.put(name, b"the same content")
    storage.put("other.flac", b"another one")
    return storage


def putting_away(storage: MemoryStorage) -> Plan:
    return plan(*(duplicate(storage, name, storage, TWINS[0]) for name in TWINS[1:]), source=storage.fs, storages=[storage])


def kept(storage: MemoryStorage) -> bool:
    return b"the same content" in library(storage).values()


def go_on(made: Plan, journal: Path, storage: MemoryStorage) -> None:
    """What a user does after a kill: `resume`, or the command again where the run had not begun."""
    if run_again(journal, storage).run is None:
        assert run(made, journal, storage).exit_code == ExitCode.DONE


@pytest.mark.parametrize("when", ["before", "between", "after"])
@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "plain"])
def test_twins_go_to_quarantine_and_come_back(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: killed at every call of the run and of its undo; a second undo does nothing: 0."""
    quiet = twins(kind)
    run(putting_away(quiet), tmp_path / "quiet", quiet)
    for number in range(1, quiet.calls_made + 1):
        storage, journal = twins(kind), tmp_path / f"journal{number}"
        before, everything = library(storage), contents(storage)
        made = putting_away(storage)
        for step in ("run", "undo"):
            storage.fail(storage.calls_made + number, Killed("killed"), when=when)
            with suppress(Killed):
                if step == "run":
                    run(made, journal, storage)
                else:
                    take_back(journal, storage)
            assert kept(storage), f"killed in {step} {when} call {number}"
            assert everything <= contents(storage)
            storage.revive()
            if step == "run":
                go_on(made, journal, storage)
                assert library(storage) == {name: content for name, content in before.items() if name not in TWINS[1:]}
            else:
                run_again(journal, storage)
                take_back(journal, storage)
                assert library(storage) == before
            assert contents(storage) == everything
        changes = storage.changes_made
        assert take_back(journal, storage) == ExitCode.DONE
        assert storage.changes_made == changes, "a second undo does nothing"


def take_back(journal: Path, storage: MemoryStorage) -> ExitCode:
    with quick(Journal, journal) as opened:
        first = opened.runs()[0].id
        made = undo_plan(opened, first, **NOW)
        return apply_plan(made, {storage.fs: storage}, opened, undoes=first, backoff=WITHOUT_WAITS).exit_code


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["local", "s3", "plain"])
def test_what_is_deleted_for_good_is_never_the_twin_that_stays(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: emptying the quarantine, killed at every call, deletes what it names and nothing else."""
    quiet = twins(kind)
    run(putting_away(quiet), tmp_path / "quiet", quiet)
    begun = quiet.calls_made
    run(emptying(quiet, quarantined_files(quiet)), tmp_path / "quiet", quiet)
    for number in range(1, quiet.calls_made - begun + 1):
        storage, journal = twins(kind), tmp_path / f"journal{number}"
        run(putting_away(storage), journal, storage)
        made = emptying(storage, quarantined_files(storage))
        storage.fail(storage.calls_made + number, Killed("killed"), when=when)
        with suppress(Killed):
            run(made, journal, storage)
        assert kept(storage)
        storage.revive()
        run_again(journal, storage)
        run(emptying(storage, quarantined_files(storage)), journal, storage)
        assert storage.snapshot() == {"best/one.flac": b"the same content", "other.flac": b"another one"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["local", "s3", "webdav", "plain"])
def test_duplicates_are_deleted_for_good_while_their_twin_is_there(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: `--delete` killed at every call; before each delete the twin is verified once more."""
    quiet = twins(kind)
    run(putting_away(quiet), tmp_path / "quiet", quiet)
    begun = quiet.calls_made
    assert run(deleting(tmp_path / "quiet"), tmp_path / "quiet", quiet).exit_code == ExitCode.DONE
    for number in range(1, quiet.calls_made - begun + 1):
        storage, journal = twins(kind), tmp_path / f"journal{number}"
        run(putting_away(storage), journal, storage)
        made = deleting(journal)
        storage.fail(storage.calls_made + number, Killed("killed"), when=when)
        with suppress(Killed):
            run(made, journal, storage)
        assert kept(storage)
        storage.revive()
        go_on(made, journal, storage)
        assert storage.snapshot() == {"best/one.flac": b"the same content", "other.flac": b"another one"}


def deleting(journal: Path) -> Plan:
    with quick(Journal, journal) as opened:
        first = opened.runs()[0]
        return plan_deleting_duplicates(opened.completed(first.id), first.header, **NOW)


@pytest.mark.parametrize("kind", ["local", "s3", "dropbox", "webdav", "plain"])
@pytest.mark.parametrize("what", ["gone", "changed"])
def test_a_twin_that_is_not_what_it_was_keeps_its_duplicates(tmp_path: Path, kind: str, what: str) -> None:
    storage = twins(kind)
    storage.put("a.flac", b"apart")
    storage.put("b.flac", b"apart")
    made = putting_away(storage)
    made = msgspec.structs.replace(made, operations=(*made.operations, duplicate(storage, "b.flac", storage, "a.flac")))
    if what == "gone":
        storage.delete("best/one.flac")
    else:
        storage.put("best/one.flac", b"THE SAME CONTENT")
    result = run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert (result.done, result.skipped) == (1, 2)
    assert {"copy/one.flac", "old/one.flac", "a.flac"} <= library(storage).keys()
    assert all("best/one.flac" in problem.message for problem in result.problems)


def test_a_twin_that_has_changed_stops_the_delete_as_well(tmp_path: Path) -> None:
    """A disk gives no hash for nothing: before a delete both are read, though size and time are what they were."""
    storage = twins("local")
    run(putting_away(storage), tmp_path / "journal", storage)
    made = deleting(tmp_path / "journal")
    entry = storage.stat("best/one.flac")
    assert entry is not None
    storage.put("best/one.flac", b"THE SAME CONTENT", mtime_ns=entry.mtime_ns)
    result = run(made, tmp_path / "journal", storage)
    assert result.exit_code == ExitCode.STALE
    assert sorted(contents(storage).values()) == [1, 1, 2]


@pytest.mark.parametrize("tier", ["T0", "T2"])
def test_everything_is_read_when_everything_is_to_be_verified(tmp_path: Path, tier: str) -> None:
    for verify, expected in (("fast", 0), ("full", len(b"the same content"))):
        storage = twins("local")
        made = plan(duplicate(storage, "copy/one.flac", storage, "best/one.flac", tier=tier), source=storage.fs)
        assert run(made, tmp_path / verify, storage, verify=verify).exit_code == ExitCode.DONE
        assert storage.bytes_read == (2 if tier == "T0" else 1) * expected


def test_a_twin_is_found_where_the_same_run_has_put_it(tmp_path: Path) -> None:
    storage = twins("s3")
    there = through_temporary_name(storage, "best/one.flac", "Artist/One.flac")
    later = [duplicate(storage, name, storage, "best/one.flac") for name in TWINS[1:]]
    made = plan(*there, *(depending(one, there[1]) for one in later), source=storage.fs)
    result = run(made, tmp_path / "journal", storage, window=1)
    assert (result.exit_code, result.done) == (ExitCode.DONE, 4)
    assert set(library(storage)) == {"Artist/One.flac", "other.flac"}


class Alias(ForwardingStorage):
    """The same place under another name."""

    def __init__(self, storage: MemoryStorage, fs: str) -> None:
        super().__init__(storage)
        self._fs = fs

    @property
    def fs(self) -> str:
        return self._fs


@pytest.mark.parametrize("kind", ["s3", "webdav"])
def test_one_file_under_two_names_is_brought_back(tmp_path: Path, kind: str) -> None:
    storage = twins(kind)
    alias = Alias(storage, "alias:library")
    before = library(storage)
    made = plan(duplicate(storage, "other.flac", alias, "other.flac"), source=storage.fs, target=alias.fs)
    result = run(made, tmp_path / "journal", storage, alias)
    assert result.exit_code == ExitCode.INTEGRITY
    assert library(storage) == before
    assert "the same file as" in result.problems[0].message
