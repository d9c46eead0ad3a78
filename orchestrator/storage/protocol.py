"""The seam to storage: one protocol that every remote, the local disk and the in-memory fake fulfil.

A Storage is one rooted place, such as `gdrive:Music` or `/srv/music`. Paths are relative to that root, with `/`, never
leading or trailing, `""` for the root itself.

Who retries: a Storage does each request once (what rclone repeats while it lists aside). `RetryingStorage` repeats what may be
repeated without looking (list, stat, hash, reads); changing calls are repeated by the executor only, which looks at both
ends first. All methods may be called from several threads.

Errors are those of `orchestrator.errors`: NotFoundError for what is not there, TransientError and RateLimitError for what may
work later, AuthError and QuotaError for what stops the whole remote, PermanentError for what never works for this item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias, runtime_checkable

import msgspec

from orchestrator.errors import OrchestratorError, UnsupportedError
from orchestrator.records import OWN_DIRECTORY, Capabilities, Entry, Quota

PROBE = f"{OWN_DIRECTORY}/probe"
"""A name that nobody uses: looking for it tells whether the remote answers."""


class StatCall(msgspec.Struct, frozen=True, tag="stat"):
    """Look at one file. CallResult: Entry, or None when nothing is there."""

    path: str
    id: str | None = None
    """Of several files of that name the one of this id (see `Capabilities.by_id`)."""


class MoveCall(msgspec.Struct, frozen=True, tag="move"):
    """Rename within this storage, or from `source`, another root of the same remote (`remote_of`). CallResult: None.

    Whatever lies at the destination against expectation goes to `trash` (a directory under OWN_DIRECTORY, unique to run and
    attempt), never away.
    """

    src: str
    dst: str
    trash: str
    source: Storage | None = None
    id: str | None = None
    """Of several files called `src` the one of this id. It replaces nothing: where something lies at `dst`, two files carry that
    name then. NotFoundError when no file has this id."""


class CopyCall(msgspec.Struct, frozen=True, tag="copy"):
    """Copy into this storage, from `source` if given, else from itself. CallResult: None. `trash` as for MoveCall."""

    src: str
    dst: str
    trash: str
    source: Storage | None = None


class DeleteCall(msgspec.Struct, frozen=True, tag="delete"):
    """Delete one file. CallResult: None; NotFoundError when it is not there, unless it was `seen`."""

    path: str
    seen: bool = False
    """The caller has just looked at it: a storage that would look for itself need not."""


Call: TypeAlias = StatCall | MoveCall | CopyCall | DeleteCall
CallResult: TypeAlias = Entry | OrchestratorError | None
"""What became of one call of a batch: its result, or the error that it would have raised alone."""


@runtime_checkable
class Storage(Protocol):
    """One rooted place that holds files. The module's docstring is the contract."""

    @property
    def fs(self) -> str:
        """The location in canonical form (`gdrive:Music`, `/srv/music`)."""

    @property
    def capabilities(self) -> Capabilities:
        """What this storage can do; asked once, then remembered."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below `prefix`, in no promised order, streamed in constant memory.

        Leaves out OWN_DIRECTORY at the root unless `prefix` lies in it. Asks only for what is free on this remote.
        Raises an error when the listing is not complete: a short listing never passes for the whole. Bucket remotes cannot
        tell a missing prefix from an empty one; others raise NotFoundError for a missing directory.
        """

    def stat(self, path: str) -> Entry | None:
        """The file at `path`, None when there is none (a directory is none)."""

    def exists(self, path: str) -> bool:
        """Whether a file lies at `path`."""

    def size(self, path: str) -> int | None:
        """Bytes. Raises NotFoundError."""

    def mtime(self, path: str) -> int | None:
        """Nanoseconds since 1970, UTC; may cost a request where listings do not give it. Raises NotFoundError."""

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """Lower-case hex. With `download` the whole file is read if need be. None where the remote has none of that type.

        Raises NotFoundError, and UnsupportedError for a type that the remote never has (unless `download`).
        """

    def read(self, path: str) -> Iterator[bytes]:
        """The content in blocks. Raises NotFoundError."""

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; fewer only where the file ends. One request. Raises NotFoundError."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """`read_range` of each (offset, length), in ascending order, at the same time or in fewer requests where that can be."""
        return [self.read_range(path, offset, length) for offset, length in ranges]

    def reading(self, piece: int) -> AbstractContextManager[None]:  # noqa: ARG002 - for those that can make use of it
        """While this is open, `read_range` and `read_ranges` may rely on what a directory held when they first looked into it.

        For one who has just listed the storage and reads many files of it, mostly parts of up to `piece` bytes, while nothing of
        ours changes there. One at a time.
        """
        return nullcontext()

    def fetch(self, path: str, object_id: str, to: Path) -> None:  # noqa: ARG002 - for those that have ids
        """Bring one of several files of that name, known by its id, to a file on this machine, as a whole.

        Raises NotFoundError, and UnsupportedError where files of one name do not exist.
        """
        raise UnsupportedError(f"{self.fs}: files have no ids by which they could be asked for", path=path)

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Create or replace the file, parents included."""

    def copy(self, src: str, dst: str) -> None:
        """Copy within this storage. Raises NotFoundError; DestinationExistsError when `dst` is there."""

    def move(self, src: str, dst: str) -> None:
        """Rename within this storage (copy and delete where it cannot). Errors as for `copy`."""

    def delete(self, path: str) -> None:
        """Delete one file. Raises NotFoundError."""

    def make_directory(self, path: str) -> None:
        """Make a directory and its parents; nothing where the remote has no directories."""

    def remove_directory(self, path: str) -> bool:
        """Remove one directory if it is empty. False when it is not empty or not there.

        With `Capabilities.rmdir_is_recursive` what comes into it meanwhile, or was left out of the listing, is deleted for good.
        """

    def entries(self, path: str) -> Sequence[str] | None:
        """Names of all that lies directly in a directory, those of directories with a "/" behind. None when it is not there."""

    def move_directory(self, src: str, dst: str) -> None:
        """Rename a directory with all that lies in it, seen or not, in one change of the server's; not the root, not into itself.

        It never merges: where anything lies at `dst`, an empty directory too, DestinationExistsError, and nothing has changed.
        Raises NotFoundError, and UnsupportedError where no directory can be renamed so (see `Capabilities.directory_move`). After
        any other error only a look tells whether it was done.
        """
        raise UnsupportedError(f"{self.fs}: directories cannot be renamed, so not to {dst}", path=src)

    def quota(self) -> Quota | None:
        """None where the remote does not tell."""

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """Carry out the calls, at most `concurrency` at a time, unordered; outcomes in the order of the calls.

        An item's failure is its outcome and does not stop the others; only a failure of the batch itself is raised.
        """

    def close(self) -> None:
        """Give back connections. The storage is not used afterwards."""
