"""The calls of a storage as requests to rclone, and what rclone's answers mean."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import msgspec

from orchestrator.errors import BelowFileError, OrchestratorError, UnsupportedError
from orchestrator.paths import join_path
from orchestrator.profiles import Profile
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.capabilities import SERVER_MTIME_PRECISION_NS
from orchestrator.rclone.listing import Row
from orchestrator.rclone.runtime import Rclone
from orchestrator.records import Capabilities, Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, GiveCall, MoveCall, StatCall, Storage
from orchestrator.storage.wrappers.forwarding import unwrapped

_UPLOADED_IN_PARTS = 200 * 1024**2
"""rclone uploads what is larger in parts to S3."""


@runtime_checkable
class _OnRclone(Protocol):
    """A storage that rclone reaches."""

    @property
    def fs(self) -> str: ...

    @property
    def backend_name(self) -> str: ...

    @property
    def rclone(self) -> Rclone: ...


class RcCalls:
    """Requests about one location."""

    def __init__(self, fs: str, fs_of_looks: str, backend_name: str, profile: Profile, capabilities: Capabilities) -> None:
        """`backend_name`: what rclone calls the remote. Only between two of one name does it copy and move on the server."""
        self.fs = fs
        self.refused_uploads = False
        """Whether uploads to a taken name are refused by the server."""
        self.conditional_uploads = profile.names_by == "upload"
        """Whether to ask the server to replace a certain content only (S3)."""
        self._backend_name = backend_name
        self._profile = profile
        self.capabilities = capabilities
        self.fs_of_looks = fs_of_looks
        """See `Remote.fs_of_looks`."""

    @property
    def looks_by_folder(self) -> bool:
        """Whether one listing of a folder is cheaper than looks at several of its files."""
        return self._profile.by_directory or self._profile.looks_by_folder

    @cached_property
    def has_backup_dir(self) -> bool:
        """Whether rclone can move aside a file that lies at a destination: a remote without move and copy has no BackupDir."""
        return self.capabilities.move or self.capabilities.copy

    def stat(self, path: str) -> rc_bodies.Body:
        """The body of a look at one file, which asks only for what is free."""
        can = self.capabilities
        return rc_bodies.stat(self.fs_of_looks, path, mtime=can.mtime, hashes=can.hashes, server_mtime=self._profile.server_mtime)

    def request(self, call: Call) -> tuple[str, rc_bodies.Body]:
        """The rc method and the body of one call."""
        match call:
            case StatCall(path, _):
                return "operations/stat", self.stat(path)
            case DeleteCall(path, marker=True) if self._profile.purges_files:
                return "operations/purge", rc_bodies.one_path(self.fs_of_looks, path)
            case DeleteCall(path, seen):
                option = self._profile.delete_unseen if seen else None
                body = rc_bodies.delete_unseen(self.fs, path, option) if option else rc_bodies.one_path(self.fs_of_looks, path)
                return "operations/deletefile", body
            case MoveCall():
                return "operations/movefile", self._move(call)
            case CopyCall():
                return "operations/copyfile", self._copy(call)
            case GiveCall(staged, dst, trash):
                return "operations/movefile", self._uncompared_if_by_bucket(self._transfer(staged, dst, trash, None))

    def result(self, call: Call, answer: dict[str, Any]) -> CallResult:
        """The result of a call that succeeded."""
        return self.entry(answer.get("item")) if isinstance(call, StatCall) else None

    def entry(self, item: dict[str, Any] | None, *, exact_mtime: bool = False) -> Entry | None:
        """The file that rclone describes; None for a directory. `exact_mtime`: it is the file's own, not the time of upload."""
        if not item or item.get("IsDir"):
            return None
        rounded = self._profile.server_mtime and not exact_mtime
        return msgspec.convert(item, Row).entry(SERVER_MTIME_PRECISION_NS if rounded else 1)

    def _move(self, call: MoveCall) -> rc_bodies.Body:
        if self._profile.names_by == "move" or self.capabilities.by_id:  # the server refuses a taken name, or keeps both files
            return rc_bodies.unseen_move(self._source_fs(call.source), call.src, self.fs, call.dst)
        return self._transfer(call.src, call.dst, call.trash, call.source)

    def _copy(self, call: CopyCall) -> rc_bodies.Body:
        other = call.source is not None and _reached(call.source).backend_name != self._backend_name
        if self.refused_uploads and call.source is not None and other:
            return rc_bodies.refused_upload(_reached(call.source).fs, call.src, self.fs, call.dst)
        if not call.trash:
            return rc_bodies.copy_to_own_name(self._source_fs(call.source), call.src, self.fs, call.dst)
        body = self._transfer(call.src, call.dst, call.trash, call.source)
        return body if other else self._uncompared_if_by_bucket(body)

    def directory_move(self, src: str, dst: str, *, seen: bool) -> rc_bodies.Body:
        """The body of `sync/move` of a directory (see `Storage.move_directory`)."""
        if self._profile.opening == "first":
            return rc_bodies.directory_move(self.fs, src, dst)
        if seen and self.fs_of_looks != self.fs:
            return rc_bodies.directory_move(self.fs_of_looks, src, dst, lambda fs, path: f"{fs}{path}/")
        return rc_bodies.directory_move(self.fs, src, dst, rc_bodies.as_folder if seen else rc_bodies.in_combine)

    def small_upload(self, folder: str, name: str, target: str) -> rc_bodies.Body:
        """The body of `operations/copyfile` from a folder of this machine, which replaces whatever is at the target."""
        fs, option = self.fs, self._profile.small_upload
        if not self.capabilities.by_directory:
            return rc_bodies.transfer(folder, name, fs, target, trash=None)
        root, below = rc_bodies.split_root(fs)
        whole = join_path(below, target)
        if option is None or not _is_plain(whole):  # rclone puts the path into a header then, as it is
            return rc_bodies.copy_to_own_name(folder, name, fs, target)
        # At the root: of any other folder, rclone would ask whether it is a file.
        return rc_bodies.copy_to_own_name(folder, name, rc_bodies.with_option(root, option), whole)

    def replacing_copy(self, call: CopyCall, old: Entry) -> tuple[str, rc_bodies.Body]:
        """The request that puts a new content in the place of `old`, which was just seen at the destination."""
        body = rc_bodies.transfer(self._source_fs(call.source), call.src, self.fs, call.dst, trash=None)
        if self.capabilities.hashes:
            # The caller compares. Where rclone finds another content, it deletes it, even if another program has written it.
            body = rc_bodies.uncompared(body)
        # A bucket replaces whatever is there. Elsewhere rclone has to find the file, so as not to make a second one.
        return "operations/copyfile", rc_bodies.replacing_upload(body, self._etag(old), unseen=not self.capabilities.move)

    def _etag(self, old: Entry) -> str | None:
        """The ETag of an object, if it is sure to be the MD5: in parts it is not, nor is it with some kinds of encryption."""
        whole = old.size is not None and old.size < _UPLOADED_IN_PARTS
        return old.hashes.get("md5") if self.conditional_uploads and whole else None

    def _uncompared_if_by_bucket(self, body: rc_bodies.Body) -> rc_bodies.Body:
        """What a bucket copies to a final name may have been replaced by another program before rclone compares it."""
        return body if self.capabilities.move else rc_bodies.uncompared(body)

    def _transfer(self, src: str, dst: str, trash: str, source: Storage | None) -> rc_bodies.Body:
        return rc_bodies.transfer(self._source_fs(source), src, self.fs, dst, trash=trash if self.has_backup_dir else None)

    def _source_fs(self, source: Storage | None) -> str:
        return self.fs if source is None else _reached(source).fs


def _reached(storage: Storage) -> _OnRclone:
    """The storage as rclone reaches it, inside its wrappers."""
    inner = unwrapped(storage)
    if not isinstance(inner, _OnRclone):
        raise UnsupportedError(f"{storage.fs}: rclone cannot reach it, so it cannot copy from there")
    return inner


def _is_plain(path: str) -> bool:
    """Whether a path is ASCII, also after rclone has replaced what some servers refuse in names."""
    parts = path.split("/")
    return all(re.fullmatch(r"[\w!#$%&'()+,.;=@\[\]^`{}~ -]+", part, re.ASCII) and part == part.strip() for part in parts)


def failure(call: Call, error: OrchestratorError) -> CallResult:
    """The result of a call that failed: a look below a file finds nothing."""
    if isinstance(call, DeleteCall) and error.path is not None and error.path.endswith(f"/{call.path}"):
        error.message = error.message.replace(error.path, call.path)  # it was deleted from the root of the remote
        error.path = call.path
    return None if isinstance(call, StatCall) and isinstance(error, BelowFileError) else error
