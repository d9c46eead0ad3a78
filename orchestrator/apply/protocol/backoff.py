"""How long to wait before another try, also after a rate limit: exponential with jitter, never less than a remote asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import uniform
from typing import TYPE_CHECKING, TypeVar

from orchestrator.apply.protocol.task import Task, worth_another_try
from orchestrator.errors import OrchestratorError, RateLimitError, TransientError
from orchestrator.retry_times import FIRST_WAIT_S, RATE_LIMIT_GROWTH, RATE_LIMIT_WAIT_S

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

Result = TypeVar("Result")


class Backoff:
    """`first_s`: seconds before the second try. `longest_s`: the limit for later waits. `sleep` is for tests.

    By default a stop ends a wait early. `on_wait` gets the reason and the seconds of each wait.

    After a rate limit without a stated delay, the first wait is RATE_LIMIT_WAIT_S plus up to as much again at random: 1-2 s, and
    each further one longer by RATE_LIMIT_GROWTH. Listings and reads wait half of that: see `orchestrator.storage.wrappers.retry`.
    """

    def __init__(
        self,
        first_s: float = FIRST_WAIT_S,
        longest_s: float = 30.0,
        sleep: Callable[[float], None] | None = None,
        *,
        on_wait: Callable[[str, float], None] = lambda _reason, _seconds: None,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._sleep = sleep
        self._on_wait = on_wait

    def until_settled(self, once: Callable[[], list[Task]], stop: threading.Event) -> None:
        """Call `once` until it returns no open tasks, or until a stop."""

        def errors(state: RetryCallState) -> list[OrchestratorError]:
            tasks: list[Task] = state.outcome.result() if state.outcome else []
            return [task.error for task in tasks if task.error is not None]

        from tenacity import retry_if_result  # noqa: PLC0415 - kept out of --help

        retrying = self._retrying(errors, None, stop)
        retrying.copy(retry=retry_if_result(bool), retry_error_callback=lambda _: None)(once)

    def until_it_works(self, work: Callable[[], Result], tries: int, stop: threading.Event) -> Result:
        """Call `work`, which must be safe to repeat, until it succeeds; raises the last error, or one that will not pass."""

        def errors(state: RetryCallState) -> list[OrchestratorError]:
            error = state.outcome.exception() if state.outcome else None
            return [error] if isinstance(error, OrchestratorError) else []

        from tenacity import retry_if_exception  # noqa: PLC0415 - kept out of --help

        retrying = self._retrying(errors, tries, stop)
        return retrying.copy(retry=retry_if_exception(_may_pass), reraise=True)(work)

    def _retrying(
        self, errors: Callable[[RetryCallState], list[OrchestratorError]], tries: int | None, stop: threading.Event
    ) -> Retrying:
        from tenacity import (  # noqa: PLC0415 - kept out of --help
            Retrying,
            sleep_using_event,
            stop_after_attempt,
            stop_when_event_set,
            wait_exponential,
        )

        def wait(state: RetryCallState) -> float:
            passing = [error for error in errors(state) if worth_another_try(error)]
            if not passing:
                return 0.0  # the other errors are final: the next try only sets the verdicts
            limits = [error.retry_after for error in passing if isinstance(error, RateLimitError)]
            limited = None in limits
            first_s = max(self._first_s, RATE_LIMIT_WAIT_S) if limited else self._first_s
            growth = RATE_LIMIT_GROWTH if limited else 2
            growing = wait_exponential(multiplier=first_s, max=self._longest_s, exp_base=growth)(state)
            return max(growing, *(asked or 0.0 for asked in limits), 0.0) + uniform(0, first_s)  # noqa: S311 - not a secret

        def report(state: RetryCallState) -> None:
            passing = [error for error in errors(state) if worth_another_try(error)]
            if passing:
                self._on_wait(str(passing[0]), state.upcoming_sleep)

        event = stop_when_event_set(stop)
        return Retrying(
            stop=event if tries is None else stop_after_attempt(tries) | event,
            wait=wait,
            before_sleep=report,
            sleep=self._sleep or sleep_using_event(stop),
        )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, TransientError) or (isinstance(error, RateLimitError) and not error.out_of_reach)
