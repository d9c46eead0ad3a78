"""Many readers of one server that allows so many requests a second, in simulated time: at any rate, and at any distance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import RateLimitError, TransientError
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.wrappers.pace import Answers, Pace
from orchestrator.storage.wrappers.rate_limit import RateLimitedStorage
from tests.nightly import NIGHTLY
from tests.servers.http import Seen
from tests.servers.throttle import Allowance, busiest_second
from tests.simulated_time import SimulatedCondition, SimulatedTime

FILES = 300
READERS = 32
COUNT_S = 0.1
ASKING_S = 0.1
"""So long it takes to find out that nothing but the rate was wrong."""
RETRY_S = 1.5
"""After so long, what failed is tried again."""
LEAST, MOST, MOST_REFUSED = 0.6, 2.5, 32
"""The share of the allowed rate that is used, how many times that rate comes within a second, and the refusals: as in
tests/end_to_end/test_rate_limits.py."""
NEAR_S, MOST_FAR_AWAY = 0.15, 3.0
"""From further away, the first refusal is known later."""


class Server:
    """Answers after a while, and refuses what is too many."""

    def __init__(self, time: SimulatedTime, per_second: int, delay_s: float, chance: random.Random, *, doubtful: bool) -> None:
        self._allowance = Allowance(per_second, clock=time.clock)
        self._time = time
        self._delay_s = delay_s
        self._chance = chance
        self._doubtful = doubtful
        self.requests: list[Seen] = []
        self.accepted = self.refused = 0

    def use(self, requests: int) -> None:
        """Somebody else sends so many at once."""
        for _ in range(requests):
            self._allowance(Seen(0, 0, "GET", "/", {}))

    def answers(self) -> Answers:
        """Those that have arrived."""
        return Answers(self.accepted, 0, self.refused) if self._doubtful else Answers(self.accepted, self.refused)

    def request(self) -> None:
        """Raises RateLimitError when it is refused, or TransientError where the status does not say why."""
        seen = Seen(len(self.requests) + 1, 0, "GET", "/", {}, at=self._time.clock())
        self.requests.append(seen)
        refused = self._allowance(seen)
        self._time.sleep(self._delay_s * self._chance.uniform(1, 1.5))
        self.accepted += not refused
        self.refused += refused
        if refused:
            if not self._doubtful:
                raise RateLimitError("slow down")
            self._time.sleep(ASKING_S)
            raise TransientError("could not be opened")


class Measured(NamedTuple):
    share: float
    """Of the rate that the server allows."""
    refused: int
    requests: Sequence[Seen]


def read_all(
    per_second: int, delay_s: float, files: int, *, used_before: int, new_folders: float, doubtful: bool = False, seed: int = 0
) -> Measured:
    """Read files; a share of them lies in folders that nobody has looked into, which takes one more request.

    `doubtful`: as on Drive, the status of a refusal has other meanings as well.
    """
    time, chance = SimulatedTime(), random.Random(seed)
    server = Server(time, per_second, delay_s, chance, doubtful=doubtful)
    server.use(used_before)
    pauses = [0]

    def on_pause() -> None:
        pauses[0] += 1

    pace = Pace(answers=server.answers, on_pause=on_pause, clock=time.clock, sleep=time.sleep, condition=SimulatedCondition(time))
    storage = RateLimitedStorage(MemoryStorage(), pace=pace)
    waiting, read = list(range(files)), [0]

    def one() -> None:
        before = pauses[0]
        for _ in range(1 + (chance.random() < new_folders)):
            server.request()
            if pauses[0] != before:
                raise TransientError("given up")

    def reader() -> None:
        while waiting:
            waiting.pop()
            while True:
                try:
                    storage.look(one)
                    break
                except (RateLimitError, TransientError):
                    time.sleep(RETRY_S)
            read[0] += 1

    def count() -> None:
        while read[0] < files:
            time.sleep(COUNT_S)
            pace.count()

    for _ in range(READERS):
        time.start(reader)
    time.start(count)
    time.run()
    took_s = server.requests[-1].at - server.requests[0].at
    return Measured(server.accepted / took_s / per_second, server.refused, server.requests)


@given(
    per_second=st.integers(10, 200),
    delay_s=st.floats(0.002, 0.4),
    used_before=st.integers(0, 9),
    new_folders=st.floats(0, 0.3),
    seed=st.integers(0, 9),
)
@settings(max_examples=400 if NIGHTLY else 12)
def test_a_server_at_any_distance_is_used_at_the_rate_that_it_allows(
    per_second: int, delay_s: float, used_before: int, new_folders: float, seed: int
) -> None:
    """Also if a listing has just taken some of what it allows."""
    measured = read_all(per_second, delay_s, FILES, used_before=used_before, new_folders=new_folders, seed=seed)
    possible = min(1.0, READERS / (1.25 * delay_s) / per_second)
    assert measured.share >= LEAST * possible
    assert measured.refused <= max(MOST_REFUSED, len(measured.requests) // 8)
    assert busiest_second(measured.requests) <= (MOST if delay_s < NEAR_S else MOST_FAR_AWAY) * per_second


@pytest.mark.parametrize("per_second", [10, 50])
def test_refusals_with_a_doubtful_status_are_noticed_among_many_reads(per_second: int) -> None:
    measured = read_all(per_second, 0.01, FILES, used_before=0, new_folders=0.1, doubtful=True)
    assert measured.share >= LEAST
    assert measured.refused <= max(MOST_REFUSED, len(measured.requests) // 8)
    assert busiest_second(measured.requests) <= MOST * per_second


def test_what_waits_when_a_pause_begins_is_sent_after_it_and_not_at_once() -> None:
    time, sent = SimulatedTime(), list[float]()
    pace = Pace(clock=time.clock, sleep=time.sleep, condition=SimulatedCondition(time))
    pace.refused()
    began_s, rate = time.clock(), pace.per_second

    def one() -> None:
        time.sleep(5)
        with pace.turn(bounded=False):
            sent.append(time.clock() - began_s)

    def refused() -> None:
        time.sleep(5.3)
        pace.refused()

    for _ in range(12):
        time.start(one)
    time.start(refused)
    time.run()
    before, after = [at for at in sent if at <= 5.3], [at for at in sent if at > 5.3]
    assert 0 < len(before) < 12
    assert min(after) >= 6.29
    assert max(after) - min(after) >= (len(after) - 3) / rate
