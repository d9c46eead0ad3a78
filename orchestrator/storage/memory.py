"""A storage in memory: a small real program that overwrites, loses and duplicates as rclone's remotes do.

Two uses: tests of everything above the seam, with a fault at any call; and a model of how providers differ. `MemoryStorage.like`
gives the shapes of well-known ones. What it copies from rclone (measured on 1.75.2):

- a move or copy with a trash sends whatever lies at the destination to `<trash>/<destination>`, replacing an older file there;
- a rename that changes nothing but the Unicode normalization of an existing name overwrites it and *passes the trash by*;
- a move on a remote that has none is a copy and a delete, and can stop in between;
- `write` replaces silently.
"""

from __future__ import annotations

import hashlib
import threading
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import BinaryIO

import msgspec

from orchestrator.errors import (
    DestinationExistsError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    QuotaError,
    UnsupportedError,
)
from orchestrator.storage.base import (
    OWN_DIRECTORY,
    Call,
    Capabilities,
    CopyCall,
    DeleteCall,
    Entry,
    MoveCall,
    Outcome,
    Quota,
    StatCall,
    Storage,
)
from orchestrator.storage.faults import Asked, BatchFailure, Counting, Fault, FaultPlan, Killed, Trouble, When

_SECOND_NS = 1_000_000_000
_BLOCK = 256 * 1024

KINDS: Mapping[str, Capabilities] = {
    "local": Capabilities(move=True, quota=True, local=True, directory_move=True, remote_type="local"),
    "s3": Capabilities(
        copy=True,
        empty_directories=False,
        hashes=("md5",),
        mtime=False,
        max_component_bytes=1024,
        max_path_bytes=1024,
        remote_type="s3",
    ),
    "drive": Capabilities(
        move=True,
        copy=True,
        directory_move=True,
        duplicate_names=True,
        hashes=("md5", "sha1", "sha256"),
        mtime_precision_ns=1_000_000,
        quota=True,
        max_component_bytes=32_767,
        remote_type="drive",
    ),
    "dropbox": Capabilities(
        move=True,
        copy=True,
        directory_move=True,
        case_insensitive=True,
        hashes=("dropbox",),
        mtime_precision_ns=_SECOND_NS,
        quota=True,
        remote_type="dropbox",
    ),
    "webdav": Capabilities(move=True, copy=True, directory_move=True, mtime_precision_ns=None, quota=True, remote_type="webdav"),
    "sftp": Capabilities(move=True, directory_move=True, mtime_precision_ns=_SECOND_NS, quota=True, remote_type="sftp"),
    "plain": Capabilities(mtime=False, mtime_precision_ns=None, remote_type="ftp"),
}
"""Shapes of providers; "plain" has nothing: no move, no copy, no hash, no times."""


class _File:
    """One object. Its name is as the storage shows it."""

    __slots__ = ("content", "id", "mtime_ns", "path")

    def __init__(self, path: str, content: bytes, mtime_ns: int, object_id: str) -> None:
        self.path = path
        self.content = content
        self.mtime_ns = mtime_ns
        self.id = object_id


