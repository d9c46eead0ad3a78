"""The journal: what every run is about to do, has verified and has done, durable before the next step.

One SQLite file, `synchronous=FULL`. A run is one row that never changes, its operations as the plan has them (so that `resume`
and `undo` need no plan file), and a chain of records that only grows. Each row has a sha256: that of a record covers the record
before it, that of the first record covers the run's row, and that row covers all operations. So an edited, lost or reordered row
is found before anything is sent. The checksums find damage, not forgery: nothing is signed.

A process that writes holds the run lock (`orchestrator.apply.guard.lock`). Reading during a run is safe.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import msgspec

from orchestrator.apply.journal.database import JournalDatabase
from orchestrator.apply.journal.records import (
    OperationState,
    Record,
    Run,
    RunCounts,
    RunStart,
    RunState,
    Stage,
    StateChange,
    VerifyMode,
)
from orchestrator.apply.own_paths import destination_of
from orchestrator.errors import UsageError
from orchestrator.plan.model import CompletedOperation, Operation, Plan, locations_of
from orchestrator.sqlite import transaction

_encode = msgspec.json.Encoder().encode
_decode_start = msgspec.json.Decoder(RunStart).decode
_decode_operation = msgspec.json.Decoder(Operation).decode
_decode_line: msgspec.json.Decoder[Record | StateChange] = msgspec.json.Decoder(Record | StateChange)

# Each with the checksum of the record before it, which its own checksum covers.
_SHOWN = 5
"""Of several ids with one beginning, the newest that are shown."""
_STATES_OF_A_RUN = """
SELECT body, checksum, (
    SELECT earlier.checksum FROM record AS earlier
    WHERE earlier.run = record.run AND earlier.number < record.number ORDER BY earlier.number DESC LIMIT 1
) FROM record WHERE run = ? AND state = 1 ORDER BY number"""


class Journal:
    """See the module. For one thread at a time; a context manager.

    Raises IntegrityError (exit 9) if the file is damaged or a record cannot be written: the caller stops before its next change.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._database = JournalDatabase(path)
        self._clock = clock
        self._heads: dict[str, str] = {}
        """Run -> checksum of its last record, for the runs that this process has read or started."""
        self._connection = self._database.open()

    # Writing.

    def new_run_id(self) -> str:
        """An id for a run that is about to begin; ids sort by time."""
        return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(self._clock())) + secrets.token_hex(3)

    def begin(
        self,
        plan: Plan,
        command: str,
        *,
        undoes: str | None = None,
        run_id: str | None = None,
        verify: VerifyMode = "fast",
        mounts: Mapping[str, str] | None = None,
    ) -> str:
        """Record a new run with all its operations; gives its id. Its state is RUNNING. `mounts`: see `RunStart`."""
        created = self._clock()
        identity = run_id or self.new_run_id()
        bodies = [_encode(operation) for operation in plan.operations]
        header = msgspec.structs.replace(plan.header, staying=msgspec.UNSET)
        start = RunStart(
            id=identity,
            command=command,
            created=created,
            header=header,
            operations=len(bodies),
            operations_sha256=_sum_of_all(bodies),
            undoes=undoes,
            verify=verify,
            stages_copies=True,
            mounts=dict(mounts or {}),
        )
        body = _encode(start)
        checksum = _checksum("", body)
        with self._transaction() as database:
            database.execute(
                "INSERT INTO run (id, body, checksum, head) VALUES (?, ?, ?, ?)", (identity, body, checksum, checksum)
            )
            database.executemany(
                "INSERT INTO operation (run, position, body) VALUES (?, ?, ?)",
                ((identity, position, row) for position, row in enumerate(bodies)),
            )
            self._chain(database, identity, checksum, [StateChange(RunState.RUNNING, created)])
        return identity

    def append(self, run_id: str, records: Sequence[Record]) -> None:
        """Record stages of operations, all or none. They are durable when this returns."""
        if records:
            now = self._clock()
            self._append(run_id, [msgspec.structs.replace(one, at=now) if one.stage is Stage.DONE else one for one in records])

    def set_state(self, run_id: str, state: RunState, summary: RunCounts | None = None) -> None:
        """Record a run's new state."""
        self._append(run_id, [StateChange(state, self._clock(), summary)])

    # Reading.

    def runs(self) -> list[Run]:
        """Every run, oldest first. Raises IntegrityError for a row that was changed."""
        with self._database.mapped_errors():
            rows = self._connection.execute("SELECT id FROM run ORDER BY number").fetchall()
        return [self.run(identity) for (identity,) in rows]

    def newest(self) -> str:
        """The id of the newest run; "" if there is none."""
        with self._database.mapped_errors():
            row = self._connection.execute("SELECT id FROM run ORDER BY number DESC LIMIT 1").fetchone()
        return "" if row is None else str(row[0])

    def find(self, typed: str) -> Run:
        """The run that a user means: its id, a beginning of it that no other id has, or "last" for the newest run.

        Raises UsageError if there is none or more than one.
        """
        with self._database.mapped_errors():
            ids = [identity for (identity,) in self._connection.execute("SELECT id FROM run ORDER BY number")]
        if typed == "last":
            if not ids:
                raise UsageError("there are no runs yet")
            return self.run(ids[-1])
        found = [identity for identity in ids if typed and identity.startswith(typed)]
        if typed not in found and len(found) > 1:
            shown = ", ".join(found[-_SHOWN:]) + (", ..." if len(found) > _SHOWN else "")
            raise UsageError(f"{len(found)} runs begin with {typed!r}: {shown}; give more of the id")
        return self.run(found[0] if len(found) == 1 else typed)

    def run(self, run_id: str) -> Run:
        """One run. Raises UsageError if no run has that id."""
        start, own = self._start(run_id)
        state = StateChange(RunState.RUNNING, start.created)
        with self._database.mapped_errors():
            rows = self._connection.execute(_STATES_OF_A_RUN, (run_id,)).fetchall()
        summary: RunCounts | None = None
        starts = 0
        for body, checksum, previous in rows:
            if _checksum(previous or own, body) != checksum:
                raise self._database.damaged(f"the state of run {run_id} was changed")
            line = self._line(run_id, body)
            if isinstance(line, StateChange):
                state = line
                summary = line.summary or summary
                starts += line.state is RunState.RUNNING
        return Run(
            id=start.id,
            command=start.command,
            created=start.created,
            changed=state.at,
            state=state.state,
            header=start.header,
            operations=start.operations,
            undoes=start.undoes,
            verify=start.verify,
            summary=summary,
            starts=starts,
        )

    def plan(self, run_id: str) -> Plan:
        """The plan that a run was started with. Raises IntegrityError if an operation was changed."""
        start, _ = self._start(run_id)
        with self._database.mapped_errors():
            rows = self._connection.execute("SELECT body FROM operation WHERE run = ? ORDER BY position", (run_id,)).fetchall()
        bodies = [body for (body,) in rows]
        if len(bodies) != start.operations or _sum_of_all(bodies) != start.operations_sha256:
            raise self._database.damaged(f"the operations of run {run_id} are not those that it was started with")
        operations = tuple(_decode_operation(body) for body in bodies)
        header = start.header
        if not header.locations:  # the run was started by a version whose plans had the format /1
            locations = dict.fromkeys((header.source, header.target, *locations_of(operations)))
            header = msgspec.structs.replace(header, locations=tuple(locations))
        return Plan(header, operations)

    def mounts(self, run_id: str) -> dict[str, str]:
        """Location on a disk -> where the disk was mounted when the run began."""
        return self._start(run_id)[0].mounts

    def states(self, run_id: str) -> dict[str, OperationState]:
        """Operation -> its last record; operations without a record are absent. Checks the whole chain."""
        unstaged = not self._start(run_id)[0].stages_copies
        return {record.operation: _state(record, unstaged=unstaged) for record in self._records(run_id)}

    def completed(self, run_id: str) -> list[CompletedOperation]:
        """The operations that succeeded, in the order in which they did."""
        operations = {operation.id: operation for operation in self.plan(run_id).operations}
        completed = []
        start = 0
        begun: dict[str, int] = {}
        for line in self._lines(run_id):
            if isinstance(line, StateChange):
                start += 1
                continue
            begun.setdefault(line.operation, start)
            if line.stage is Stage.DONE:
                operation = operations[line.operation]
                at = line.at if begun[line.operation] == start else 0.0
                completed.append(CompletedOperation(operation, destination_of(operation, run_id), line.entry, at))
        return completed

    def unfinished(self) -> list[Run]:
        """The runs that `resume` can continue, oldest first."""
        return [run for run in self.runs() if run.state.unfinished]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # Inside.

    def _append(self, run_id: str, lines: Sequence[Record | StateChange]) -> None:
        if run_id not in self._heads:
            for _ in self._records(run_id):
                pass  # reading to the end checks the chain and finds its head
        with self._transaction() as database:
            self._chain(database, run_id, self._heads[run_id], lines)

    def _chain(self, database: sqlite3.Connection, run_id: str, head: str, lines: Sequence[Record | StateChange]) -> None:
        rows = []
        for line in lines:
            body = _encode(line)
            head = _checksum(head, body)
            rows.append((run_id, isinstance(line, StateChange), body, head))
        database.executemany("INSERT INTO record (run, state, body, checksum) VALUES (?, ?, ?, ?)", rows)
        database.execute("UPDATE run SET head = ? WHERE id = ?", (head, run_id))
        self._heads[run_id] = head

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._database.mapped_errors():
            try:
                with transaction(self._connection):
                    yield self._connection
            except BaseException:
                self._heads.clear()  # the new heads were not written: read them again
                raise

    def _start(self, run_id: str) -> tuple[RunStart, str]:
        with self._database.mapped_errors():
            row = self._connection.execute("SELECT body, checksum FROM run WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise UsageError(f"there is no run {run_id!r}: `runs` lists all runs")
        body, checksum = row
        if _checksum("", body) != checksum:
            raise self._database.damaged(f"the row of run {run_id} was changed")
        try:
            start = _decode_start(body)
        except msgspec.MsgspecError as error:
            raise self._database.damaged(f"the row of run {run_id} cannot be read: {error}") from error
        if start.id != run_id:
            raise self._database.damaged(f"the row of run {run_id} belongs to run {start.id}")
        return start, checksum

    def _records(self, run_id: str) -> Iterator[Record]:
        """The records of operations, in order."""
        return (line for line in self._lines(run_id) if isinstance(line, Record))

    def _lines(self, run_id: str) -> Iterator[Record | StateChange]:
        """All that was recorded of a run, in order. Checks the chain on the way, and the head at the end."""
        _, head = self._start(run_id)
        with self._database.mapped_errors():
            rows = self._connection.execute(
                "SELECT body, checksum FROM record WHERE run = ? ORDER BY number", (run_id,)
            ).fetchall()
            (last,) = self._connection.execute("SELECT head FROM run WHERE id = ?", (run_id,)).fetchone()
        for number, (body, checksum) in enumerate(rows, start=1):
            head = _checksum(head, body)
            if head != checksum:
                raise self._database.damaged(f"record {number} of run {run_id} was changed, or one before it is missing")
            yield self._line(run_id, body)
        if head != last:
            raise self._database.damaged(f"the last records of run {run_id} are missing")
        self._heads[run_id] = head

    def _line(self, run_id: str, body: bytes) -> Record | StateChange:
        try:
            return _decode_line.decode(body)
        except msgspec.MsgspecError as error:
            raise self._database.damaged(f"a record of run {run_id} cannot be read: {error}") from error


def _checksum(previous: object, body: object) -> str:
    """The checksum of a row; "" for a row with values of the wrong type, which matches no stored checksum."""
    if not isinstance(previous, str) or not isinstance(body, bytes):
        return ""
    return sha256(previous.encode() + b"\n" + body).hexdigest()


def _sum_of_all(bodies: Sequence[bytes]) -> str:
    total = sha256()
    for body in bodies:
        total.update(_checksum("", body).encode())
    return total.hexdigest()


def _state(record: Record, *, unstaged: bool) -> OperationState:
    return OperationState(record.stage, record.attempt, record.entry, record.code, record.message, unstaged)
