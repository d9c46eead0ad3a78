"""The queue: one row a pair of locations that could not be synced, because one of them was away.

A row stores the two locations and the options as they were given, not a plan: each try makes a new one. The caller passes
the time, in seconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from orchestrator.sqlite import transaction
from orchestrator.sync_queue.database import QueueDatabase, checksum

DELAYS_S = (60.0, 300.0, 900.0, 3600.0)
"""How long to wait after the first, second ... failed try; the last one stands for all that follow."""


Kind = Literal["sync", "mirror"]
"""`mirror`: a copy that `organize --mirror` could not make."""


class Intention(msgspec.Struct, frozen=True):
    """A sync of two locations that was asked for."""

    a: str
    """A location as it was typed; a path is absolute, because later tries start in another folder."""
    b: str
    direction: str
    """`a-to-b`, `b-to-a` or `both`: for people."""
    names: frozenset[str]
    """All that the pair is called; two intentions that share a name are of one pair. See `pair_names`."""
    options: dict[str, Any] = {}
    """The options of `sync` that were given, under their names in SyncOptions."""
    common: dict[str, Any] = {}
    """The common options that were given and still matter, such as `max_delete`."""
    kind: Kind = "sync"


class Waiting(msgspec.Struct, frozen=True):
    """A row of the queue."""

    intention: Intention
    since: float
    """When the pair was first queued."""
    attempts: int
    """How often it was tried, the first time included."""
    next_try: float
    reason: str
    """Why the last try failed."""
    number: int | None = None
    """What `queue drop` calls it; None before it is written."""

    def due(self, now: float) -> bool:
        """Whether the next try is due; also if it is further away than any delay, because then the clock was wrong."""
        return not now < self.next_try <= now + DELAYS_S[-1]


def pair_names(*names: tuple[str, str]) -> frozenset[str]:
    """The names of a pair, from those of its two locations in each way of naming them, in any order."""
    return frozenset("\n".join(sorted(both)) for both in names)


class Queue:
    """All queued pairs, in one database."""

    def __init__(self, file: Path) -> None:
        """Open the database, or create it. One that cannot be read is moved aside. Raises UsageError."""
        self._database = QueueDatabase(file)
        self._connection, self.moved_aside = self._database.open_or_replace()
        """Where a damaged database was moved; its rows are lost."""

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self) -> list[Waiting]:
        """All rows, the oldest first."""
        with self._database.mapped_errors():
            found = self._connection.execute("SELECT number, body FROM waiting ORDER BY number").fetchall()
        return [msgspec.structs.replace(msgspec.json.decode(body, type=Waiting), number=number) for number, body in found]

    def put(self, intention: Intention, reason: str, now: float) -> Waiting:
        """Queue a sync that could not be done. It replaces the row of the same pair, and counts as one more try of that."""
        with self._writing():
            same = self._of_pair(intention.names)
            attempts = 1 + max((row.attempts for row in same), default=0)
            since = min((row.since for row in same), default=now)
            number = same[0].number if same else None
            self._delete(same)
            return self._write(Waiting(intention, since, attempts, _next_try(attempts, now), reason, number))

    def failed(self, number: int, reason: str, now: float) -> None:
        """Record one more failed try. Does nothing if the row no longer exists."""
        with self._writing():
            for row in self.rows():
                if row.number == number:
                    later = _next_try(row.attempts + 1, now)
                    self._write(msgspec.structs.replace(row, attempts=row.attempts + 1, next_try=later, reason=reason))

    def drop(self, number: int) -> None:
        """Forget one row."""
        with self._writing() as connection:
            connection.execute("DELETE FROM waiting WHERE number = ?", (number,))

    def drop_pair(self, names: frozenset[str]) -> int:
        """Forget the rows of a pair, because it was synced. Returns how many."""
        with self._writing():
            return self._delete(self._of_pair(names))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.mapped_errors(), transaction(self._connection):
            yield self._connection

    def _of_pair(self, names: frozenset[str]) -> list[Waiting]:
        return [row for row in self.rows() if row.intention.names & names]

    def _delete(self, rows: list[Waiting]) -> int:
        self._connection.executemany("DELETE FROM waiting WHERE number = ?", [(row.number,) for row in rows])
        return len(rows)

    def _write(self, row: Waiting) -> Waiting:
        body = msgspec.json.encode(msgspec.structs.replace(row, number=None)).decode()
        written = self._connection.execute(
            "INSERT OR REPLACE INTO waiting (number, body, checksum) VALUES (?, ?, ?)", (row.number, body, checksum(body))
        )
        return msgspec.structs.replace(row, number=written.lastrowid)


def _next_try(attempts: int, now: float) -> float:
    return now + DELAYS_S[min(attempts, len(DELAYS_S)) - 1]
