"""What a storage has to implement, and what follows from that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from orchestrator.errors import DestinationExistsError, NotFoundError, UnsupportedError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.records import Capabilities, Entry, Quota
from orchestrator.storage.derived import DerivedStorage
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, Naming, Storage

IMPLEMENTED = frozenset({"fs", "capabilities", "list", "batch", "naming", "hash", "read", "read_range", "write"}) | {
    *("make_directory", "remove_directory", "entries", "quota")
}


class Smallest(DerivedStorage):
    """Implements only what it must, with a storage in memory."""

    def __init__(self) -> None:
        self._memory = MemoryStorage()

    @property
    def fs(self) -> str:
        return self._memory.fs

    @property
    def capabilities(self) -> Capabilities:
        return self._memory.capabilities

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        return self._memory.list(prefix, hidden, on_folder=on_folder, at_most=at_most)

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        return self._memory.batch(calls, concurrency=concurrency)

    def naming(self) -> Naming:
        return self._memory.naming()

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        return self._memory.hash(path, hash_type, download=download)

    def read(self, path: str) -> Iterator[bytes]:
        return self._memory.read(path)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        return self._memory.read_range(path, offset, length)

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        self._memory.write(path, content)

    def make_directory(self, path: str) -> None:
        self._memory.make_directory(path)

    def remove_directory(self, path: str, *, seen: bool = False, holding: Collection[str] | None = None) -> bool:
        return self._memory.remove_directory(path)

    def entries(self, path: str) -> Sequence[str] | None:
        return self._memory.entries(path)

    def quota(self) -> Quota | None:
        return self._memory.quota()


def test_thirteen_members_are_to_be_implemented() -> None:
    assert Storage.__abstractmethods__ == IMPLEMENTED
    assert len(IMPLEMENTED) == 13
    with pytest.raises(TypeError, match="abstract"):
        DerivedStorage()  # type: ignore[abstract]


def test_the_rest_follows() -> None:
    storage = Smallest()
    storage.write("a.mp3", b"abcdef")
    entry = storage.stat("a.mp3")
    assert entry is not None
    assert (entry.size, entry.mtime_ns) == (storage.size("a.mp3"), storage.mtime("a.mp3"))
    assert (storage.exists("a.mp3"), storage.exists("b.mp3")) == (True, False)
    with storage.reading(100, files=1):
        assert storage.read_ranges("a.mp3", [(0, 2), (4, 9)]) == [b"ab", b"ef"]
    storage.copy("a.mp3", "b.mp3")
    with pytest.raises(DestinationExistsError):
        storage.move("a.mp3", "b.mp3")
    storage.move("a.mp3", "c.mp3")
    storage.delete("b.mp3")
    assert [entry.path for entry in storage.list()] == ["c.mp3"]
    for ask in (storage.size, storage.mtime, storage.delete):
        with pytest.raises(NotFoundError):
            ask("b.mp3")
    storage.close()


def test_what_needs_a_special_ability_is_unsupported(tmp_path: Path) -> None:
    storage = Smallest()
    with pytest.raises(UnsupportedError):
        storage.fetch("a.mp3", "id-1", tmp_path / "a")
    with pytest.raises(UnsupportedError):
        storage.move_directory("a", "b")
