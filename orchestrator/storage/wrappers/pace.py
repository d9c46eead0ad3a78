"""How fast requests go to one account: as fast as they can, until the remote refuses some; then about as fast as it allows."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.errors import RateLimitError, RemoteError, TransientError

_log = logging.getLogger(__name__)
_PAUSE_S = 1.0
"""After a refusal without a stated delay, nothing is sent for so long: most servers then allow a second's worth at once."""
_DEAF_S = 0.5
"""Refusals so soon after a pause are of requests that were sent before it."""
_OF_THE_ALLOWED = 0.85
"""What we send of the rate that a remote seems to allow."""
_GROWTH, _FAST_GROWTH = 0.01, 0.5
"""How much faster each second without a refusal, and the same at the most: while it is only roughly known what is allowed."""
_DOUBLES_S = 10.0
"""The growth doubles in so many seconds without a refusal, for a remote that allows more than before."""
_ENOUGH = 8
"""Requests between two refusals that show what is allowed."""
_BEYOND = 1.5
"""How many times what a remote has shown to allow is sent at the most: it never gets more than so many times what it allows."""
_LOWEST = 0.5
"""Requests a second that are always sent."""
_BURST_S = 0.25
"""Seconds of unused requests that are saved up once a remote has refused some; so many are sent at once after a pause."""
_SAMPLE_S = 0.1
_RARE_SAMPLE_S = 1.0
"""How often answers are counted, and how often once many came and none was a refusal. Everybody waits for the count."""
_SAMPLES_S = 10.0
_FIRST, _SHARE = 6, 2
"""How many requests are sent at once before anything was answered; then a share of those that were answered. The listing before
them has already taken some of what a remote allows."""
_WELL_KNOWN = 128
"""So many answers without a refusal, and no more care is taken until one comes."""
_AT_ONCE_S = 0.5
"""Once a remote has refused some, no more are under way than are allowed in so many seconds."""
_DOUBTFUL_A_CALL = 2
"""So many answers of a doubtful status are explained by a call that fails for another reason than too many requests."""
_IDLE_S = 1.0
"""After a pause, the first call is sent alone: it may take many requests, because rclone knows no folder."""


class Answers(NamedTuple):
    """How many requests a remote has answered so far."""

    accepted: int
    refused: int
    """Those that were too many, by the status of the answer."""
    doubtful: int = 0
    """Those whose status also stands for other refusals (Drive's 403)."""
    explaining: bool = False
    """Whether it is being found out what such a status meant."""


class _Sample(NamedTuple):
    at_s: float
    accepted: int


@dataclass(eq=False)
class _Turn:
    """One caller of `Pace.turn`. What is under way is counted from these, so an interrupt at any moment leaves no wrong count."""

    requests: int
    bounded: bool
    has_begun: bool = False
    """Whether its requests are counted as under way."""


