"""Threads in simulated time: one runs at a time, and time passes when all of them wait.

    time = SimulatedTime()
    time.start(work)     # any number of times; `work` calls time.sleep
    time.run()           # returns when all have ended

No thread sleeps outside of `run`.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count


@dataclass(order=True)
class _Wake:
    at_s: float
    number: int
    baton: threading.Semaphore = field(compare=False)
    done: bool = field(default=False, compare=False)


class SimulatedTime:
    """See the module. `clock` and `sleep` stand for those of the module `time`."""

    def __init__(self) -> None:
        self._now_s = 100.0
        self._wakes: list[_Wake] = []
        self._numbers = count()
        self._back = threading.Semaphore(0)
        self._running = threading.Semaphore(0)
        self._failed: list[BaseException] = []

    def clock(self) -> float:
        """Seconds since some time."""
        return self._now_s

    def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        self.wake(seconds, self._running)
        self.wait()

    def wake(self, after_s: float, baton: threading.Semaphore) -> _Wake:
        """Let a thread that waits go on after some time."""
        heapq.heappush(self._wakes, wake := _Wake(self._now_s + after_s, next(self._numbers), baton))
        return wake

    def wait(self) -> threading.Semaphore:
        """Let the others go on, until this thread is woken."""
        mine = self._running
        self._back.release()
        mine.acquire()
        return mine

    def start(self, work: Callable[[], object]) -> None:
        """Begin another thread, now."""
        baton = threading.Semaphore(0)

        def run() -> None:
            baton.acquire()
            try:
                work()
            except BaseException as error:  # raised by `run` below
                self._failed.append(error)
            finally:
                self._back.release()

        threading.Thread(target=run, daemon=True).start()
        self.wake(0, baton)

    def run(self) -> None:
        """Let time pass until all threads have ended."""
        while self._wakes and not self._failed:
            wake = heapq.heappop(self._wakes)
            if not wake.done:
                wake.done = True
                self._now_s = max(self._now_s, wake.at_s)
                self._running = wake.baton
                wake.baton.release()
                self._back.acquire()
        for error in self._failed:
            raise error


class SimulatedCondition(threading.Condition):
    """For threads in simulated time."""

    def __init__(self, time: SimulatedTime) -> None:
        super().__init__()
        self._time = time
        self._waiting: list[_Wake] = []

    def wait(self, timeout: float | None = None) -> bool:
        """See threading.Condition; there must be a timeout."""
        assert timeout is not None
        self._waiting.append(mine := self._time.wake(timeout, self._time._running))
        self.release()
        self._time.wait()
        self.acquire()
        return mine in self._waiting

    def notify_all(self) -> None:
        """See threading.Condition."""
        for one in self._waiting:
            if not one.done:
                one.done = True
                self._time.wake(0, one.baton)
        self._waiting.clear()
