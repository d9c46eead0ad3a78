"""Lists a remote with a streaming `rclone lsjson`: memory stays constant, whatever the size.

The location goes into the environment, as an alias remote; the command line holds only constants. A listing counts only when it
is complete: output without the closing bracket, or an exit code other than 0, is an error, never a short listing.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO

import msgspec

from orchestrator.errors import TooManyFilesError, TransientError, UsageError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders, innermost_foreign_folder
from orchestrator.paths import is_ours, join_path, own_directory_of
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.capabilities import SERVER_MTIME_PRECISION_NS
from orchestrator.rclone.daemon import READING_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.listing_log import (
    FLAGS,
    NAME_EXCLUDED,
    excluded_folders,
    failure,
    lines_that_end_in,
    undecryptable_names,
)
from orchestrator.rclone.rc_bodies import as_folder, split_root
from orchestrator.rclone.supervisor import Supervised, Watched
from orchestrator.records import OWN_DIRECTORY, Entry

MAX_DEPTH = 64
"""How many folders a file may lie in on a remote. Servers that follow links (WebDAV, SMB, FTP) do not show them as such, so a
link to a folder above it would never end."""
_MAX_SAME_NAME = 10
"""How often one name may occur in a path: two such links in one folder make 2^10 folders until then, and 2^64 until MAX_DEPTH."""
_REMOTE = "MOLIST"
_NO_HASHES: dict[str, str] = {}
_END = b"]\n"
_PIPE = 1 << 20
_PAUSE_S = 0.002
_LINK = "Can't follow symlink without -L/--copy-links"


_FEW_LISTERS = "--checkers=4"
"""Where Google Drive is listed as a whole, each of these asks for up to 50 folders at once, but only for those that wait: with 8,
ten folders were ten requests. Four are as many as rclone's pace for Drive allows, at 0.4 s a request."""


