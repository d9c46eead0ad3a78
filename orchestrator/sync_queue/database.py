"""The file of the queue: its table, and what SQLite's failures mean."""

from __future__ import annotations

import sqlite3
from hashlib import sha256

from orchestrator.errors import IntegrityError, OrchestratorError
from orchestrator.sqlite import Database


class QueueDatabase(Database):
    """The database of all that waits. A row that was changed by something else is damage: it could name another location."""

    name = "queue"
    schema_version = 1
    pragmas = ("PRAGMA synchronous = FULL",)  # what was said to be queued must not be forgotten
    remedy = "delete it, and run the syncs again that were in it"
    # `body` is the JSON of a Waiting without its number. AUTOINCREMENT: a number that was shown never means another pair.
    tables = ("CREATE TABLE waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, checksum TEXT NOT NULL)",)

    def check(self, connection: sqlite3.Connection) -> None:
        """Compare each row with its checksum."""
        for body, expected in connection.execute("SELECT body, checksum FROM waiting"):
            if checksum(body) != expected:
                raise self.damaged("a row does not match its checksum")

    def disk_full(self) -> OrchestratorError:
        """IntegrityError: what cannot be queued is not done later."""
        return IntegrityError(f"no space left for the {self.name} {self.path}: free some space and run it again")


def checksum(body: str) -> str:
    """The checksum of one row, from its JSON."""
    return sha256(body.encode()).hexdigest()
