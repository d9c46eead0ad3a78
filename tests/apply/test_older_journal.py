"""A run that an older version journaled (plan format /1, no `locations` in the header) can be finished and undone."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import RunState
from orchestrator.apply.resume import unfinished_runs
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import NOW, duplicate, library, move, plan, run, run_again


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage.like("dropbox")
    for name in "abc":
        storage.put(f"in/{name}.mp3", name.encode())
    return storage


def as_version_1_wrote_it(file: Path) -> None:
    """Give every run of a journal the header of version /1, and the checksums that belong to it."""
    with sqlite3.connect(file) as database:
        for run_id, body in database.execute("SELECT id, body FROM run").fetchall():
            start = json.loads(body)
            start["header"]["format"] = "music-orchestrator-plan/1"
            del start["header"]["locations"]
            old = json.dumps(start, ensure_ascii=False, separators=(",", ":")).encode()
            head = sha256(b"\n" + old).hexdigest()
            database.execute("UPDATE run SET body = ?, checksum = ? WHERE id = ?", (old, head, run_id))
            rows = database.execute("SELECT number, body FROM record WHERE run = ? ORDER BY number", (run_id,)).fetchall()
            for number, record in rows:
                head = sha256(head.encode() + b"\n" + record).hexdigest()
                database.execute("UPDATE record SET checksum = ? WHERE number = ?", (head, number))
            database.execute("UPDATE run SET head = ? WHERE id = ?", (head, run_id))
    database.close()


def test_a_run_that_an_older_version_began_is_finished(tmp_path: Path, storage: MemoryStorage) -> None:
    with Journal(tmp_path / "journal") as journal:
        run_id = journal.begin(plan(*[move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "abc"]), "organize")
    as_version_1_wrote_it(tmp_path / "journal")
    with Journal(tmp_path / "journal") as journal:
        assert [found.id for found in unfinished_runs(journal, {storage.fs})] == [run_id]
    result = run_again(tmp_path / "journal", storage)
    assert (result.run, result.state, result.done, result.exit_code) == (run_id, RunState.FINISHED, 3, ExitCode.DONE)
    assert library(storage) == {f"out/{name}.mp3": name.encode() for name in "abc"}


def test_a_run_on_several_locations_that_an_older_version_began_is_finished(tmp_path: Path, storage: MemoryStorage) -> None:
    """The header of such a plan named only one of them as source and target."""
    other = MemoryStorage.like("dropbox", fs="memory:other")
    other.put("a.mp3", b"a")
    with Journal(tmp_path / "journal") as journal:
        run_id = journal.begin(plan(duplicate(other, "a.mp3", storage, "in/a.mp3"), source=storage.fs), "dedup")
    as_version_1_wrote_it(tmp_path / "journal")
    with Journal(tmp_path / "journal") as journal:
        assert journal.plan(run_id).header.locations == (storage.fs, other.fs)
    assert run_again(tmp_path / "journal", storage, other).exit_code == ExitCode.DONE
    assert library(other) == {}


def test_a_run_of_an_older_version_is_undone(tmp_path: Path, storage: MemoryStorage) -> None:
    before = library(storage)
    done = run(plan(move(storage, "in/a.mp3", "out/a.mp3"), source=storage.fs, storages=[storage]), tmp_path / "journal", storage)
    as_version_1_wrote_it(tmp_path / "journal")
    assert done.run is not None
    with Journal(tmp_path / "journal") as journal:
        undoing = undo_plan(journal, done.run, **NOW)
    assert undoing.header.format == "music-orchestrator-plan/2"
    assert undoing.header.locations == (storage.fs,)
    assert run(undoing, tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert library(storage) == before
