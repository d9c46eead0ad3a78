"""Sends as many requests as a remote allows: see `orchestrator.storage.wrappers.pace`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

from orchestrator.errors import OrchestratorError, RateLimitError, TransientError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, GiveCall, MoveCall, StatCall, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage, Result
from orchestrator.storage.wrappers.pace import Pace

_REQUESTS: dict[type[Call], int] = {StatCall: 1, DeleteCall: 1, GiveCall: 2, MoveCall: 3, CopyCall: 4}
"""About how many requests a call takes; `Pace` also learns how many there were."""
_LOOKS = 4
"""How often a look of a batch is sent while the remote refuses it and others: of one alone, the caller decides."""
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
        self, inner: Storage, per_second: float | None = None, *, pace: Pace | None = None, looks_by_folder: bool = False
    ) -> None:
        """`pace` may be shared by the storages of one account; without it one is made for `per_second`.

        `looks_by_folder`: looks at several files of a folder are one request, as long as they are sent together.
        """
        super().__init__(inner)
        self._looks_by_folder = looks_by_folder
        if pace is None and per_second is None:
            raise ValueError("neither a rate nor a pace")
        self.pace = pace or Pace(per_second)

    def look(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """When its turn has come."""
        with self.pace.turn(requests):
            try:
                return ask()
            except OrchestratorError as error:
                self._note(error)
                raise

    def change(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """When its turn has come."""
        return self.look(ask, requests)

    def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """When its turn has come."""
        with self.pace.turn():
            pass
        try:
            yield from ask()
        except OrchestratorError as error:
            self._note(error)
            raise

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage."""
        results: dict[int, CallResult] = {}
        waiting: Sequence[int] = range(len(calls))
        for _ in range(_LOOKS):
            refused = []
            while waiting:
                part, waiting = self._part(calls, waiting)
                at_once = min(concurrency, self.pace.concurrency)
                with self.pace.turn(sum(_REQUESTS[type(calls[number])] for number in part), bounded=False):
                    answers = self.inner.batch([calls[number] for number in part], concurrency=at_once)
                results |= zip(part, answers, strict=True)
                again = [number for number in part if self._note(results[number])]
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
        """See Storage. Begins again if the remote wants fewer requests, and leaves out what was given before."""
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
                if not (listings_left and given is not None and _is_refusal(error)):
                    raise
            else:
                return

    def _part(self, calls: Sequence[Call], waiting: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """The calls to send next, at least one, and those that are left.

        Files that come from elsewhere are slow anyway: only a known limit keeps them apart.
        """
        room, limited = self.pace.at_once, self.pace.per_second < math.inf
        if not limited and self._looks_by_folder and all(isinstance(calls[number], StatCall) for number in waiting):
            return waiting, ()
        for end, number in enumerate(waiting):
            call = calls[number]
            slow = isinstance(call, CopyCall | MoveCall) and call.source is not None
            room -= _REQUESTS[type(call)] if limited or not slow else 0
            if room < 0 and end:
                return waiting[:end], waiting[end:]
        return waiting, ()

    def _note(self, answer: object) -> bool:
        """Slow down if the remote asked for that; returns whether it did."""
        if refused := _is_refusal(answer):
            self.pace.refused(answer.retry_after if isinstance(answer, RateLimitError) else None)
        return refused


def _is_refusal(answer: object) -> bool:
    """Whether the remote wants fewer requests."""
    if isinstance(answer, RateLimitError):
        return not answer.out_of_reach
    return isinstance(answer, TransientError) and bool(_BUSY.search(answer.message))
