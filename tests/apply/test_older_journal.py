"""A run that an older version journaled (plan format /1, no `locations` in the header) can be finished and undone."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, RunState, Stage
from orchestrator.apply.resume import unfinished_runs
from orchestrator.apply.undo import undo_plan
from orchestrator.errors import ExitCode, PermanentError
from orchestrator.plan.model import FORMAT, Verb
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import NOW, duplicate, library, move, operation, plan, run, run_again


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
            del start["header"]["locations"], start["stages_copies"]
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
    assert undoing.header.format == FORMAT
    assert undoing.header.locations == (storage.fs,)
    assert run(undoing, tmp_path / "journal", storage).exit_code == ExitCode.DONE
    assert library(storage) == before


WHOLE = b"0123456789" * 100_000


@pytest.mark.parametrize("kind", ["webdav", "sftp"])
@pytest.mark.parametrize(
    ("there", "older", "ours"),
    [
        (WHOLE[:700_000], True, True),
        (WHOLE[:1], True, True),
        (b"", True, True),
        (WHOLE[:700_000], False, False),
        (b"x" + WHOLE[1:700_000], True, False),
        (WHOLE[:699_999] + b"x", True, False),
        (b"x" * len(WHOLE), True, False),
        (WHOLE + b"x", True, False),
    ],
)
def test_what_an_older_version_cut_off_under_a_final_name_is_known_as_ours(
    tmp_path: Path, kind: str, there: bytes, older: bool, ours: bool
) -> None:
    """It sent copies straight to their final names. Whatever is not the beginning of the source belongs to somebody else."""
    source, target = MemoryStorage.like("local", str(tmp_path / "in")), MemoryStorage.like(kind, "r:out")
    source.put("a.mp3", WHOLE)
    made = plan(operation(Verb.COPY, source, "a.mp3", target, "out/a.mp3"))
    with Journal(tmp_path / "journal") as journal:
        run_id = journal.begin(made, "organize")
        journal.append(run_id, [Record(made.operations[0].id, Stage.INTENT, 1)])
    if older:
        as_version_1_wrote_it(tmp_path / "journal")
    target.put("out/a.mp3", there)
    result = run_again(tmp_path / "journal", source, target)
    (problem,) = result.problems
    assert problem.path == "a.mp3"
    if not ours:
        assert target.snapshot() == {"out/a.mp3": there}
        assert "already exists" in problem.message
        return
    assert result.exit_code == ExitCode.SOME_FAILED
    assert "out/a.mp3 is a cut copy of it, left by a run that was killed; it was moved to .music-orchestrator/" in problem.message
    assert [*target.snapshot().values()] == [there]
    assert not library(target)
    assert run(made, tmp_path / "journal", source, target).exit_code == ExitCode.DONE
    assert library(target) == {"out/a.mp3": WHOLE}


def test_a_cut_copy_that_cannot_be_moved_away_is_named(tmp_path: Path) -> None:
    source, target = MemoryStorage.like("local", str(tmp_path / "in")), MemoryStorage.like("webdav", "r:out")
    source.put("a.mp3", WHOLE)
    made = plan(operation(Verb.MOVE, source, "a.mp3", target, "out/a.mp3"))
    with Journal(tmp_path / "journal") as journal:
        run_id = journal.begin(made, "organize")
        journal.append(run_id, [Record(made.operations[0].id, Stage.INTENT, 1)])
    as_version_1_wrote_it(tmp_path / "journal")
    target.put("out/a.mp3", WHOLE[:9])
    target.fail_always(lambda call: call.verb == "move", PermanentError("permission denied"))
    (problem,) = run_again(tmp_path / "journal", source, target).problems
    assert "could not be moved away (permission denied): delete it, and run the command again" in problem.message
    assert (source.snapshot(), library(target)) == ({"a.mp3": WHOLE}, {"out/a.mp3": WHOLE[:9]})
