"""The catalogue's file: its tables, how it is opened, and what its failures mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.errors import IntegrityError, LockedError, OrchestratorError, QuotaError, UsageError

SCHEMA_VERSION = 4
"""Kept in `user_version`. An older catalogue is made anew (everything in it can be read again); a newer one is refused."""

BUSY_TIMEOUT_S = 30.0
"""How long to wait for another process that writes: `scan` and `plan` take no run lock, so two may meet."""

# A path is a BLOB of UTF-8 so that it sorts as Python's strings do and keeps NUL. `remote_id` is '' where the remote has none;
# it is part of the key because some remotes hold several files of one name. `hashes` is "md5=...;sha1=...", sorted, '' for
# none. `kind` is the lower-case extension of an audio file and '' for every other file. `reader` is the version of the reader
# that made the row's reading, 0 where there is none; `trouble` is 1 where that calls it unreadable or suspect. `since_ns` is
# when this content was first listed. `content` holds playlists and cue sheets as they are. AUTOINCREMENT: an id is never used
# twice, so a reading that arrives late cannot land on another file.
_TABLES = """
CREATE TABLE location (
    id INTEGER PRIMARY KEY,
    fs TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL DEFAULT 0,
    scanned_ns INTEGER,
    capabilities BLOB
);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    location INTEGER NOT NULL REFERENCES location (id),
    path BLOB NOT NULL,
    remote_id TEXT NOT NULL,
    size INTEGER,
    mtime_ns INTEGER,
    hashes TEXT NOT NULL,
    kind TEXT NOT NULL,
    since_ns INTEGER NOT NULL,
    reader INTEGER NOT NULL DEFAULT 0,
    trouble INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX entry_key ON entry (location, path, remote_id);
CREATE INDEX entry_by_hash ON entry (hashes, size) WHERE hashes <> '';
CREATE INDEX entry_by_remote_id ON entry (location, remote_id) WHERE remote_id <> '';
CREATE INDEX entry_trouble ON entry (location) WHERE trouble;
CREATE TABLE reading (
    entry INTEGER PRIMARY KEY,
    reading BLOB NOT NULL
);
CREATE TABLE content (
    entry INTEGER PRIMARY KEY,
    content BLOB NOT NULL
);
"""


@contextmanager
def mapped_errors(file: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, each with the file and what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _ours(error, file) from error


def _ours(error: sqlite3.DatabaseError, file: Path) -> OrchestratorError:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name == "SQLITE_FULL":
        return QuotaError(f"no space left for the catalogue {file}: free some space and run it again")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockedError(f"another run is writing the catalogue {file}: try again when it has finished")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return UsageError(f"cannot open or write the catalogue {file}: {error}")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(file, error)
    return OrchestratorError(f"the catalogue {file} failed: {error}")


def damaged(file: Path, why: object) -> IntegrityError:
    """The error for a file that is no catalogue any more."""
    reason = " ".join(str(why).split())
    return IntegrityError(f"the catalogue {file} is damaged ({reason}): delete it, the next scan makes it anew")


def open_catalogue(file: Path) -> sqlite3.Connection:
    """The catalogue at `file`, made (0600, in a 0700 directory) when it is not there.

    Raises UsageError when it cannot be opened or comes from a newer version, IntegrityError when it is damaged.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives -wal and -shm the mode of the main file, so the main file is made first, with the right mode.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        raise UsageError(f"cannot open or write the catalogue {file}: {error.strerror}") from error
    with mapped_errors(file):
        connection = connect(file)
        try:
            _prepare(connection, file)
        except BaseException:  # whatever it was: the file must not stay open
            connection.close()
            raise
        return connection


def connect(file: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, to be used by one thread at a time."""
    connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")  # a cache: after a power cut the last readings may be read again
    connection.execute("PRAGMA journal_size_limit = 16777216")  # the log of a first scan does not stay on the disk
    return connection


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise UsageError(f"the catalogue {file} was made by a newer version: upgrade this one, or use another --state-dir")
    connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return  # another process was faster
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (table,) in connection.execute(tables).fetchall():
            connection.execute(f'DROP TABLE "{table}"')
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Takes the write lock at once, so that it cannot fail half-way for want of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:  # an interrupt as well: nothing half done may be committed later
        if connection.in_transaction:  # SQLite ends it by itself on some errors, such as a full disk
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
