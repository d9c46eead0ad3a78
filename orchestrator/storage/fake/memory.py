"""A storage in memory: a small real program that overwrites, loses and duplicates as rclone's remotes do.

It has two uses: tests of everything above the seam, with a fault at any call; and a model of how providers differ
(`MemoryStorage.like` knows the shapes of common ones). Copied from rclone (measured with 1.75.2):

- a move or copy with a trash moves whatever lies at the destination to `<trash>/<destination>`, replacing an older file there;
- a rename that only changes the Unicode normalization of an existing name overwrites it and *bypasses the trash*;
- a move on a remote without moves is a copy and a delete, and can stop in between;
- `write` replaces silently;
- an upload replaces what turned up at its destination meanwhile, except where `naming` promises otherwise;
- an upload whose source changes meanwhile fails its check, and what is at the destination is deleted; on WebDAV, an upload that
  is cut short leaves a cut file under the name;
- Dropbox rounds times, others cut them off;
- after another program has renamed a folder of a Google Drive, its old path leads there until `forget_folders`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import BinaryIO

import msgspec

from orchestrator.errors import NotFoundError, OrchestratorError, PartialListingError, TooManyFilesError, UnsupportedError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.paths import is_ours
from orchestrator.records import Capabilities, Entry, Quota
from orchestrator.storage.derived import DerivedStorage
from orchestrator.storage.fake.faults import BatchFailure
from orchestrator.storage.fake.objects import KINDS, SECOND_NS, Objects, StoredFile, digest
from orchestrator.storage.fake.transfers import Transfers
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, GiveCall, MoveCall, Naming, StatCall

_BLOCK = 256 * 1024


class MemoryStorage(Transfers, DerivedStorage):
    """See the module. All public members may be used from several threads.

    `encoding` maps characters to what the server stores instead (both spellings name one file; listings show the original).
    `refuse` is true for names that the server does not accept. `quota_bytes` is the size of the disk. `shuffle` is a seed:
    batches are then carried out in random order, as rclone does. Times begin at `clock_ns` and grow by a second per write, so
    that the same calls give the same storage. With `missing` the root does not exist before the first write. `naming` replaces
    how the provider gives names.
    """

    def __init__(
        self,
        fs: str = "memory:library",
        capabilities: Capabilities | None = None,
        *,
        encoding: Mapping[str, str] | None = None,
        refuse: Callable[[str], bool] | None = None,
        normalization_insensitive: bool = False,
        quota_bytes: int | None = None,
        shuffle: int | None = None,
        clock_ns: int = 1_700_000_000 * SECOND_NS,
        missing: bool = False,
        naming: Naming | None = None,
    ) -> None:
        can = capabilities or KINDS["local"]
        objects = Objects(
            fs,
            can,
            encoding=encoding or {},
            refuse=refuse,
            normalization_insensitive=normalization_insensitive,
            quota_bytes=quota_bytes,
            clock_ns=clock_ns,
            missing=missing,
        )
        super().__init__(fs, can, objects, naming)
        self.closed: tuple[str, ...] = ()
        """Folders that may not be listed."""
        self._shuffle = None if shuffle is None else Random(shuffle)  # noqa: S311 - an order, not a secret
        self._forgot_at = -math.inf
        self.bytes_read = 0

    @classmethod
    def like(cls, kind: str, fs: str | None = None, **options: object) -> MemoryStorage:
        """A storage like the provider `kind` of KINDS; `options` as for the class, or single capabilities by name."""
        fields = set(Capabilities.__struct_fields__)
        capabilities = msgspec.structs.replace(KINDS[kind], **{key: value for key, value in options.items() if key in fields})
        rest = {key: value for key, value in options.items() if key not in fields}
        return cls(fs or f"{kind}:library", capabilities, **rest)  # type: ignore[arg-type]  # names are checked by the call

    # For tests: these are not counted or logged, and never fail.

    def put(self, path: str, content: bytes, *, mtime_ns: int | None = None, duplicate: bool = False) -> None:
        """Set a file; with `duplicate` in addition to files with the same name."""
        with self._lock:
            self._objects.store(path, content, mtime_ns, duplicate=duplicate)

    def remove(self, path: str) -> None:
        """Remove every file with that name."""
        with self._lock:
            for file in self._objects.files[self._objects.key(path)]:
                self._objects.drop(file)

    def rename_elsewhere(self, src: str, dst: str) -> None:
        """Another program renames a directory. On Google Drive, its old path leads there until `forget_folders`."""
        with self._lock:
            self._objects.move_directory(src, dst)
            if self._capabilities.by_id:
                self._objects.led_astray[src] = dst

    def disk_status(self, path: str) -> SimpleNamespace | None:
        """What `os.lstat` would tell of a file on a disk, as far as this program asks for it; None elsewhere."""
        if not self._capabilities.local:
            return None
        with self._lock:
            file = next(iter(self._objects.files.get(self._objects.key(path), ())), None)
            if file is None:
                return None
            inode, size = int(file.id.removeprefix("id-")), len(file.content)
            times = {"st_mtime_ns": file.mtime_ns, "st_ctime_ns": file.changed}
            return SimpleNamespace(st_ino=inode, st_nlink=1, st_size=size, **times)

    def content(self, path: str) -> bytes:
        """The bytes of a file (the first with that name)."""
        with self._lock:
            return self._objects.find(path).content

    def snapshot(self) -> dict[str, bytes]:
        """Path -> content of everything, OWN_DIRECTORY included. More files with one name are called `path#2` and so on."""
        with self._lock:
            return {
                file.path if index == 0 else f"{file.path}#{index + 1}": file.content
                for files in self._objects.files.values()
                for index, file in enumerate(files)
            }

    def directories(self) -> frozenset[str]:
        """The directories that exist on their own."""
        with self._lock:
            return frozenset(self._objects.directories.values())

    # The Storage protocol.

    @property
    def fs(self) -> str:
        """See Storage."""
        return self._fs

    @property
    def capabilities(self) -> Capabilities:
        """See Storage."""
        return self._capabilities

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("list", prefix)
            objects = self._objects
            gone = objects.missing or (prefix and objects.key(prefix) not in objects.directories)
            if self._capabilities.empty_directories and gone:
                raise NotFoundError(f"{self._fs}: directory {prefix!r} not found", path=prefix)
            below = self._limited(objects.below(prefix), at_most)
            found = [self._entry(file) for file in below if is_ours(prefix) or not is_ours(file.path)]
            if not is_ours(prefix):
                foreign = objects.foreign_folders_below(prefix, hidden)
                found = [entry for entry in found if not f"{entry.path}/".startswith(foreign)]
                found += map(Entry, (*objects.own_directories_below(prefix), *foreign))
                inside = tuple(f"{folder}/" for folder in self.closed)
                found = [entry for entry in found if not f"{entry.path}/".startswith(inside)]
            if on_folder is not None and self._capabilities.empty_directories:
                _tell(on_folder, objects.directories.values(), prefix, hidden)
        for index, entry in enumerate(found):
            if index == len(found) // 2:
                self._reach(recorded, change, "between")
            yield entry
        self._reach(recorded, change, "after")
        if self.closed and not is_ours(prefix):
            raise PartialListingError(f"{self._fs}: some folders may not be listed", closed=self.closed)

    def _limited(self, files: Iterable[StoredFile], at_most: int | None) -> Sequence[StoredFile]:
        found = tuple(files)
        if at_most is not None and len(found) > at_most:
            raise TooManyFilesError(f"{self._fs}: more than {at_most} files are there")
        return found

    def forget_folders(self, *, keep_s: float = 0.0) -> None:
        """See Storage. Not counted as a call."""
        now = time.monotonic()
        if now - self._forgot_at > keep_s:
            self._forgot_at = now
            self._objects.led_astray.clear()

    def namesakes(self, paths: Sequence[str]) -> Mapping[str, Sequence[Entry] | OrchestratorError]:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("namesakes", "")
            objects = self._objects
            found = {path: [self._entry(file) for file in objects.files.get(objects.key(path), ())] for path in paths}
            if self._capabilities.duplicate_names:
                for path in paths:
                    found[path] += [Entry(f"{path}/")] if objects.key(path) in objects.directories else []
            self._reach(recorded, change, "after")
            return found

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        return self._rounded(self._look("mtime", path).mtime_ns)

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """See Storage."""
        content = self._look("hash", path).content
        if hash_type not in self._capabilities.hashes:
            if not download:
                raise UnsupportedError(f"{self._fs}: hash unsupported: {hash_type}", path=path)
            self._count_read(len(content))
        return digest(hash_type, content)

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("read", path)
            content = self._objects.find(path).content
        half = len(content) // 2
        for start in (*range(0, half, _BLOCK), *range(half, len(content), _BLOCK)):
            if start == half:
                self._reach(recorded, change, "between")
            block = content[start : min(start + _BLOCK, half if start < half else len(content))]
            self._count_read(len(block))
            yield block

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("read_range", path)
            data = self._objects.find(path).content[offset : offset + length]
            self._count_read(len(data))
            self._reach(recorded, change, "after")
            return data

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """See Storage."""
        if not self._capabilities.by_id:
            super().fetch(path, object_id, to)
        with self._lock:
            recorded, change = self._begin("fetch", path)
            content = self._objects.find(path, object_id).content
            self._count_read(len(content))
            self._reach(recorded, change, "after")
        to.write_bytes(content)

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """See Storage."""
        data = content if isinstance(content, bytes) else content.read()
        with self._lock:
            recorded, change = self._begin("write", path)
            self._objects.store(path, data, None)
            self._done(recorded, change)

    def make_directory(self, path: str) -> None:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("make_directory", path)
            self._objects.make_directories(path)
            self._done(recorded, change)

    def remove_directory(
        self,
        path: str,
        *,
        seen: bool = False,  # noqa: ARG002 - a look more would cost nothing
        holding: Collection[str] | None = None,
    ) -> bool:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("remove_directory", path)
            unseen = holding is not None and self._capabilities.by_id and not self._capabilities.rmdir_is_recursive
            if not self._objects.remove_directory(path, with_contents=unseen):
                self._reach(recorded, change, "after")
                return False
            self._done(recorded, change)
            return True

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("entries", path)
            found = self._objects.entries(path)
            self._reach(recorded, change, "after")
            return found

    def move_directory(self, src: str, dst: str, *, seen: bool = False) -> None:
        """See Storage."""
        if not self._capabilities.directory_move:
            super().move_directory(src, dst, seen=seen)
        with self._lock:
            recorded, change = self._begin("move_directory", src, dst)
            self._objects.move_directory(src, dst)
            self._done(recorded, change)

    def quota(self) -> Quota | None:
        """See Storage."""
        with self._lock:
            recorded, change = self._begin("quota", "")
            self._reach(recorded, change, "after")
            if not self._capabilities.quota:
                return None
            total, used = self._objects.quota_bytes, self._objects.used
            return Quota(total=total, used=used, free=None if total is None else max(0, total - used))

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage. One by one, whatever `concurrency`; in random order with `shuffle`."""
        order = [*range(len(calls))]
        if self._shuffle is not None and concurrency > 1:
            self._shuffle.shuffle(order)
        results: dict[int, CallResult] = {}
        for index in order:
            try:
                results[index] = self._one(calls[index])
            except BatchFailure as failure:
                raise failure.cause from None
            except OrchestratorError as error:
                results[index] = error
            call = calls[index]
            if isinstance(call, CopyCall) and call.ended is not None and index != order[-1]:
                call.ended(results[index])
        return [results[index] for index in range(len(calls))]

    # Inside. The lock is held while files are changed.

    def _one(self, call: Call) -> Entry | None:
        match call:
            case StatCall(path, object_id):
                return self._stat(path, object_id)
            case MoveCall():
                self._move(call)
            case CopyCall():
                self._copy(call)
            case GiveCall():
                self._give(call)
            case DeleteCall(path):
                self._delete(path)
        return None

    def _delete(self, path: str) -> None:
        with self._lock:
            recorded, change = self._begin("delete", path)
            self._objects.drop(self._objects.find(path))
            self._done(recorded, change)

    def _stat(self, path: str, object_id: str | None) -> Entry | None:
        with self._lock:
            recorded, change = self._begin("stat", path)
            files = self._objects.files.get(self._objects.key(path), ())
            self._reach(recorded, change, "after")
            found = next((self._entry(file) for file in files if object_id in {None, file.id}), None)
            return found and msgspec.structs.replace(found, path=path if self._objects.found_at(path) != path else found.path)

    def _count_read(self, size: int) -> None:
        with self._lock:
            self.bytes_read += size

    def _look(self, verb: str, path: str) -> StoredFile:
        with self._lock:
            recorded, change = self._begin(verb, path)
            file = self._objects.find(path)
            self._reach(recorded, change, "after")
            return file


def _tell(on_folder: Callable[[str], None], folders: Iterable[str], prefix: str, hidden: HiddenFolders) -> None:
    """Tell of those below the prefix that a listing does not leave out."""
    below = f"{prefix}/" if prefix else ""
    for folder in folders:
        if folder and folder.startswith(below) and not is_ours(folder) and hidden.folder_of(f"{folder}/_") is None:
            on_folder(folder)