class Pace:
    """For all storages of one account. Any number of threads may use it.

    `per_second`: the most that is ever sent; None for no limit. `answers` are the remote's, if somebody counts them: a call may
    take several requests, and be refused some of them without failing; somebody must then call `count` now and then, as calls
    that wait for the remote count nothing. Each refusal causes a pause, and `on_pause` is called when it begins.

    A remote that allows R a second, and saves up those of one second, accepts no more than R * (1 + t) within t seconds. So what
    it has accepted shows the least that it allows, and about what it allows once it refuses some. We go on with a little less,
    then slowly faster, but never much faster than what it has shown. The first refusal shows too little, as other processes may
    have sent requests just before.
    """

    def __init__(
        self,
        per_second: float | None = None,
        *,
        answers: Callable[[], Answers | None] | None = None,
        on_pause: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        condition: threading.Condition | None = None,
    ) -> None:
        """`clock`, `sleep` and `condition` are those of the threads that call."""
        if per_second is not None and per_second <= 0:
            raise ValueError(f"a rate of {per_second} requests a second")
        self._most = math.inf if per_second is None else per_second
        self._rate = self._most
        self._count = answers
        self._on_pause = on_pause
        self._clock = clock
        self._sleep = sleep
        self._turn = condition or threading.Condition()
        self._tokens = 0.0
        self._updated_s = clock()
        self._paused_until_s = self._deaf_until_s = -math.inf
        self._answered = 0
        self._turns: set[_Turn] = set()
        self._ended_s = -math.inf
        self._taken = 0
        self._charged = self._refused = self._doubtful = 0
        self._suspected = self._explained = 0
        """Doubtful answers at the last count, and those that calls have explained since then by how they failed."""
        self._unexplained = False
        """Whether a call has failed since then for no reason that lasts."""
        self._pauses = 0
        self._accepted: int | None = None
        self._shown = 0.0
        """The least that the remote allows a second, by what it has accepted."""
        self._roughly = True
        self._in_vain = False
        self._refused_s = -math.inf
        self._samples: deque[_Sample] = deque()

    @property
    def per_second(self) -> float:
        """The current rate; infinite while nothing limits it."""
        with self._turn:
            self._refill()
            return self._rate

    @property
    def pauses(self) -> int:
        """How many pauses have begun so far."""
        with self._turn:
            return self._pauses

    @property
    def in_vain(self) -> bool:
        """Whether the remote has accepted nothing between the last two pauses."""
        with self._turn:
            return self._in_vain

    @property
    def under_way(self) -> int:
        """How many requests are expected of the calls that have their turn, or wait for it."""
        with self._turn:
            return sum(one.requests for one in self._turns)

    @property
    def at_once(self) -> float:
        """How many requests one batch may take now."""
        with self._turn:
            self._refill()
            idle = self._rate < math.inf and self._updated_s - self._ended_s > _IDLE_S
            return 1.0 if idle else self._most_under_way()

    @property
    def concurrency(self) -> int:
        """How many calls may be under way at a time: each sends its requests one after the other."""
        with self._turn:
            return sys.maxsize if self._rate == math.inf else max(1, int(self._rate * _AT_ONCE_S / 2))

    @contextlib.contextmanager
    def turn(self, requests: int = 1, *, bounded: bool = True) -> Iterator[None]:
        """Wait until so many more requests may be sent, and send them in this block.

        `bounded`: also wait for others that are under way. A batch may not: its copies are looked at before it ends.
        """
        mine = _Turn(requests, bounded)
        try:
            with self._turn:
                while bounded and (before := self._bounded()) and before + requests > self._most_under_way():
                    self._turn.wait(1.0)
                self._turns.add(mine)
            self._wait(mine)
            yield
        except RemoteError as error:
            with self._turn:
                self._unexplained |= isinstance(error, TransientError)
                self._explained += 0 if isinstance(error, TransientError | RateLimitError) else _DOUBTFUL_A_CALL
            raise
        finally:
            with self._turn:
                self._turns.discard(mine)
                if mine.has_begun:
                    self._explained += 0 if bounded else requests  # a batch says itself which calls were too many
                    self._answered += requests
                    self._ended_s = self._clock()
                self._turn.notify_all()

    def refused(self, retry_after: float | None = None, *, after_pauses: int | None = None) -> None:
        """The remote wants fewer requests, and none for `retry_after` seconds.

        `after_pauses`: how many there were when the refused request was sent, if known. If another has begun since, then because
        of this refusal or of others at that time: a batch tells of them only when it ends.
        """
        with self._turn:
            self._refill()
            now = self._updated_s
            if after_pauses is not None and after_pauses < self._pauses:
                self._paused_until_s = max(self._paused_until_s, self._refused_s + (retry_after or 0.0))
                return
            if now >= self._deaf_until_s:
                self._sample(now)
                self._slow_down(now)
                self._tokens = self._rate * _BURST_S  # nobody's: those that wait for their turn get another one
                if self._on_pause is not None:
                    self._on_pause()
            pause_s = _PAUSE_S if retry_after is None else max(_PAUSE_S, retry_after)
            if now >= self._deaf_until_s or retry_after is not None:
                self._paused_until_s = max(self._paused_until_s, now + pause_s)
            self._deaf_until_s = max(self._deaf_until_s, self._paused_until_s + _DEAF_S)

    def count(self) -> None:
        """Look whether the remote has refused requests of the calls that are under way."""
        with self._turn:
            if self._turns:
                self._count_if_due(self._clock())

    def _count_if_due(self, now: float) -> None:
        well_known = self._rate == math.inf and self._answered >= _WELL_KNOWN
        apart_s = _RARE_SAMPLE_S if well_known else _SAMPLE_S
        if (not self._samples or now - self._samples[-1].at_s >= apart_s) and self._sample(now):
            self.refused()

    def _under_way(self) -> int:
        return sum(one.requests for one in self._turns if one.has_begun)

    def _bounded(self) -> int:
        return sum(one.requests for one in self._turns if one.bounded)

    def _wait(self, mine: _Turn) -> None:
        """Until it may send its requests: if a pause begins meanwhile, after that, and one after the other as well."""
        stopped, pauses = False, -1
        while True:
            with self._turn:
                self._refill()
                now = self._updated_s
                wait_s = self._paused_until_s - now
                if pauses != self._pauses:
                    self._count_if_due(now)
                    pauses = self._pauses
                    wait_s = max(0.0, self._paused_until_s - now)
                    if self._rate < math.inf:
                        self._tokens -= mine.requests
                        wait_s += max(0.0, -self._tokens / self._rate)
                if wait_s <= 0 or stopped:
                    mine.has_begun = True
                    self._taken += mine.requests
                    self._charged += mine.requests
                    return
            stopped = bool(self._sleep(wait_s))

    def _most_under_way(self) -> float:
        if self._rate < math.inf:
            return max(1.0, min(self._rate * _AT_ONCE_S, self._answered))
        return math.inf if self._answered >= _WELL_KNOWN else max(_FIRST, self._answered // _SHARE)

    def _refill(self) -> None:
        now = self._clock()
        begun_s = max(self._updated_s, min(now, self._paused_until_s))
        self._updated_s = now
        if self._rate < math.inf:
            self._tokens = min(max(1.0, self._rate * _BURST_S), self._tokens + (now - begun_s) * self._rate)
            grown = min(self._most, self._rate * (1 + self._growth(now)) ** (now - begun_s), _BEYOND * self._shown)
            self._rate = max(self._rate, grown)

    def _growth(self, now: float) -> float:
        """How much faster each second."""
        if self._roughly:
            return _FAST_GROWTH
        doublings = min((now - self._refused_s) / _DOUBLES_S, 16.0)
        return min(_FAST_GROWTH, _GROWTH * 2**doublings)

    def _sample(self, now: float) -> bool:
        """Note how many were accepted by now; returns whether some were refused since the last time.

        What calls took beyond what was expected of them has to be waited for, and what they did not take is given back.
        """
        answers = Answers(self._taken, 0) if self._count is None else self._count()
        if answers is None:
            return False
        if self._samples and answers.accepted < self._samples[-1].accepted:
            self._samples.clear()  # another rclone counts from zero
        sent = answers.accepted + self._under_way()
        if self._samples and self._count is not None:
            self._tokens -= sent - self._charged
        refused, self._charged, self._refused = answers.refused > self._refused, sent, answers.refused
        # What is refused for another reason ends its call with that reason, once it is known. A read that could be repeated, or
        # that does not end, because rclone waits before it tries again, was too much. Others that end meanwhile say nothing.
        # It takes a moment until it is being found out about a read; a batch finds out nothing.
        known = min(answers.doubtful, self._doubtful + self._explained)
        suspected, self._suspected = self._suspected, 0 if answers.explaining else answers.doubtful
        reading = any(one.bounded and one.has_begun for one in self._turns)
        too_many = not answers.explaining and (known < suspected or not reading)
        if known < answers.doubtful and (self._unexplained or too_many):
            refused, known = True, answers.doubtful
        self._doubtful, self._explained, self._unexplained = known, 0, False
        self._samples.append(_Sample(now, answers.accepted))
        while self._samples[0].at_s < now - _SAMPLES_S:
            self._samples.popleft()
        self._shown = max(self._shown, self._allowed() or 0.0)
        return refused

    def _allowed(self) -> float | None:
        """The least that the remote allows a second, by what it has accepted; None if that was too little to say."""
        if len(self._samples) < 2:
            return None
        last = self._samples[-1]
        if last.accepted - self._samples[0].accepted < _ENOUGH:
            return None
        return max((last.accepted - one.accepted) / (1 + last.at_s - one.at_s) for one in self._samples)

    def _slow_down(self, now: float) -> None:
        allowed = self._allowed()
        self._roughly = allowed is None or not self._pauses
        self._pauses += 1
        if allowed is None:
            allowed = _ENOUGH if self._rate == math.inf else self._rate / 2
        self._shown = min(self._rate, allowed)
        self._rate = max(_LOWEST, self._shown * _OF_THE_ALLOWED)
        accepted = self._samples[-1].accepted if self._samples else None
        self._in_vain, self._accepted = accepted is not None and accepted == self._accepted, accepted
        self._samples.clear()
        self._answered = 0
        self._refused_s = now
        _log.info("requests were refused: %.1f a second from now on", self._rate)
