"""Tries again what may be tried again without looking: listings before their first item, stats, hashes and reads.

Calls that change something pass as they are: whoever sent them has to look at both ends before a second try.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, retry_if_result, retry_never
from tenacity.retry import retry_base

from orchestrator.errors import OrchestratorError, RateLimitError, RemoteError, TransientError
from orchestrator.storage.base import PROBE, Call, Entry, Outcome, Quota, StatCall, Storage
from orchestrator.storage.forward import ForwardingStorage

Result = TypeVar("Result")

_WORTH_IT = (TransientError, RateLimitError)
_log = logging.getLogger(__name__)


class RetryingStorage(ForwardingStorage):
    """See the module.

    Waits `first_wait_s`, then twice that and so on up to `longest_wait_s`, each time a random part between a half and the whole
    of it; after a RateLimitError never less than its `retry_after`. `attempts` counts the first try; when the last one fails its
    error is raised. Until the storage has answered once, a TransientError that comes later than `first_contact_s` after the first
    try is the last: a server that is not there need not be waited for, one that was there is. `sleep` and `random` are there for
    tests.
    """

    def __init__(
        self,
        inner: Storage,
        *,
        attempts: int = 5,
        first_wait_s: float = 0.5,
        longest_wait_s: float = 30.0,
        first_contact_s: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._first_contact_s = first_contact_s
        self._answered = False
        self._silent = False
        """Whether a whole batch came back with nothing but lost connections, and nothing was answered since."""
        self._given_up = False
        """Whether it was waited for in vain since: then each look is the only one."""
        self._sleep = sleep
        self._random = random or Random()  # noqa: S311 - spreads clients over time, keeps no secret

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """See Storage."""
        return self._stream(lambda: self.inner.list(prefix))

    def stat(self, path: str) -> Entry | None:
        """See Storage."""
        return self._again(lambda: self.inner.stat(path))

    def exists(self, path: str) -> bool:
        """See Storage."""
        return self._again(lambda: self.inner.exists(path))

    def size(self, path: str) -> int | None:
        """See Storage."""
        return self._again(lambda: self.inner.size(path))

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        return self._again(lambda: self.inner.mtime(path))

    def hash(self, path: str, hash_type: str, *, download: bool = False) -> str | None:
        """See Storage."""
        return self._again(lambda: self.inner.hash(path, hash_type, download=download))

    def read(self, path: str) -> Iterator[bytes]:
        """See Storage."""
        return self._stream(lambda: self.inner.read(path))

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        return self._again(lambda: self.inner.read_range(path, offset, length))

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """See Storage."""
        return self._again(lambda: self.inner.read_ranges(path, ranges))

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """See Storage."""
        self._again(lambda: self.inner.fetch(path, object_id, to))

    def entries(self, path: str) -> Sequence[str] | None:
        """See Storage."""
        return self._again(lambda: self.inner.entries(path))

    def quota(self) -> Quota | None:
        """See Storage."""
        return self._again(self.inner.quota)

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[Outcome]:
        """See Storage. Only stats that failed are sent again; a batch that fails as such, only if all its calls are stats.

        After a batch in which every call lost its connection one look comes first, until it is answered: rclone takes seconds for
        each call to a server that is not there, and a hundred of them an hour. Without an answer nothing of the batch is sent.
        """
        outcomes: dict[int, Outcome] = {}
        silence: TransientError | None = None
        only_stats = all(isinstance(call, StatCall) for call in calls)

        def attempt() -> OrchestratorError | None:
            nonlocal silence
            if self._silent and len(calls) > 1 and (silence := self._still_silent()) is not None:
                return silence
            pending = [
                index for index in range(len(calls)) if index not in outcomes or _is_worth_it(calls[index], outcomes[index])
            ]
            try:
                results = self.inner.batch([calls[index] for index in pending], concurrency=concurrency)
            except OrchestratorError as error:
                if not outcomes:
                    raise
                results = [error] * len(pending)  # what the first round came to must not be lost
            outcomes.update(zip(pending, results, strict=True))
            self._silent = len(results) > 1 and all(isinstance(result, TransientError) for result in results)
            self._given_up = self._given_up and self._silent
            return _slowest(
                outcome for call, outcome in zip(calls, _in_order(outcomes), strict=True) if _is_worth_it(call, outcome)
            )

        whole = retry_if_exception_type(_WORTH_IT) if only_stats else retry_never
        self._retrying(whole | retry_if_result(lambda error: error is not None))(attempt)
        if silence is not None:
            self._given_up = True
            outcomes = dict.fromkeys(range(len(calls)), silence) | outcomes
        self._answered = self._answered or not all(isinstance(outcome, _WORTH_IT) for outcome in outcomes.values())
        return _in_order(outcomes)

    def _still_silent(self) -> TransientError | None:
        try:
            self.inner.stat(PROBE)
        except TransientError as error:
            return error
        except RemoteError:
            pass  # an answer all the same
        self._silent = self._given_up = False
        return None

    def _again(self, ask: Callable[[], Result]) -> Result:
        result = self._retrying(retry_if_exception_type(_WORTH_IT))(ask)
        self._answered = True
        self._silent = self._given_up = False
        return result

    def _stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """Once an item is out, a second try could give it twice: from there on errors pass."""

        def begin() -> tuple[tuple[Result, ...], Iterator[Result]]:
            items = ask()
            for first in items:
                return (first,), items
            return (), items

        first, rest = self._again(begin)
        yield from first
        yield from rest

    def _retrying(self, retry: retry_base) -> Retrying:
        return Retrying(
            sleep=self._sleep,
            stop=self._is_enough,
            wait=self._wait_s,
            retry=retry,
            before_sleep=self._say,
            retry_error_callback=_last_word,
        )

    def _is_enough(self, state: RetryCallState) -> bool:
        if state.attempt_number >= self._attempts or self._given_up:
            return True
        if self._first_contact_s is None or self._answered or not isinstance(_error_of(state), TransientError):
            return False
        return (state.seconds_since_start or 0.0) >= self._first_contact_s

    def _wait_s(self, state: RetryCallState) -> float:
        longest = min(self._longest_wait_s, self._first_wait_s * 2.0 ** (state.attempt_number - 1))
        wait_s = longest * self._random.uniform(0.5, 1)
        error = _error_of(state)
        if isinstance(error, RateLimitError) and error.retry_after is not None:
            return max(wait_s, error.retry_after + self._first_wait_s * self._random.random())
        return wait_s

    def _say(self, state: RetryCallState) -> None:
        _log.info(
            "%s: try %d failed (%s); again in %.1f s", self.fs, state.attempt_number, _error_of(state), state.upcoming_sleep
        )


def _is_worth_it(call: Call, outcome: Outcome) -> bool:
    return isinstance(call, StatCall) and isinstance(outcome, _WORTH_IT)


def _in_order(outcomes: dict[int, Outcome]) -> Sequence[Outcome]:
    return [outcomes[index] for index in range(len(outcomes))]


def _slowest(outcomes: Iterable[Outcome]) -> OrchestratorError | None:
    """Of these errors the one that asks for the longest wait; None when there are none."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, OrchestratorError)]
    return max(errors, key=lambda error: getattr(error, "retry_after", None) or 0.0, default=None)


def _error_of(state: RetryCallState) -> BaseException | None:
    if state.outcome is None:
        return None
    if state.outcome.failed:
        return state.outcome.exception()
    result = state.outcome.result()
    return result if isinstance(result, OrchestratorError) else None


def _last_word(state: RetryCallState) -> object:
    """After the last try: its result, or its own error instead of tenacity's."""
    return state.outcome.result() if state.outcome is not None else None
