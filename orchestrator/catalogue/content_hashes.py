"""Hashes of files that have the same size, where a listing gives none: equal bytes are found on a disk as well.

Only files that another file equals in size are read, each once: the hash is kept for as long as the file does not change. What
names one file several times (hard links, mounts) is one file.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from orchestrator.catalogue.content_stamps import identity_and_stamp
from orchestrator.catalogue.kept_reads import KeptReads
from orchestrator.catalogue.reading import OutageWatch
from orchestrator.catalogue.store import Catalogue
from orchestrator.catalogue.threads import in_threads
from orchestrator.errors import AuthError, InterruptedRunError, RemoteError
from orchestrator.paths import is_ours, is_rclone_debris, path_problem
from orchestrator.progress import Progress
from orchestrator.records import WEAK_HASHES, Entry, Item
from orchestrator.storage.protocol import Storage
from orchestrator.tags.formats import is_audio
from orchestrator.track import Status

LOCAL_HASH = "sha256"
"""Computed where no other file of that size has a hash already."""


def hash_type_beside(storage: Storage, other: Storage) -> str:
    """The hash to compute of a file to compare it with those of another location: one that either lists, if any does."""
    return (*other.capabilities.hashes, *storage.capabilities.hashes, LOCAL_HASH)[0]


_AT_A_TIME = {True: 4, False: 8}
"""Files that are read at the same time: on a disk, and on remotes."""


class ReadFailure(NamedTuple):
    """A file that could not be read."""

    fs: str
    path: str
    error: RemoteError


class HashedSide(msgspec.Struct, frozen=True):
    """The files of one location, and the storage to read them from."""

    storage: Storage
    items: Sequence[Item]


@dataclass(slots=True, eq=False)
class _File:
    """One file of a size that others have, too."""

    side: int
    storage: Storage
    entry: Entry
    one_file: str | None = None
    """Device and inode, on this machine's disks."""
    stamp: str | None = None
    """Changes whenever the content may have changed; None: the hash cannot be kept."""
    missing: tuple[str, ...] = ()
    """The types of hash to be computed."""
    hashes: dict[str, str] = field(default_factory=dict)
    """Those that were computed."""


def _may_be_duplicate(item: Item) -> bool:
    """Whether a file is music that may equal other music: unreadable and suspect files do not."""
    reading = item.reading
    doubtful = reading is not None and (reading.status is Status.UNREADABLE or reading.suspect is not None)
    return is_audio(item.entry.path) and not doubtful