class Row(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    """One file as `lsjson` and `operations/stat` show it."""

    path: str
    size: int = -1
    mod_time: str = ""
    hashes: dict[str, str] | None = None
    id: str | None = msgspec.field(default=None, name="ID")
    is_dir: bool = False
    tier: str = ""

    def entry(self, precision_ns: int = 1) -> Entry:
        """The file as an Entry, its time cut to `precision_ns`."""
        mtime_ns = nanoseconds(self.mod_time) if self.mod_time else None
        return Entry(
            self.path,
            self.size if self.size >= 0 else None,
            mtime_ns - mtime_ns % precision_ns if mtime_ns is not None else None,
            {kind: value for kind, value in self.hashes.items() if value} if self.hashes else _NO_HASHES,
            self.id or None,
        )


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to list, and which facts to ask for."""

    fs: str
    mtime: bool = True
    server_mtime: bool = False
    """The upload time instead of rclone's own modification time."""
    hashes: Sequence[str] = ()
    opening: str = "first"
    """How to open it (see `Profile.opening`)."""
    flat: bool = False
    """The remote lists a whole tree at once. With a filter, rclone would list it directory by directory instead."""
    prefix: str = ""
    """Where `fs` lies in its location; "" for its root, whose OWN_DIRECTORY is left out."""
    hidden: HiddenFolders = ALL_HIDDEN
    """The folders of other programs that are left out."""
    bounded: bool = False
    """Refuse paths that only a link to a folder above it explains."""
    per_second: float = math.inf
    """How many requests to send a second."""
    on_folder: Callable[[str], None] | None = None
    """Is told of each folder that is not left out, by its path in the location."""
    shallow: bool = False
    """List only what is directly there. Then nothing is left out."""
    on_undecryptable: Callable[[str], None] | None = None
    """Is told at the end of each name that a crypt could not decrypt: its encrypted path, from where the listing began."""
    at_most: int | None = None
    """So many files may be shown, those that are left out included: then the listing breaks off with TooManyFilesError."""
    archived_tiers: Collection[str] = ()
    on_archived: Callable[[str, str], None] | None = None
    """Is told of each file in one of these storage classes, and in which."""

    @property
    def pace(self) -> Sequence[str]:
        """The flags for `per_second`."""
        return (f"--tpslimit={self.per_second:.2f}", "--tpslimit-burst=1") if self.per_second < math.inf else ()

    @property
    def opened(self) -> str:
        """What rclone is to open."""
        if self.opening == "in-combine":
            return as_folder(*split_root(self.fs))
        return f"{self.fs}/" if self.opening == "slash" and not self.fs.endswith((":", "/")) else self.fs

    def note_tier(self, row: Row) -> None:
        """Report a file that is archived."""
        if row.tier in self.archived_tiers and self.on_archived is not None:
            self.on_archived(row.path, row.tier)

    def count(self, rows: Sequence[Row], shown: int) -> int:
        """How many files were shown, with these. Raises TooManyFilesError for more than `at_most`."""
        if self.at_most is None:
            return 0
        shown += sum(not row.is_dir for row in rows)
        if shown > self.at_most:
            raise TooManyFilesError(f"{self.fs}: it holds more than {self.at_most} files", path=self.prefix)
        return shown

    def note_undecryptable(self, log: IO[bytes]) -> None:
        """Report the names that could not be decrypted, by the log of the listing."""
        if self.on_undecryptable is not None:
            for path in undecryptable_names(log):
                self.on_undecryptable(path)

    @property
    def shows_own(self) -> bool:
        """Whether the request is for files of ours: then nothing is left out, see `Storage.list`."""
        return self.shallow or is_ours(self.prefix)

    @property
    def filtered(self) -> bool:
        """Whether rclone leaves folders out, which costs no request for what is in them, and shows directories."""
        return not (self.flat or self.shows_own)


def arguments(request: ListRequest) -> list[str]:
    """The arguments for rclone: only constants and names of hash types."""
    flags = ["lsjson", "--no-mimetype", *READING_FLAGS, *FLAGS]
    flags += request.pace
    if not request.shallow:
        flags.append("--recursive")
    if request.flat:
        flags.append(_FEW_LISTERS)
    if not request.mtime:
        flags.append("--no-modtime")
    if request.server_mtime:
        flags.append("--use-server-modtime")
    if request.hashes:
        flags += ["--hash", *(f"--hash-type={name}" for name in request.hashes)]
    if not request.filtered:
        if request.on_folder is None:
            flags.append("--files-only")
    elif not request.prefix:
        flags.append(f"--exclude=/{OWN_DIRECTORY}/**")
    if request.filtered:
        own = f"{OWN_DIRECTORY}/*"  # further down: the directory is shown, and nothing below it is listed
        # One pattern for all: each one more is matched against every name. A regular expression would be, but prunes nothing.
        # Sorted, because rclone compares equal beginnings of neighbors once: this takes a quarter off its listing of a disk.
        names = ",".join(sorted([own, *request.hidden.names()], key=str.lower))
        flags += ["--ignore-case", f"--exclude={{{names}}}/**", *NAME_EXCLUDED]
    return [*flags, f"{_REMOTE}:"]


def list_files(
    binary: Binary,
    environment: Mapping[str, str],
    request: ListRequest,
    links: Callable[[int], None] | None = None,
    running: Watched = nullcontext,
) -> Generator[Entry]:
    """Every file below the location. Raises the typed error if the listing fails, at the latest after the last file.

    PartialListingError, after the last file, when only some folders may not be listed.

    At its end, `links` is told how many links were not followed, as far as rclone says. Raises UsageError at once for a path
    that leads in circles. `running` is entered with the process of rclone while that runs.
    """
    variables = {**environment, **remote_variables(_REMOTE, {"type": "alias", "remote": request.opened})}
    with (
        tempfile.TemporaryFile() as log,
        Supervised((str(binary.path), *arguments(request)), variables, stdout=subprocess.PIPE, stderr=log) as lister,
        running(lister),
    ):
        stream = lister.process.stdout
        assert stream is not None  # noqa: S101 because we asked for a pipe
        complete = False
        left_out, bounded = _LeftOut(request), request.bounded
        precision_ns = SERVER_MTIME_PRECISION_NS if request.server_mtime else 1
        decode = msgspec.json.Decoder(list[Row]).decode
        shown = 0
        try:
            for lines in _whole_lines(stream):
                complete = lines.endswith(_END)
                rows = lines.removeprefix(b"[").removesuffix(_END).strip(b",\n")
                decoded = decode(b"[%b]" % rows)
                shown = request.count(decoded, shown)
                for row in decoded:
                    if left_out.covers(row.path):
                        continue
                    if bounded:
                        _check_depth(request.fs, row.path)
                    if not row.is_dir:
                        request.note_tier(row)
                        yield row.entry(precision_ns)
                    elif request.on_folder is not None and not left_out.is_folder(row.path):
                        request.on_folder(join_path(request.prefix, row.path))
        except msgspec.DecodeError as error:
            lister.close()
            raise failure(request.fs, 0, log, complete=False) or TransientError(
                f"{request.fs}: the listing is damaged"
            ) from error
        code = lister.wait()
        request.note_undecryptable(log)
        yield from left_out.folders(log)
        if code != 0 or not complete:
            raise failure(request.fs, code, log, complete=complete) or TransientError(
                f"{request.fs}: the listing ended early (exit {code})"
            )
        if links is not None:
            links(lines_that_end_in(log, _LINK))


class _LeftOut:
    """What one listing leaves out: the files in folders of ours and of other programs. Only the folders are shown."""

    def __init__(self, request: ListRequest) -> None:
        self._request = request
        self._own: set[str] = set()
        self._foreign: set[str] = set()
        self._hide = not request.shows_own
        self._folder_of = request.hidden.folder_of
        self._ordinary = ""
        """The last directory that lies in no such folder, with a "/": most listings show its files one after the other."""

    def covers(self, path: str) -> bool:
        """Whether this is such a file; its folder is noted."""
        if not self._hide:
            return False
        if OWN_DIRECTORY in path and (own := own_directory_of(path)) is not None:
            self._own.add(own)
            return True
        directory = path[: path.rfind("/") + 1]
        if directory == self._ordinary:
            return False
        folder = self._folder_of(path)
        if folder is not None:
            self._foreign.add(folder)
        elif innermost_foreign_folder(path) is None:
            self._ordinary = directory
        return folder is not None

    def is_folder(self, path: str) -> bool:
        """Whether this is such a folder."""
        return self._hide and (is_ours(path) or self._folder_of(f"{path}/_") is not None)

    def folders(self, log: IO[bytes]) -> Iterator[Entry]:
        """The folders, as `Storage.list` shows them. The log of the listing names those that rclone left out."""
        if self._request.filtered:
            hidden = (self._folder_of(f"{folder}/_") for folder in excluded_folders(log))
            self._foreign.update(folder for folder in hidden if folder is not None)
        if not self._request.prefix:
            self._own.discard(OWN_DIRECTORY)
        yield from map(Entry, sorted(self._own))
        yield from (Entry(f"{folder}/") for folder in sorted(self._foreign))


def _check_depth(fs: str, path: str) -> None:
    """Raise UsageError for a path that can only come from a link to a folder above it."""
    if path.count("/") < _MAX_SAME_NAME:
        return
    parts = path.split("/")
    if len(parts) > MAX_DEPTH or max(Counter(parts).values()) > _MAX_SAME_NAME:
        raise UsageError(
            f"{fs}: {path[:120]}...: more than {MAX_DEPTH} folders deep, or in circles: the server seems to follow a link to a "
            "folder above it. Remove that link on the server",
            path=path,
        )


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The content of the pipe, in blocks of whole lines."""
    descriptor = stream.fileno()
    with contextlib.suppress(OSError, AttributeError):  # not allowed, or not Linux: then the pipe stays small
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
    pending = b""
    while block := os.read(descriptor, _PIPE):
        head, newline, tail = block.rpartition(b"\n")
        if newline:
            yield pending + head + newline
            pending = tail
        else:
            pending += tail
        if len(block) < _PIPE // 16:
            # rclone writes line by line. Waking up for each line costs a fifth of the time of a fast listing.
            time.sleep(_PAUSE_S)
    if pending:
        yield pending


def nanoseconds(text: str) -> int:
    """RFC 3339 as Go writes it, with up to nine decimals, as nanoseconds since 1970 in UTC."""
    digits = text[19:].rstrip("Z")
    offset = 0
    if digits[-6:-5] in {"+", "-"}:  # "+01:00"; "Z" with TZ=UTC
        offset = (int(digits[-5:-3]) * 3600 + int(digits[-2:]) * 60) * (1 if digits[-6] == "+" else -1)
        digits = digits[:-6]
    return (_second(text[:19]) - offset) * 1_000_000_000 + (int(digits[1:].ljust(9, "0")) if digits else 0)


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    """Cached, because the files of an album share a few seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
