"""Sends as many requests as a remote allows: see `orchestrator.storage.wrappers.pace`."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from orchestrator.errors import OrchestratorError, OutageError, RateLimitError, TransientError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.paths import parent_of
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, GiveCall, MoveCall, StatCall, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage, Result
from orchestrator.storage.wrappers.pace import Pace

_REQUESTS: dict[type[Call], int] = {StatCall: 1, DeleteCall: 1, GiveCall: 2, MoveCall: 3, CopyCall: 4}
"""About how many requests a call takes; `Pace` also learns how many there were."""
_LOOKS = 4
"""How often a look is sent while the remote refuses it and others: of one alone, the caller decides."""
_LISTINGS = 6
"""How often a listing is begun while the remote refuses requests, each time with fewer a second."""
_REMEMBERED = 20_000
"""The files of a listing that can still be begun again: refusals come early, and names take memory."""
_BUSY = re.compile(r"\b503\b")


class RateLimitedStorage(ForwardingStorage):
    """Every request waits for its turn. A listing or the read of a whole file counts as one.

    A batch is sent in parts that are small enough; its looks are repeated while the remote refuses several.
    A RateLimitError is raised as it is. It slows down the requests that follow, and so does a 503, which may say no more. Put
    this inside RetryingStorage, so that second tries wait as well.
    """

    def __init__(
        self,
        inner: Storage,
        per_second: float | None = None,
        *,
        pace: Pace | None = None,
        looks_of_a_listing: int | None = None,
        until_it_answers: Callable[[], None] = lambda: None,
    ) -> None:
        """`pace` may be shared by the storages of one account; without it one is made for `per_second`.

        `looks_of_a_listing`: so many looks at files of one folder, or more, are one request, if they are sent together.
        `until_it_answers` is called before a listing that broke off is begun again; it may raise.
        """
        super().__init__(inner)
        self._until_it_answers = until_it_answers
        self._looks_of_a_listing = looks_of_a_listing or sys.maxsize
        if pace is None and per_second is None:
            raise ValueError("neither a rate nor a pace")
        self.pace = pace or Pace(per_second)

    def look(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """When its turn has come, and again if it fails with others in a pause."""
        for _ in range(_LOOKS - 1):
            pauses = self.pace.pauses
            try:
                return self.change(ask, requests)
            except (RateLimitError, TransientError):
                if self.pace.pauses == pauses or self.pace.in_vain or not self.pace.under_way:
                    raise
        return self.change(ask, requests)

    def change(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """When its turn has come."""
        with self.pace.turn(requests):
            pauses = self.pace.pauses
            try:
                return ask()
            except OrchestratorError as error:
                self._note(error, pauses)
                raise

    def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """When its turn has come."""
        with self.pace.turn():
            pass
        pauses = self.pace.pauses
        try:
            yield from ask()
        except OrchestratorError as error:
            self._note(error, pauses)
            raise

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage."""
        results: dict[int, CallResult] = {}
        waiting = self._by_folder(calls)
        for _ in range(_LOOKS):
            refused = []
            while waiting:
                part, waiting = self._part(calls, waiting)
                at_once = min(concurrency, self.pace.concurrency)
                cost = _Cost(self._looks_of_a_listing)
                for number in part:
                    cost.add(calls[number])
                with self.pace.turn(cost.requests, bounded=False):
                    pauses = self.pace.pauses
                    answers = self.inner.batch([calls[number] for number in part], concurrency=at_once)
                results |= zip(part, answers, strict=True)
                again = [number for number in part if self._note(results[number], pauses)]
                refused += [number for number in again if isinstance(calls[number], StatCall)]
            waiting = refused if len(refused) > 1 else ()
        return [results[number] for number in range(len(calls))]

    def list(
        self,
        prefix: str = "",
        hidden: HiddenFolders = ALL_HIDDEN,
        *,
        on_folder: Callable[[str], None] | None = None,
        at_most: int | None = None,
    ) -> Iterator[Entry]:
        """See Storage. Begins again, without what was given, if the remote wants fewer requests or is away for a while."""
        given: set[tuple[str, str | None]] | None = set()
        for listings_left in reversed(range(_LISTINGS)):
            known = frozenset(given or ())
            try:
                for entry in super().list(prefix, hidden, on_folder=on_folder, at_most=at_most):
                    key = (entry.path, entry.id)
                    if key in known:
                        continue
                    if given is not None:
                        given.add(key)
                        given = given if len(given) <= _REMEMBERED else None
                    yield entry
            except OrchestratorError as error:
                if not (listings_left and given is not None and (_is_refusal(error) or (given and _may_pass(error)))):
                    raise
                if not _is_refusal(error):
                    self._until_it_answers()
            else:
                return

    def _by_folder(self, calls: Sequence[Call]) -> Sequence[int]:
        """The numbers of the calls, in an order in which no part separates looks that a folder answers together."""
        looks = [call for call in calls if isinstance(call, StatCall)]
        if self._looks_of_a_listing == sys.maxsize or len(looks) < len(calls):
            return range(len(calls))
        return sorted(range(len(calls)), key=lambda number: parent_of(looks[number].path))

    def _part(self, calls: Sequence[Call], waiting: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """The calls to send next, at least one, and those that are left.

        Files that come from elsewhere are slow anyway: only a known limit keeps them apart.
        """
        room, limited = self.pace.at_once, self.pace.per_second < math.inf
        more_until_listed = 0 if self._looks_of_a_listing == sys.maxsize else self._looks_of_a_listing
        cost = _Cost(self._looks_of_a_listing)
        fitting = 1
        for end, number in enumerate(waiting, 1):
            call = calls[number]
            slow = isinstance(call, CopyCall | MoveCall) and call.source is not None
            if limited or not slow:
                cost.add(call)
            if cost.requests <= room:
                fitting = end
            elif cost.requests > room + more_until_listed:
                break
        return waiting[:fitting], waiting[fitting:]

    def _note(self, answer: object, after_pauses: int) -> bool:
        """Slow down if the remote asked for that; returns whether it did."""
        if refused := _is_refusal(answer):
            retry_after = answer.retry_after if isinstance(answer, RateLimitError) else None
            self.pace.refused(retry_after, after_pauses=after_pauses)
        return refused


class _Cost:
    """About how many requests calls take that are sent together."""

    def __init__(self, looks_of_a_listing: int) -> None:
        self._looks_of_a_listing = looks_of_a_listing
        self._looks = Counter[str]()
        self.requests = 0

    def add(self, call: Call) -> None:
        """Count one more call."""
        if not isinstance(call, StatCall):
            self.requests += _REQUESTS[type(call)]
            return
        self._looks[folder := parent_of(call.path)] += 1
        looks = self._looks[folder]
        if looks < self._looks_of_a_listing:
            self.requests += 1
        elif looks == self._looks_of_a_listing:
            self.requests += 2 - looks


def _is_refusal(answer: object) -> bool:
    """Whether the remote wants fewer requests."""
    if isinstance(answer, RateLimitError):
        return not answer.out_of_reach
    return isinstance(answer, OrchestratorError) and _may_pass(answer) and bool(_BUSY.search(answer.message))


def _may_pass(error: OrchestratorError) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, OutageError)
