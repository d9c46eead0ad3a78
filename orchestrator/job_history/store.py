"""How each job ended, the last KEPT times. The caller passes the time, in seconds since 1970.

The clock may have been wrong when something was recorded: rows are ordered by their number, never by their time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import msgspec

from orchestrator.errors import ExitCode
from orchestrator.job_history.announced import Announced
from orchestrator.job_history.database import HistoryDatabase
from orchestrator.sqlite import transaction

HISTORY_FILE = "jobs.sqlite3"
GOES_ON = frozenset({ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.PENDING})
"""A step or job with one of these codes has not failed. Files that were skipped or failed (3) are no failure of a step."""
KEPT = 100
"""Of each job."""
KEPT_IN_ALL = 10_000
"""Of all jobs, also of those that the config no longer has."""

_OPEN, _UNREPORTED = 1, 2
"""It has begun, and nothing has said yet how it ended; it was killed, and that was not reported yet. Otherwise 0."""


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a job was to be done."""

    job: str
    began: float
    ended: float | None = None
    """None: it is under way, or was killed."""
    exit_code: int | None = None
    """None: as above."""
    killed: bool = False
    """Whether a later run found that nothing had said how it ended."""
    duration_s: float = 0.0
    """By a clock that does not jump."""
    changed: int = 0
    """Operations that were done."""
    failed: int = 0
    skipped: int = 0
    bytes_moved: int = 0
    runs: tuple[str, ...] = ()
    """The ids of the runs that changed something."""
    why: str = ""
    """The first error."""
    number: int | None = None
    """None before it is recorded."""

    @property
    def succeeded(self) -> bool:
        """Whether the job was done."""
        return self.exit_code in GOES_ON


class JobHistory:
    """All of it, in one database; a context manager."""

    def __init__(self, file: Path) -> None:
        """Open the database, or create it. One that cannot be read is moved aside. Raises UsageError, IntegrityError."""
        self._database = HistoryDatabase(file)
        self._connection, self.moved_aside = self._database.open_or_replace()
        """Where a damaged database was moved; what it held is lost."""
        self.announced = Announced(self._database, self._connection)
        """What was announced of the jobs."""

    def __enter__(self) -> JobHistory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def begin(self, job: str, now: float) -> JobRun:
        """Record that a job begins. Only call it with the lock of the state directory: see `mark_killed`."""
        return self._insert(JobRun(job=job, began=now), is_open=True)

    def end(self, run: JobRun) -> None:
        """Record how it ended; a run without a number was refused before it began."""
        if run.number is None:
            self._insert(run, is_open=False)
            return
        with self._writing() as connection:
            self._close(run)
            if run.succeeded:
                connection.execute("UPDATE job SET succeeded = ? WHERE name = ?", (run.ended, run.job))

    def mark_killed(self) -> None:
        """Record which runs were killed. Call it with the lock: whatever began before and is open has died."""
        with self._writing() as connection:
            for run in self._rows("WHERE open = ?", (_OPEN,)):
                body = _body(msgspec.structs.replace(run, killed=True))
                connection.execute("UPDATE run SET open = ?, body = ? WHERE number = ?", (_UNREPORTED, body, run.number))

    def take_killed(self, job: str) -> list[JobRun]:
        """The runs of a job that were killed, and were not reported yet."""
        with self._writing() as connection:
            found = self._rows("WHERE open = ? AND job = ? ORDER BY number", (_UNREPORTED, job))
            connection.execute("UPDATE run SET open = 0 WHERE open = ? AND job = ?", (_UNREPORTED, job))
        return found

    def last(self, job: str, limit: int = KEPT) -> list[JobRun]:
        """The last runs of a job, the latest first: one that is under way, then those that ended, in the order of their ends."""
        with self._database.mapped_errors():
            return self._rows("WHERE job = ? ORDER BY open = 1 DESC, number DESC LIMIT ?", (job, limit))

    def correct_times(self, now: float) -> None:
        """Nothing can have happened later than now: the clock was wrong when that was recorded, and it was now at the latest."""
        with self._writing() as connection:
            later = "json_extract(body, '$.began') > ? OR json_extract(body, '$.ended') > ?"
            for run in self._rows(f"WHERE {later}", (now, now)):
                known = msgspec.structs.replace(
                    run, began=min(run.began, now), ended=None if run.ended is None else min(run.ended, now)
                )
                connection.execute("UPDATE run SET body = ? WHERE number = ?", (_body(known), run.number))
            connection.execute("UPDATE job SET succeeded = ? WHERE succeeded > ?", (now, now))

    def failed_in_a_row(self, job: str) -> list[JobRun]:
        """The runs that have failed since the job was last done, the latest first; of those that are kept.

        Without those that were killed or interrupted, which says nothing about the job.
        """
        not_done = takewhile(lambda run: not run.succeeded, self.last(job))
        return [run for run in not_done if run.exit_code not in {None, ExitCode.INTERRUPTED}]

    def last_success(self, job: str) -> float | None:
        """When the job was last done."""
        with self._database.mapped_errors():
            row = self._connection.execute("SELECT succeeded FROM job WHERE name = ?", (job,)).fetchone()
        return row[0] if row else None

    def known_since(self, job: str, times: Sequence[str], now: float) -> float:
        """Since when it is known that a job is to start at these times; otherwise it is from now on."""
        wanted = msgspec.json.encode(list(times)).decode()
        with self._database.mapped_errors():
            row = self._connection.execute("SELECT times, since FROM job WHERE name = ?", (job,)).fetchone()
        if row is not None and row[0] == wanted and row[1] <= now:  # later than now: the clock was wrong
            return float(row[1])
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO job (name, times, since) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET times = excluded.times, since = excluded.since",
                (job, wanted, now),
            )
        return now

    def _close(self, run: JobRun) -> None:
        """It gets a new number: others, that found the lock taken, may have ended since it began."""
        self._connection.execute("DELETE FROM run WHERE number = ?", (run.number,))
        self._connection.execute("INSERT INTO run (job, open, body) VALUES (?, 0, ?)", (run.job, _body(run)))

    def _insert(self, run: JobRun, *, is_open: bool) -> JobRun:
        with self._writing() as connection:
            number = connection.execute(
                "INSERT INTO run (job, open, body) VALUES (?, ?, ?)", (run.job, is_open, _body(run))
            ).lastrowid
            connection.execute(
                "DELETE FROM run WHERE job = ? AND number NOT IN "
                "(SELECT number FROM run WHERE job = ? ORDER BY number DESC LIMIT ?)",
                (run.job, run.job, KEPT),
            )
            connection.execute("DELETE FROM run WHERE number <= ?", ((number or 0) - KEPT_IN_ALL,))
        return msgspec.structs.replace(run, number=number)

    def _rows(self, where: str, values: Sequence[object] = ()) -> list[JobRun]:
        found = self._connection.execute(f"SELECT number, body FROM run {where}", values).fetchall()
        try:
            return [msgspec.structs.replace(msgspec.json.decode(body, type=JobRun), number=number) for number, body in found]
        except msgspec.MsgspecError as error:
            raise self._database.damaged(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.mapped_errors(), transaction(self._connection):
            yield self._connection


def _body(run: JobRun) -> str:
    return msgspec.json.encode(msgspec.structs.replace(run, number=None)).decode()