class MemoryStorage(Storage):
    """See the module. All public members may be used from several threads.

    `encoding` maps characters to what the server keeps in their place (a name and its twin become one; listings show the
    original). `refuse` tells the names that the server never takes. `quota_bytes` is the size of the disk. `shuffle` is a seed:
    batches are then carried out in another order than given, as rclone does. Times begin at `clock_ns` and grow by a second a
    write, so that the same calls give the same storage. `missing` is a root that is not there before the first write.
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
        clock_ns: int = 1_700_000_000 * _SECOND_NS,
        missing: bool = False,
    ) -> None:
        self._fs = fs
        self._capabilities = capabilities or KINDS["local"]
        self._encoding = {ord(plain): kept for plain, kept in (encoding or {}).items()}
        self._decoding = {ord(kept): plain for plain, kept in (encoding or {}).items()}
        self._refuse = refuse
        self._normalization_insensitive = normalization_insensitive
        self._quota_bytes = quota_bytes
        self._shuffle = None if shuffle is None else Random(shuffle)  # noqa: S311 - an order, not a secret
        self._clock_ns = clock_ns
        self._missing = missing
        self._ids = 0
        self._files: dict[str, tuple[_File, ...]] = {}
        self._directories: dict[str, str] = {}
        self._faults = FaultPlan()
        self._lock = threading.RLock()
        self.asked: Counter[str] = Counter()
        """Verb -> calls so far."""
        self.log: tuple[Asked, ...] = ()
        """The changing calls that took effect, oldest first."""
        self.bytes_read = 0
        self.bytes_through = 0
        """Bytes of copies that went through this machine because the remote cannot copy by itself."""

    @classmethod
    def like(cls, kind: str, fs: str | None = None, **options: object) -> MemoryStorage:
        """A storage shaped as the provider `kind` of KINDS; `options` as for the class, or single capabilities by name."""
        fields = set(Capabilities.__struct_fields__)
        capabilities = msgspec.structs.replace(KINDS[kind], **{key: value for key, value in options.items() if key in fields})
        rest = {key: value for key, value in options.items() if key not in fields}
        return cls(fs or f"{kind}:library", capabilities, **rest)  # type: ignore[arg-type]  # names are checked by the call

    # What tests use: none of it counts, is logged, or fails.

    def fail(
        self, number: int, trouble: Trouble, *, when: When = "before", counting: Counting = "calls", whole_batch: bool = False
    ) -> None:
        """Let the `number`-th call from the start of the storage's life go wrong.

        `counting` "changes" counts the changing calls only. `whole_batch` lets a batch as such fail instead of its item. The
        numbers of past calls are in `calls_made` and `changes_made`.
        """
        with self._lock:
            self._faults.add(Fault(number, trouble, when, counting, whole_batch))

    def revive(self) -> None:
        """A new process: pending faults are forgotten, and calls work again after a `Killed`."""
        with self._lock:
            self._faults.clear()

    @property
    def calls_made(self) -> int:
        """All calls so far; an item of a batch counts as one."""
        return self._faults.calls

    @property
    def changes_made(self) -> int:
        """Changing calls so far, failed ones included."""
        return self._faults.changes

    def put(self, path: str, content: bytes, *, mtime_ns: int | None = None, duplicate: bool = False) -> None:
        """Set a file; with `duplicate` beside others of the same name."""
        with self._lock:
            self._store(path, content, mtime_ns, duplicate=duplicate)

    def remove(self, path: str) -> None:
        """Take every file of that name away."""
        with self._lock:
            del self._files[self._key(path)]

    def content(self, path: str) -> bytes:
        """The bytes of a file (the first of that name)."""
        with self._lock:
            return self._files[self._key(path)][0].content

    def snapshot(self) -> dict[str, bytes]:
        """Path -> content of everything, OWN_DIRECTORY included. Of duplicates the later ones are called `path#2` and so on."""
        with self._lock:
            return {
                file.path if index == 0 else f"{file.path}#{index + 1}": file.content
                for files in self._files.values()
                for index, file in enumerate(files)
            }

    def directories(self) -> frozenset[str]:
        """The directories that exist on their own."""
        with self._lock:
            return frozenset(self._directories.values())

    # The Storage protocol.

    @property
    def fs(self) -> str:
        """See Storage."""
        return self._fs

    @property
    def capabilities(self) -> Capabilities:
        """See Storage."""
        return self._capabilities

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("list", prefix)
            below = self._key(prefix) + "/" if prefix else ""
            own = prefix == OWN_DIRECTORY or prefix.startswith(OWN_DIRECTORY + "/")
            if self._capabilities.empty_directories and (
                self._missing or (prefix and self._key(prefix) not in self._directories)
            ):
                raise NotFoundError(f"{self._fs}: no directory {prefix!r}", path=prefix)
            found = [
                file
                for key, files in self._files.items()
                if key.startswith(below) and (own or not key.startswith(OWN_DIRECTORY + "/"))
                for file in files
            ]
        for index, file in enumerate(found):
            if index == len(found) // 2:
                self._reach(asked, change, "between")
            yield self._entry(file)
        self._reach(asked, change, "after")

    def stat(self, path: str) -> Entry | None:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("stat", path)
            files = self._files.get(self._key(path))
            self._reach(asked, change, "after")
            return self._entry(files[0]) if files else None

    def exists(self, path: str) -> bool:
        """See Storage."""
        return self.stat(path) is not None

    def size(self, path: str) -> int | None:
        """See Storage."""
        return len(self._look("stat", path).content)

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        file = self._look("mtime", path)
        return self._rounded(file.mtime_ns)

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """See Storage."""
        content = self._look("hash", path).content
        if hash_type not in self._capabilities.hashes:
            if not download:
                raise UnsupportedError(f"{self._fs}: hash unsupported: {hash_type}", path=path)
            self.bytes_read += len(content)
        return digest(hash_type, content)

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("read", path)
            content = self._find(path).content
        half = len(content) // 2
        for start in range(0, len(content), _BLOCK):
            block = content[start : start + _BLOCK]
            if start <= half < start + _BLOCK:
                yield block[: half - start]
                self._reach(asked, change, "between")
                block = block[half - start :]
            self.bytes_read += len(block)
            yield block

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("read_range", path)
            data = self._find(path).content[offset : offset + length]
            self.bytes_read += len(data)
            self._reach(asked, change, "after")
            return data

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """See Storage."""
        data = content if isinstance(content, bytes) else content.read()
        with self._lock:
            asked, change = self._begin("write", path)
            self._store(path, data, None)
            self._done(asked, change)

    def copy(self, src: str, dst: str) -> None:
        """See Storage."""
        self._refuse_existing(src, dst)
        self._copy(CopyCall(src, dst, ""))

    def move(self, src: str, dst: str) -> None:
        """See Storage."""
        self._refuse_existing(src, dst)
        self._move(MoveCall(src, dst, ""))

    def delete(self, path: str) -> None:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("delete", path)
            self._drop(self._find(path))
            self._done(asked, change)

    def make_directory(self, path: str) -> None:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("make_directory", path)
            self._make_directories(path)
            self._done(asked, change)

    def remove_directory(self, path: str) -> bool:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("remove_directory", path)
            key = self._key(path)
            inside = key + "/"
            if key not in self._directories or any(name.startswith(inside) for name in (*self._files, *self._directories)):
                self._reach(asked, change, "after")
                return False
            del self._directories[key]
            self._done(asked, change)
            return True

    def quota(self) -> Quota | None:
        """See Storage."""
        with self._lock:
            asked, change = self._begin("quota", "")
            self._reach(asked, change, "after")
            if not self._capabilities.quota:
                return None
            used = self._used()
            free = None if self._quota_bytes is None else max(0, self._quota_bytes - used)
            return Quota(total=self._quota_bytes, used=used, free=free)

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[Outcome]:
        """See Storage. One after another, whatever `concurrency`; in another order than given with `shuffle`."""
        order = [*range(len(calls))]
        if self._shuffle is not None and concurrency > 1:
            self._shuffle.shuffle(order)
        outcomes: dict[int, Outcome] = {}
        for index in order:
            try:
                outcomes[index] = self._one(calls[index])
            except BatchFailure as failure:
                raise failure.cause from None
            except OrchestratorError as error:
                outcomes[index] = error
        return [outcomes[index] for index in range(len(calls))]

    def close(self) -> None:
        """Nothing to give back."""

    # Inside: the lock is held where files are touched.

    def _one(self, call: Call) -> Entry | None:
        match call:
            case StatCall(path):
                return self.stat(path)
            case MoveCall():
                self._move(call)
            case CopyCall():
                self._copy(call)
            case DeleteCall(path):
                self.delete(path)
        return None

    def _begin(self, verb: str, path: str, dst: str | None = None) -> tuple[Asked, int]:
        with self._lock:
            asked, change = self._faults.begin(verb, path, dst)
            self.asked[verb] += 1
        self._reach(asked, change, "before")
        return asked, change

    def _reach(self, asked: Asked, change: int, when: When) -> None:
        with self._lock:
            self._faults.reach(asked, change, when)

    def _done(self, asked: Asked, change: int) -> None:
        self.log = (*self.log, asked)
        self._reach(asked, change, "after")

    def _refuse_existing(self, src: str, dst: str) -> None:
        with self._lock:
            self._find(src)
            if self._key(dst) in self._files:
                raise DestinationExistsError(f"{self._fs}: {dst!r} is there already", path=dst)

    def _move(self, call: MoveCall) -> None:
        with self._lock:
            asked, change = self._begin("move", call.src, call.dst)
            file = self._find(call.src)
            if self._key(call.src) == self._key(call.dst):
                file.path = call.dst  # the same object: at most its spelling changes
                self._done(asked, change)
                return
            if self._clear_way(call.src, call.dst, call.trash):
                self._reach(asked, change, "between")
            self._check_name(call.dst)
            if self._capabilities.move:
                self._drop(file)
                self._add(call.dst, file)
            else:
                self._store(call.dst, file.content, file.mtime_ns)
                self._through(len(file.content))
                self._reach(asked, change, "between")
                self._drop(file)
            self._done(asked, change)

    def _copy(self, call: CopyCall) -> None:
        content, mtime_ns = self._fetch(call)
        with self._lock:
            asked, change = self._begin("copy", call.src, call.dst)
            if call.source is None:
                file = self._find(call.src)
                content, mtime_ns = file.content, file.mtime_ns
                if self._key(call.src) == self._key(call.dst):
                    self._done(asked, change)
                    return
                self._through(len(content))
            if self._clear_way(call.src if call.source is None else None, call.dst, call.trash):
                self._reach(asked, change, "between")
            self._store(call.dst, content, mtime_ns)
            self._done(asked, change)

    def _fetch(self, call: CopyCall) -> tuple[bytes, int | None]:
        """The content from another storage, read without holding our lock: two storages may copy to each other."""
        if call.source is None:
            return b"", None
        if self._faults.dead:
            raise Killed(f"copy {call.src}: the process is dead")
        content = b"".join(call.source.read(call.src))
        self.bytes_through += len(content)
        found = call.source.stat(call.src)
        return content, found.mtime_ns if found else None

    def _clear_way(self, src: str | None, dst: str, trash: str) -> bool:
        """Send what lies at `dst` to the trash, as rclone's BackupDir does. True when something lay there."""
        there = self._files.get(self._key(dst))
        if not there:
            return False
        same_but_for_form = src is not None and unicodedata.normalize("NFC", src) == unicodedata.normalize("NFC", dst)
        if not trash or same_but_for_form:
            self._drop(there[0])
            return True
        if not (self._capabilities.move or self._capabilities.copy):
            raise UnsupportedError(f"{self._fs}: a remote without move and copy has no trash", path=dst)
        kept = f"{trash}/{dst}"
        for older in self._files.get(self._key(kept), ()):
            self._drop(older)
        self._drop(there[0])
        self._add(kept, there[0])
        return True

    def _through(self, size: int) -> None:
        if not self._capabilities.copy:
            self.bytes_through += size

    def _look(self, verb: str, path: str) -> _File:
        with self._lock:
            asked, change = self._begin(verb, path)
            file = self._find(path)
            self._reach(asked, change, "after")
            return file

    def _find(self, path: str) -> _File:
        key = self._key(path)
        files = self._files.get(key)
        if files:
            return files[0]
        if key in self._directories:
            raise PermanentError(f"{self._fs}: {path!r} is a directory not a file", path=path)
        raise NotFoundError(f"{self._fs}: {path!r} not found", path=path)

    def _store(self, path: str, content: bytes, mtime_ns: int | None, *, duplicate: bool = False) -> None:
        self._check_name(path)
        there = self._files.get(self._key(path), ())
        replaced = len(there[0].content) if there and not duplicate else 0
        if self._quota_bytes is not None and self._used() - replaced + len(content) > self._quota_bytes:
            raise QuotaError(f"{self._fs}: no space left on device", path=path)
        self._clock_ns += _SECOND_NS
        written_ns = self._clock_ns if mtime_ns is None else mtime_ns
        self._ids += 1
        if there and not duplicate:
            there[0].content = content
            there[0].mtime_ns = written_ns
        else:
            self._add(path, _File(path, content, written_ns, f"id-{self._ids}"))

    def _check_name(self, path: str) -> None:
        for part in path.split("/"):
            if part in {"", ".", ".."} or "\0" in part:
                raise PermanentError(f"{self._fs}: malformed path {path!r}", path=path)
            if len(part.encode("utf-8", "surrogatepass")) > self._capabilities.max_component_bytes:
                raise PermanentError(f"{self._fs}: file name too long: {path!r}", path=path)
        limit = self._capabilities.max_path_bytes
        if limit is not None and len(path.encode("utf-8", "surrogatepass")) > limit:
            raise PermanentError(f"{self._fs}: KeyTooLong: {path!r}", path=path)
        if self._refuse is not None and self._refuse(path):
            raise PermanentError(f"{self._fs}: the server does not take the name {path!r}", path=path)
        if self._key(path) in self._directories:
            raise PermanentError(f"{self._fs}: {path!r} is a directory not a file", path=path)

    def _add(self, path: str, file: _File) -> None:
        file.path = path.translate(self._encoding).translate(self._decoding)
        parent = path.rpartition("/")[0]
        if parent:
            self._make_directories(parent)
        self._missing = False
        key = self._key(path)
        self._files[key] = (*self._files.get(key, ()), file)

    def _drop(self, file: _File) -> None:
        key = self._key(file.path)
        rest = tuple(other for other in self._files[key] if other is not file)
        if rest:
            self._files[key] = rest
        else:
            del self._files[key]

    def _make_directories(self, path: str) -> None:
        self._missing = False
        if not self._capabilities.empty_directories:
            return
        while path and (key := self._key(path)) not in self._directories:
            if key in self._files:
                raise PermanentError(f"{self._fs}: {path!r} is a file not a directory", path=path)
            self._directories[key] = path
            path = path.rpartition("/")[0]

    def _key(self, path: str) -> str:
        key = path.translate(self._encoding) if self._encoding else path
        if self._normalization_insensitive:
            key = unicodedata.normalize("NFC", key)
        if self._capabilities.case_insensitive:
            key = key.casefold()
        return key

    def _used(self) -> int:
        return sum(len(file.content) for files in self._files.values() for file in files)

    def _rounded(self, mtime_ns: int) -> int | None:
        precision = self._capabilities.mtime_precision_ns
        return None if precision is None else mtime_ns - mtime_ns % precision

    def _entry(self, file: _File) -> Entry:
        return Entry(
            path=file.path,
            size=len(file.content),
            mtime_ns=self._rounded(file.mtime_ns) if self._capabilities.mtime else None,
            hashes={name: digest(name, file.content) for name in self._capabilities.hashes},
            id=file.id if self._capabilities.duplicate_names else None,
        )


def digest(hash_type: str, content: bytes) -> str:
    """The hash that rclone calls `hash_type`, as lower-case hex. Raises UnsupportedError for the kinds that are not here."""
    if hash_type in {"md5", "sha1", "sha256", "sha512"}:
        return hashlib.new(hash_type, content, usedforsecurity=False).hexdigest()
    if hash_type == "crc32":
        return f"{zlib.crc32(content):08x}"
    if hash_type == "dropbox":
        blocks = (content[start : start + 4 * 1024 * 1024] for start in range(0, len(content), 4 * 1024 * 1024))
        return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()
    raise UnsupportedError(f"no {hash_type} here")