class EqualSizes:
    """The files of equal size in the compared locations, by default all audio files, and the hashes that they lack."""

    def __init__(
        self,
        sides: Sequence[HashedSide],
        catalogue: Catalogue,
        *,
        download: bool,
        of: Callable[[Item], bool] = _may_be_duplicate,
        reads: KeptReads | None = None,
    ) -> None:
        """`download`: hash files on remotes as well, which downloads them whole. `of`: whether to compare a file.

        `reads`: the only earlier reads that count; by default all hashes that were computed for the same content do.
        """
        self._sides = sides
        self._catalogue = catalogue
        self._files: list[_File] = []
        self._same: dict[int, list[_File]] = defaultdict(list)
        """id (of Python) of a file -> the other names of it."""
        for group in _by_size(sides, of):
            self._prepare(group, download=download)
        self._reads = reads
        self._take_known() if reads is None else self._take_kept(reads)

    @property
    def waiting(self) -> list[_File]:
        """The files that have to be read."""
        return [file for file in self._files if file.missing]

    def downloads(self) -> list[tuple[Storage, int]]:
        """The files that have to be downloaded: from where, and their bytes."""
        return [(file.storage, file.entry.size or 0) for file in self.waiting if not file.storage.capabilities.local]

    def compute(
        self, progress: Progress, stop: threading.Event | None = None, *, at_a_time: int | None = None
    ) -> list[ReadFailure]:
        """Read what has to be read, so many files `at_a_time`; returns those that could not be.

        Raises AuthError, the last network error when a remote seems unreachable, and InterruptedRunError when `stop` is set; what
        was hashed before is kept.
        """
        waiting = self.waiting
        if not waiting:
            return []
        progress.stage("comparing files of equal size", len(waiting), at={file.storage.fs for file in waiting})
        failures: list[ReadFailure] = []
        done: list[_File] = []
        watch = OutageWatch()
        try:
            with closing(self._read(waiting, stop, at_a_time)) as results:
                for file, failure in results:
                    watch.note(failure)
                    if failure is None:
                        done.append(file)
                        self._keep(file)
                    else:
                        failures.append(ReadFailure(file.storage.fs, file.entry.path, failure))
                    progress.advance(1, file.entry.size or 0)
        finally:
            self._save(done)
            if self._reads is not None:
                self._reads.save()
        return sorted(failures, key=lambda one: (one.fs, one.path))

    def items(self) -> list[list[Item]]:
        """The files of each side again, with the hashes that are known now."""
        found: dict[tuple[int, str, str | None], _File] = {}
        for file in self._files:
            for name in (file, *self._same[id(file)]):
                name.hashes = file.hashes
                found[name.side, name.entry.path, name.entry.id] = name
        return [
            [_with_hashes(item, found.get((index, item.entry.path, item.entry.id))) for item in side.items]
            for index, side in enumerate(self._sides)
        ]

    # Inside.

    def _prepare(self, group: list[_File], *, download: bool) -> None:
        """Note what the files of one size lack to be compared."""
        names: dict[str, _File] = {}
        distinct = []
        for file in group:
            _look_at_disk(file)
            first = names.setdefault(file.one_file, file) if file.one_file is not None else file
            if first is file:
                distinct.append(file)
            else:
                self._same[id(first)].append(file)
        kinds = Counter(
            kind for file in distinct for kind in file.entry.hashes if kind not in WEAK_HASHES and file.entry.hashes[kind]
        )
        common = max(sorted(kinds), key=kinds.__getitem__, default=LOCAL_HASH)
        for file in distinct:
            if len(distinct) > 1:
                # A file on a disk is compared with each remote by the hash that this one knows.
                wanted = sorted({common, *kinds}) if file.storage.capabilities.local else [common] if download else []
                file.missing = tuple(kind for kind in wanted if not file.entry.hashes.get(kind))
            self._files.append(file)

    def _take_known(self) -> None:
        """Take the hashes that an earlier run has computed."""
        known: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
        for file in self.waiting:
            fs = file.storage.fs
            if fs not in known:
                known[fs] = self._catalogue.digests(fs)
            for kind in file.missing:
                stamp, value = known[fs].get((file.entry.path, kind), ("", ""))
                if value and stamp == file.stamp:
                    file.hashes[kind] = value
            file.missing = tuple(kind for kind in file.missing if kind not in file.hashes)

    def _take_kept(self, reads: KeptReads) -> None:
        """Take the hashes that this work has computed in an earlier call."""
        for file in self.waiting:
            found = {kind: value for kind in file.missing if (value := reads.find(file.storage, file.entry, kind)) is not None}
            file.hashes |= found
            file.missing = tuple(kind for kind in file.missing if kind not in found)

    def _keep(self, file: _File) -> None:
        if self._reads is not None:
            stamp = self._reads.with_stated(file.stamp, file.storage, file.entry)
            for kind in file.missing:
                self._reads.keep(file.storage, file.entry, kind, file.hashes.get(kind), stamp)

    def _read(
        self, waiting: Sequence[_File], stop: threading.Event | None, at_a_time: int | None
    ) -> Generator[tuple[_File, RemoteError | None], None, None]:
        def work(file: _File) -> RemoteError | None:
            if stop is not None and stop.is_set():
                raise InterruptedRunError("interrupted while comparing files; what was read is kept")
            try:
                found = {kind: file.storage.hash(file.entry.path, kind, download=True) for kind in file.missing}
            except AuthError:
                raise
            except RemoteError as error:
                return error
            before, file.stamp = file.stamp, None
            _look_at_disk(file)
            if file.stamp != before:
                return RemoteError("it changed while it was read", path=file.entry.path)
            file.hashes |= {kind: value for kind, value in found.items() if value}
            return None

        at_a_time = at_a_time or _AT_A_TIME[all(file.storage.capabilities.local for file in waiting)]
        with closing(in_threads(waiting, work, at_a_time)) as results:
            yield from results

    def _save(self, files: Iterable[_File]) -> None:
        by_location: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
        for file in files:
            for kind, value in file.hashes.items():
                if file.stamp is not None:
                    by_location[file.storage.fs].append((file.entry.path, kind, file.stamp, value))
        for fs, rows in by_location.items():
            self._catalogue.save_digests(fs, rows)


def _by_size(sides: Sequence[HashedSide], wanted: Callable[[Item], bool]) -> Iterator[list[_File]]:
    """The `wanted` files that others equal in size and that can be compared."""
    by_size: dict[int, list[_File]] = defaultdict(list)
    for index, side in enumerate(sides):
        names = Counter(item.entry.path for item in side.items)
        for item in side.items:
            entry, path = item.entry, item.entry.path
            if not entry.size or item.skipped_because is not None or not wanted(item):
                continue
            if names[path] > 1 and not entry.hashes:
                continue  # a read by this name returns either file
            if path_problem(path) is None and not is_ours(path) and not is_rclone_debris(path):
                by_size[entry.size].append(_File(index, side.storage, entry))
    return (group for group in by_size.values() if len(group) > 1)


def _look_at_disk(file: _File) -> None:
    """Note which file it is and in which state, without reading it."""
    file.one_file, file.stamp = identity_and_stamp(file.storage, file.entry)


def _with_hashes(item: Item, file: _File | None) -> Item:
    if file is None or not (file.hashes or file.one_file):
        return item
    entry = replace(item.entry, hashes={**item.entry.hashes, **file.hashes})
    return replace(item, entry=entry, one_file=file.one_file or item.one_file)
