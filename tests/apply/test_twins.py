"""Twins of which all but one go: however often it is interrupted, one is always there, and undo brings back each to its path."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal import Journal
from orchestrator.apply.quarantine import list_items, plan_emptying
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode
from orchestrator.plan.model import Plan, Verb
from orchestrator.storage.faults import Killed, When
from orchestrator.storage.memory import MemoryStorage
from tests.apply.plans import IMPATIENT, contents, library, operation, plan, quick, run, run_again

NOW = {"tool_version": "0", "created": "2026-01-01T00:00:00Z"}
TWINS = ("best/one.flac", "copy/one.flac", "old/one.flac")


def twins(kind: str) -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    for name in TWINS:
        storage.put(name, b"the same content")
    storage.put("other.flac", b"another one")
    return storage


def putting_away(storage: MemoryStorage) -> Plan:
    return plan(
        *(operation(Verb.QUARANTINE, storage, name, storage, name) for name in TWINS[1:]), source=storage.fs, storages=[storage]
    )


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
        return apply_plan(made, {storage.fs: storage}, opened, undoes=first, patience=IMPATIENT).exit_code


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["local", "s3", "plain"])
def test_what_is_deleted_for_good_is_never_the_twin_that_stays(tmp_path: Path, kind: str, when: When) -> None:
    """Fault case 25, its protocol: emptying the quarantine, killed at every call, deletes what it names and nothing else."""
    quiet = twins(kind)
    run(putting_away(quiet), tmp_path / "quiet", quiet)
    begun = quiet.calls_made
    run(plan_emptying(quiet, list_items(quiet), **NOW), tmp_path / "quiet", quiet)
    for number in range(1, quiet.calls_made - begun + 1):
        storage, journal = twins(kind), tmp_path / f"journal{number}"
        run(putting_away(storage), journal, storage)
        made = plan_emptying(storage, list_items(storage), **NOW)
        storage.fail(storage.calls_made + number, Killed("killed"), when=when)
        with suppress(Killed):
            run(made, journal, storage)
        assert kept(storage)
        storage.revive()
        run_again(journal, storage)
        run(plan_emptying(storage, list_items(storage), **NOW), journal, storage)
        assert storage.snapshot() == {"best/one.flac": b"the same content", "other.flac": b"another one"}
