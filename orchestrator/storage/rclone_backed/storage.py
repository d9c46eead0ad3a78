"""Storage on anything that rclone supports: a disk of this machine, or one of about seventy providers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

from orchestrator.errors import (
    BelowFileError,
    DestinationExistsError,
    NotEmptyError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    RateLimitError,
    RemoteError,
    UnsupportedError,
    UsageError,
)
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.paths import is_local, is_ours, join_location
from orchestrator.profiles import Profile
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.classify import archived
from orchestrator.rclone.listing import ListRequest
from orchestrator.rclone.ranges import read_local, readable_directly
from orchestrator.rclone.rc_client import UnexplainedReadError
from orchestrator.rclone.redact import redact
from orchestrator.rclone.runtime import Rclone
from orchestrator.rclone.vfs_reads import GivenUpError, VfsReads, another_listing_pays
from orchestrator.records import Capabilities, Entry, Quota
from orchestrator.storage.derived import DerivedStorage
from orchestrator.storage.protocol import Call, CallResult, DeleteCall, GiveCall, MoveCall, Naming, StatCall
from orchestrator.storage.rclone_backed.calls_by_id import CallsById, has_id
from orchestrator.storage.rclone_backed.crypts import Crypts
from orchestrator.storage.rclone_backed.directory_listings import DirectoryListings
from orchestrator.storage.rclone_backed.disk_names import DiskNames
from orchestrator.storage.rclone_backed.names import Names
from orchestrator.storage.rclone_backed.rc_calls import RcCalls
from orchestrator.storage.rclone_backed.remote import PricesOf, Remote, no_prices
from orchestrator.storage.rclone_backed.sending import Sender, unless_misplaced
from orchestrator.storage.rclone_backed.shown_names import ShownNames, links_below

_FIRST_ENTRIES = 1000
"""So many entries of a listing show what its hashes cost: one page on S3."""
_HASH_MISSES = 16
"""A request each is acceptable for so many objects without a hash: 0.6 s at 40 ms."""

_Send: TypeAlias = Callable[[Sequence[Any], int], Sequence[CallResult]]

_LISTED_AT_ONCE = 200_000
"""The longest listing that rclone may keep: 63 MB and 0.8 KB for each file."""


class RcloneStorage(DerivedStorage):
    """One location that rclone reaches: `remote:path`, or an absolute path on this machine."""

    def __init__(self, rclone: Rclone, fs: str, *, profile: str | None = None, prices: PricesOf = no_prices) -> None:
        """`profile` replaces the profile of the remote's type, `prices` the price lists. Sends no request yet."""
        try:
            fs.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{fs!a}: the name of this location is not UTF-8; rename the folder") from error
        self._rclone = rclone
        self._fs = fs
        self._remote = Remote(rclone, fs, profile, prices)
        self._served: VfsReads | None = None
        self._links_left_out = 0
        self._crypts = Crypts(rclone, fs)
        self._archived: dict[str, str] = {}
        """File that cannot be read before it is restored, as a listing showed -> its storage class."""

    @property
    def fs(self) -> str:
        """See Storage."""
        return self._fs

    @property
    def rclone(self) -> Rclone:
        """The rclone that executes the calls."""
        return self._rclone

    @property
    def profile(self) -> Profile:
        """What is known about the provider, for this remote."""
        return self._remote.profile

    @property
    def capabilities(self) -> Capabilities:
        """What the remote can do, from rclone and the profile."""
        return self._remote.capabilities

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """See Storage. Streamed from a separate rclone process."""
        request = ListRequest(
            fs=join_location(self._fs, prefix),
            mtime=self.capabilities.mtime,
            server_mtime=self.profile.server_mtime,
            hashes=self.capabilities.hashes,
            opening=self.profile.opening,
            flat=self.capabilities.flat_listing,
            prefix=prefix,
            hidden=hidden,
            bounded=not self.capabilities.local,
            on_folder=on_folder if self.capabilities.empty_directories else None,
            on_undecryptable=self._crypts.leave_out if self.profile.wraps is not None else None,
            at_most=at_most,
            archived_tiers=self.profile.archived_tiers,
            on_archived=lambda path, tier: self._archived.update({f"{prefix}/{path}" if prefix else path: tier}),
        )
        entries = self._list_with_hashes(request) if self.profile.costly_hashes and request.hashes else self._list(request)
        if prefix:
            return (msgspec.structs.replace(entry, path=f"{prefix}/{entry.path}") for entry in entries)
        return self._remote.of_folder(entries) if self.profile.wraps is None else self._crypts.checked(entries)

    def _list_with_hashes(self, request: ListRequest) -> Iterator[Entry]:
        """A listing with hashes, or without them when its beginning shows that they cost a request per object."""
        first: list[Entry] = []
        misses = 0
        with contextlib.closing(self._list(request)) as entries:
            for entry in entries:
                first.append(entry)
                misses += not entry.hashes
                if misses > _HASH_MISSES or len(first) >= _FIRST_ENTRIES:
                    break
            if misses <= _HASH_MISSES:
                yield from first
                yield from entries
                return
        yield from self._list(msgspec.structs.replace(request, hashes=()))

    def forget_folders(self, *, keep_s: float = 0.0) -> None:
        """See Storage."""
        if self._remote.info["Features"].get("DirCacheFlush"):  # rclone keeps their ids, here or in a remote that this one wraps
            self._rclone.forget_folders(keep_s=keep_s)

    def _list(self, request: ListRequest) -> Generator[Entry]:
        self._crypts.left_out.clear()
        return self._rclone.list(request, partial(setattr, self, "_links_left_out"))

    @property
    def links_left_out(self) -> int:
        """See Storage."""
        return self._links_left_out

    @property
    def undecryptable(self) -> Sequence[str]:
        """See Storage."""
        return (*self._crypts.left_out,)

    def mtime(self, path: str) -> int | None:
        """The file's own time, even where listings leave it out or give the time of upload."""
        body = rc_bodies.stat_own_mtime(self._fs, path, beside_server_mtime=self.profile.server_mtime)
        entry = self._calls.entry(self._remote.client.call("operations/stat", body).get("item"), exact_mtime=True)
        if entry is None:
            raise NotFoundError(f"{path}: not found", path=path)
        return entry.mtime_ns

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """The hash that the remote knows, otherwise (with `download`) that of the downloaded content."""
        try:
            answer = self._hash(path, hash_type, download=False)
        except UnsupportedError:
            if not download:
                raise
            answer = None
        if answer is None and download:
            answer = self._hash(path, hash_type, download=True)
        return answer

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        return self._remote.client.get(self._fs, path)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage. Directly from the disk where the profile allows it, otherwise one ranged GET."""
        return self.read_ranges(path, [(offset, length)])[0]

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """See Storage. Directly from the disk, or in one request while `reading`, otherwise in parallel requests."""
        if path in self._archived:
            raise archived(path, self._archived[path])
        if self._direct and readable_directly(path):
            return [read_local(self._fs, path, offset, length) for offset, length in ranges]
        try:
            if self._served is not None and self._served.reads(path, ranges):
                try:
                    return self._served.get_ranges(path, ranges)
                except (UnexplainedReadError, GivenUpError, RateLimitError):
                    raise
                except RemoteError:  # the request below gives the better error
                    self.forget_folders()  # and reaches the other of two folders with one name, as later calls do
            return self._remote.client.get_ranges(self._fs, path, ranges)
        except UnexplainedReadError as error:
            raise self._rclone.why_unreadable(self._fs, path) or error from error

    def read_method(self, path: str) -> str:
        """The profile's `read`, but "rclone" for a file on this disk whose name rclone spells differently."""
        return "rclone" if self._direct and not readable_directly(path) else self.profile.read

    @contextlib.contextmanager
    def reading(self, piece: int, *, files: int, listed: int | None = None) -> Iterator[None]:
        """See Storage. Reads through a VFS of rclone's where the profile says that this costs less."""
        way = self.profile.read
        listing_pays = another_listing_pays(files, listed)
        if way != "vfs" and not (way == "heads" and listing_pays):
            yield
            return
        self.forget_folders()
        self._remote.open()
        # Otherwise each folder is listed at its first read.
        at_once = way == "heads" or (self.capabilities.flat_listing and listing_pays)
        list_first = at_once and listed is not None and listed <= _LISTED_AT_ONCE
        with self._rclone.vfs_reads(self._fs, chunk_bytes=piece, list_first=list_first, only_heads=way == "heads") as served:
            self._served = served
            try:
                yield
            finally:
                self._served = None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """See Storage. Through a temporary file, so that rclone verifies what arrived and never shows half of it."""
        with tempfile.TemporaryDirectory(prefix="music-orchestrator-") as directory:
            with (Path(directory) / "content").open("wb") as stream:
                if isinstance(content, bytes):
                    stream.write(content)
                else:
                    shutil.copyfileobj(content, stream)
            body = self._calls.small_upload(directory, "content", path)
            self._remote.client_for_looks.call("operations/copyfile", body, about=path)

    def make_directory(self, path: str) -> None:
        """See Storage."""
        if self.capabilities.empty_directories:
            self._remote.client.call("operations/mkdir", rc_bodies.one_path(self._fs, path))

    def remove_directory(self, path: str, *, seen: bool = False, holding: Collection[str] | None = None) -> bool:
        """See Storage."""
        if not (can := self.capabilities).empty_directories:
            return False  # rclone would answer "done"; for the root, it would remove the bucket
        known = holding is not None and can.by_id and not can.rmdir_is_recursive
        if not known and not self._may_be_removed(path, seen=seen):
            return False
        try:
            method = "operations/purge" if known else "operations/rmdir"
            self._remote.client_for_looks.call(method, rc_bodies.one_path(self._shown.fs_of(path), path))
        except (NotFoundError, NotEmptyError, BelowFileError):
            return False
        return True

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage."""
        return self._shown.entries(path)

    def links(self, path: str, among: Collection[str]) -> Mapping[str, bool]:
        """See Storage."""
        if self.profile.wraps is None:
            return self._shown.links(path, among)
        return links_below(self._rclone, self._fs, path, among)

    def move_directory(self, src: str, dst: str, *, seen: bool = False) -> None:
        """See Storage."""
        if not self.capabilities.directory_move:
            super().move_directory(src, dst, seen=seen)
        taken = DestinationExistsError(f"{dst}: already exists", path=dst)
        done = False
        try:
            self._remote.client_for_looks.call("sync/move", self._calls.directory_move(src, dst, seen=seen), about=src)
            done = True
        except UsageError as error:  # one of the two is a file
            if self.exists(dst):
                raise taken from error
            raise NotFoundError(f"{src}: not a directory", path=src) from error
        except PermanentError as error:
            if error.message.endswith(redact(rc_bodies.BACKUP_OVERLAP)):
                raise taken from error
            if self.entries(src) is None and self.entries(dst) is None:  # servers say this in many ways
                raise NotFoundError(f"{src}: not found", path=src) from error
            raise
        finally:
            # Otherwise later writes to `src` would go into the renamed directory, and its files would still be found at `src`,
            # unless rclone has moved it within the location that we use.
            if not (done and self.capabilities.by_id):
                self.forget_folders()

    def quota(self) -> Quota | None:
        """See Storage."""
        if not self.capabilities.quota:
            return None
        try:
            answer = self._remote.client.call("operations/about", {"fs": self._fs})
        except UnsupportedError:
            return None
        return Quota(answer.get("total"), answer.get("used"), answer.get("free"))

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage. One request to rclone where possible, for each way of sending."""
        if not all(isinstance(call, StatCall | DeleteCall) for call in calls):
            self._remote.open()  # once, not by the first eight at the same time
        results: dict[int, CallResult] = {}
        numbers: dict[_Send, list[int]] = {}
        for number, call in enumerate(calls):
            numbers.setdefault(self._way(call), []).append(number)
        for send, mine in numbers.items():
            results |= zip(mine, send([calls[number] for number in mine], concurrency), strict=True)
        return [unless_misplaced(call, results[number], self.exists) for number, call in enumerate(calls)]

    def naming(self) -> Naming:
        """See Storage."""
        return self._names.naming

    def namesakes(self, paths: Sequence[str]) -> Mapping[str, Sequence[Entry] | OrchestratorError]:
        """See Storage. One listing of each directory where files can share a name."""
        if not self.capabilities.duplicate_names:
            return super().namesakes(paths)
        return self._listings.namesakes(paths)

    def files_below(self, folders: Collection[str]) -> Mapping[str, Sequence[Entry] | None]:
        """See Storage. Through the resident rclone, which remembers the folders that it has found."""
        return self._listings.below(folders)

    def _way(self, call: Call) -> _Send:
        if has_id(call):
            return self._calls_by_id.batch
        if self._disk is not None and isinstance(call, MoveCall | GiveCall) and self._disk.reaches(call):
            return self._disk.batch
        return self._names.give if isinstance(call, GiveCall) else self._sender.send

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """See Storage. With the drive backend's own command."""
        if not self.capabilities.by_id:
            super().fetch(path, object_id, to)
        self._calls_by_id.fetch(path, object_id, to)

    @property
    def backend_name(self) -> str:
        """What rclone calls the remote behind this location; an alias has the name of its target."""
        return str(self._remote.info.get("Name"))

    @cached_property
    def _calls(self) -> RcCalls:
        return RcCalls(self._fs, self._remote.fs_of_looks, self.backend_name, self.profile, self.capabilities)

    @cached_property
    def _sender(self) -> Sender:
        return Sender(self._remote.client_for_looks, self._calls, self._rclone.stop, self.exists, self._listings)

    @cached_property
    def _names(self) -> Names:
        return Names(self, self._remote.client, self.profile, self._calls)

    @cached_property
    def _disk(self) -> DiskNames | None:
        return DiskNames(self._fs, self._rclone.stop, self._sender.send) if self._direct and self.capabilities.move else None

    @cached_property
    def _calls_by_id(self) -> CallsById:
        return CallsById(self._remote.client, self._fs, self._listings)

    @cached_property
    def _listings(self) -> DirectoryListings:
        return DirectoryListings(self._remote.client_for_looks, self._calls)

    @cached_property
    def _shown(self) -> ShownNames:
        return ShownNames(self._remote.client_for_looks, self._calls.fs_of_looks, self.profile.link_option)

    @cached_property
    def _direct(self) -> bool:
        return is_local(self._fs) and self.profile.read == "direct"

    def _may_be_removed(self, path: str, *, seen: bool) -> bool:
        """Whether it is a directory, and without links, which rclone would overlook.

        WebDAV would delete a file, and a disk a link to an empty directory.
        """
        if is_local(self._fs) and Path(self._fs, path).is_symlink():
            return False
        if path and not self.capabilities.by_id and self.exists(path):
            return False
        return seen or is_ours(path) or not self._shown.may_hide_links or self.entries(path) == []

    def _hash(self, path: str, hash_type: str, *, download: bool) -> str | None:
        body = rc_bodies.hash_sum(self._fs, path, hash_type, download=download)
        return str(self._remote.client.call("operations/hashsumfile", body)["hash"]).lower() or None
