"""Files of equal size are hashed where no listing gives a hash: on disks always, on remotes if asked for, each once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from orchestrator.catalogue.content_hashes import LOCAL_HASH, EqualSizes, HashedSide
from orchestrator.catalogue.kept_reads import KeptReads
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import InterruptedRunError, PermanentError, TransientError
from orchestrator.progress import NoProgress
from orchestrator.records import Entry, Item
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.fake.objects import digest
from orchestrator.track import Reading, Status

FILES = {
    "a.mp3": b"one!",
    "b.mp3": b"one!",
    "c.mp3": b"two!",
    "alone.mp3": b"another size",
    "a.jpg": b"one!",
    "e.mp3": b"",
    "f.mp3": b"",
}


def filled(kind: str, files: dict[str, bytes] = FILES) -> MemoryStorage:
    storage = MemoryStorage.like(kind)
    for path, content in files.items():
        storage.put(path, content)
    return storage


def side(storage: MemoryStorage) -> HashedSide:
    return HashedSide(storage, [Item(entry) for entry in storage.list()])


def compared(catalogue: Catalogue, *storages: MemoryStorage, download: bool = False) -> list[dict[str, dict[str, str]]]:
    """Path -> hashes, for each storage."""
    sizes = EqualSizes([side(storage) for storage in storages], catalogue, download=download)
    assert sizes.compute(NoProgress()) == []
    return [{item.entry.path: item.entry.hashes for item in items} for items in sizes.items()]


def test_only_music_of_equal_size_is_hashed(catalogue: Catalogue) -> None:
    storage = filled("local")
    (found,) = compared(catalogue, storage)
    assert {path: set(hashes) for path, hashes in found.items() if hashes} == {f"{name}.mp3": {LOCAL_HASH} for name in "abc"}
    assert found["a.mp3"] == found["b.mp3"] != found["c.mp3"]
    assert storage.bytes_read == 12


@pytest.mark.parametrize("reading", [Reading(Status.UNREADABLE, reason="damaged"), Reading(Status.TAGGED, suspect="cut")])
def test_music_that_is_no_duplicate_of_anything_is_not_read(catalogue: Catalogue, reading: Reading) -> None:
    storage = filled("local")
    items = [Item(entry, reading if entry.path == "c.mp3" else None) for entry in storage.list()]
    assert EqualSizes([HashedSide(storage, items)], catalogue, download=False).compute(NoProgress()) == []
    assert storage.bytes_read == 8


@pytest.mark.parametrize("kind", ["webdav", "plain"])
def test_on_a_remote_without_hashes_files_are_downloaded_only_on_request(catalogue: Catalogue, kind: str) -> None:
    storage = filled(kind)
    assert not any(compared(catalogue, storage)[0].values())
    assert storage.bytes_read == 0
    sizes = EqualSizes([side(storage)], catalogue, download=True)
    assert sizes.downloads() == [(storage, 4)] * 3
    (found,) = compared(catalogue, storage, download=True)
    assert found["a.mp3"] == found["b.mp3"] != found["c.mp3"]
    assert storage.bytes_read == 12


def test_a_remote_with_hashes_is_not_read(catalogue: Catalogue) -> None:
    storage = filled("s3")
    (found,) = compared(catalogue, storage, download=True)
    assert found == {path: {"md5": digest("md5", content)} for path, content in FILES.items()}
    assert storage.bytes_read == 0


def test_a_file_on_a_disk_is_hashed_as_each_remote_hashes(catalogue: Catalogue) -> None:
    disk, s3, dropbox = filled("local", {"x.mp3": b"one!"}), filled("s3"), filled("dropbox")
    kind = next(iter(compared(catalogue, dropbox)[0]["a.mp3"]))
    found = compared(catalogue, disk, s3, dropbox)
    assert found[0]["x.mp3"] == {"md5": digest("md5", b"one!"), kind: digest(kind, b"one!")}
    assert (s3.bytes_read, dropbox.bytes_read) == (0, 0)


class Disk(MemoryStorage):
    """A storage whose files also lie on a disk of this machine, and that counts what it hashes."""

    hashed: list[str]

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        self.hashed.append(path)
        return digest(hash_type, Path(self.fs, path).read_bytes())


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    root = tmp_path / "music"
    root.mkdir()
    storage = Disk(str(root), MemoryStorage.like("local").capabilities)
    storage.hashed = []
    return storage


def on_disk(disk: Disk, catalogue: Catalogue) -> dict[str, Item]:
    names = sorted(path.name for path in Path(disk.fs).iterdir())
    entries = [Entry(name, (seen := Path(disk.fs, name).stat()).st_size, seen.st_mtime_ns) for name in names]
    sizes = EqualSizes([HashedSide(disk, [*map(Item, entries)])], catalogue, download=False)
    sizes.compute(NoProgress())
    return {item.entry.path: item for item in sizes.items()[0]}


def test_a_file_is_hashed_again_only_when_it_has_changed_even_if_size_and_time_are_as_before(
    disk: Disk, catalogue: Catalogue
) -> None:
    for name in ("a.mp3", "b.mp3"):
        Path(disk.fs, name).write_bytes(b"one!")
        os.utime(Path(disk.fs, name), (1, 1))
    found = on_disk(disk, catalogue)
    assert found["a.mp3"].entry.hashes == found["b.mp3"].entry.hashes != {}
    assert sorted(disk.hashed) == ["a.mp3", "b.mp3"]
    assert on_disk(disk, catalogue) == found
    assert len(disk.hashed) == 2
    Path(disk.fs, "b.mp3").write_bytes(b"two!")
    os.utime(Path(disk.fs, "b.mp3"), (1, 1))
    changed = on_disk(disk, catalogue)
    assert disk.hashed[2:] == ["b.mp3"]
    assert changed["a.mp3"].entry.hashes != changed["b.mp3"].entry.hashes


def test_hard_links_are_one_file_and_are_read_once_if_at_all(disk: Disk, catalogue: Catalogue) -> None:
    Path(disk.fs, "a.mp3").write_bytes(b"one!")
    Path(disk.fs, "b.mp3").hardlink_to(Path(disk.fs, "a.mp3"))
    found = on_disk(disk, catalogue)
    assert found["a.mp3"].one_file == found["b.mp3"].one_file is not None
    assert disk.hashed == []
    Path(disk.fs, "c.mp3").write_bytes(b"one!")
    found = on_disk(disk, catalogue)
    assert disk.hashed == ["a.mp3", "c.mp3"]
    assert found["a.mp3"].entry.hashes == found["b.mp3"].entry.hashes == found["c.mp3"].entry.hashes != {}
    assert found["c.mp3"].one_file != found["a.mp3"].one_file


def test_a_file_that_changes_while_it_is_read_has_no_hash(disk: Disk, catalogue: Catalogue) -> None:
    for name in ("a.mp3", "b.mp3"):
        Path(disk.fs, name).write_bytes(b"one!")

    class Busy(Disk):
        def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
            found = super().hash(path, hash_type)
            Path(self.fs, path).write_bytes(b"else")
            return found

    busy = Busy(disk.fs, disk.capabilities)
    busy.hashed = []
    assert all(not item.entry.hashes for item in on_disk(busy, catalogue).values())


def test_what_a_file_held_before_it_changed_is_not_kept_as_what_it_holds(disk: Disk, catalogue: Catalogue) -> None:
    """Although it changed when it had been read and was not yet noted: the terminal, say, took no more."""
    for name in ("a.mp3", "b.mp3"):
        Path(disk.fs, name).write_bytes(b"one!")

    class Slow(NoProgress):
        def advance(self, items: int = 1, size: int = 0) -> None:
            for thread in threading.enumerate():
                if thread.name == "work":
                    thread.join()
            if not changed:
                changed.append(disk.hashed[1])
                Path(disk.fs, changed[0]).write_bytes(b"two!")

    changed: list[str] = []
    items = [Item(Entry(name, 4, Path(disk.fs, name).stat().st_mtime_ns)) for name in ("a.mp3", "b.mp3")]
    reads = KeptReads(catalogue, "work")
    reads.open()
    EqualSizes([HashedSide(disk, items)], catalogue, download=False, reads=reads).compute(Slow())
    kept = KeptReads(catalogue, "work")
    assert kept.open()[0] == 2
    known = {item.entry.path for item in items if kept.find(disk, item.entry, LOCAL_HASH) is not None}
    assert known == {"a.mp3", "b.mp3"} - {*changed}


def test_what_cannot_be_read_is_reported_and_a_stop_keeps_what_was_read(catalogue: Catalogue) -> None:
    class Refusing(MemoryStorage):
        def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
            if path == "b.mp3":
                raise PermanentError("no", path=path)
            return super().hash(path, hash_type, download=download)

    storage = Refusing("disk:x", MemoryStorage.like("local").capabilities)
    for path, content in FILES.items():
        storage.put(path, content)
    sizes = EqualSizes([side(storage)], catalogue, download=False)
    assert [(one.path, one.error.message) for one in sizes.compute(NoProgress())] == [("b.mp3", "no")]
    assert {item.entry.path for item in sizes.items()[0] if item.entry.hashes} == {"a.mp3", "c.mp3"}
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        EqualSizes([side(filled("local"))], catalogue, download=False).compute(NoProgress(), stop)


def test_a_remote_that_is_away_ends_the_comparison(catalogue: Catalogue) -> None:
    class Away(MemoryStorage):
        def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
            raise TransientError("no route to host", path=path)

    storage = Away("remote:x", MemoryStorage.like("webdav").capabilities)
    for number in range(20):
        storage.put(f"{number}.mp3", b"same")
    with pytest.raises(TransientError, match="no route"):
        EqualSizes([side(storage)], catalogue, download=True).compute(NoProgress(), at_a_time=1)
