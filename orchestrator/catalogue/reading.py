"""Read many files at once: the tags of audio files, the content of playlists and cue sheets."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from orchestrator.catalogue.rows import Unread
from orchestrator.errors import (
    AuthError,
    InterruptedRunError,
    NotFoundError,
    OutageError,
    RateLimitError,
    RemoteError,
    TransientError,
)
from orchestrator.heap import share_one_heap
from orchestrator.paths import split_path
from orchestrator.plan.companions.playlists.formats import may_be_list
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage
from orchestrator.tags.album_hints import AlbumHints
from orchestrator.tags.policy import Policy
from orchestrator.tags.reader import read_track
from orchestrator.tags.trace import Trace
from orchestrator.track import Reading

_JOIN_S = 5.0
"""How long an abandoned scan waits for readers that wait for the network."""

_INTERRUPTED_JOIN_S = 0.3
"""The same when a person waits for it to end."""

_CHECK_STOP_S = 0.25
"""How long a signal may go unnoticed while all readers wait for the network."""

_LONGEST_GROUP = 16
"""One reader reads at most so many files of an album in sequence."""

GIVE_UP_AFTER: Final = 12
"""After so many network failures in a row, each after its own retries, the remote counts as unreachable."""


class OutageWatch:
    """Notices that a remote is unreachable, so that not every file has to fail after its own retries."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def note(self, error: RemoteError | None) -> None:
        """The result of reading one file. Raises the error in an outage, and after GIVE_UP_AFTER network failures in a row."""
        self._in_a_row = self._in_a_row + 1 if isinstance(error, (TransientError, RateLimitError)) else 0
        if error is not None and (self._in_a_row >= GIVE_UP_AFTER or isinstance(error, OutageError)):
            raise error


class ReadResult(msgspec.Struct, frozen=True):
    """The result for one file: a reading, the content of a playlist or cue sheet, or an error."""

    unread: Unread
    reading: Reading | None = None
    content: bytes | None = None
    error: RemoteError | None = None

    @property
    def vanished(self) -> bool:
        """Whether the file was gone when it was read."""
        return isinstance(self.error, NotFoundError)


class Readers:
    """`count` threads that read `files` from `storage`. A context manager; leaving it early abandons the remaining files.

    Iterating returns results as they come. It raises AuthError at the first refusal, the last network error when the remote
    seems unreachable, any other error of a reader, and InterruptedRunError when `stop` is set.
    """

    def __init__(
        self,
        storage: Storage,
        files: Iterator[Unread],
        policy: Policy,
        count: int,
        stop: threading.Event | None = None,
        *,
        waiting: int = 0,
    ) -> None:
        """`waiting` is about how many `files` there are: one thread reads the files of an album unless others would be idle."""
        self._storage = storage
        self._groups = album_groups(files, waiting if policy.most_at_first else 0, count)
        self._policy = policy
        self._stop = stop
        self._abandoned = threading.Event()
        self._next = threading.Lock()
        # Unbounded: a bounded queue costs a tenth of the speed, and saving a reading is far faster than making it.
        self._results: queue.SimpleQueue[ReadResult | BaseException | None] = queue.SimpleQueue()
        # Daemon threads: a reader that hangs in the network must not keep the program alive after Ctrl-C.
        self._threads = [threading.Thread(target=self._work, name=f"tags-{number}", daemon=True) for number in range(count)]

    def __enter__(self) -> Readers:
        share_one_heap()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._abandoned.set()
        interrupted = kind is not None and issubclass(kind, InterruptedRunError)
        deadline = monotonic() + (_INTERRUPTED_JOIN_S if interrupted else _JOIN_S)
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def __iter__(self) -> Iterator[ReadResult]:
        working = len(self._threads)
        watch = OutageWatch()
        while working:
            if self._stop is not None and self._stop.is_set():
                raise InterruptedRunError("interrupted while reading tags; what was read is kept")
            try:
                outcome = self._results.get(timeout=_CHECK_STOP_S)
            except queue.Empty:
                continue
            if outcome is None:
                working -= 1
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
            watch.note(outcome.error)

    def _work(self) -> None:
        try:
            while not self._abandoned.is_set():
                with self._next:
                    group = next(self._groups, ())
                if not group:
                    break
                album = AlbumHints()
                for unread in group:
                    if not self._abandoned.is_set():
                        self._results.put(self._read(unread, album))
        except BaseException as error:  # the thread that iterates raises it
            self._results.put(error)
        finally:
            self._results.put(None)

    def _read(self, unread: Unread, album: AlbumHints) -> ReadResult:
        try:
            if may_be_list(unread.entry.path):
                return ReadResult(unread, content=read_list(self._storage, unread.entry))
            if unread.by_id:
                return ReadResult(unread, read_by_id(self._storage, unread.entry, self._policy))
            return ReadResult(unread, read_entry(self._storage, unread.entry, self._policy, album=album))
        except AuthError:
            raise
        except RemoteError as error:
            return ReadResult(unread, error=error)


