"""A plan is carried out as written, and nothing else happens."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.resume import resume
from orchestrator.apply.settings import Settings
from orchestrator.errors import ExitCode
from orchestrator.plan.model import Verb
from orchestrator.progress import NoProgress
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import contents, library, move, operation, plan, run, run_again, through_temporary_name

KINDS = ["local", "s3", "dropbox", "webdav", "sftp", "drive", "plain"]


def shelf(kind: str) -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    for name in "abcdef":
        storage.put(f"in/{name}.mp3", f"content of {name}".encode())
    return storage


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fresh", [False, True])
def test_renames_swaps_and_chains_end_where_the_plan_says(tmp_path: Path, kind: str, fresh: bool) -> None:
    storage = shelf(kind)
    before = contents(storage)
    a1, a2 = through_temporary_name(storage, "in/a.mp3", "in/b.mp3")
    b = move(storage, "in/b.mp3", "in/a.mp3", depends=[a1])
    a2 = type(a2)(**{**{f: getattr(a2, f) for f in a2.__struct_fields__}, "depends": (a1.id, b.id)})
    d = move(storage, "in/d.mp3", "out/d.mp3")
    c = move(storage, "in/c.mp3", "in/d.mp3", depends=[d])
    result = run(plan(a2, c, b, a1, d), tmp_path / "journal", storage, fresh=fresh)
    assert result.exit_code == ExitCode.DONE, result.problems
    assert (result.done, result.planned, result.state) == (5, 5, RunState.FINISHED)
    assert library(storage) == {
        "in/a.mp3": b"content of b",
        "in/b.mp3": b"content of a",
        "in/d.mp3": b"content of c",
        "out/d.mp3": b"content of d",
        "in/e.mp3": b"content of e",
        "in/f.mp3": b"content of f",
    }
    assert contents(storage) == before
    changes = storage.changes_made
    again = run_again(tmp_path / "journal", storage)
    assert (again.exit_code, again.run) == (ExitCode.DONE, result.run)
    assert storage.changes_made == changes


@pytest.mark.parametrize("kind", KINDS)
def test_moves_and_copies_between_storages(tmp_path: Path, kind: str) -> None:
    storage = shelf(kind)
    target = MemoryStorage.like("local", "target:library")
    moved = operation(Verb.MOVE, storage, "in/a.mp3", target, "x/a.mp3")
    copied = operation(Verb.COPY, storage, "in/b.mp3", target, "x/b.mp3")
    quarantined = operation(Verb.QUARANTINE, storage, "in/c.mp3", storage, "in/c.mp3")
    result = run(plan(moved, copied, quarantined), tmp_path / "journal", storage, target)
    assert result.exit_code == ExitCode.DONE, result.problems
    assert library(target) == {"x/a.mp3": b"content of a", "x/b.mp3": b"content of b"}
    assert set(library(storage)) == {"in/b.mp3", "in/d.mp3", "in/e.mp3", "in/f.mp3"}
    assert storage.content(f".music-orchestrator/quarantine/{result.run}/in/c.mp3") == b"content of c"


class Heard(NoProgress):
    """What the stage of a run is said to bring where, and what has arrived."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int | None, Mapping[str, int] | None]] = []
        self.arrived = 0

    def stage(
        self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None, *, at: Collection[str] = ()
    ) -> None:
        self.stages.append((name, total, sizes))

    def advance(self, items: int = 1, size: int = 0) -> None:
        self.arrived += size


def test_progress_of_a_run_is_in_bytes_to_each_side_also_when_it_is_resumed(tmp_path: Path) -> None:
    ours, theirs = shelf("local"), MemoryStorage.like("s3", "target:library")
    theirs.put("new.mp3", b"new there")
    there = [operation(Verb.COPY, ours, f"in/{name}.mp3", theirs, f"in/{name}.mp3") for name in "ab"]
    made = plan(*there, operation(Verb.COPY, theirs, "new.mp3", ours, "new.mp3"), move(ours, "in/c.mp3", "in/renamed.mp3"))
    stores, stop, first, second = {ours.fs: ours, theirs.fs: theirs}, threading.Event(), Heard(), Heard()
    begun = {"settings": Settings(window=1), "on_changes": lambda _: stop.set(), "stop": stop}
    with Journal(tmp_path / "journal") as journal:
        run_id = apply_plan(made, stores, journal, progress=first, **begun).run
        assert resume(run_id, stores.__getitem__, journal, progress=second).exit_code == ExitCode.DONE
    total = {theirs.fs: 2 * len("content of a"), ours.fs: len("new there")}
    assert first.stages[0] == second.stages[0] == ("copying and renaming", 4, total)
    assert first.arrived < second.arrived == sum(total.values())


def test_a_resumed_run_verifies_as_it_was_started(tmp_path: Path) -> None:
    storage = shelf("plain")  # no hashes: only a full read finds it
    target = MemoryStorage.like("plain", "target:library")
    copies = [operation(Verb.COPY, storage, f"in/{name}.mp3", target, f"x/{name}.mp3") for name in "ab"]
    stop = threading.Event()
    with Journal(tmp_path / "journal") as journal:
        settings = Settings(window=1, verify="full")
        stores = {storage.fs: storage, target.fs: target}
        begun = apply_plan(plan(*copies), stores, journal, settings=settings, on_changes=lambda _: stop.set(), stop=stop)
        assert begun.done == 1
        read = target.bytes_read
        assert read == len(b"content of a")
        assert resume(begun.run, stores.__getitem__, journal).exit_code == ExitCode.DONE
    assert target.bytes_read == 2 * read
