"""How long to wait before another try: exponential with jitter, never less than a remote asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import uniform
from typing import TYPE_CHECKING, TypeVar

from orchestrator.apply.protocol.task import Task, worth_another_try
from orchestrator.errors import RATE_LIMIT_WAIT_S, OrchestratorError, RateLimitError, TransientError

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

Result = TypeVar("Result")


class Backoff:
    """Seconds before the second try, and at most. `sleep` is for tests; by default a stop wakes it."""

    def __init__(self, first_s: float = 0.5, longest_s: float = 30.0, sleep: Callable[[float], None] | None = None) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._sleep = sleep

    def until_settled(self, once: Callable[[], list[Task]], stop: threading.Event) -> None:
        """Call `once` until it gives no open tasks; a stop ends the waiting."""

        def troubles(state: RetryCallState) -> list[OrchestratorError]:
            tasks: list[Task] = state.outcome.result() if state.outcome else []
            return [task.trouble for task in tasks if task.trouble is not None]

        from tenacity import retry_if_result  # noqa: PLC0415 - kept out of --help

        retrying = self._retrying(troubles, None, stop)
        retrying.copy(retry=retry_if_result(bool), retry_error_callback=lambda _: None)(once)

    def until_it_works(self, work: Callable[[], Result], tries: int, stop: threading.Event) -> Result:
        """Call `work`, which may be done twice, until it raises no error that may pass; the last one is raised."""

        def trouble(state: RetryCallState) -> list[OrchestratorError]:
            error = state.outcome.exception() if state.outcome else None
            return [error] if isinstance(error, OrchestratorError) else []

        from tenacity import retry_if_exception  # noqa: PLC0415 - kept out of --help

        retrying = self._retrying(trouble, tries, stop)
        return retrying.copy(retry=retry_if_exception(_may_pass), reraise=True)(work)

    def _retrying(
        self, troubles: Callable[[RetryCallState], list[OrchestratorError]], tries: int | None, stop: threading.Event
    ) -> Retrying:
        from tenacity import (  # noqa: PLC0415 - kept out of --help
            Retrying,
            sleep_using_event,
            stop_after_attempt,
            stop_when_event_set,
            wait_exponential,
        )

        def wait(state: RetryCallState) -> float:
            passing = [error for error in troubles(state) if worth_another_try(error)]
            if not passing:
                return 0.0  # what failed for good is only looked at once more
            limits = [error.retry_after for error in passing if isinstance(error, RateLimitError)]
            first_s = max(self._first_s, RATE_LIMIT_WAIT_S) if None in limits else self._first_s
            growing = wait_exponential(multiplier=first_s, max=self._longest_s)(state)
            return max(growing, *(asked or 0.0 for asked in limits), 0.0) + uniform(0, first_s)  # noqa: S311 - keeps no secret

        event = stop_when_event_set(stop)
        return Retrying(
            stop=event if tries is None else stop_after_attempt(tries) | event,
            wait=wait,
            sleep=self._sleep or sleep_using_event(stop),
        )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, TransientError) or (isinstance(error, RateLimitError) and not error.out_of_reach)