def album_groups(files: Iterator[Unread], waiting: int, readers: int) -> Iterator[Sequence[Unread]]:
    """`files` in groups of one folder and format: long groups save requests, shorter ones at the end keep all readers busy."""
    group: list[Unread] = []
    left = waiting
    for unread in files:
        if group and (len(group) >= min(_LONGEST_GROUP, left // (2 * readers)) or _album(unread) != _album(group[0])):
            yield group
            left -= len(group)
            group = []
        group.append(unread)
    if group:
        yield group


def _album(unread: Unread) -> tuple[str, str]:
    folder, name = split_path(unread.entry.path)
    return folder, name.rpartition(".")[2].lower()


def read_entry(
    storage: Storage, entry: Entry, policy: Policy, trace: Trace | None = None, album: AlbumHints | None = None
) -> Reading:
    """The reading of a listed file. Raises the storage's error, and RemoteError where the size is unknown."""
    path = entry.path
    if entry.size is None:
        raise RemoteError("the remote does not report its size", path=path)

    def read_range(offset: int, length: int) -> bytes:
        return storage.read_range(path, offset, length)

    def read_ranges(ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        return storage.read_ranges(path, ranges)

    return read_track(path, entry.size, read_range, policy, trace, read_ranges=read_ranges, album=album)


def read_list(storage: Storage, entry: Entry) -> bytes:
    """The content of a listed playlist or cue sheet. Raises the storage's error, and RemoteError when it has changed since."""
    content = storage.read_range(entry.path, 0, entry.size) if entry.size else b""
    if len(content) != entry.size:
        raise RemoteError("it has changed since it was listed", path=entry.path)
    return content


def read_by_id(storage: Storage, entry: Entry, policy: Policy) -> Reading:
    """The reading of one of several files with one name. Downloads it whole: no remote gives parts of a file by its id."""
    with tempfile.TemporaryDirectory(prefix="music-orchestrator-") as directory:
        file = Path(directory, "content")
        storage.fetch(entry.path, entry.id or "", file)
        with file.open("rb") as content:

            def read_range(offset: int, length: int) -> bytes:
                return os.pread(content.fileno(), length, offset)

            reading = read_track(entry.path, file.stat().st_size, read_range, policy)
    return msgspec.structs.replace(reading, requests=1, bytes_read=entry.size or 0)


def reader_count(storage: Storage, wanted: int | None) -> int:
    """How many files to read at once: as many as `wanted`, otherwise by the kind of storage.

    A local disk answers at once, so more readers only take turns. Object stores are built for many requests at a time, and each
    range costs two round trips there: at 40 ms per round trip, on two cores, 64 readers read 280 files a second, 128 read 350.
    Other servers may refuse so many connections, or take them for an attack.
    """
    if wanted is not None:
        return max(1, wanted)
    if storage.capabilities.local:
        return 4
    return 16 if storage.capabilities.empty_directories else 128
