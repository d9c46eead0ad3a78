"""An advisory marker on a remote, `.music-orchestrator/run.json`, which shows other machines that a run is in progress.

It is not a lock: two runs that start at the same moment do not see each other, nor do two machines whose clocks differ by more
than FRESH_S. It costs a look, a write and a delete for each run and remote, and a write every minute.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from orchestrator.apply.guard.lock import ProcessInfo, is_dead, this_process
from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.errors import InterruptedRunError, LockedError, NotFoundError, PermanentError, RemoteError
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.protocol import Storage

MARKER = f"{OWN_DIRECTORY}/run.json"

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
    """The markers of one run on the remotes that it changes."""

    def __init__(
        self,
        storages: Iterable[Storage],
        *,
        is_ours: Callable[[str], bool] = lambda _run_id: False,
        host: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_ours` says whether a run is in our own journal: none of these is in progress except this one."""
        self._storages = list(storages)
        self._is_ours = is_ours
        self._host = host or socket.gethostname()
        self._clock = clock
        self._mark: Mark | None = None
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._keep_beating, name="marker", daemon=True)

    def check(self) -> None:
        """Raise LockedError if another run is in progress on one of the remotes. Changes nothing."""
        for storage in self._storages:
            mark = _read(storage)
            if mark is None or abs(self._clock() - mark.heartbeat) >= FRESH_S:
                continue
            here = mark.host == self._host
            if not here or not self._is_left_over(mark):
                who = mark.process.describe() if here and mark.process is not None else f"the machine {mark.host}"
                raise LockedError(
                    f"{storage.fs}: {who} has a run in progress there ({mark.run}): "
                    "wait for it, or use --ignore-marker if it has ended"
                )

    @contextmanager
    def at_work(self, run_id: str) -> Iterator[None]:
        """Keep the markers there, and fresh, until `end` or the end of the block. A marker that cannot be written is left out."""
        self.begin(run_id)
        if self._storages:
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
        self._mark = Mark(self._host, run_id, self._clock(), self._clock(), this_process())
        self._write(self._storages)

    def beat(self) -> None:
        """Write a heartbeat if the last one was a while ago."""
        if self._mark is not None and self._clock() - self._mark.heartbeat >= _BEAT_S:
            self._mark = msgspec.structs.replace(self._mark, heartbeat=self._clock())
            self._write(self._storages)

    def end(self) -> None:
        """Remove them, if they are still there."""
        self._over.set()
        if self._mark is None:
            return
        if self._heart.is_alive():
            self._heart.join(_LONGEST_WAIT_S)
        self._mark = None
        for storage in self._storages:
            _remove(storage)

    def _is_left_over(self, mark: Mark) -> bool:
        return self._is_ours(mark.run) or (mark.process is not None and is_dead(mark.process))

    def _keep_beating(self) -> None:
        while not self._over.wait(_BEAT_S):
            self.beat()

    def _write(self, storages: Iterable[Storage]) -> None:
        for storage in storages:
            with suppress(RemoteError):
                storage.write(MARKER, msgspec.json.encode(self._mark))


def _remove(storage: Storage) -> None:
    """Try twice: a marker left behind keeps other machines out for a while, and an answer may be lost or rclone die."""
    for _ in range(2):
        with suppress(RemoteError):
            with suppress(NotFoundError):
                storage.delete(MARKER)
            remove_own_directories(storage, [OWN_DIRECTORY])
            return


def _read(storage: Storage) -> Mark | None:
    try:
        return msgspec.json.decode(storage.read_range(MARKER, 0, _MAX_BYTES), type=Mark)
    except (NotFoundError, PermanentError, msgspec.MsgspecError):
        return None  # no marker, one that we may not read, or an incomplete one
