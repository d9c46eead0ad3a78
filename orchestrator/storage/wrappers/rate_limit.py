"""Keeps to so many requests a second, and to fewer when the remote asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from orchestrator.errors import RateLimitError
from orchestrator.records import Entry, Quota
from orchestrator.storage.protocol import Call, CallResult, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage

Result = TypeVar("Result")

_LOWEST = 1 / 16
_RECOVERY = 1 / 20


class Pace:
    """A token bucket: `per_second` on average, up to `burst` at once. Used by any number of threads.

    `refused` halves the rate (once a second at most, and not below a sixteenth); every second without one gives a twentieth of
    the full rate back.
    """

    def __init__(
        self,
        per_second: float,
        *,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if per_second <= 0:
            raise ValueError(f"a rate of {per_second} requests a second")
        self._full = per_second
        self._rate = per_second
        self._burst = max(1.0, per_second if burst is None else burst)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._seen_s = self._mended_s = clock()
        self._refused_s = self._seen_s - 1

    @property
    def per_second(self) -> float:
        """The rate at present."""
        with self._lock:
            self._refill()
            return self._rate

    def take(self, requests: int = 1) -> None:
        """Wait until `requests` more may be sent. More than the burst may be taken: those who come later wait for it."""
        with self._lock:
            self._refill()
            self._tokens -= requests
            wait_s = max(0.0, -self._tokens / self._rate)
        if wait_s:
            self._sleep(wait_s)

    def refused(self) -> None:
        """The remote wants fewer requests."""
        with self._lock:
            self._refill()
            if self._seen_s - self._refused_s >= 1:  # the requests that were under way share one refusal
                self._rate = max(self._full * _LOWEST, self._rate / 2)
                self._refused_s = self._mended_s = self._seen_s
            self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._seen_s) * self._rate)
        self._seen_s = now
        seconds = int(now - self._mended_s)
        self._rate = min(self._full, self._rate + seconds * self._full * _RECOVERY)
        self._mended_s += seconds


class RateLimitedStorage(ForwardingStorage):
    """Every request waits for its turn; the calls of a batch count one each, a listing or a whole read counts one.

    A RateLimitError passes, and slows down what follows. Put it inside RetryingStorage, so that second tries wait as well.
    """

    def __init__(self, inner: Storage, per_second: float | None = None, *, pace: Pace | None = None) -> None:
        """`pace` may be shared by the storages of one account; else one is made for `per_second`."""
        super().__init__(inner)
        if pace is None and per_second is None:
            raise ValueError("neither a rate nor a pace")
        self.pace = pace or Pace(per_second or 0)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """See Storage."""
        self.pace.take()
        try:
            yield from self.inner.list(prefix)
        except RateLimitError:
            self.pace.refused()
            raise

    def stat(self, path: str) -> Entry | None:
        """See Storage."""
        return self._paced(lambda: self.inner.stat(path))

    def exists(self, path: str) -> bool:
        """See Storage."""
        return self._paced(lambda: self.inner.exists(path))

    def size(self, path: str) -> int | None:
        """See Storage."""
        return self._paced(lambda: self.inner.size(path))

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        return self._paced(lambda: self.inner.mtime(path))

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """See Storage."""
        return self._paced(lambda: self.inner.hash(path, hash_type, download=download))

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        self.pace.take()
        try:
            yield from self.inner.read(path)
        except RateLimitError:
            self.pace.refused()
            raise

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        return self._paced(lambda: self.inner.read_range(path, offset, length))

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """See Storage."""
        return self._paced(lambda: self.inner.read_ranges(path, ranges), len(ranges))

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.fetch(path, object_id, to))

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.write(path, content))

    def copy(self, src: str, dst: str) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.copy(src, dst))

    def move(self, src: str, dst: str) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.move(src, dst))

    def delete(self, path: str) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.delete(path))

    def make_directory(self, path: str) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.make_directory(path))

    def remove_directory(self, path: str) -> bool:
        """See Storage."""
        return self._paced(lambda: self.inner.remove_directory(path))

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage."""
        return self._paced(lambda: self.inner.entries(path))

    def move_directory(self, src: str, dst: str) -> None:
        """See Storage."""
        self._paced(lambda: self.inner.move_directory(src, dst))

    def quota(self) -> Quota | None:
        """See Storage."""
        return self._paced(self.inner.quota)

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage."""
        outcomes = self._paced(lambda: self.inner.batch(calls, concurrency=concurrency), len(calls))
        if any(isinstance(outcome, RateLimitError) for outcome in outcomes):
            self.pace.refused()
        return outcomes

    def _paced(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        self.pace.take(requests)
        try:
            return ask()
        except RateLimitError:
            self.pace.refused()
            raise
