"""The file of the known problems: its tables, and what SQLite's failures mean."""

from __future__ import annotations

from orchestrator.errors import OrchestratorError
from orchestrator.sqlite import Database


class ProblemDatabase(Database):
    """The database of all problems that stand. Without it, each is reported once more."""

    name = "record of problems"
    schema_version = 1
    remedy = "delete it: what still stands is then reported once more"
    # `scope`: the command and the locations that found the problem, because only they can find that it is gone. `same` is the
    # reason without what changes each time (see `same_reason`). `scope`: when each was used last. `ignored`: patterns of
    # `problems ignore`.
    tables = (
        """CREATE TABLE problem (
            scope TEXT NOT NULL,
            location TEXT NOT NULL,
            path TEXT NOT NULL,
            code TEXT NOT NULL,
            same TEXT NOT NULL,
            reason TEXT NOT NULL,
            since REAL NOT NULL,
            PRIMARY KEY (scope, location, path, code, same)) WITHOUT ROWID""",
        "CREATE TABLE scope (scope TEXT PRIMARY KEY, last REAL NOT NULL) WITHOUT ROWID",
        "CREATE TABLE ignored (pattern TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID",
    )

    def disk_full(self) -> OrchestratorError:
        """Nothing is lost but the memory that something was reported."""
        return OrchestratorError(f"no space left for the {self.name} {self.path}: problems will be reported once more")
