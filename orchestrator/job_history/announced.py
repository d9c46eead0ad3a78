"""What was announced of the jobs: failures, messages that could not be sent yet, and ways to report that do not work.

So people hear of each event once.

The caller passes the time, in seconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from orchestrator.job_history.database import HistoryDatabase
from orchestrator.sqlite import transaction

REMIND_S = 7 * 86400.0
"""After each such time, what still fails is announced again: one message may be overlooked. docs/monitoring.md names it."""
KEPT_S = REMIND_S
"""How long a message that could not be sent waits: a failure that stands is announced again by then."""
MOST_UNSENT = 10
"""So many messages wait for one address; the oldest are dropped."""


class Unsent(msgspec.Struct, frozen=True):
    """A message that waits for its address."""

    number: int
    at: float
    """When it was written."""
    message: str


class Broken(msgspec.Struct, frozen=True):
    """A way to report (an address, a file) that does not work."""

    label: str
    """The key of the config."""
    reason: str
    since: float


class Announced:
    """A part of the job history."""

    def __init__(self, database: HistoryDatabase, connection: sqlite3.Connection) -> None:
        self._database = database
        self._connection = connection

    def failed(self, job: str, reasons: Collection[str], now: float) -> bool:
        """Whether it is news that a job failed; then it counts as announced from now on.

        `reasons`: those that are new to other reports, without what changes each time. Each is news once until the job is done
        again; without any, the failure is news if it was not announced for REMIND_S.
        """
        with self._writing() as connection:
            rows = connection.execute("SELECT same, told FROM failure WHERE job = ?", (job,))
            told = {same for same, at in rows if now - REMIND_S < at <= now}
            if told and told.issuperset(reasons):
                return False
            new = [(job, one, now) for one in reasons or [""]]
            connection.executemany("INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", new)
        return True

    def done(self, job: str) -> bool:
        """The job did not fail: its next failure is news. Whether one was announced before."""
        with self._writing() as connection:
            return bool(connection.execute("DELETE FROM failure WHERE job = ?", (job,)).rowcount)

    def put(self, label: str, message: str, now: float) -> int | None:
        """A message is to be sent to an address; it waits until `sent`. Returns its number."""
        with self._writing() as connection:
            number = connection.execute(
                "INSERT INTO unsent (label, at, message) VALUES (?, ?, ?)", (label, now, message)
            ).lastrowid
            connection.execute(
                "DELETE FROM unsent WHERE label = ? AND number NOT IN "
                "(SELECT number FROM unsent WHERE label = ? ORDER BY number DESC LIMIT ?)",
                (label, label, MOST_UNSENT),
            )
            connection.execute("DELETE FROM unsent WHERE at < ?", (now - KEPT_S,))
        return number

    def unsent(self, label: str) -> list[Unsent]:
        """The messages that wait for an address, the oldest first."""
        query = "SELECT number, at, message FROM unsent WHERE label = ? ORDER BY number"
        with self._database.mapped_errors():
            return [Unsent(*row) for row in self._connection.execute(query, (label,))]

    def sent(self, numbers: Collection[int]) -> None:
        """These messages have arrived."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM unsent WHERE number = ?", [(number,) for number in numbers])

    def tried(self, ways: Mapping[str, str | None], now: float) -> set[str]:
        """Ways to report that were used, each with what went wrong, or None. Those of which it is news that they do not work.

        It is when they begin to fail, when the reason changes, and after each REMIND_S. They count as announced from now on.
        """
        new = set()
        with self._writing() as connection:
            known = {row[0]: row[1:] for row in connection.execute("SELECT label, reason, since, told FROM broken")}
            for label, reason in ways.items():
                if reason is None:
                    connection.execute("DELETE FROM broken WHERE label = ?", (label,))
                    continue
                before, since, told = known.get(label, (None, now, 0.0))
                if before != reason or not now - REMIND_S < told <= now:
                    new.add(label)
                    values = (label, reason, min(since, now), now)
                    connection.execute("INSERT OR REPLACE INTO broken VALUES (?, ?, ?, ?)", values)
        return new

    def broken(self) -> list[Broken]:
        """The ways to report that did not work when they were last used, by label."""
        with self._database.mapped_errors():
            return [Broken(*row) for row in self._connection.execute("SELECT label, reason, since FROM broken ORDER BY label")]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.mapped_errors(), transaction(self._connection):
            yield self._connection
