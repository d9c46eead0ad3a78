"""Read the tags of many files at once, and the playlists and cue sheets among them."""

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
    RateLimitError,
    RemoteError,
    TransientError,
)
from orchestrator.paths import split_path
from orchestrator.plan.companions.playlists.formats import is_list
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage
from orchestrator.tags.album_hints import AlbumHints
from orchestrator.tags.policy import Policy
from orchestrator.tags.reader import read_track
from orchestrator.tags.trace import Trace
from orchestrator.track import Reading

_JOIN_S = 5.0
"""How long a reader that waits for the network may hold up the end of an abandoned scan."""

_LOOK_UP_S = 0.25
"""How long a signal may go unnoticed while every reader waits for the network."""

_LONGEST_RUN = 16
"""So many files of an album at most are read by one reader, one after the other."""

GIVE_UP_AFTER: Final = 12
"""So many files in a row lost to the network, each after its own retries, and the remote counts as unreachable."""


class ReadResult(msgspec.Struct, frozen=True):
    """What became of one file: a reading, a list's content, or the error that stood in its way."""

    unread: Unread
    reading: Reading | None = None
    content: bytes | None = None
    error: RemoteError | None = None

    @property
    def vanished(self) -> bool:
        """Whether the file was gone when its turn came."""
        return isinstance(self.error, NotFoundError)


class Readers:
    """`count` threads that read `files` from `storage`. A context manager; leaving it early abandons what is left.

    Iterating gives the outcomes as they come. It raises AuthError at the first refusal, the last network error once the remote
    seems gone, whatever else went wrong in a reader, and InterruptedRunError when `stop` is set.
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
        """`waiting` is how many `files` there are, about: one thread reads an album's files where that leaves no other idle."""
        self._storage = storage
        self._runs = albums(files, waiting if policy.most_at_first else 0, count)
        self._policy = policy
        self._stop = stop
        self._abandoned = threading.Event()
        self._next = threading.Lock()
        # Unbounded, for the bounded one costs a tenth of the speed: storing a reading is far quicker than making it.
        self._outcomes: queue.SimpleQueue[ReadResult | BaseException | None] = queue.SimpleQueue()
        # Daemons: a reader that hangs in the network must not keep the program alive after Ctrl-C.
        self._threads = [threading.Thread(target=self._work, name=f"tags-{number}", daemon=True) for number in range(count)]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._abandoned.set()
        deadline = monotonic() + _JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def __iter__(self) -> Iterator[ReadResult]:
        working = len(self._threads)
        lost_in_a_row = 0
        while working:
            if self._stop is not None and self._stop.is_set():
                raise InterruptedRunError("interrupted while reading tags; what was read is kept")
            try:
                outcome = self._outcomes.get(timeout=_LOOK_UP_S)
            except queue.Empty:
                continue
            if outcome is None:
                working -= 1
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            lost_in_a_row = lost_in_a_row + 1 if isinstance(outcome.error, (TransientError, RateLimitError)) else 0
            yield outcome
            if lost_in_a_row >= GIVE_UP_AFTER and outcome.error is not None:
                raise outcome.error

    def _work(self) -> None:
        try:
            while not self._abandoned.is_set():
                with self._next:
                    run = next(self._runs, ())
                if not run:
                    break
                album = AlbumHints()
                for unread in run:
                    if not self._abandoned.is_set():
                        self._outcomes.put(self._read(unread, album))
        except BaseException as error:  # whatever it is, the scan's own thread raises it
            self._outcomes.put(error)
        finally:
            self._outcomes.put(None)

    def _read(self, unread: Unread, album: AlbumHints) -> ReadResult:
        try:
            if is_list(unread.entry.path):
                return ReadResult(unread, content=read_list(self._storage, unread.entry))
            if unread.by_id:
                return ReadResult(unread, read_by_id(self._storage, unread.entry, self._policy))
            return ReadResult(unread, read_entry(self._storage, unread.entry, self._policy, album=album))
        except AuthError:
            raise
        except RemoteError as error:
            return ReadResult(unread, error=error)


def albums(files: Iterator[Unread], waiting: int, readers: int) -> Iterator[Sequence[Unread]]:
    """`files` in runs of one folder and format: long ones save requests, ever shorter ones keep all readers busy to the end."""
    run: list[Unread] = []
    left = waiting
    for unread in files:
        if run and (len(run) >= min(_LONGEST_RUN, left // (2 * readers)) or _album(unread) != _album(run[0])):
            yield run
            left -= len(run)
            run = []
        run.append(unread)
    if run:
        yield run


def _album(unread: Unread) -> tuple[str, str]:
    folder, name = split_path(unread.entry.path)
    return folder, name.rpartition(".")[2].lower()


def read_entry(
    storage: Storage, entry: Entry, policy: Policy, trace: Trace | None = None, album: AlbumHints | None = None
) -> Reading:
    """What the listed file says of itself. Raises the storage's error, RemoteError where it does not tell the size."""
    path = entry.path
    if entry.size is None:
        raise RemoteError("the remote does not tell its size", path=path)

    def read_range(offset: int, length: int) -> bytes:
        return storage.read_range(path, offset, length)

    def read_ranges(ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        return storage.read_ranges(path, ranges)

    return read_track(path, entry.size, read_range, policy, trace, read_ranges=read_ranges, album=album)


def read_list(storage: Storage, entry: Entry) -> bytes:
    """What a listed playlist or cue sheet holds. Raises the storage's error, RemoteError where it is not as it was listed."""
    content = storage.read_range(entry.path, 0, entry.size) if entry.size else b""
    if len(content) != entry.size:
        raise RemoteError("it has changed since it was listed", path=entry.path)
    return content


def read_by_id(storage: Storage, entry: Entry, policy: Policy) -> Reading:
    """The same of one of several files of a name: brought here as a whole, for no remote gives parts of a file by its id."""
    with tempfile.TemporaryDirectory(prefix="music-orchestrator-") as directory:
        file = Path(directory, "content")
        storage.fetch(entry.path, entry.id or "", file)
        with file.open("rb") as content:

            def read_range(offset: int, length: int) -> bytes:
                return os.pread(content.fileno(), length, offset)

            reading = read_track(entry.path, file.stat().st_size, read_range, policy)
    return msgspec.structs.replace(reading, requests=1, bytes_read=entry.size or 0)


def reader_count(storage: Storage, wanted: int | None) -> int:
    """How many files to read at once, where nobody said.

    A local disk answers at once, so more readers only take turns. Object stores are built for many requests at a time, and each
    range costs two round trips there: at 40 ms a round trip, on two cores, 64 readers get 280 files a second, 128 get 350. Others
    would count so many connections as an attack, or allow no more.
    """
    if wanted is not None:
        return max(1, wanted)
    if storage.capabilities.local:
        return 4
    return 16 if storage.capabilities.empty_directories else 128
