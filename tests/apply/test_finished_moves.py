"""A move whose file the target has already: the source is deleted once both were compared in full, and undo copies it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode
from orchestrator.plan.model import Plan, Verb
from orchestrator.storage.fake.faults import Killed
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import NOW, contents, finishing, library, move, operation, plan, quick, replacing, run, run_again
from tests.nightly import NIGHTLY

KINDS = ["local", "s3", "webdav", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in ("dropbox", "drive", "sftp"))]


def scene(kind: str, source: str) -> tuple[MemoryStorage, MemoryStorage, Plan]:
    """One file is new, one edited, one is there already, one is there under a name that changes."""
    ours, theirs = MemoryStorage.like(source, "one:library"), MemoryStorage.like(kind, "two:library")
    for name in ("edited", "there", "renamed"):
        ours.put(f"in/{name}.mp3", f"content of {name}".encode())
    ours.put("in/new.mp3", b"content of new")
    theirs.put("in/edited.mp3", b"what it was before")
    theirs.put("in/there.mp3", b"content of there")
    theirs.put("old/renamed.mp3", b"content of renamed")
    edit = replacing(ours, "in/edited.mp3", theirs, "in/edited.mp3")
    rename = move(theirs, "old/renamed.mp3", "in/renamed.mp3")
    made = plan(
        rename,
        edit,
        operation(Verb.MOVE, ours, "in/new.mp3", theirs, "in/new.mp3"),
        finishing(ours, "in/edited.mp3", theirs, "in/edited.mp3", depends=[edit]),
        finishing(ours, "in/there.mp3", theirs, "in/there.mp3"),
        finishing(ours, "in/renamed.mp3", theirs, "in/renamed.mp3", depends=[rename]),
        source=ours.fs,
        target=theirs.fs,
        storages=(ours, theirs),
    )
    return ours, theirs, made


AFTER = {f"in/{name}.mp3": f"content of {name}".encode() for name in ("edited", "there", "renamed", "new")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["local", "s3"])
@pytest.mark.parametrize("fresh", [False, True])
def test_the_source_is_deleted_for_good_and_undo_copies_it_back(tmp_path: Path, kind: str, source: str, fresh: bool) -> None:
    ours, theirs, made = scene(kind, source)
    before = library(ours), library(theirs)
    result = run(made, tmp_path / "journal", ours, theirs, fresh=fresh)
    assert (result.exit_code, result.problems) == (ExitCode.DONE, ())
    assert (ours.snapshot(), library(theirs)) == ({}, AFTER)
    assert result.run is not None
    storages = {ours.fs: ours, theirs.fs: theirs}
    with quick(Journal, tmp_path / "journal") as journal:
        undone = apply_plan(undo_plan(journal, result.run, **NOW), storages, journal, command="undo", undoes=result.run)
        assert (undone.exit_code, library(ours), library(theirs)) == (ExitCode.DONE, *before), undone.problems
        assert undo_plan(journal, result.run, **NOW).operations == ()


@pytest.mark.parametrize("kind", KINDS)
def test_what_differs_or_has_changed_stays_on_both_sides(tmp_path: Path, kind: str) -> None:
    ours, theirs, made = scene(kind, "local")
    size = len(b"content of there")
    theirs.put("in/there.mp3", b"x" * size)  # of the same size
    ours.put("in/renamed.mp3", b"edited meanwhile")
    result = run(made, tmp_path / "journal", ours, theirs)
    assert result.exit_code == ExitCode.SOME_FAILED
    assert sorted(problem.path or "" for problem in result.problems) == ["in/renamed.mp3", "in/there.mp3"]
    assert library(ours) == {"in/there.mp3": b"content of there", "in/renamed.mp3": b"edited meanwhile"}
    assert library(theirs) == {**AFTER, "in/there.mp3": b"x" * size}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("killed", ["source", "target"])
def test_a_kill_at_any_request_loses_nothing_and_resume_finishes(tmp_path: Path, kind: str, killed: str) -> None:
    ours, theirs, made = scene(kind, "local")
    victim = ours if killed == "source" else theirs
    first = victim.calls_made
    run(made, tmp_path / "unkilled", ours, theirs)
    for number in range(first + 1, victim.calls_made + 1, 1 if NIGHTLY else 7):
        for when in ("before", "after"):
            ours, theirs, made = scene(kind, "local")
            everything = contents(ours, theirs).keys()
            (ours if killed == "source" else theirs).fail(number, Killed("killed"), when=when)  # type: ignore[arg-type]
            journal = tmp_path / f"{number}-{when}"
            try:
                run(made, journal, ours, theirs)
            except Killed:
                ours.revive()
                theirs.revive()
                assert everything <= contents(ours, theirs).keys(), f"lost at {number} ({when})"
                result = run_again(journal, ours, theirs)
                if result.run is None:
                    result = run(made, journal, ours, theirs)
                assert result.exit_code == ExitCode.DONE, (number, when, result.problems)
            assert (library(ours), library(theirs)) == ({}, AFTER), (number, when)
            assert everything <= contents(ours, theirs).keys()
