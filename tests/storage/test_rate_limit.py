"""The pace of requests, measured with a clock that the test sets."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from orchestrator.errors import AccessDeniedError, OrchestratorError, RateLimitError, TransientError
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, StatCall
from orchestrator.storage.wrappers.pace import Answers, Pace
from orchestrator.storage.wrappers.rate_limit import RateLimitedStorage
from tests.servers.http import Seen
from tests.servers.throttle import Allowance

REQUEST = Seen(1, 0, "GET", "/", {})


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


def pace(clock: Clock, per_second: float | None = None, *, answers: Callable[[], Answers | None] | None = None) -> Pace:
    return Pace(per_second, answers=answers, clock=clock, sleep=clock.sleep)


def test_requests_keep_to_the_rate(clock: Clock) -> None:
    storage = RateLimitedStorage(MemoryStorage(), pace=pace(clock, 10))
    for _ in range(100):
        storage.stat("a.mp3")
    assert clock.waited_s == pytest.approx(10, abs=0.3)


def test_without_a_known_rate_nothing_waits(clock: Clock) -> None:
    storage = RateLimitedStorage(MemoryStorage(), pace=pace(clock))
    storage.batch([StatCall("a.mp3")] * 500)
    for _ in range(500):
        storage.stat("a.mp3")
    assert clock.waited_s == 0


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
    assert clock.waited_s == pytest.approx(20, abs=1)


def test_each_call_of_a_batch_counts(clock: Clock) -> None:
    storage = RateLimitedStorage(MemoryStorage(), pace=pace(clock, 10))
    storage.batch([StatCall("a.mp3")] * 20 + [DeleteCall("a.mp3")] * 11)
    assert clock.waited_s == pytest.approx(3, abs=0.3)


class Server:
    """Refuses what is too many, and counts."""

    def __init__(self, clock: Clock, per_second: float, *, requests_a_call: int = 1) -> None:
        self.allowance = Allowance(per_second, clock=clock)
        self.clock = clock
        self.requests_a_call = requests_a_call
        self.accepted = self.refused = 0

    def answers(self) -> Answers:
        return Answers(self.accepted, self.refused)

    def __call__(self) -> None:
        """One call, which takes 5 ms."""
        self.clock.now_s += 0.005
        for _ in range(self.requests_a_call):
            if self.allowance(REQUEST):
                self.refused += 1
                raise RateLimitError("slow down")
            self.accepted += 1


@pytest.mark.parametrize("per_second", [5, 20, 100])
@pytest.mark.parametrize("requests_a_call", [1, 4])
def test_the_rate_that_a_server_allows_is_found_and_kept(clock: Clock, per_second: float, requests_a_call: int) -> None:
    server = Server(clock, per_second, requests_a_call=requests_a_call)
    storage = RateLimitedStorage(MemoryStorage(), pace=pace(clock, answers=server.answers))
    began_s = clock.now_s
    while server.accepted < 300 * requests_a_call:
        with contextlib.suppress(RateLimitError):
            storage.look(server)
    rate = server.accepted / (clock.now_s - began_s)
    assert 0.6 * per_second <= rate <= 1.5 * per_second
    assert server.refused <= 0.02 * server.accepted + 2


def test_a_server_that_allows_more_again_gets_more(clock: Clock) -> None:
    server = Server(clock, 10)
    limiter = pace(clock, answers=server.answers)
    storage = RateLimitedStorage(MemoryStorage(), pace=limiter)
    with contextlib.suppress(RateLimitError):
        while True:
            storage.look(server)
    server.allowance = Allowance(math.inf, clock=clock)
    slow = limiter.per_second
    clock.now_s += 300
    assert limiter.per_second < 2 * slow, "nothing was sent that shows it"
    began_s = clock.now_s
    while clock.now_s < began_s + 60:
        storage.look(server)
    assert limiter.per_second > 10 * slow


def test_nothing_is_sent_for_the_time_that_a_remote_asks_for(clock: Clock) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock))
    memory.fail(1, RateLimitError("429", retry_after=30))
    with pytest.raises(RateLimitError):
        storage.stat("a.mp3")
    assert clock.waited_s == 0
    storage.stat("a.mp3")
    assert clock.waited_s == pytest.approx(30, abs=1)


def test_a_day_is_not_waited_for(clock: Clock) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock))
    memory.fail(1, RateLimitError("429", retry_after=86_400))
    with pytest.raises(RateLimitError):
        storage.stat("a.mp3")
    storage.stat("a.mp3")
    assert clock.waited_s == 0


@pytest.mark.parametrize("error", [RateLimitError("429"), TransientError("StatusCode: 503, api error")])
def test_a_refused_look_of_a_batch_is_repeated_more_slowly_and_a_change_is_not(clock: Clock, error: OrchestratorError) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock))
    memory.write("a.mp3", b"abc")
    for number in (2, 3, 4):
        memory.fail(memory.calls_made + number, error)
    looks = [StatCall("a.mp3")] * 3
    *found, third = storage.batch([*looks, DeleteCall("a.mp3")])
    assert found == [found[0]] * 3
    assert found[0] is not None
    assert third is error
    assert storage.pace.per_second < math.inf
    assert clock.waited_s >= 1


def test_a_look_that_is_refused_alone_is_left_to_the_caller(clock: Clock) -> None:
    memory = MemoryStorage()
    storage = RateLimitedStorage(memory, pace=pace(clock))
    error = RateLimitError("429")
    memory.fail(memory.calls_made + 2, error)
    assert storage.batch([StatCall("a.mp3")] * 3) == [None, error, None]
    assert memory.calls_made == 3


def test_many_refusals_at_once_count_as_one(clock: Clock) -> None:
    limiter = pace(clock)
    limiter.refused()
    once = limiter.per_second
    for _ in range(50):
        limiter.refused()
    assert limiter.per_second == once


def test_what_a_batch_tells_of_a_pause_at_its_end_begins_no_other(clock: Clock) -> None:
    limiter = pace(clock)
    sent_after = limiter.pauses
    limiter.refused()
    once = limiter.per_second
    clock.now_s += 20
    limiter.refused(after_pauses=sent_after)
    assert limiter.per_second > once
    limiter.refused(after_pauses=limiter.pauses)
    assert limiter.pauses == 2


def test_refusals_that_no_call_tells_of_are_noticed(clock: Clock) -> None:
    """rclone tries again by itself what was refused, more and more slowly, and the call only ends long after."""
    answers = [Answers(0, 0)]
    limiter = pace(clock, answers=lambda: answers[0])
    for answered, expected in ((Answers(20, 1), 1), (Answers(20, 1), 1), (Answers(40, 1, 3), 2)):
        clock.now_s += 10
        with limiter.turn():
            answers[0] = answered
            for _ in range(2):
                clock.now_s += 0.5
                limiter.count()
        assert limiter.pauses == expected


def test_refusals_of_single_files_slow_nothing_down(clock: Clock) -> None:
    """Drive's 403 for files that may not be downloaded: their calls end when that is known."""
    refused, explaining = [0], [False]
    limiter = pace(clock, answers=lambda: Answers(0, 0, refused[0], explaining[0]))
    for found_out_after_s in (0.1, 0.2, 3.0) * 20:
        with contextlib.suppress(AccessDeniedError), limiter.turn():
            refused[0] += 1
            explaining[0] = found_out_after_s > 1
            clock.now_s += found_out_after_s
            limiter.count()
            explaining[0] = False
            raise AccessDeniedError("not to be downloaded")
    assert limiter.per_second == math.inf


