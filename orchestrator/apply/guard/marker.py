"""An advisory marker at a location, `.music-orchestrator/run.json`, which shows other machines that a run is in progress.

It also shows it to runs of this machine that reach the folder in another way: over a server of this machine, by a mount, from a
folder around it. It is not a lock: two runs that start at the same moment do not see each other, nor do two machines whose clocks
differ by more than FRESH_S. It costs a look, a write and a delete for each run and location, a look for each folder above, and a
write every minute.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import combinations

import msgspec

from orchestrator.apply.folder_look import FolderLook
from orchestrator.apply.guard.lock import ProcessInfo, is_dead, this_process
from orchestrator.apply.guard.surroundings import MARKER, MARKER_NAME, Spot, Surroundings
from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.errors import (
    InterruptedRunError,
    LockedError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    RemoteError,
    UsageError,
)
from orchestrator.paths import parent_of
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import DeleteCall, StatCall, Storage

# docs/commands.md and docs/reliability.md name the ten minutes, and docs/reliability.md the minute between heartbeats, too.
FRESH_S = 600.0
"""A run without a heartbeat for this long counts as dead."""

_BEAT_S = 60.0
_MAX_BYTES = 4096
_LONGEST_WAIT_S = 10.0
"""How long the end of a run waits for a heartbeat that is being written."""


class Mark(msgspec.Struct, frozen=True):
    """The content of the marker. Times are seconds since 1970, UTC, by the clock of `host`."""

    host: str
    run: str
    start: float
    heartbeat: float
    process: ProcessInfo | None = None


class Markers:
    """The markers of one run at the locations that it changes."""

    def __init__(
        self,
        locations: Iterable[Surroundings],
        *,
        is_ours: Callable[[str], bool] = lambda _run_id: False,
        host: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_ours` says whether a run is in our own journal: none of these is in progress except this one."""
        self._locations = list(locations)
        self._spots = [spot for location in self._locations for spot in location.own]
        self._is_ours = is_ours
        self._host = host or socket.gethostname()
        self._clock = clock
        self._mark: Mark | None = None
        self.seen_in_own: dict[str, FolderLook] = {}
        """Location -> what the end of the run has seen in our folder there."""
        self._without_own: set[str] = set()
        """The locations that had no folder of ours when the run began: all that is in it now came since."""
        self.left: list[Spot] = []
        """Where a marker could not be deleted when the run ended. It says that the run has ended."""
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._keep_beating, name="marker", daemon=True)

    def check(self) -> None:
        """Raise LockedError if another run is in progress at one of the locations, around it or in it. Changes nothing."""
        for location in self._locations:
            for spot, mark in (*((spot, self._read_own(spot)) for spot in location.own), *_read_others(location.others)):
                if mark is None or abs(self._clock() - mark.heartbeat) >= FRESH_S:
                    continue
                here = mark.host == self._host
                if not here or not self._is_left_over(mark):
                    who = mark.process.describe() if here and mark.process is not None else f"the machine {mark.host}"
                    raise LockedError(
                        f"{spot.location}: {who} has a run in progress there ({mark.run}): "
                        "wait for it, or use --ignore-marker if it has ended"
                    )

    def prove_apart(self, surroundings: Mapping[str, Surroundings]) -> None:
        """Raise UsageError if two of these locations (by their names) are one folder, or one is in the other.

        Names were compared before. What else may be one folder (a disk and a server that serves it, a link on a server, names
        that differ in case) only shows when a marker that was written under one name is seen under the other.
        """
        if not any(one.may_be(other) for one, other in combinations(surroundings.values(), 2)):
            return
        marks = {name: self._new_mark(secrets.token_hex(8)) for name in surroundings}
        self._mark = next(iter(marks.values()))
        for name, location in surroundings.items():
            if location in self._locations:
                self._write(location.own, marks[name])
        for name, location in surroundings.items():
            far = {other: its for other, its in surroundings.items() if other != name and its.may_be(location)}
            looked_at = [*location.own, *location.others]
            if location not in self._locations:  # it has no marker that the others could see above them
                looked_at += [spot for its in far.values() for spot in location.where_it_could_be(its)]
            seen = {mark.run for _, mark in _read_others(looked_at) if mark is not None}
            for other in far:
                if marks[other].run in seen:
                    raise UsageError(f"{name} and {other} are one folder, or one lies in the other: use one of these names only")

    @contextmanager
    def at_work(self, run_id: str) -> Iterator[None]:
        """Keep the markers there, and fresh, until `end` or the end of the block. A marker that cannot be written is left out."""
        self.begin(run_id)
        if self._spots:
            self._heart.start()
        try:
            yield
        except InterruptedRunError:
            raise  # at once: the markers become stale by themselves
        except Exception:
            self.end()
            raise
        else:
            self.end()
        finally:
            self._over.set()

    def begin(self, run_id: str) -> None:
        """Write them, replacing those that a killed run of this machine left behind."""
        self._mark = self._new_mark(run_id)
        self._write(self._spots, self._mark)

    def beat(self) -> None:
        """Write a heartbeat if the last one was a while ago."""
        if self._mark is not None and self._clock() - self._mark.heartbeat >= _BEAT_S:
            self._mark = msgspec.structs.replace(self._mark, heartbeat=self._clock())
            self._write(self._spots, self._mark)

    def end(self) -> None:
        """Remove them, if they are still there."""
        self._over.set()
        if self._mark is None:
            return
        if self._heart.is_alive():
            self._heart.join(_LONGEST_WAIT_S)
        ended, self._mark = msgspec.structs.replace(self._mark, heartbeat=0.0), None
        for spot in self._spots:
            if spot.storage.fs in self._without_own and _remove_with_folder(spot, self.seen_in_own.get(spot.storage.fs)):
                continue
            try:
                _remove(spot)
            except PermanentError:  # such as in a bucket where nothing may be deleted: at least it keeps nobody out
                if _read(spot) is not None:
                    self._write([spot], ended)
                    self.left.append(spot)

    def _new_mark(self, run_id: str) -> Mark:
        return Mark(self._host, run_id, self._clock(), self._clock(), this_process())

    def _is_left_over(self, mark: Mark) -> bool:
        return self._is_ours(mark.run) or (mark.process is not None and is_dead(mark.process))

    def _read_own(self, spot: Spot) -> Mark | None:
        """As `_read`. Where requests are scarce, by a look into our folder first, which costs no more if there is none."""
        if spot.path == MARKER and spot.storage.capabilities.by_directory:
            with suppress(PermanentError):  # the marker may be readable all the same
                names = spot.storage.entries(OWN_DIRECTORY)
                if names is None:
                    self._without_own.add(spot.storage.fs)
                if MARKER_NAME not in (names or ()):
                    return None
        return _read(spot)

    def _keep_beating(self) -> None:
        while not self._over.wait(_BEAT_S):
            self.beat()

    def _write(self, spots: Iterable[Spot], mark: Mark) -> None:
        for spot in spots:
            with suppress(RemoteError, UsageError):
                spot.storage.write(spot.path, msgspec.json.encode(mark))


