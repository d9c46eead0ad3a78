"""The journal keeps its records in order, and notices when it was edited."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import OperationState, Record, RunCounts, RunState, Stage
from orchestrator.errors import ExitCode, IntegrityError, UsageError
from orchestrator.records import Entry
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import contents, move, plan, quick, run, run_again


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage.like("dropbox")
    for name in "abc":
        storage.put(f"in/{name}.mp3", name.encode())
    return storage


def test_a_run_is_found_again_with_its_plan_and_its_steps(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(*[move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "abc"])
    first, second, third = (operation.id for operation in made.operations)
    with Journal(tmp_path / "journal", clock=lambda: 1_800_000_000.0) as journal:
        run_id = journal.begin(made, "organize")
        journal.append(run_id, [Record(first, Stage.INTENT), Record(second, Stage.INTENT, 2)])
        journal.append(
            run_id, [Record(first, Stage.DONE, entry=Entry("out/a.mp3", 1)), Record(second, Stage.FAILED, 2, None, 3, "no")]
        )
        journal.set_state(run_id, RunState.INTERRUPTED, RunCounts(planned=3, done=1, failed=1))
    with Journal(tmp_path / "journal") as journal:
        assert journal.plan(run_id) == made
        assert journal.states(run_id) == {
            first: OperationState(Stage.DONE, 1, Entry("out/a.mp3", 1)),
            second: OperationState(Stage.FAILED, 2, None, 3, "no"),
        }
        assert third not in journal.states(run_id)
        (found,) = journal.unfinished()
        assert (found.id, found.command, found.state, found.source) == (
            run_id,
            "organize",
            RunState.INTERRUPTED,
            "memory:library",
        )
        assert (found.created, found.summary) == (1_800_000_000.0, RunCounts(planned=3, done=1, failed=1))
        assert run_id.startswith("20270115-080000-")
        with pytest.raises(UsageError):
            journal.run("nonsense")
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600


def damaged_run(tmp_path: Path, storage: MemoryStorage) -> Path:
    """An interrupted run: its state is "running"."""
    made = plan(*[move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "abc"])
    with Journal(tmp_path / "journal") as journal:
        run_id = journal.begin(made, "organize")
        journal.append(run_id, [Record(operation.id, Stage.INTENT) for operation in made.operations])
        journal.append(run_id, [Record(made.operations[0].id, Stage.FAILED, message="for now")])
    return tmp_path / "journal"


TAMPERING = {
    "a record's step": "UPDATE record SET body = replace(body, 'failed', 'done') WHERE number = 5",
    "a record removed": "DELETE FROM record WHERE number = 3",
    "the last record removed": "DELETE FROM record WHERE number = 5",
    "all records removed": "DELETE FROM record",
    "records swapped": "UPDATE record SET number = CASE number WHEN 2 THEN -3 ELSE -2 END WHERE number IN (2, 3)",
    "a checksum": "UPDATE record SET checksum = 'x' || substr(checksum, 2) WHERE number = 2",
    "the state": "UPDATE record SET body = replace(body, 'running', 'finished') WHERE state = 1",
    "an operation's destination": "UPDATE operation SET body = replace(body, 'out/a.mp3', '../../a.mp3') WHERE position = 0",
    "an operation removed": "DELETE FROM operation WHERE position = 1",
    "operations swapped": "UPDATE operation SET position = CASE position WHEN 0 THEN 11 ELSE 10 END WHERE position IN (0, 1)",
    "the run removed": "DELETE FROM run",
    "the run's row": "UPDATE run SET body = replace(body, 'memory:library', 'memory:elsewhere')",
    "a record's kind": "UPDATE record SET body = CAST(body AS TEXT) WHERE number = 5",
    "garbage": "UPDATE record SET body = x'00ff00' WHERE number = 3",
    "the head": "UPDATE run SET head = ''",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_an_edited_journal_is_refused_before_the_first_call(tmp_path: Path, storage: MemoryStorage, what: str) -> None:
    file = damaged_run(tmp_path, storage)
    with sqlite3.connect(file) as database:
        database.create_function("replace", 3, lambda body, old, new: body.replace(old.encode(), new.encode()))
        assert database.execute(TAMPERING[what]).rowcount > 0
    database.close()
    calls = storage.calls_made
    with pytest.raises(IntegrityError) as refused:
        run_again(file, storage)
    assert refused.value.exit_code == ExitCode.INTEGRITY
    assert storage.calls_made == calls


def test_a_file_that_is_not_a_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"not a database, and longer than an empty file" * 20)
    with pytest.raises(IntegrityError, match="move it away"):
        Journal(tmp_path / "journal")


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").close()
    with sqlite3.connect(tmp_path / "journal") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UsageError):
        Journal(tmp_path / "journal")


def test_another_programs_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    before = file.read_bytes()
    with pytest.raises(UsageError, match="another database"):
        Journal(file)
    assert file.read_bytes() == before


def test_any_missing_run_is_noticed(tmp_path: Path, storage: MemoryStorage) -> None:
    for number, victim in enumerate(("min(number)", "max(number)")):
        file = tmp_path / f"journal{number}"
        run(plan(move(storage, "in/a.mp3", "out/a.mp3")), file, storage)
        run(plan(move(storage, "out/a.mp3", "in/a.mp3")), file, storage)
        with sqlite3.connect(file) as database:
            (gone,) = database.execute(f"SELECT id FROM run WHERE number = (SELECT {victim} FROM run)").fetchone()
            for table in ("run", "operation", "record"):
                database.execute(f"DELETE FROM {table} WHERE {'id' if table == 'run' else 'run'} = ?", (gone,))
        database.close()
        with pytest.raises(IntegrityError, match="of 2 runs 1"):
            Journal(file)


@pytest.mark.parametrize("write", [1, 2])
def test_nothing_is_changed_after_a_write_that_failed(tmp_path: Path, storage: MemoryStorage, write: int) -> None:
    """The journal's disk is full. The first write records the intents, the second the verdicts."""
    made = plan(*[move(storage, f"in/{name}.mp3", f"out/{name}.mp3") for name in "abc"])
    before = contents(storage)

    class Full(Journal):
        left = write

        def append(self, run_id: str, records: object) -> None:
            self.left -= 1
            if not self.left:
                pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
                self._connection.execute(f"PRAGMA max_page_count = {pages}")
                records = [Record("x" * 100_000, Stage.INTENT)]
            super().append(run_id, records)  # type: ignore[arg-type]

    from orchestrator.apply.executor import apply_plan  # noqa: PLC0415
    from orchestrator.apply.settings import Settings  # noqa: PLC0415

    with quick(Full, tmp_path / "journal") as journal, pytest.raises(IntegrityError):
        apply_plan(made, {storage.fs: storage}, journal, settings=Settings(window=1))
    assert storage.changes_made == write - 1
    assert contents(storage) == before
    assert run_again(tmp_path / "journal", storage).exit_code == ExitCode.DONE