def test_reads_that_succeed_meanwhile_explain_no_refusal(clock: Clock) -> None:
    """Drive's 403 for too many requests: a few reads fail, or wait in rclone, while many others end well."""
    answers = [Answers(0, 0)]
    limiter = pace(clock, answers=lambda: answers[0])
    with limiter.turn(bounded=False):
        for tenth in range(1, 4):
            for _ in range(5):
                with limiter.turn():
                    clock.now_s += 0.03
            answers[0] = Answers(5 * tenth, 0, 8)
            limiter.count()
    assert limiter.pauses == 1


def test_a_read_that_could_be_repeated_was_one_too_many(clock: Clock) -> None:
    """At once, although it is still being found out about the next one."""
    answers = [Answers(0, 0)]
    limiter = pace(clock, answers=lambda: answers[0])
    with limiter.turn():
        answers[0] = Answers(20, 0, 8, explaining=True)
        with contextlib.suppress(TransientError), limiter.turn():
            clock.now_s += 0.2
            limiter.count()
            assert limiter.pauses == 0
            raise TransientError("could not be opened")
        clock.now_s += 0.2
        limiter.count()
    assert limiter.pauses == 1


def test_reads_that_fail_with_others_in_a_pause_are_sent_again_after_it(clock: Clock) -> None:
    limiter = pace(clock)
    storage = RateLimitedStorage(MemoryStorage(), pace=limiter)
    tries = []

    def read() -> int:
        tries.append(clock.now_s)
        if len(tries) == 1:
            limiter.refused()
            raise TransientError("given up")
        return len(tries)

    with limiter.turn(bounded=False):  # another one
        assert storage.look(read) == 2
    assert tries[1] - tries[0] >= 1


