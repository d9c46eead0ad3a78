"""Limited requests per second, measured with a clock that the test sets."""

from __future__ import annotations

import threading

import pytest

from orchestrator.errors import RateLimitError
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import DeleteCall, StatCall
from orchestrator.storage.wrappers.rate_limit import Pace, RateLimitedStorage


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.waited_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.waited_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pace(clock: Clock, per_second: float, burst: float | None = 1) -> Pace:
    return Pace(per_second, burst=burst, clock=clock, sleep=clock.sleep)


def test_requests_keep_to_the_rate(clock: Clock) -> None:
    storage = RateLimitedStorage(MemoryStorage(), pace=pace(clock, 10))
    for _ in range(101):
        storage.stat("a.mp3")
    assert clock.waited_s == pytest.approx(10)


def test_every_kind_of_request_counts(clock: Clock) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock, 1))
    storage.write("a.mp3", b"abc")
    storage.copy("a.mp3", "b.mp3")
    storage.move("b.mp3", "c.mp3")
    storage.delete("c.mp3")
    storage.make_directory("dir")
    storage.remove_directory("dir")
    list(storage.list())
    storage.stat("a.mp3")
    storage.exists("a.mp3")
    storage.size("a.mp3")
    storage.mtime("a.mp3")
    storage.hash("a.mp3", "md5", download=True)
    storage.read_range("a.mp3", 0, 1)
    list(storage.read("a.mp3"))
    storage.quota()
    storage.entries("")
    storage.make_directory("one")
    storage.move_directory("one", "two")
    assert memory.calls_made == 20, "copy and move look at their destination first"
    assert clock.waited_s == pytest.approx(19)


def test_each_call_of_a_batch_counts(clock: Clock) -> None:
    storage = RateLimitedStorage(MemoryStorage(), pace=pace(clock, 10))
    storage.batch([StatCall("a.mp3")] * 20 + [DeleteCall("a.mp3")] * 11)
    assert clock.waited_s == pytest.approx(3)


def test_unused_requests_are_saved_up_to_the_burst(clock: Clock) -> None:
    limiter = pace(clock, 10, burst=None)
    clock.now_s += 1000
    for _ in range(10):
        limiter.take()
    assert clock.waited_s == 0
    limiter.take()
    assert clock.waited_s == pytest.approx(0.1)


def test_a_refusal_halves_the_rate_and_it_recovers_with_time(clock: Clock) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock, 16))
    memory.fail(1, RateLimitError("429"))
    with pytest.raises(RateLimitError):
        storage.stat("a.mp3")
    assert storage.pace.per_second == 8
    for _ in range(20):
        clock.now_s += 1
        storage.pace.refused()
    assert storage.pace.per_second == pytest.approx(1, abs=1)
    clock.now_s += 100
    assert storage.pace.per_second == 16


def test_a_refused_item_of_a_batch_slows_down_too(clock: Clock) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock, 16))
    memory.fail(2, RateLimitError("429"))
    storage.batch([StatCall("a.mp3")] * 3)
    assert storage.pace.per_second == 8


def test_many_refusals_at_once_count_as_one(clock: Clock) -> None:
    limiter = pace(clock, 16)
    for _ in range(50):
        limiter.refused()
    assert limiter.per_second == 8


def test_threads_share_one_rate(clock: Clock) -> None:
    waits: list[float] = []
    limiter = Pace(10, burst=1, clock=clock, sleep=waits.append)
    threads = [threading.Thread(target=lambda: [limiter.take() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(waits) == pytest.approx(9.9)  # the clock stands still: the last of 100 waits for the 99 before it


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        RateLimitedStorage(MemoryStorage(), 0)
