"""Storage on anything that rclone speaks: a disk of this machine, or one of some seventy providers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from orchestrator.errors import (
    DestinationExistsError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    RemoteError,
    UnsupportedError,
    UsageError,
)
from orchestrator.paths import join_location, parent_of
from orchestrator.profiles import Profile, load_profile
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.capabilities import SERVER_MTIME_PRECISION_NS, capabilities_of
from orchestrator.rclone.listing import ListRequest, Row
from orchestrator.rclone.ranges import read_local, readable_directly
from orchestrator.rclone.rc_client import DaemonLostError, UnexplainedReadError, refusal
from orchestrator.rclone.runtime import Rclone
from orchestrator.rclone.vfs_reads import VfsReads
from orchestrator.records import OWN_DIRECTORY, Capabilities, Entry, Quota
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, MoveCall, StatCall, Storage
from orchestrator.storage.rclone_backed.by_id import ById, names_an_object
from orchestrator.storage.rclone_backed.directories import Folders
from orchestrator.storage.wrappers.forwarding import innermost

_FIRST_ENTRIES = 1000
"""How much of a listing shows what its hashes cost: one page of S3's."""
_HASH_MISSES = 16
"""How many objects without a hash are worth a request each: 0.6 s at 40 ms."""
_REPLACED = f"{OWN_DIRECTORY}/trash/api"