def test_a_listing_begins_again_and_gives_each_file_once(clock: Clock) -> None:
    class Listing(MemoryStorage):
        listings = 0

        def list(self, *arguments: object, **options: object) -> Iterator[object]:  # type: ignore[override]
            self.listings += 1
            entries = [*super().list()]
            yield from entries[: 2 * self.listings]
            if 2 * self.listings < len(entries):
                raise RateLimitError("429")

    memory = Listing()
    for number in range(5):
        memory.write(f"{number}.mp3", b"abc")
    storage = RateLimitedStorage(memory, pace=pace(clock))
    assert sorted(entry.path for entry in storage.list()) == [f"{number}.mp3" for number in range(5)]
    assert memory.listings == 3


def test_no_more_are_sent_at_once_than_a_remote_has_shown_to_bear() -> None:
    """Thirty threads: six requests go out at first, so that a small server is not flooded before it can refuse."""
    limiter, release, under_way, most = Pace(), threading.Event(), [0], [0]
    lock = threading.Lock()
    six = threading.Event()

    def one() -> None:
        with limiter.turn():
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
                if under_way[0] == 6:
                    six.set()
            release.wait(10)
            with lock:
                under_way[0] -= 1

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    assert six.wait(10)
    with lock:
        assert most[0] == 6
    release.set()
    for thread in threads:
        thread.join()
    assert most[0] <= 30 // 2


class Counting(MemoryStorage):
    """Notes how many calls each batch has."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        self.batches.append(len(calls))
        return super().batch(calls, concurrency=concurrency)


def test_looks_that_a_folder_answers_together_are_sent_together(clock: Clock) -> None:
    """In whatever order: two looks at each of five folders would already be more than a new remote gets at once."""
    memory = Counting()
    storage = RateLimitedStorage(memory, pace=pace(clock), looks_of_a_listing=4)
    paths = [f"album {number % 5}/{number}.mp3" for number in range(60)]
    memory.write(paths[17], b"abc")
    found = storage.batch([StatCall(path) for path in paths])
    assert [path for path, entry in zip(paths, found, strict=True) if entry] == [paths[17]], "the answers keep their order"
    assert memory.batches == [60]
    storage.pace.refused()
    storage.batch([StatCall(path) for path in paths])
    parts = memory.batches[1:]
    assert len(parts) > 1, "once the remote has refused some, fewer at once"
    assert {size % 12 for size in parts} == {0}, "but never a folder in two parts"


def test_what_a_batch_looks_at_before_it_ends_does_not_wait_for_it(clock: Clock) -> None:
    memory = MemoryStorage()
    memory.write("a.mp3", b"abc")
    storage = RateLimitedStorage(memory, pace=pace(clock))
    storage.pace.refused()
    looked: list[CallResult] = []

    class Checked(MemoryStorage):
        def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
            if isinstance(calls[0], CopyCall):
                looked.extend(storage.batch([StatCall("a.mp3")]))
                looked.append(storage.stat("a.mp3"))
            return memory.batch(calls, concurrency=concurrency)

    storage.inner = Checked()
    assert storage.batch([CopyCall("a.mp3", "b.mp3", "")]) == [None]
    assert len(looked) == 2


def test_a_pause_is_announced_once(clock: Clock) -> None:
    called: list[float] = []
    limiter = Pace(on_pause=lambda: called.append(clock.now_s), clock=clock, sleep=clock.sleep)
    with limiter.turn():
        pass
    assert not called
    limiter.refused()
    limiter.refused()
    with limiter.turn():
        pass
    assert called == [100.0]
    assert clock.now_s >= 101


def test_threads_share_one_rate(clock: Clock) -> None:
    waits: list[float] = []
    limiter = Pace(10, clock=clock, sleep=waits.append)

    def work() -> None:
        for _ in range(25):
            with limiter.turn():
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(waits) == pytest.approx(10, abs=0.3)  # the clock stands still: the last of 100 waits for the 99 before it


@pytest.mark.parametrize("moment", ["count", "wait", "send"])
def test_an_interrupt_leaves_no_wrong_count(clock: Clock, moment: str) -> None:
    interrupted = moment == "count"

    def answers() -> Answers:
        if interrupted:
            raise KeyboardInterrupt
        return Answers(0, 0)

    def sleep(_: float) -> None:
        if moment == "wait":
            raise KeyboardInterrupt

    measured = Pace(1, answers=answers, clock=clock, sleep=sleep)
    with pytest.raises(KeyboardInterrupt), measured.turn(9):
        raise KeyboardInterrupt
    assert measured.under_way == 0
    interrupted = False
    moment = "none"
    with measured.turn(3):
        assert measured.under_way == 3
    assert measured.under_way == 0


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        RateLimitedStorage(MemoryStorage(), 0)
