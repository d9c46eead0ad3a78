"""The base of storages that wrap another one: they change how it is asked, not what it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from orchestrator.errors import OrchestratorError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.paths import parent_of
from orchestrator.records import Capabilities, Entry, Quota
from orchestrator.storage.protocol import Call, CallResult, Naming, Storage

Result = TypeVar("Result")


def unwrapped(storage: Storage) -> Storage:
    """The storage that holds the files, inside its wrappers."""
    while isinstance(storage, ForwardingStorage):
        storage = storage.inner
    return storage


class ForwardingStorage(Storage):
    """Hands every call to `inner`.

    Each request goes through one of `look`, `change` and `stream`: a subclass overrides these to retry, to wait or to count.
    """

    def __init__(self, inner: Storage) -> None:
        self.inner = inner

    def look(self, ask: Callable[[], Result], requests: int = 1) -> Result:  # noqa: ARG002 - for subclasses that count
        """Send a request that changes nothing; it stands for about so many `requests` to the remote."""
        return ask()

    def change(self, ask: Callable[[], Result], requests: int = 1) -> Result:  # noqa: ARG002 - for subclasses that count
        """Send a request that changes something, or a batch."""
        return ask()

    def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """Send a request that is answered item by item."""
        return ask()

    @property
    def fs(self) -> str:
        """See Storage."""
        return self.inner.fs

    @property
    def capabilities(self) -> Capabilities:
        """See Storage."""
        return self.inner.capabilities

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """See Storage."""
        return self.stream(lambda: self.inner.list(prefix, hidden, on_folder=on_folder, at_most=at_most))

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage."""
        return self.change(lambda: self.inner.batch(calls, concurrency=concurrency), len(calls))

    def naming(self) -> Naming:
        """See Storage. A probe that failed may be repeated: it uses names of ours only."""
        return self.look(self.inner.naming)

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """See Storage."""
        return self.look(lambda: self.inner.hash(path, hash_type, download=download))

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        return self.stream(lambda: self.inner.read(path))

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        return self.look(lambda: self.inner.read_range(path, offset, length))

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """See Storage."""
        self.change(lambda: self.inner.write(path, content))

    def make_directory(self, path: str) -> None:
        """See Storage."""
        self.change(lambda: self.inner.make_directory(path))

    def remove_directory(self, path: str, *, seen: bool = False, holding: Collection[str] | None = None) -> bool:
        """See Storage."""
        return self.change(lambda: self.inner.remove_directory(path, seen=seen, holding=holding))

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage."""
        return self.look(lambda: self.inner.entries(path))

    def quota(self) -> Quota | None:
        """See Storage."""
        return self.look(self.inner.quota)

    def forget_folders(self, *, keep_s: float = 0.0) -> None:
        """See Storage."""
        self.inner.forget_folders(keep_s=keep_s)

    @property
    def links_left_out(self) -> int:
        """See Storage."""
        return self.inner.links_left_out

    @property
    def undecryptable(self) -> Sequence[str]:
        """See Storage."""
        return self.inner.undecryptable

    def links(self, path: str, among: Collection[str]) -> Mapping[str, bool]:
        """See Storage."""
        return self.look(lambda: self.inner.links(path, among))

    def stat(self, path: str) -> Entry | None:
        """See Storage."""
        return self.look(lambda: self.inner.stat(path))

    def exists(self, path: str) -> bool:
        """See Storage."""
        return self.look(lambda: self.inner.exists(path))

    def namesakes(self, paths: Sequence[str]) -> Mapping[str, Sequence[Entry] | OrchestratorError]:
        """See Storage."""
        listed = {parent_of(path) for path in paths} if self.capabilities.duplicate_names else paths
        return self.look(lambda: self.inner.namesakes(paths), len(listed))

    def files_below(self, folders: Collection[str]) -> Mapping[str, Sequence[Entry] | None]:
        """See Storage."""
        return self.look(lambda: self.inner.files_below(folders), len(folders))

    def size(self, path: str) -> int | None:
        """See Storage."""
        return self.look(lambda: self.inner.size(path))

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        return self.look(lambda: self.inner.mtime(path))

    def copy(self, src: str, dst: str) -> None:
        """See Storage."""
        self.change(lambda: self.inner.copy(src, dst), 2)  # it looks at `dst` first

    def move(self, src: str, dst: str) -> None:
        """See Storage."""
        self.change(lambda: self.inner.move(src, dst), 2)  # it looks at `dst` first

    def delete(self, path: str) -> None:
        """See Storage."""
        self.change(lambda: self.inner.delete(path))

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """See Storage."""
        return self.look(lambda: self.inner.read_ranges(path, ranges), len(ranges))

    @contextmanager
    def reading(self, piece: int, *, files: int, listed: int | None = None) -> Iterator[None]:
        """See Storage. The location may have to be opened first."""
        with ExitStack() as stack:
            self.look(lambda: stack.enter_context(self.inner.reading(piece, files=files, listed=listed)))
            yield

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """See Storage."""
        self.look(lambda: self.inner.fetch(path, object_id, to))

    def move_directory(self, src: str, dst: str, *, seen: bool = False) -> None:
        """See Storage."""
        self.change(lambda: self.inner.move_directory(src, dst, seen=seen))

    def close(self) -> None:
        """See Storage."""
        self.inner.close()
