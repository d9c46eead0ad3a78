"""The file of the job history: its tables, and what SQLite's failures mean."""

from __future__ import annotations

from orchestrator.errors import IntegrityError, OrchestratorError
from orchestrator.sqlite import Database


class HistoryDatabase(Database):
    """The database of how jobs ended. Nothing that `run` does depends on it."""

    name = "history of jobs"
    schema_version = 2
    rebuilt = True
    remedy = "delete it: only `status` needs it"
    # `body` is the JSON of a JobRun without its number. `open`: see the store.
    tables = (
        "CREATE TABLE run (number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, open INTEGER, body TEXT NOT NULL)",
        "CREATE INDEX run_of_job ON run (job, number)",
        "CREATE TABLE job (name TEXT PRIMARY KEY, times TEXT NOT NULL, since REAL NOT NULL, succeeded REAL)",
        # The addresses (by their keys in the config) that did not answer, and when that was last reported.
        "CREATE TABLE silent (label TEXT PRIMARY KEY, reported REAL NOT NULL)",
    )

    def disk_full(self) -> OrchestratorError:
        """IntegrityError: what cannot be recorded is not known later."""
        return IntegrityError(f"no space left for the {self.name} {self.path}: free some space")
