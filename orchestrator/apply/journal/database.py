"""The journal's file: its tables, how it is opened, and what SQLite's failures mean for a run."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.errors import IntegrityError, LockedError, OrchestratorError, UsageError

SCHEMA_VERSION = 1
"""Kept in `user_version`. A journal of another version is refused: it may hold a run that only its own version can finish."""

_BUSY_TIMEOUT_S = 30.0

_FULL_BYTES = 64 * 1024
"""SQLite takes at least half of this at a time."""

# `head` is the checksum of the run's last record. `state` marks the records that change the run's state, so that the history is
# read without the steps of every operation. AUTOINCREMENT: a number is never used twice, so the order of records is that of time.
_TABLES = (
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


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, each with the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _ours(error, path) from error


def _ours(error: sqlite3.Error, path: Path) -> OrchestratorError:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and _is_full(path.parent)):
        return IntegrityError(f"no space left for the journal {path}: stopped before the next change; free some space and resume")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockedError(f"another run is writing the journal {path}: try again when it has finished")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return UsageError(f"cannot open the journal {path}: {error}")
    remedy = (
        "; put a copy of it back, or move it away to begin anew" if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) else ""
    )
    return IntegrityError(f"the journal {path} cannot be read or written ({error}): stopped before the next change{remedy}")


def _is_full(directory: Path) -> bool:
    """Whether a write may have failed for want of space: of its index file SQLite says no more than "disk I/O error"."""
    try:
        return shutil.disk_usage(directory).free < _FULL_BYTES
    except OSError:
        return False


def open_journal(path: Path) -> sqlite3.Connection:
    """The journal at `path`, made (0600) when it is not there; in autocommit mode.

    Raises UsageError when it cannot be opened or is of another version, IntegrityError when it is damaged.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives -wal and -shm the mode of the main file, so the main file is made first, with the right mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise UsageError(f"cannot open or write the journal {path}: {error.strerror}") from error
    with mapped_errors(path):
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN")  # both as they are at one moment: another process may be making it
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if version not in {0, SCHEMA_VERSION}:
        raise UsageError(f"the journal {path} was made by another version of this program: use that one, or another --state-dir")
    if version == SCHEMA_VERSION:
        _check_that_no_run_is_missing(connection, path)
        return
    if tables:
        raise UsageError(f"{path} is not a journal of this program, but another's database: use another --state-dir")
    # With FULL each commit syncs the log before it returns, and `runs` can read while a run is at work.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_that_no_run_is_missing(connection: sqlite3.Connection, path: Path) -> None:
    """Runs are numbered without a gap, and SQLite keeps the last number even when its row is gone."""
    there, ever = connection.execute(
        "SELECT (SELECT count(*) FROM run), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'run'), 0)"
    ).fetchone()
    if there != ever:
        raise IntegrityError(
            f"the journal {path} is damaged (of {ever} runs {there} are left): nothing was sent; "
            "put a copy of it back, or move it away to begin anew"
        )
