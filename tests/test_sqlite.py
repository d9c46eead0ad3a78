"""How failures of SQLite are reported, for both databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator import sqlite
from orchestrator.apply.journal.database import JournalDatabase
from orchestrator.catalogue.database import CatalogueDatabase
from orchestrator.errors import IntegrityError, LockedError, OrchestratorError, QuotaError, UsageError
from orchestrator.sqlite import DamagedDatabaseError, Database, transaction

BOTH = pytest.mark.parametrize("kind", [JournalDatabase, CatalogueDatabase])


def failure(code: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("it went wrong")
    error.sqlite_errorname = code
    return error


@pytest.mark.parametrize(
    ("code", "journal", "catalogue"),
    [
        ("SQLITE_FULL", IntegrityError, QuotaError),
        ("SQLITE_BUSY", LockedError, LockedError),
        ("SQLITE_LOCKED_SHAREDCACHE", LockedError, LockedError),
        ("SQLITE_CANTOPEN", UsageError, UsageError),
        ("SQLITE_READONLY", IntegrityError, UsageError),
        ("SQLITE_CORRUPT", DamagedDatabaseError, DamagedDatabaseError),
        ("SQLITE_NOTADB", DamagedDatabaseError, DamagedDatabaseError),
        ("SQLITE_IOERR_SHMSIZE", IntegrityError, OrchestratorError),
        ("SQLITE_ERROR", IntegrityError, OrchestratorError),
    ],
)
def test_each_failure_becomes_an_error_of_ours_that_names_the_file(
    tmp_path: Path, code: str, journal: type[OrchestratorError], catalogue: type[OrchestratorError]
) -> None:
    for database, expected in ((JournalDatabase(tmp_path / "db"), journal), (CatalogueDatabase(tmp_path / "db"), catalogue)):
        with pytest.raises(OrchestratorError) as raised, database.mapped_errors():
            raise failure(code)
        assert type(raised.value) is expected
        assert str(tmp_path / "db") in raised.value.message
        assert database.name in raised.value.message


@BOTH
def test_an_input_output_error_on_a_full_disk_is_a_lack_of_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Database]
) -> None:
    monkeypatch.setattr(sqlite, "NEARLY_FULL_BYTES", 1 << 62)
    with pytest.raises(OrchestratorError, match="no space left"), kind(tmp_path / "db").mapped_errors():
        raise failure("SQLITE_IOERR_SHMSIZE")


@BOTH
def test_a_database_is_readable_only_by_its_owner(tmp_path: Path, kind: type[Database]) -> None:
    (tmp_path / "db").touch(mode=0o644)
    kind(tmp_path / "db").open().close()
    assert (tmp_path / "db").stat().st_mode & 0o777 == 0o600


@BOTH
def test_a_second_open_changes_nothing(tmp_path: Path, kind: type[Database]) -> None:
    kind(tmp_path / "db").open().close()
    before = (tmp_path / "db").read_bytes()
    kind(tmp_path / "db").open().close()
    assert (tmp_path / "db").read_bytes() == before


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    connection = CatalogueDatabase(tmp_path / "db").open()
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.executemany("INSERT INTO location (fs) VALUES (?)", [("/srv/music",), ("/srv/music",)])
    assert connection.execute("SELECT count(*) FROM location").fetchone() == (0,)
    connection.close()
