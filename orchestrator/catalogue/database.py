"""The catalogue's file: its tables, and what SQLite's failures mean for a scan."""

from __future__ import annotations

import sqlite3

from orchestrator.errors import OrchestratorError, QuotaError, UsageError
from orchestrator.sqlite import Database

DIGESTS = """CREATE TABLE IF NOT EXISTS digest (
    fs TEXT NOT NULL,
    path BLOB NOT NULL,
    kind TEXT NOT NULL,
    stamp TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (fs, path, kind)) WITHOUT ROWID"""
"""Hashes that were computed by reading files; `stamp` tells whether the file has changed since. Created when first needed: with a
newer version of all tables, every file would be read again."""
KEPT_READS = """CREATE TABLE IF NOT EXISTS kept_read (
    work TEXT NOT NULL,
    fs TEXT NOT NULL,
    path BLOB NOT NULL,
    remote_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    stamp TEXT NOT NULL,
    value TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (work, fs, path, remote_id, kind)) WITHOUT ROWID"""
"""What works that have not come to their end have read, and when. Created when first needed, as above."""
FOREIGN_FOLDERS = """CREATE TABLE IF NOT EXISTS foreign_folder (
    fs TEXT NOT NULL,
    path BLOB NOT NULL,
    PRIMARY KEY (fs, path)) WITHOUT ROWID"""
"""The folders of other programs that the last scan skipped. Created when first needed, as above."""


class CatalogueDatabase(Database):
    """The catalogue's database. An older one is created again: everything in it can be read again.

    `scan` and `plan` take no run lock, so two processes may write it by turns.
    """

    name = "catalogue"
    schema_version = 4
    rebuilt = True
    one_thread = False
    pragmas = (
        "PRAGMA synchronous = NORMAL",  # a cache: after a power failure the last readings are read again
        "PRAGMA journal_size_limit = 16777216",  # the log of a first scan does not stay on the disk
    )
    remedy = "delete it, the next scan creates it again"
    # A path is a BLOB of UTF-8 so that it sorts as Python's strings do and keeps NUL. `remote_id` is '' where the remote has
    # none; it is part of the key because some remotes hold several files with the same name. `hashes` is "md5=...;sha1=...",
    # sorted, '' for none. `kind` is the lower-case extension of an audio file and '' for every other file. `reader` is the
    # version of the reader that made the row's reading, 0 where there is none; `trouble` is 1 where that reading is unreadable
    # or suspect. `since_ns` is when this content was first listed. `content` holds playlists and cue sheets as they are.
    # AUTOINCREMENT: an id is never used twice, so a reading that arrives late cannot be saved for another file.
    tables = (
        """CREATE TABLE location (
            id INTEGER PRIMARY KEY,
            fs TEXT NOT NULL UNIQUE,
            generation INTEGER NOT NULL DEFAULT 0,
            scanned_ns INTEGER,
            capabilities BLOB)""",
        """CREATE TABLE entry (
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
            trouble INTEGER NOT NULL DEFAULT 0)""",
        "CREATE UNIQUE INDEX entry_key ON entry (location, path, remote_id)",
        "CREATE INDEX entry_by_hash ON entry (hashes, size) WHERE hashes <> ''",
        "CREATE INDEX entry_by_remote_id ON entry (location, remote_id) WHERE remote_id <> ''",
        "CREATE INDEX entry_trouble ON entry (location) WHERE trouble",
        "CREATE TABLE reading (entry INTEGER PRIMARY KEY, reading BLOB NOT NULL)",
        "CREATE TABLE content (entry INTEGER PRIMARY KEY, content BLOB NOT NULL)",
    )

    def disk_full(self) -> OrchestratorError:
        """QuotaError: nothing is lost."""
        return QuotaError(f"no space left for the catalogue {self.path}: free some space and run it again")

    def failed(self, error: sqlite3.Error) -> OrchestratorError:
        """UsageError for a file that may not be written."""
        if (getattr(error, "sqlite_errorname", None) or "").startswith("SQLITE_READONLY"):
            return UsageError(f"cannot open or write the catalogue {self.path}: {error}")
        return super().failed(error)
