"""Limits the requests per second, and sends fewer when the remote asks for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from orchestrator.errors import RateLimitError
from orchestrator.storage.protocol import Call, CallResult, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage, Result

_LOWEST = 1 / 16
_RECOVERY = 1 / 20


class Pace:
    """A token bucket: `per_second` on average, up to `burst` at once. Any number of threads may use it.

    `refused` halves the rate (at most once a second, and not below a sixteenth); each second without a refusal restores a
    twentieth of the full rate.
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
        self._updated_s = self._restored_s = clock()
        self._refused_s = self._updated_s - 1

    @property
    def per_second(self) -> float:
        """The current rate."""
        with self._lock:
            self._refill()
            return self._rate

    def take(self, requests: int = 1) -> None:
        """Wait until `requests` more may be sent. It may be more than the burst: later calls then wait longer."""
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
            if self._updated_s - self._refused_s >= 1:  # requests that were already sent share one refusal
                self._rate = max(self._full * _LOWEST, self._rate / 2)
                self._refused_s = self._restored_s = self._updated_s
            self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._updated_s) * self._rate)
        self._updated_s = now
        seconds = int(now - self._restored_s)
        self._rate = min(self._full, self._rate + seconds * self._full * _RECOVERY)
        self._restored_s += seconds


class RateLimitedStorage(ForwardingStorage):
    """Every request waits for its turn. The calls of a batch count one each, a listing or the read of a whole file counts one.

    A RateLimitError is raised as it is, and slows down the requests that follow. Put this inside RetryingStorage, so that second
    tries wait as well.
    """

    def __init__(self, inner: Storage, per_second: float | None = None, *, pace: Pace | None = None) -> None:
        """`pace` may be shared by the storages of one account; without it one is made for `per_second`."""
        super().__init__(inner)
        if pace is None and per_second is None:
            raise ValueError("neither a rate nor a pace")
        self.pace = pace or Pace(per_second or 0)

    def look(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """When its turn has come."""
        self.pace.take(requests)
        try:
            return ask()
        except RateLimitError:
            self.pace.refused()
            raise

    def change(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """When its turn has come."""
        return self.look(ask, requests)

    def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """When its turn has come."""
        self.pace.take()
        try:
            yield from ask()
        except RateLimitError:
            self.pace.refused()
            raise

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage."""
        results = super().batch(calls, concurrency=concurrency)
        if any(isinstance(result, RateLimitError) for result in results):
            self.pace.refused()
        return results
