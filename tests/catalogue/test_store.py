"""The catalogue's file, and the moves that apply records in it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestrator.catalogue.database import CatalogueDatabase
from orchestrator.catalogue.rows import hashes_of, hashes_text
from orchestrator.catalogue.store import Catalogue, Moved
from orchestrator.errors import IntegrityError, UsageError
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.storage.fake.memory import MemoryStorage
from tests.catalogue.helpers import run_scan, song, titles


def test_no_other_user_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "state" / "deep" / "catalogue.sqlite3"
    with Catalogue(file) as catalogue:
        storage = MemoryStorage.like("s3")
        storage.put("a.mp3", song("A"))
        run_scan(storage, catalogue)
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {0o600}


def test_it_is_kept_between_processes(tmp_path: Path) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("a.mp3", song("A"))
    with Catalogue(tmp_path / "c") as catalogue:
        run_scan(storage, catalogue)
    with Catalogue(tmp_path / "c") as catalogue:
        assert run_scan(storage, catalogue).files_read == 0
        assert (catalogue.count(storage.fs), catalogue.audio_count(storage.fs)) == (1, 1)
        assert (catalogue.count("s3:unknown"), list(catalogue.entries("s3:unknown"))) == (0, [])


def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "c")
    connection.execute(f"PRAGMA user_version = {CatalogueDatabase.schema_version + 1}")
    connection.close()
    with pytest.raises(UsageError, match="newer"):
        Catalogue(tmp_path / "c")


def test_an_older_one_is_created_again(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "c")
    connection.execute("CREATE TABLE entry (path)")
    connection.execute(f"PRAGMA user_version = {CatalogueDatabase.schema_version - 1}")
    connection.close()
    with Catalogue(tmp_path / "c") as catalogue:
        assert catalogue.count("s3:x") == 0


def test_another_programs_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "c")
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = (tmp_path / "c").read_bytes()
    with pytest.raises(UsageError, match="another database"):
        Catalogue(tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == before


def test_a_damaged_one_is_reported_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"no database at all, " * 300)
    with pytest.raises(IntegrityError, match="delete it"):
        Catalogue(tmp_path / "c")


def test_a_path_where_it_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError):
        Catalogue(tmp_path / "file" / "c")


@pytest.mark.parametrize("kind", ["s3", "local", "webdav", "plain"])
def test_what_we_moved_is_not_read_again(catalogue: Catalogue, kind: str) -> None:
    storage = MemoryStorage.like(kind)
    storage.put("in/a.mp3", song("A"))
    storage.put("in/b.mp3", song("Bb"))
    run_scan(storage, catalogue)
    storage.move("in/a.mp3", "out/a.mp3")
    storage.move("in/b.mp3", "out/b.mp3")
    entry = storage.stat("out/a.mp3")
    catalogue.record_moves(
        [
            Moved(Ref(storage.fs, "in/a.mp3"), Ref(storage.fs, "out/a.mp3"), entry),
            Moved(Ref(storage.fs, "in/b.mp3"), Ref(storage.fs, "out/b.mp3"), storage.stat("out/b.mp3")),
        ]
    )
    assert titles(catalogue, storage.fs) == {"out/a.mp3": "A", "out/b.mp3": "Bb"}
    result = run_scan(storage, catalogue)
    assert (result.files_read, result.changed) == (0, False)


def test_what_we_copied_to_another_storage_is_not_read_again(catalogue: Catalogue) -> None:
    source, target = MemoryStorage.like("local", "/music"), MemoryStorage.like("s3", "s3:music")
    source.put("a.mp3", song("A"))
    run_scan(source, catalogue)
    target.put("b/a.mp3", song("A"))
    catalogue.record_moves([Moved(Ref(source.fs, "a.mp3"), Ref(target.fs, "b/a.mp3"), target.stat("b/a.mp3"), copied=True)])
    assert run_scan(source, catalogue).files_read == run_scan(target, catalogue).files_read == 0
    assert titles(catalogue, source.fs) == {"a.mp3": "A"}
    assert titles(catalogue, target.fs) == {"b/a.mp3": "A"}


def test_names_swapped_through_our_own_name(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("local")
    storage.put("a.mp3", song("A"))
    storage.put("b.mp3", song("Bb"))
    run_scan(storage, catalogue)
    aside = f"{OWN_DIRECTORY}/tmp/0123"
    steps = [("a.mp3", aside), ("b.mp3", "a.mp3"), (aside, "b.mp3")]
    for step, (src, dst) in enumerate(steps):
        storage.move(src, dst)
        catalogue.record_moves([Moved(Ref(storage.fs, src), Ref(storage.fs, dst), storage.stat(dst))])
        assert not any(path.startswith(OWN_DIRECTORY) for path in titles(catalogue, storage.fs)), step
    assert titles(catalogue, storage.fs) == {"a.mp3": "Bb", "b.mp3": "A"}
    assert run_scan(storage, catalogue).files_read == 0


def test_a_file_restored_from_quarantine_is_not_read_again(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("local")
    storage.put("a.mp3", song("A"))
    storage.put("b.mp3", song("Bb"))
    run_scan(storage, catalogue)
    there, back = Ref(storage.fs, "a.mp3"), Ref(storage.fs, f"{OWN_DIRECTORY}/quarantine/run/a.mp3")
    storage.move(there.path, back.path)
    catalogue.record_moves([Moved(there, back, storage.stat(back.path))])
    assert run_scan(storage, catalogue).files_seen == 1
    storage.move(back.path, there.path)
    catalogue.record_moves([Moved(back, there, storage.stat(there.path))])
    assert run_scan(storage, catalogue).files_read == 0
    assert titles(catalogue, storage.fs) == {"a.mp3": "A", "b.mp3": "Bb"}


def test_a_destination_that_does_not_hold_what_was_moved_is_read(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("a.mp3", song("A"))
    run_scan(storage, catalogue)
    storage.remove("a.mp3")
    storage.put("b.mp3", song("Something else"))
    catalogue.record_moves([Moved(Ref(storage.fs, "a.mp3"), Ref(storage.fs, "b.mp3"), storage.stat("b.mp3"))])
    assert titles(catalogue, storage.fs) == {"b.mp3": None}
    assert run_scan(storage, catalogue).files_read == 1


def test_moves_of_unknown_files_do_no_harm(catalogue: Catalogue) -> None:
    fs = "s3:x"
    catalogue.record_moves([Moved(Ref(fs, "a.mp3"), Ref(fs, "b.mp3"))])
    assert catalogue.count(fs) == 0
    catalogue.record_moves([Moved(Ref(fs, "a.mp3"), Ref(fs, "b.mp3"), Entry("b.mp3", 3))])
    assert titles(catalogue, fs) == {"b.mp3": None}


def test_forget(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    storage.put("a.mp3", song("A"))
    run_scan(storage, catalogue)
    catalogue.forget([Ref(storage.fs, "a.mp3"), Ref(storage.fs, "never.mp3")])
    assert catalogue.count(storage.fs) == 0


def test_entries_are_dated_by_the_start_of_the_listing(catalogue: Catalogue) -> None:
    storage = MemoryStorage.like("s3")
    for number in range(10):
        storage.put(f"{number}.mp3", song(f"Song {number}"))
    run_scan(storage, catalogue)
    looking = catalogue.entries(storage.fs)
    seen = [next(looking).entry.path]
    catalogue.forget([Ref(storage.fs, f"{number}.mp3") for number in range(10)])
    seen += [item.entry.path for item in looking]
    assert len(seen) == 10


def test_many_threads_may_write(catalogue: Catalogue) -> None:
    def write(number: int) -> None:
        for step in range(20):
            path = f"{number}-{step}.mp3"
            catalogue.record_moves([Moved(Ref("a:", path), Ref("b:", path), Entry(path, 1))])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalogue.count("b:") == 80


def test_a_killed_scan_leaves_a_sound_catalogue(tmp_path: Path) -> None:
    """Killed in the middle of the transaction that saves a listing: the catalogue is unchanged."""
    program = """