class RcloneStorage(Storage):
    """One location of rclone's: `remote:path`, or an absolute path of this machine."""

    def __init__(self, rclone: Rclone, fs: str, *, profile: str | None = None) -> None:
        """`profile` stands for the one of the remote's type. Nothing is asked of the remote yet."""
        try:
            fs.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{fs!a}: the name of this place is not UTF-8; rename the directory") from error
        self._rclone = rclone
        self._client = rclone.client
        self._fs = fs
        self._profile_name = profile
        self._served: VfsReads | None = None

    @property
    def fs(self) -> str:
        """The location."""
        return self._fs

    @property
    def rclone(self) -> Rclone:
        """The rclone that carries it out."""
        return self._rclone

    @cached_property
    def _info(self) -> dict[str, Any]:
        # UsageError for an unknown remote, and for a file in place of a directory.
        try:
            if self.profile.server_mtime:  # opened once here, and not by the first eight looks at the same time
                self._client.call("operations/fsinfo", {"fs": rc_bodies.with_server_mtime(self._fs)})
            return self._client.call("operations/fsinfo", {"fs": self._fs})
        except UsageError:
            # rclone also says so of a bucket's folder when the server is away or refuses us: the listing above it tells.
            remote, colon, path = self._fs.partition(":")
            if colon and path.strip("/"):
                parent = parent_of(path)
                self._client.call("operations/list", {"fs": f"{remote}:", "remote": parent or path, "opt": {"noModTime": True}})
            raise

    @cached_property
    def profile(self) -> Profile:
        """What is known of the provider, for this remote."""
        profile = load_profile(self._profile_name or self._rclone.remote_type(self._fs))
        return profile.for_remote(lambda option: self._rclone.option(self._fs, option))

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the remote can do, from rclone and the profile."""
        return capabilities_of(self.profile, self._rclone.remote_type(self._fs), self._info)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below `prefix`, streamed from a process of its own."""
        request = ListRequest(
            fs=join_location(self._fs, prefix),
            mtime=self.capabilities.mtime,
            server_mtime=self.profile.server_mtime,
            hashes=self.capabilities.hashes,
            flat=bool(self._info["Features"].get("ListR")),
            hide_own=not prefix,
        )
        entries = self._listed(request) if self.profile.costly_hashes and request.hashes else self._rclone.list(request)
        if not prefix:
            return entries
        return (msgspec.structs.replace(entry, path=f"{prefix}/{entry.path}") for entry in entries)

    def _listed(self, request: ListRequest) -> Iterator[Entry]:
        """A listing with hashes, unless its beginning shows that they cost a request an object: then without."""
        first: list[Entry] = []
        misses = 0
        with contextlib.closing(self._rclone.list(request)) as entries:
            for entry in entries:
                first.append(entry)
                misses += not entry.hashes
                if misses > _HASH_MISSES or len(first) >= _FIRST_ENTRIES:
                    break
            if misses <= _HASH_MISSES:
                yield from first
                yield from entries
                return
        yield from self._rclone.list(msgspec.structs.replace(request, hashes=()))

    def stat(self, path: str) -> Entry | None:
        """The file as the listing shows it. One request."""
        try:
            return self._entry(self._client.call("operations/stat", self._look(path)))
        except PermanentError as error:
            if _is_below_a_file(error):
                return None
            raise

    def exists(self, path: str) -> bool:
        """Whether a file lies there."""
        return self.stat(path) is not None

    def size(self, path: str) -> int | None:
        """Bytes."""
        return self._found(path).size

    def mtime(self, path: str) -> int | None:
        """The file's own, also where listings leave it out or give the time of upload."""
        body = rc_bodies.stat(self._fs, path, mtime=True, hashes=())
        entry = self._entry(self._client.call("operations/stat", body), precision_ns=1)
        if entry is None:
            raise NotFoundError(f"{path}: not found", path=path)
        return entry.mtime_ns

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """What the remote says, else (with `download`) the hash of what it sends."""
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
        """The content in blocks."""
        return self._client.get(self._fs, path)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """From the disk itself where the profile allows it, else one ranged GET."""
        return self.read_ranges(path, [(offset, length)])[0]

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """One after the other from the disk; all in one request where the location is served; else in requests side by side."""
        if self._direct and readable_directly(path):
            return [read_local(self._fs, path, offset, length) for offset, length in ranges]
        try:
            if self._served is not None:
                try:
                    return self._served.get_ranges(path, ranges)
                except UnexplainedReadError:
                    raise
                except RemoteError:
                    pass  # whatever it is, the other way says it better
            return self._client.get_ranges(self._fs, path, ranges)
        except UnexplainedReadError as error:
            raise self._rclone.why_unreadable(self._fs, path) or error from error

    def way_of_reading(self, path: str) -> str:
        """The profile's `read`, but "rclone" for a file of this disk whose name rclone spells otherwise."""
        return "rclone" if self._direct and not readable_directly(path) else self.profile.read

    @contextlib.contextmanager
    def reading(self, piece: int) -> Iterator[None]:
        """Serves the location where its profile says that this costs less."""
        if self.profile.read != "vfs":
            yield
            return
        with self._rclone.vfs_reads(self._fs, chunk_bytes=piece) as served:
            self._served = served
            try:
                yield
            finally:
                self._served = None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Create or replace. Goes by a temporary file, so that rclone verifies what arrived and never shows half of it."""
        with tempfile.TemporaryDirectory(prefix="music-orchestrator-") as directory:
            with (Path(directory) / "content").open("wb") as stream:
                if isinstance(content, bytes):
                    stream.write(content)
                else:
                    shutil.copyfileobj(content, stream)
            body = rc_bodies.transfer(directory, "content", self._fs, path, trash=None)
            self._client.call("operations/copyfile", body, about=path)

    def copy(self, src: str, dst: str) -> None:
        """Copy within the storage."""
        self._must_be_free(dst)
        self._carry_out(CopyCall(src, dst, _REPLACED))

    def move(self, src: str, dst: str) -> None:
        """Rename within the storage."""
        self._must_be_free(dst)
        self._carry_out(MoveCall(src, dst, _REPLACED))

    def delete(self, path: str) -> None:
        """Delete one file."""
        self._carry_out(DeleteCall(path))

    def make_directory(self, path: str) -> None:
        """Make a directory and its parents."""
        if self.capabilities.empty_directories:
            self._client.call("operations/mkdir", rc_bodies.one_path(self._fs, path))

    def remove_directory(self, path: str) -> bool:
        """Remove one empty directory."""
        if not self.capabilities.empty_directories:
            return False  # rclone would answer "done"; for the root, it would remove the bucket
        if self._is_something_else(path):
            return False
        try:
            self._client.call("operations/rmdir", rc_bodies.one_path(self._fs, path))
        except NotFoundError:
            return False
        except OrchestratorError as error:
            if "not empty" in error.message.lower() or _is_below_a_file(error):
                return False
            raise
        return True

    def entries(self, path: str) -> Sequence[str] | None:
        """Names in one directory."""
        try:
            listed = self._client.call("operations/list", rc_bodies.list_names(self._fs, path))["list"]
        except NotFoundError:
            return None
        return [f"{item['Name']}/" if item["IsDir"] else item["Name"] for item in listed]

    def move_directory(self, src: str, dst: str) -> None:
        """Rename a directory on the server, or do nothing."""
        if not self.capabilities.directory_move:
            super().move_directory(src, dst)
        there = DestinationExistsError(f"{dst}: something is there already", path=dst)
        try:
            self._client.call("sync/move", rc_bodies.directory_move(self._fs, src, dst), about=src)
        except UsageError as error:  # one of the two is a file
            if self.exists(dst):
                raise there from error
            raise NotFoundError(f"{src}: is not a directory", path=src) from error
        except PermanentError as error:
            if error.message.endswith(rc_bodies.BACKUP_OVERLAP):
                raise there from error
            if self.entries(src) is None and self.entries(dst) is None:  # servers have many words for it
                raise NotFoundError(f"{src}: not found", path=src) from error
            raise
        finally:
            # Each location that rclone has open remembers which directory has which name (Google Drive): what is written to
            # `src` from now on would go into the one that was renamed, and what was in it be found there still.
            self._client.call("fscache/clear", repeatable=True)

    def quota(self) -> Quota | None:
        """What the remote says of its space."""
        if not self.capabilities.quota:
            return None
        try:
            answer = self._client.call("operations/about", {"fs": self._fs})
        except UnsupportedError:
            return None
        return Quota(answer.get("total"), answer.get("used"), answer.get("free"))

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """All calls in one request to rclone; those that name an object by its id after the others, listings before looks."""
        named = [call for call in calls if names_an_object(call)]
        if named:
            others = iter(self.batch([call for call in calls if not names_an_object(call)], concurrency=concurrency))
            those = iter(self._by_id.batch(named, concurrency))
            return [next(those if names_an_object(call) else others) for call in calls]
        if len(calls) > 1 and self.capabilities.by_directory and all(isinstance(call, StatCall) for call in calls):
            paths = [call.path for call in calls if isinstance(call, StatCall)]
            seen = self._folders.looks(paths, concurrency, case_insensitive=self.capabilities.case_insensitive)
            left = iter(self._together([StatCall(path) for path in paths if path not in seen], concurrency))
            return [seen[path] if path in seen else next(left) for path in paths]
        return self._together(calls, concurrency)

    def _together(self, calls: Sequence[Call], concurrency: int) -> Sequence[CallResult]:
        """In one request to rclone, as far as that can be."""
        if len(calls) < 2 or (not self._has_backup_dir and any(isinstance(call, MoveCall | CopyCall) for call in calls)):
            return [self._attempt(call) for call in calls]
        prepared = [self._request(call) for call in calls]
        repeatable = all(isinstance(call, StatCall) for call in calls)
        results = self._client.call("job/batch", rc_bodies.batch(prepared, concurrency), repeatable=repeatable)["results"]
        return [
            _refused(call, refusal(result, body)) if "error" in result else self._outcome(call, result)
            for call, (_, body), result in zip(calls, prepared, results, strict=True)
        ]

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """By the drive backend's own command."""
        if not self.capabilities.by_id:
            super().fetch(path, object_id, to)
        self._by_id.fetch(path, object_id, to)

    def close(self) -> None:
        """Nothing: connections belong to the Rclone, which outlives its storages."""

    @cached_property
    def _by_id(self) -> ById:
        return ById(self._client, self._fs, self._folders)

    @cached_property
    def _folders(self) -> Folders:
        return Folders(self._client, self._look, self._entry)

    @cached_property
    def _direct(self) -> bool:
        return self._fs.startswith("/") and self.profile.read == "direct"

    def _look(self, path: str) -> rc_bodies.Body:
        can = self.capabilities
        return rc_bodies.stat(self._fs, path, mtime=can.mtime, hashes=can.hashes, server_mtime=self.profile.server_mtime)

    def _is_something_else(self, path: str) -> bool:
        """Whether a file or a link lies there: WebDAV would delete the file, and a disk the link to an empty directory."""
        return (self._fs.startswith("/") and Path(self._fs, path).is_symlink()) or (path != "" and self.exists(path))

    def _found(self, path: str) -> Entry:
        entry = self.stat(path)
        if entry is None:
            raise NotFoundError(f"{path}: not found", path=path)
        return entry

    def _must_be_free(self, path: str) -> None:
        if self.exists(path):
            raise DestinationExistsError(f"{path}: something is there already", path=path)

    def _hash(self, path: str, hash_type: str, *, download: bool) -> str | None:
        answer = self._client.call("operations/hashsumfile", rc_bodies.hash_sum(self._fs, path, hash_type, download=download))
        return str(answer["hash"]).lower() or None

    def _request(self, call: Call) -> tuple[str, rc_bodies.Body]:
        """The rc method and body of one call."""
        match call:
            case StatCall(path, _):
                return "operations/stat", self._look(path)
            case DeleteCall(path, seen):
                blind = self.profile.delete_unseen if seen else None
                return "operations/deletefile", rc_bodies.one_path(
                    rc_bodies.with_option(self._fs, blind) if blind else self._fs, path
                )
            case MoveCall(src, dst, trash, source, _):
                return "operations/movefile", self._transfer(src, dst, trash, source)
            case CopyCall(src, dst, trash, source):
                return "operations/copyfile", self._transfer(src, dst, trash, source)

    def _transfer(self, src: str, dst: str, trash: str, source: Storage | None) -> rc_bodies.Body:
        source_fs = self._fs if source is None else underlying(source).fs
        return rc_bodies.transfer(source_fs, src, self._fs, dst, trash=trash if self._has_backup_dir else None)

    @cached_property
    def _has_backup_dir(self) -> bool:
        """Whether rclone can put away what lies in the way: the few remotes that neither move nor copy have no BackupDir."""
        return self.capabilities.move or self.capabilities.copy

    def _carry_out(self, call: Call) -> CallResult:
        if isinstance(call, MoveCall | CopyCall) and not self._has_backup_dir and self.exists(call.dst):
            raise UnsupportedError(f"{call.dst}: something is there, and {self._fs} has no trash to put it into", path=call.dst)
        method, body = self._request(call)
        return self._outcome(call, self._client.call(method, body))

    def _outcome(self, call: Call, answer: dict[str, Any]) -> CallResult:
        return self._entry(answer) if isinstance(call, StatCall) else None

    def _entry(self, answer: dict[str, Any], precision_ns: int | None = None) -> Entry | None:
        item = answer.get("item")
        if not item or item.get("IsDir"):
            return None
        usual = SERVER_MTIME_PRECISION_NS if self.profile.server_mtime else 1
        return msgspec.convert(item, Row).entry(precision_ns or usual)

    def _attempt(self, call: Call) -> CallResult:
        try:
            return self._carry_out(call)
        except DaemonLostError:
            raise  # the batch itself failed
        except OrchestratorError as error:
            return error


def underlying(storage: Storage) -> RcloneStorage:
    """The RcloneStorage inside wrappers. Raises UnsupportedError where there is none."""
    inner = innermost(storage)
    if not isinstance(inner, RcloneStorage):
        raise UnsupportedError(f"{storage.fs}: rclone does not reach it, so it cannot copy from there")
    return inner


def _refused(call: Call, error: OrchestratorError) -> CallResult:
    return None if isinstance(call, StatCall) and _is_below_a_file(error) else error


def _is_below_a_file(error: OrchestratorError) -> bool:
    """Whether a directory of the path is a file: then nothing is there, but a disk does not say "not found"."""
    return isinstance(error, PermanentError) and error.message.endswith("not a directory")
