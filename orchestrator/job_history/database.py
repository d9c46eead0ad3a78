"""The file of the job history: its tables, and what SQLite's failures mean."""

from __future__ import annotations

from orchestrator.errors import IntegrityError, OrchestratorError
from orchestrator.sqlite import Database


class HistoryDatabase(Database):
    """The database of how jobs ended. Nothing that `run` does depends on it."""

    name = "history of jobs"
    schema_version = 3
    rebuilt = True
    remedy = "delete it: only `status` needs it"
    # `body` is the JSON of a JobRun without its number. `open`: see the store.
    tables = (
        "CREATE TABLE run (number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, open INTEGER, body TEXT NOT NULL)",
        "CREATE INDEX run_of_job ON run (job, number)",
        "CREATE TABLE job (name TEXT PRIMARY KEY, times TEXT NOT NULL, since REAL NOT NULL, succeeded REAL)",
        # The other tables: see `announced`. `same` is a reason without what changes each time. `message`: JSON of the caller.
        "CREATE TABLE failure (job TEXT, same TEXT, told REAL NOT NULL, PRIMARY KEY (job, same))",
        "CREATE TABLE unsent (number INTEGER PRIMARY KEY, label TEXT NOT NULL, at REAL NOT NULL, message TEXT NOT NULL)",
        "CREATE TABLE broken (label TEXT PRIMARY KEY, reason TEXT NOT NULL, since REAL NOT NULL, told REAL NOT NULL)",
    )

    def disk_full(self) -> OrchestratorError:
        """IntegrityError: what cannot be recorded is not known later."""
        return IntegrityError(f"no space left for the {self.name} {self.path}: free some space")