def _remove_with_folder(spot: Spot, seen: FolderLook | None) -> bool:
    """Remove our folder with the marker in it, if nothing else was seen there, and the storage keeps deleted files in a trash."""
    can, names = spot.storage.capabilities, None if seen is None else seen.names_of_now
    if spot.path != MARKER or names is None or [*names] != [MARKER_NAME] or can.rmdir_is_recursive or not can.by_directory:
        return False
    try:
        return spot.storage.remove_directory(OWN_DIRECTORY, holding=names)
    except RemoteError:
        return False


def _remove(spot: Spot) -> None:
    """Try twice: a marker left behind keeps other machines out for a while, and an answer may be lost or rclone die.

    Raises PermanentError when it may not be deleted.
    """
    for last in (False, True):
        try:
            with suppress(NotFoundError):  # removed already
                if isinstance(refused := spot.storage.batch([DeleteCall(spot.path, marker=not last)])[0], OrchestratorError):
                    raise refused
        except PermanentError:
            if last:
                raise
        except RemoteError:
            continue
        else:
            with suppress(RemoteError):
                remove_own_directories(spot.storage, [parent_of(spot.path)])
            return


def mark_at(storage: Storage) -> Mark | None:
    """The marker of a run at a location, in progress or killed; None for none."""
    mark = _read(Spot(storage))
    return None if mark is None or not mark.heartbeat else mark


def _read(spot: Spot) -> Mark | None:
    try:
        return msgspec.json.decode(spot.storage.read_range(spot.path, 0, _MAX_BYTES), type=Mark)
    except (NotFoundError, PermanentError, msgspec.MsgspecError):
        return None  # no marker, one that we may not read, or an incomplete one


def _read_others(spots: Iterable[Spot]) -> Iterator[tuple[Spot, Mark | None]]:
    """The markers of locations around and inside: most have none, and a folder above may be closed to us."""
    by_storage: dict[Storage, list[Spot]] = {}
    for spot in spots:
        by_storage.setdefault(spot.storage, []).append(spot)
    for storage, some in by_storage.items():
        with suppress(RemoteError, UsageError):
            looks = storage.batch([StatCall(spot.path) for spot in some])
            yield from ((spot, _read(spot)) for spot, found in zip(some, looks, strict=True) if isinstance(found, Entry))
