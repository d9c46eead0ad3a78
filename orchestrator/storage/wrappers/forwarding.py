"""The base of the storages that stand before another one and change how it is asked, not what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from orchestrator.records import Capabilities, Entry, Quota
from orchestrator.storage.protocol import Call, CallResult, Storage


def innermost(storage: Storage) -> Storage:
    """The storage that holds the files, inside all those that stand before it."""
    while isinstance(storage, ForwardingStorage):
        storage = storage.inner
    return storage


class ForwardingStorage(Storage):
    """Hands every call to `inner` as it is; subclasses override what they are for."""

    def __init__(self, inner: Storage) -> None:
        self.inner = inner

    @property
    def fs(self) -> str:
        """See Storage."""
        return self.inner.fs

    @property
    def capabilities(self) -> Capabilities:
        """See Storage."""
        return self.inner.capabilities

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """See Storage."""
        return self.inner.list(prefix)

    def stat(self, path: str) -> Entry | None:
        """See Storage."""
        return self.inner.stat(path)

    def exists(self, path: str) -> bool:
        """See Storage."""
        return self.inner.exists(path)

    def size(self, path: str) -> int | None:
        """See Storage."""
        return self.inner.size(path)

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        return self.inner.mtime(path)

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """See Storage."""
        return self.inner.hash(path, hash_type, download=download)

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        return self.inner.read(path)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        return self.inner.read_range(path, offset, length)

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """See Storage."""
        return self.inner.read_ranges(path, ranges)

    def reading(self, piece: int) -> AbstractContextManager[None]:
        """See Storage."""
        return self.inner.reading(piece)

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """See Storage."""
        self.inner.fetch(path, object_id, to)

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """See Storage."""
        self.inner.write(path, content)

    def copy(self, src: str, dst: str) -> None:
        """See Storage."""
        self.inner.copy(src, dst)

    def move(self, src: str, dst: str) -> None:
        """See Storage."""
        self.inner.move(src, dst)

    def delete(self, path: str) -> None:
        """See Storage."""
        self.inner.delete(path)

    def make_directory(self, path: str) -> None:
        """See Storage."""
        self.inner.make_directory(path)

    def remove_directory(self, path: str) -> bool:
        """See Storage."""
        return self.inner.remove_directory(path)

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage."""
        return self.inner.entries(path)

    def move_directory(self, src: str, dst: str) -> None:
        """See Storage."""
        self.inner.move_directory(src, dst)

    def quota(self) -> Quota | None:
        """See Storage."""
        return self.inner.quota()

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage."""
        return self.inner.batch(calls, concurrency=concurrency)

    def close(self) -> None:
        """See Storage."""
        self.inner.close()
