"""The file of the common states: its tables, and what SQLite's failures mean for a sync."""

from __future__ import annotations

import sqlite3

from orchestrator.errors import IntegrityError, OrchestratorError
from orchestrator.sqlite import Database


class CommonStateDatabase(Database):
    """The database of all pairs. One of another version is made again: its pairs are as in a first run, which deletes nothing."""

    name = "sync state"
    schema_version = 5
    rebuilt = True
    marks_version = True
    pragmas = (
        "PRAGMA auto_vacuum = FULL",  # what a run expects takes almost as much space as the entries: it is given back at its end
        "PRAGMA synchronous = FULL",  # what a row says was done must not be forgotten, or be older than the files
    )
    remedy = "delete it: the next sync is then as a first one, which deletes nothing"
    # A pair is named by the ids of its two places, in their order; `fs` is a name under which a place
    # was used, `last` says whether it is the one used last. A path is a BLOB of UTF-8
    # that keeps every character. `body` holds two files, or a link, in the order of the ids. AUTOINCREMENT, from a random
    # number on: the number of an entry is never used twice, also not by the database that takes the place of a damaged
    # one, so a link that comes late replaces no other one. `after_run` is the newest run in the journal
    # when an entry was recorded: its renames were known then. `refused`: paths below a place that its remote has refused.
    # `empty_folder`: the folders without files that both sides had. `count`: the number of the last sync in the file of that
    # `name` at a place: at least `written`, at most `last`, which is written next.
    tables = (
        "CREATE TABLE place (fs TEXT PRIMARY KEY, id TEXT NOT NULL, last INTEGER NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE entry (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            pair TEXT NOT NULL,
            first_path BLOB NOT NULL,
            second_path BLOB NOT NULL,
            after_run TEXT NOT NULL,
            body BLOB NOT NULL,
            checksum TEXT NOT NULL)""",
        "INSERT INTO sqlite_sequence (name, seq) VALUES ('entry', random() & 0xFFFFFFFFFFFF)",
        "CREATE UNIQUE INDEX entry_by_first_path ON entry (pair, first_path)",
        "CREATE UNIQUE INDEX entry_by_second_path ON entry (pair, second_path)",
        """CREATE TABLE expected (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            plan TEXT NOT NULL,
            pair TEXT NOT NULL,
            body BLOB NOT NULL,
            checksum TEXT NOT NULL)""",
        "CREATE INDEX expected_by_plan ON expected (plan)",
        """CREATE TABLE refused (
            place TEXT NOT NULL, path BLOB NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (place, path)) WITHOUT ROWID""",
        """CREATE TABLE empty_folder (
            pair TEXT NOT NULL,
            first_path BLOB NOT NULL,
            second_path BLOB NOT NULL,
            PRIMARY KEY (pair, first_path, second_path)) WITHOUT ROWID""",
        """CREATE TABLE count (
            pair TEXT NOT NULL,
            place TEXT NOT NULL,
            name TEXT NOT NULL,
            written INTEGER NOT NULL,
            last INTEGER NOT NULL,
            checksum TEXT NOT NULL,
            PRIMARY KEY (pair, place)) WITHOUT ROWID""",
    )

    def connect(self) -> sqlite3.Connection:
        """A connection that reads text which is no UTF-8 as other text: only its row is damaged."""
        connection = super().connect()
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        return connection

    def disk_full(self) -> OrchestratorError:
        """IntegrityError: a sync that cannot record what it does would not know it the next time."""
        return IntegrityError(f"no space left for the {self.name} {self.path}: free some space and run it again")

    def failed(self, error: sqlite3.Error) -> OrchestratorError:
        """Statements that fit our tables fail like this only if the file is damaged: its schema, or an index."""
        code = getattr(error, "sqlite_errorname", None) or ""
        if code == "SQLITE_ERROR" or code.startswith(("SQLITE_CONSTRAINT", "SQLITE_MISMATCH")):
            return self.damaged(error)
        return super().failed(error)
