"""Repeats what is safe to repeat without a look: listings before their first item, stats, hashes and reads.

Changing calls are sent once: before a second try their caller has to look at both ends. So are batches, because their caller
retries: if both did, one file that a server refuses would cost the product of their attempts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from random import Random

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from orchestrator.errors import OutageError, RateLimitError, TransientError
from orchestrator.retry_times import FIRST_WAIT_S, RATE_LIMIT_GROWTH, RATE_LIMIT_WAIT_S
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage, Result

_log = logging.getLogger(__name__)

DEFAULT_ATTEMPTS = 5
"""The first try included."""


class RetryingStorage(ForwardingStorage):
    """See the module.

    Waits `first_wait_s`, doubling it each time up to `longest_wait_s`, and each time a random part between half and all of it;
    after a RateLimitError at least its `retry_after`. Where it states none, the first wait is half to all of RATE_LIMIT_WAIT_S,
    0.5-1 s, and each further one longer by RATE_LIMIT_GROWTH (changes wait twice as long: see
    `orchestrator.apply.protocol.backoff`).

    `attempts` counts the first try. The last error is raised; a RateLimitError with a delay above LONGEST_RETRY_AFTER_S is raised
    at once. Until the storage has answered once, a TransientError more than `first_contact_s` after the first try is raised too:
    a server that was never there is not worth the wait. Afterwards, `until_it_answers` is called before each further try; it
    may raise an OutageError, which is final. `on_wait` gets the reason and the seconds of each wait. Tests pass `sleep` and
    `random`.
    """

    def __init__(
        self,
        inner: Storage,
        *,
        attempts: int = DEFAULT_ATTEMPTS,
        first_wait_s: float = FIRST_WAIT_S,
        longest_wait_s: float = 30.0,
        first_contact_s: float | None = None,
        until_it_answers: Callable[[], None] = lambda: None,
        on_wait: Callable[[str, float], None] = lambda _reason, _seconds: None,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._first_contact_s = first_contact_s
        self._answered = False
        self._until_it_answers = until_it_answers
        self._on_wait = on_wait
        self._sleep = sleep
        self._random = random or Random()  # noqa: S311 - spreads clients over time, not a secret

    def look(self, ask: Callable[[], Result], requests: int = 1) -> Result:  # noqa: ARG002 - counts attempts, not requests
        """With further attempts where the error may pass."""
        result = self._try_first(ask) if self._answered else self._retrying()(ask)
        self._answered = True
        return result

    def _try_first(self, ask: Callable[[], Result]) -> Result:
        """Most calls need no second try, so make a Retrying, which takes 15 us, only for those that do."""
        try:
            return ask()
        except (TransientError, RateLimitError) as error:
            failed = [error]

        def attempt() -> Result:
            if failed:
                raise failed.pop()
            return ask()

        return self._retrying()(attempt)

    def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """With further attempts until the first item: a later one could give an item twice."""

        def begin() -> tuple[tuple[Result, ...], Iterator[Result]]:
            items = ask()
            for first in items:
                return (first,), items
            return (), items

        first, rest = self.look(begin)
        yield from first
        yield from rest

    def _retrying(self) -> Retrying:
        return Retrying(
            sleep=self._sleep,
            stop=self._is_last,
            wait=self._wait_s,
            retry=retry_if_exception_type((TransientError, RateLimitError)),
            before_sleep=self._report_retry,
            retry_error_callback=_final_result,
        )

    def _is_last(self, state: RetryCallState) -> bool:
        error = _error_of(state)
        if state.attempt_number >= self._attempts or (isinstance(error, RateLimitError) and error.out_of_reach):
            return True
        if isinstance(error, OutageError):
            return True
        if self._first_contact_s is None or self._answered or not isinstance(error, TransientError):
            return False
        return (state.seconds_since_start or 0.0) >= self._first_contact_s

    def _wait_s(self, state: RetryCallState) -> float:
        error = _error_of(state)
        first_s, growth = self._first_wait_s, 2.0
        if isinstance(error, RateLimitError):
            if error.retry_after is not None:
                return max(error.retry_after, first_s) + first_s * self._random.random()
            first_s, growth = max(first_s, RATE_LIMIT_WAIT_S), RATE_LIMIT_GROWTH
        longest = min(self._longest_wait_s, first_s * growth ** (state.attempt_number - 1))
        return longest * self._random.uniform(0.5, 1)

    def _report_retry(self, state: RetryCallState) -> None:
        error = _error_of(state)
        if self._answered and isinstance(error, TransientError):
            self._until_it_answers()
        _log.info("%s: try %d failed (%s); again in %.1f s", self.fs, state.attempt_number, error, state.upcoming_sleep)
        self._on_wait(f"{self.fs}: {error}", state.upcoming_sleep)


def without_retries(storage: Storage) -> Storage:
    """The storage for a caller that retries by itself."""
    return storage.inner if isinstance(storage, RetryingStorage) else storage


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _final_result(state: RetryCallState) -> object:
    """The result of the last try, or its own error instead of tenacity's."""
    return state.outcome.result() if state.outcome is not None else None
