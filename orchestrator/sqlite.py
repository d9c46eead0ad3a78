"""How we keep an SQLite database: open it, check that it is ours, and say what its failures mean.

The journal and the catalogue each describe theirs in a subclass of Database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from orchestrator.errors import IntegrityError, LockedError, OrchestratorError, UsageError

_BUSY_TIMEOUT_S = 30.0
"""How long to wait while another process writes."""

_MARK = 0x4D4F_0000
"""What is added to the version where it is stored for the second time: "MO" before it."""

NEARLY_FULL_BYTES = 64 * 1024
"""SQLite allocates at least half of this at a time."""


class DamagedDatabaseError(IntegrityError):
    """The content of a database is wrong."""

    def __init__(self, message: str, file: Path) -> None:
        super().__init__(message)
        self.file = file


class Database(ABC):
    """One database file. Every error of SQLite becomes one of ours that names the file and the remedy."""

    name: ClassVar[str]
    """What messages call it: "journal"."""
    schema_version: ClassVar[int]
    """Kept in `user_version`. A database with a newer version is refused."""
    tables: ClassVar[tuple[str, ...]]
    """The statements that create the schema."""
    pragmas: ClassVar[tuple[str, ...]] = ()
    """Executed on each connection."""
    rebuilt: ClassVar[bool] = False
    """Whether a database with an older version is emptied and created again, instead of refused."""
    marks_version: ClassVar[bool] = False
    """Whether the version is stored twice: a wrong bit in it would look like another version."""
    one_thread: ClassVar[bool] = True
    """Whether a connection may only be used by the thread that made it."""
    remedy: ClassVar[str]
    """What to do when the database is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> sqlite3.Connection:
        """A connection in autocommit mode; the file is created if needed, readable only by its owner.

        Raises UsageError when it cannot be opened, belongs to another program or has another version; IntegrityError when it is
        damaged.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives -wal and -shm the mode of the main file, so create that first, with the right mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)
        except OSError as error:
            raise self._cannot_open(error.strerror) from error
        with self.mapped_errors():
            connection = self.connect()
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def open_or_replace(self, *, checked: bool = False) -> tuple[sqlite3.Connection, Path | None]:
        """A connection; a damaged database is moved aside, and a new one begun. With where it was moved, if it was.

        `checked`: it was checked a moment ago, which reads all of it. For databases that can do without what they hold. Raises
        UsageError as `open` does.
        """
        try:
            return self.open() if checked else self.open_checked(), None
        except DamagedDatabaseError:
            return self.replace()

    def replace(self) -> tuple[sqlite3.Connection, Path]:
        """A connection to a new database, and where the damaged one was moved. No connection to that may be open here."""
        aside = self.path.with_name(f"{self.path.name}.damaged")
        self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        return self.open(), aside

    def open_checked(self) -> sqlite3.Connection:
        """As `open`, after a look at the whole file."""
        connection = self.open()
        with self.mapped_errors():
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            connection.close()
            raise self.damaged(problem)
        return connection

    def connect(self) -> sqlite3.Connection:
        """One more connection to a database that `open` has prepared."""
        connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=self.one_thread)
        for pragma in self.pragmas:
            connection.execute(pragma)
        return connection

    @contextmanager
    def mapped_errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error

    def damaged(self, why: object) -> DamagedDatabaseError:
        """The error for a file whose content is wrong."""
        message = f"the {self.name} {self.path} is damaged ({' '.join(str(why).split())}): {self.remedy}"
        return DamagedDatabaseError(message, self.path)

    # What is particular to one database.

    def check(self, connection: sqlite3.Connection) -> None:  # noqa: B027 - a database may leave it out
        """Raise `damaged` when an existing database lacks something. By default nothing is checked."""

    @abstractmethod
    def disk_full(self) -> OrchestratorError:
        """The error for a write that found no space."""

    def failed(self, error: sqlite3.Error) -> OrchestratorError:
        """The error for every failure that has no error of its own."""
        return OrchestratorError(f"the {self.name} {self.path} failed: {error}")

    # Inside.

    def _error(self, error: sqlite3.Error) -> OrchestratorError:
        code = getattr(error, "sqlite_errorname", None) or ""
        if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and _is_full(self.path.parent)):
            return self.disk_full()
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return LockedError(f"another run is writing the {self.name} {self.path}: try again when it has finished")
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
            return self._cannot_open(error)
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return self.damaged(error)
        return self.failed(error)

    def _cannot_open(self, why: object) -> UsageError:
        return UsageError(f"cannot open or write the {self.name} {self.path}: {why}")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")  # so that both answers are from one moment: another process may be creating it
        version = _version(connection)
        objects = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
        connection.execute("COMMIT")
        if self.marks_version and mark not in {0, _MARK + version}:  # 0: a version that did not store it twice
            raise self.damaged("its version was changed")
        if version == self.schema_version:
            self.check(connection)
            return
        if version == 0 and objects:
            raise UsageError(f"{self.path} is not a {self.name} of this program but another database: move it elsewhere")
        if version > self.schema_version or (version and not self.rebuilt):
            age = "a newer" if version > self.schema_version else "an older"
            raise UsageError(f"the {self.name} {self.path} was made by {age} version of this program: use that one")
        connection.execute("PRAGMA journal_mode = WAL")  # others can read while one writes
        with transaction(connection):
            if _version(connection) != self.schema_version:  # otherwise another process was faster
                _drop_tables(connection)
                for statement in self.tables:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {self.schema_version}")
                if self.marks_version:
                    connection.execute(f"PRAGMA application_id = {_MARK + self.schema_version}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Takes the write lock at once: a transaction that takes it later can fail half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:  # an interrupt too: a later commit must not include half of this
        if connection.in_transaction:  # SQLite itself rolls back after some errors, such as a full disk
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _drop_tables(connection: sqlite3.Connection) -> None:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in connection.execute(names).fetchall():
        connection.execute(f'DROP TABLE "{table}"')


def _is_full(directory: Path) -> bool:
    """Whether a write may have failed for lack of space: for the index of its log SQLite only reports "disk I/O error"."""
    try:
        return shutil.disk_usage(directory).free < NEARLY_FULL_BYTES
    except OSError:
        return False