steps = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([*Stage]), st.integers(1, 3), st.none() | st.text(max_size=8)), max_size=8
)


@settings(max_examples=settings.default.max_examples // 5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=st.lists(steps, max_size=5), runs=st.integers(1, 2))
def test_what_is_appended_is_read_back(tmp_path: Path, windows: list, runs: int) -> None:
    """However records are divided among writes and runs, the last record of each operation counts."""
    file = tmp_path / "journal"
    file.unlink(missing_ok=True)
    expected: dict[int, dict[str, OperationState]] = {number: {} for number in range(runs)}
    with quick(Journal, file) as journal:
        ids = [journal.begin(plan(), "organize", run_id=f"run-{number}") for number in range(runs)]
        for index, window in enumerate(windows):
            number = index % runs
            records = [Record(f"op{which}", step, attempt, None, 0, text) for which, step, attempt, text in window]
            journal.append(ids[number], records)
            expected[number].update((r.operation, OperationState(r.stage, r.attempt, None, 0, r.message)) for r in records)
    with quick(Journal, file) as journal:
        assert {number: journal.states(ids[number]) for number in range(runs)} == expected


def test_the_journal_can_be_read_during_a_run(tmp_path: Path, storage: MemoryStorage) -> None:
    made = plan(move(storage, "in/a.mp3", "out/a.mp3"))
    with Journal(tmp_path / "journal") as writer, Journal(tmp_path / "journal") as reader:
        run_id = writer.begin(made, "organize")
        assert reader.run(run_id).state is RunState.RUNNING
        writer.append(run_id, [Record(made.operations[0].id, Stage.INTENT)])
        assert reader.states(run_id)[made.operations[0].id].stage is Stage.INTENT


def test_the_history_lists_every_run(tmp_path: Path, storage: MemoryStorage) -> None:
    first = run(plan(move(storage, "in/a.mp3", "out/a.mp3")), tmp_path / "journal", storage)
    second = run(plan(move(storage, "in/b.mp3", "out/b.mp3")), tmp_path / "journal", storage)
    with Journal(tmp_path / "journal") as journal:
        assert [(found.id, found.state) for found in journal.runs()] == [
            (first.run, RunState.FINISHED),
            (second.run, RunState.FINISHED),
        ]
        assert journal.unfinished() == []


def test_a_run_is_found_by_its_id_a_unique_beginning_or_as_the_last(tmp_path: Path, storage: MemoryStorage) -> None:
    empty = plan(move(storage, "in/a.mp3", "out/a.mp3"))
    with Journal(tmp_path / "journal") as journal:
        for typed in ("last", "2026", ""):
            with pytest.raises(UsageError):
                journal.find(typed)
        for identity in ("20260101-000000-aaaaaa", "20260101-000000-aaabbb", "20260102-000000-cccccc", "20260102-000000-c"):
            journal.begin(empty, "apply", run_id=identity)
        assert journal.find("last").id == "20260102-000000-c"
        assert journal.find("20260102-000000-c").id == "20260102-000000-c", "a whole id, although it is a beginning as well"
        assert journal.find("20260102-000000-cc").id == "20260102-000000-cccccc"
        for typed in ("2026", "20260101", "20260101-000000-aaa"):
            with pytest.raises(UsageError, match=r"runs begin with .*20260101-000000-aaabbb.*; give more of the id"):
                journal.find(typed)
        for typed in ("x", "", "LAST", "%", "0101"):
            with pytest.raises(UsageError, match="run"):
                journal.find(typed)
