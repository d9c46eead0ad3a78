"""The journal's file: its tables, how durable it is, and what SQLite's failures mean for a run."""

from __future__ import annotations

import sqlite3

from orchestrator.errors import IntegrityError, OrchestratorError
from orchestrator.sqlite import Database


class JournalDatabase(Database):
    """The journal's database. A journal of an older version is refused too: only that version may be able to finish its runs."""

    name = "journal"
    schema_version = 1
    pragmas = ("PRAGMA synchronous = FULL",)  # each commit is on the disk when it returns
    remedy = "stopped before the next change; restore a copy of it, or move it away to start a new one"
    # `head` is the checksum of the run's last record. `state` marks the records that change the run's state, so that the history
    # can be read without the steps of every operation. AUTOINCREMENT: a number is never used twice, so records sort by time.
    tables = (
        """CREATE TABLE run (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, checksum TEXT NOT NULL,
            head TEXT NOT NULL)""",
        """CREATE TABLE operation (
            run TEXT NOT NULL REFERENCES run (id), position INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (run, position)) WITHOUT ROWID""",
        """CREATE TABLE record (
            number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL REFERENCES run (id), state INTEGER NOT NULL,
            body BLOB NOT NULL, checksum TEXT NOT NULL)""",
        "CREATE INDEX record_by_run ON record (run, number)",
        "CREATE INDEX record_of_state ON record (run, number) WHERE state = 1",
    )

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise IntegrityError when a whole run is missing.

        Runs are numbered without a gap, and SQLite keeps the last number even when its row is deleted.
        """
        present, ever = connection.execute(
            "SELECT (SELECT count(*) FROM run), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'run'), 0)"
        ).fetchone()
        if present != ever:
            raise self.damaged(f"of {ever} runs {present} are left")

    def disk_full(self) -> OrchestratorError:
        """IntegrityError: without its journal a run must not change anything."""
        return IntegrityError(
            f"no space left for the journal {self.path}: stopped before the next change; free some space and resume"
        )

    def failed(self, error: sqlite3.Error) -> OrchestratorError:
        """IntegrityError: without its journal a run must not change anything."""
        return IntegrityError(f"the journal {self.path} cannot be read or written ({error}): stopped before the next change")
