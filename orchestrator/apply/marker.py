"""An advisory marker on a storage, `.music-orchestrator/run.json`: a second machine sees that somebody is at work there.

A guard, not a lock: two machines that begin within a moment of each other do not see one another.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from orchestrator.errors import LockedError, NotFoundError, RemoteError
from orchestrator.storage.base import OWN_DIRECTORY, Storage

MARKER = f"{OWN_DIRECTORY}/run.json"

FRESH_S = 600.0
"""Without a heartbeat for so long, whoever wrote a marker is taken for dead."""

_BEAT_S = 60.0


class Mark(msgspec.Struct, frozen=True):
    """What the marker says. Times are seconds since 1970, UTC, by the clock of `host`."""

    host: str
    run: str
    start: float
    heartbeat: float


class Markers:
    """The markers of one run on its storages."""

    def __init__(self, storages: Iterable[Storage], *, host: str | None = None, clock: Callable[[], float] = time.time) -> None:
        self._storages = list(storages)
        self._host = host or socket.gethostname()
        self._clock = clock
        self._mark: Mark | None = None
        self._ours: set[str] = set()

    def check(self) -> None:
        """Raise LockedError when another machine is at work on one of the storages. Sends nothing that changes anything."""
        for storage in self._storages:
            mark = _read(storage)
            if mark is None:
                continue
            if mark.host == self._host:
                self._ours.add(storage.fs)
            elif abs(self._clock() - mark.heartbeat) < FRESH_S:
                raise LockedError(
                    f"{storage.fs}: the machine {mark.host} is at work there (run {mark.run}): "
                    "wait for it, or use --ignore-marker if it is not"
                )

    def begin(self, run_id: str) -> None:
        """Write them. One that cannot be written is done without."""
        self._mark = Mark(self._host, run_id, self._clock(), self._clock())
        self._write(storage for storage in self._storages if storage.fs not in self._ours)

    def beat(self) -> None:
        """Say that we are still there, if the last word was long ago."""
        if self._mark is not None and self._clock() - self._mark.heartbeat >= _BEAT_S:
            self._mark = msgspec.structs.replace(self._mark, heartbeat=self._clock())
            self._write(self._storages)

    def end(self) -> None:
        """Remove them."""
        for storage in self._storages:
            with suppress(RemoteError):
                storage.delete(MARKER)
                storage.remove_directory(OWN_DIRECTORY)
        self._mark = None

    def _write(self, storages: Iterable[Storage]) -> None:
        for storage in storages:
            with suppress(RemoteError):
                storage.write(MARKER, msgspec.json.encode(self._mark))


def _read(storage: Storage) -> Mark | None:
    try:
        return msgspec.json.decode(b"".join(storage.read(MARKER)), type=Mark)
    except (NotFoundError, msgspec.MsgspecError):
        return None  # none, or one that its writer did not finish