import os, sys
from pathlib import Path
from orchestrator.catalogue import compare
from orchestrator.catalogue.store import Catalogue
from orchestrator.records import Entry
catalogue = Catalogue(Path(sys.argv[1]))
def files(count):
    return [Entry(f"{number:06}.txt", number, None, {"md5": f"{number:032x}"}) for number in range(count)]
def take(count):
    with compare.NewListing(catalogue, "s3:x") as listing:
        listing.add(files(count))
        listing.commit(1)
take(1000)
compare.sql.SHARE_READINGS = ("SELECT die()",)
catalogue._connection.create_function("die", 0, lambda: os.kill(os.getpid(), 9))
take(3000)
"""
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "c")], check=False)
    assert killed.returncode == -9
    with Catalogue(tmp_path / "c") as catalogue:
        assert (catalogue.count("s3:x"), catalogue.generation("s3:x")) == (1000, 1)


def test_hashes_as_text_and_back() -> None:
    for hashes in ({}, {"md5": "ab"}, {"sha1": "cd", "md5": "ab"}):
        assert hashes_of(hashes_text(hashes)) == hashes
    assert hashes_text({"sha1": "cd", "md5": "ab"}) == hashes_text({"md5": "ab", "sha1": "cd"})
    assert hashes_text({"md5": ""}) == hashes_text({}) == ""
