"""Sends the transfers of a batch so that a stop is prompt: what has not begun by then is not begun.

rclone's `job/batch` is twice as fast as single calls on a disk, but cannot be told to begin no further call. So a batch goes out
as one only where that takes a moment; where transfers are slow, as many threads as there may be transfers send one call each.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.errors import NotStartedError, RemoteError
from orchestrator.storage.protocol import Call, CallResult, CopyCall, MoveCall

_A_MOMENT_S = 0.5
"""A batch that takes no longer is not worth interrupting."""


def begins(call: Call) -> bool:
    """Whether a call begins something that a stop is to prevent."""
    return isinstance(call, CopyCall) or (isinstance(call, MoveCall) and not call.begun)


def _kind(call: Call) -> tuple[type[Call], bool]:
    """Calls that take about the same time: what comes from another remote takes longer than what its server does alone."""
    return type(call), isinstance(call, CopyCall | MoveCall) and call.source is not None


class Lanes:
    """For one storage. `one` sends one call, `together` all of them in one request."""

    def __init__(
        self,
        stop: threading.Event,
        one: Callable[[Call], CallResult],
        together: Callable[[Sequence[Call], int], Sequence[CallResult]],
    ) -> None:
        self._stop = stop
        self._one = one
        self._together = together
        self._seconds: dict[tuple[type[Call], bool], float] = {}
        """How long a call of each kind took lately, its share of those at the same time counted."""

    def send(self, calls: Sequence[Call], concurrency: int) -> Sequence[CallResult]:
        """The results in the order of the calls; NotStartedError for those that a stop came before."""
        if self._stop.is_set():
            return [self._not_started() for _ in calls]
        if len(calls) == 1:
            return [self._one(calls[0])]
        began = time.monotonic()
        kind = _kind(calls[0])
        if self._seconds.get(kind, _A_MOMENT_S) * len(calls) <= _A_MOMENT_S:
            results = self._together(calls, concurrency)
        else:
            results = self._one_by_one(calls, concurrency)
        self._seconds[kind] = (time.monotonic() - began) / len(calls)
        return results

    def _one_by_one(self, calls: Sequence[Call], concurrency: int) -> Sequence[CallResult]:
        results: dict[int, CallResult] = {}
        waiting = deque(enumerate(calls))

        def lane() -> None:
            while waiting:
                try:
                    index, call = waiting.popleft()
                except IndexError:  # another lane took the last one
                    return
                results[index] = self._not_started() if self._stop.is_set() else self._carry_out(call)

        with ThreadPoolExecutor(max_workers=min(max(concurrency, 1), len(calls)), thread_name_prefix="transfer") as pool:
            for ended in [pool.submit(lane) for _ in range(min(max(concurrency, 1), len(calls)))]:
                ended.result()
        return [results[index] for index in range(len(calls))]

    def _carry_out(self, call: Call) -> CallResult:
        try:
            result = self._one(call)
        except RemoteError as error:
            result = error
        if isinstance(call, CopyCall) and call.ended is not None:
            call.ended(result)
        return result

    @staticmethod
    def _not_started() -> NotStartedError:
        return NotStartedError("not begun, because the run was stopped")
