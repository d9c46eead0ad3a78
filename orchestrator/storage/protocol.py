"""The seam to storage: one protocol for every remote, the local disk and the in-memory fake.

A Storage is one location, such as `gdrive:Music` or `/srv/music`. Paths are relative to its root, with `/`, never leading or
trailing; `""` is the root itself.

An implementation derives from DerivedStorage (`orchestrator.storage.derived`) and writes the abstract methods. DerivedStorage
makes the others from them; override one where the storage can do better.

Who retries: a Storage sends each request once (but rclone itself repeats requests while it lists). `RetryingStorage` repeats
what is safe to repeat without a look (list, stat, hash, reads). Only the executor repeats changing calls, after a look at both
ends. All methods may be called from several threads.

Errors are those of `orchestrator.errors`: NotFoundError for what does not exist, TransientError and RateLimitError for what may
work later, AuthError and QuotaError for what stops the whole remote, PermanentError for what never works for this item.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias, runtime_checkable

import msgspec

from orchestrator.errors import OrchestratorError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.records import OWN_DIRECTORY, Capabilities, Entry, Quota

PROBE = f"{OWN_DIRECTORY}/probe"
"""A name that is never used: looking for it shows whether the remote answers."""


class Naming(StrEnum):
    """How a copy gets its final name without replacing what another program puts there meanwhile."""

    EXCLUSIVE = "exclusive"
    """Copy to a name of ours, then GiveCall: it refuses a taken name, in the one request that gives it."""
    UPLOAD = "upload"
    """No name of ours is needed: a CopyCall from another remote refuses a taken name when it ends."""
    TWINS = "twins"
    """Copy to a name of ours, then GiveCall: it looks, then moves by id. If a file turns up between the look and the move, two
    files share the name, and `namesakes` shows both; ours has the id that the staged file had. (On Drive, rclone would
    replace the content of such a file by an upload to the final name, and put it into Google's trash by a server-side copy.)"""
    CAUGHT = "caught"
    """Copy to a name of ours, then GiveCall: it looks, then moves. A file that turns up between the look and the move is moved to
    `trash`; only one that appears within the server's last request may be replaced. Afterwards, the caller has to look into
    `trash`, and give what is there its name back."""
    REPLACES = "replaces"
    """No name of ours: the remote can neither move nor copy, or a move of each copy would fail or cost a fee (no right to delete,
    archive classes). A CopyCall to the final name looks, then replaces what turns up meanwhile."""


class StatCall(msgspec.Struct, frozen=True, tag="stat"):
    """Look at one file. Result: Entry, or None when it does not exist."""

    path: str
    id: str | None = None
    """Of several files with that name the one with this id (see `Capabilities.by_id`)."""


class MoveCall(msgspec.Struct, frozen=True, tag="move"):
    """Rename within this storage, or from `source`, another root of the same remote (`remote_of`). Result: None.

    If a file unexpectedly lies at the destination, the move fails with DestinationExistsError (on disks the kernel refuses it, on
    Dropbox the server; see GiveCall for disks without RENAME_NOREPLACE), or that file is moved to `trash` (a directory under
    OWN_DIRECTORY, used by one attempt of one run only); only one that appears within the server's last request may be replaced.
    With `Capabilities.by_id`, nothing is looked at or replaced: two files have the name then, or a file and a folder, as
    `namesakes` shows, and the caller moves its own away.
    """

    src: str
    dst: str
    trash: str
    source: Storage | None = None
    id: str | None = None
    """Of several files called `src` the one with this id. Such a move replaces nothing: if a file lies at `dst`, two files then
    have that name. NotFoundError when no file has this id."""
    begun: bool = False
    """A later step of something that has begun: it is sent even after a stop."""


class CopyCall(msgspec.Struct, frozen=True, tag="copy"):
    """Copy into this storage, from `source` if given, otherwise from itself. Result: None.

    `trash` as for MoveCall; "" if `dst` is a name of ours, where no other file can be.

    If `naming` has answered UPLOAD, a copy from another remote to a taken name fails with DestinationExistsError and changes
    nothing there, even if that name was taken during the copy.
    """

    src: str
    dst: str
    trash: str
    source: Storage | None = None
    replaces: Callable[[Entry], bool] | None = None
    """Only with `Capabilities.replaces_in_place`, and from another remote: replace the content of the file at `dst`, for which
    this must be true when the copy begins. If not, DestinationExistsError, or NotFoundError if it is gone, and nothing has
    changed. Until the copy ends, the file has its old content. If it fails, the file keeps that or is gone: rclone deletes what
    does not pass its own check. What another program writes during the copy is replaced, except where the server refuses that
    (S3 with If-Match). The caller compares the copy."""
    ended: Callable[[CallResult], None] | None = None
    """May be called with the result, at most once and from any thread, while other copies of the batch are under way: the caller
    can look at this one meanwhile."""


class GiveCall(msgspec.Struct, frozen=True, tag="give"):
    """Give the file `staged` its final name `dst`, parents included; both are in this storage. Result: None.

    DestinationExistsError when a file lies at `dst` (a directory there is an error too): then nothing has changed. NotFoundError
    when `staged` does not exist. What happens to a file that turns up at `dst` during the call is said by `Naming`; only CAUGHT
    uses `trash`. Works wherever the storage can move or copy, also for UPLOAD (as CAUGHT); otherwise UnsupportedError.

    Where the name is given by a second link (disks without RENAME_NOREPLACE, SFTP), a call that is cut short may leave one file
    under both names: `staged` is then to be deleted. After any error but DestinationExistsError and NotFoundError, only a look
    at both names shows what was done.
    """

    staged: str
    dst: str
    trash: str


class DeleteCall(msgspec.Struct, frozen=True, tag="delete"):
    """Delete one file. Result: None; NotFoundError when it does not exist, unless it was `seen`."""

    path: str
    seen: bool = False
    """The caller has just looked at it, so the storage need not look again."""
    marker: bool = False
    """It is the marker of a run: nothing but a file of ours can have that name, so no look is needed to delete it."""


Call: TypeAlias = StatCall | MoveCall | CopyCall | GiveCall | DeleteCall
CallResult: TypeAlias = Entry | OrchestratorError | None
"""The result of one call of a batch, or the error that the call would have raised alone."""


@runtime_checkable
class Storage(Protocol):
    """One location that holds files. The module's docstring is the contract."""

    # To be implemented.

    @property
    @abstractmethod
    def fs(self) -> str:
        """The location in canonical form (`gdrive:Music`, `/srv/music`)."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this storage can do; asked once, then remembered."""

    @abstractmethod
    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """Every file below `prefix`, in no particular order, streamed in constant memory.

        Leaves out what is in an OWN_DIRECTORY, unless `prefix` is one or lies in one. That of the location itself is not shown at
        all; one further down, which belongs to a location inside this one, is shown as one Entry with nothing but its path.
        Also leaves out what is in `hidden` folders below `prefix`, without a request for it where listings go folder by folder.
        Each of them is shown, after all files, as one Entry with nothing but its path, which ends in "/".
        Asks only for what is free on this remote. `on_folder` is told of each other folder below `prefix`, also of empty
        ones, where the remote has `empty_directories`; this costs no request.
        Raises an error when the listing is incomplete: a short listing is never taken for the whole. PartialListingError, after
        the last file, says that only the folders it names could not be listed, because a right is missing. TooManyFilesError: the
        remote has shown more than `at_most` files, those that are left out included, and is asked for no more. Bucket remotes do
        not distinguish a missing prefix from an empty one; others raise NotFoundError for a missing directory.
        """

    @abstractmethod
    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """Carry out the calls, at most `concurrency` at a time, in any order; results in the order of the calls.

        An item's failure is its result and does not stop the others; only a failure of the batch itself is raised. When the run
        is stopped meanwhile, transfers that have not begun are NotStartedErrors.
        """

    @abstractmethod
    def naming(self) -> Naming:
        """How this storage gives names; the same answer as long as the object lives.

        The first call may write, replace and delete files of ours below OWN_DIRECTORY, to see what the server does. Ask only
        before changes. Raises TransientError, RateLimitError and AuthError when the server could not be asked.
        """

    @abstractmethod
    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """Lower-case hex. With `download` the whole file is read if need be. None where the remote has no hash of that type.

        Raises NotFoundError, and UnsupportedError for a type that the remote never has (unless `download`).
        """

    @abstractmethod
    def read(self, path: str) -> Iterator[bytes]:
        """The content in blocks. Raises NotFoundError."""

    @abstractmethod
    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; fewer only where the file ends. One request. Raises NotFoundError."""

    @abstractmethod
    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Create or replace the file, parents included."""

    @abstractmethod
    def make_directory(self, path: str) -> None:
        """Make a directory and its parents; nothing where the remote has no directories."""

    @abstractmethod
    def remove_directory(self, path: str, *, seen: bool = False, holding: Collection[str] | None = None) -> bool:
        """Remove one directory if it is empty. False when it is not empty or does not exist.

        `seen`: `entries` has just shown that it is empty, so that no link is in it. `holding`: the names that `entries` has shown
        there within the last second, and nothing else; they go along. Where a trash keeps what a directory holds, the storage
        does not look again then; elsewhere it means nothing.

        With `Capabilities.rmdir_is_recursive`, whatever is added meanwhile or was left out of the listing is deleted for good.
        """

    @abstractmethod
    def entries(self, path: str) -> Sequence[str] | None:
        """Names of everything directly in a directory, directories with a trailing "/". None when it does not exist."""

    @abstractmethod
    def quota(self) -> Quota | None:
        """None where the remote does not report it."""

    # Derived.

    def forget_folders(self, *, keep_s: float = 0.0) -> None:
        """Make the next calls look up all folders again, from the root, unless that was done within the last `keep_s` seconds.

        Some remotes (Google Drive) know folders by ids, and rclone remembers these: a path then leads into a folder that another
        program has renamed or trashed since. Afterwards each folder costs a request again. Elsewhere it does nothing.
        """

    @property
    def links_left_out(self) -> int:
        """How many links the last finished `list` did not follow, where the remote tells; shortcuts are links."""

    @property
    def undecryptable(self) -> Sequence[str]:
        """What the last finished `list` left out because a crypt cannot decrypt its name: the encrypted paths below the location.

        Without hidden files and what desktops leave everywhere. A `list` of the whole location raises SafetyLimitError where the
        crypt can decrypt nothing.
        """

    def links(self, path: str, among: Collection[str]) -> Mapping[str, bool]:
        """Those of the names that are in a directory -> whether it is a link, which listings leave out; shortcuts are links.

        Empty where the remote does not tell, as disks of this machine: look at the path itself. Two requests; one for names that
        are not there.
        """

    def stat(self, path: str) -> Entry | None:
        """The file at `path`, None when it does not exist (a directory is not a file)."""

    def exists(self, path: str) -> bool:
        """Whether a file lies at `path`."""

    def namesakes(self, paths: Sequence[str]) -> Mapping[str, Sequence[Entry] | OrchestratorError]:
        """Path -> every file called so, or the error of the look. More than one only with `Capabilities.duplicate_names`.

        With these, a folder called so is there as well, as an Entry whose path ends with a "/".
        """

    def files_below(self, folders: Collection[str]) -> Mapping[str, Sequence[Entry] | None]:
        """Folder -> every file in it and below, or None if it does not exist. For albums: all of it is held in memory.

        A file that is seen there instead is shown itself.
        What listings leave out is there, or named by the folder that holds it; only links are left out.
        """

    def size(self, path: str) -> int | None:
        """Bytes. Raises NotFoundError."""

    def mtime(self, path: str) -> int | None:
        """Nanoseconds since 1970, UTC; may cost a request where listings do not give it. Raises NotFoundError."""

    def copy(self, src: str, dst: str) -> None:
        """Copy within this storage. Raises NotFoundError, and DestinationExistsError when `dst` exists.

        It looks at `dst` once, before. To be safe from what other programs do during the copy, copy to a name of your own below
        OWN_DIRECTORY, and use GiveCall.
        """

    def move(self, src: str, dst: str) -> None:
        """Rename within this storage (copy and delete where it cannot). Errors as for `copy`."""

    def delete(self, path: str) -> None:
        """Delete one file. Raises NotFoundError."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """`read_range` of each (offset, length), in ascending order; at the same time or in fewer requests where possible."""

    def reading(self, piece: int, *, files: int, listed: int | None = None) -> AbstractContextManager[None]:
        """While this is open, `read_range` and `read_ranges` may rely on their first look into a directory.

        Use it right after a listing, to read parts of up to about `piece` bytes from about so many `files`, while this program
        changes nothing there. `listed` is how many files there are; None: unknown. One at a time.
        """

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """Download a whole file to this machine: of several files with that name the one with this id.

        Raises NotFoundError, and UnsupportedError where several files cannot have one name.
        """

    def move_directory(self, src: str, dst: str, *, seen: bool = False) -> None:
        """Rename a directory and everything in it, listed or not, in one change on the server; not the root, not into itself.

        It never merges: where anything lies at `dst`, even an empty directory, it raises DestinationExistsError and changes
        nothing. `seen`: the caller has just seen a directory at `src`, so no more is asked than the server does by itself: a
        file that has replaced the directory since may be renamed (Dropbox), and a file at `dst` share the name (Google Drive).
        Raises NotFoundError, and UnsupportedError where directories cannot be renamed (see `Capabilities.directory_move`). After
        any other error only a look shows whether it was done.
        """

    def close(self) -> None:
        """Give back connections. The storage is not used afterwards."""
