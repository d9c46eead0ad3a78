"""Tries again what may be tried again without looking: listings before their first item, stats, hashes and reads.

Calls that change something pass as they are: whoever sent them has to look at both ends before a second try. So do batches, for
whoever sends those does: were both to try again, one file that a server refuses would cost the product of their tries.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from orchestrator.errors import RATE_LIMIT_WAIT_S, RateLimitError, TransientError
from orchestrator.records import Entry, Quota
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class RetryingStorage(ForwardingStorage):
    """See the module.

    Waits `first_wait_s`, then twice that and so on up to `longest_wait_s`, each time a random part between a half and the whole
    of it; after a RateLimitError never less than its `retry_after`, and some seconds where it names none. `attempts` counts the
    first try; when the last one fails its error is raised, at once where it asks for more than LONGEST_RETRY_AFTER_S. Until the
    storage has answered once, a TransientError that comes later than `first_contact_s` after the first try is the last: a server
    that is not there need not be waited for, one that was there is. `sleep` and `random` are there for tests.
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

    def _again(self, ask: Callable[[], Result]) -> Result:
        result = self._at_once(ask) if self._answered else self._retrying()(ask)
        self._answered = True
        return result

    def _at_once(self, ask: Callable[[], Result]) -> Result:
        """Most calls need no second try: a Retrying, which takes 15 us to make and run, is for those that do."""
        try:
            return ask()
        except (TransientError, RateLimitError) as error:
            failed = [error]

        def attempt() -> Result:
            if failed:
                raise failed.pop()
            return ask()

        return self._retrying()(attempt)

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

    def _retrying(self) -> Retrying:
        return Retrying(
            sleep=self._sleep,
            stop=self._is_enough,
            wait=self._wait_s,
            retry=retry_if_exception_type((TransientError, RateLimitError)),
            before_sleep=self._say,
            retry_error_callback=_last_word,
        )

    def _is_enough(self, state: RetryCallState) -> bool:
        error = _error_of(state)
        if state.attempt_number >= self._attempts or (isinstance(error, RateLimitError) and error.out_of_reach):
            return True
        if self._first_contact_s is None or self._answered or not isinstance(error, TransientError):
            return False
        return (state.seconds_since_start or 0.0) >= self._first_contact_s

    def _wait_s(self, state: RetryCallState) -> float:
        error = _error_of(state)
        first_s = self._first_wait_s
        if isinstance(error, RateLimitError):
            if error.retry_after is not None:
                return max(error.retry_after, first_s) + first_s * self._random.random()
            first_s = max(first_s, RATE_LIMIT_WAIT_S)
        longest = min(self._longest_wait_s, first_s * 2.0 ** (state.attempt_number - 1))
        return longest * self._random.uniform(0.5, 1)

    def _say(self, state: RetryCallState) -> None:
        _log.info(
            "%s: try %d failed (%s); again in %.1f s", self.fs, state.attempt_number, _error_of(state), state.upcoming_sleep
        )


def sent_once(storage: Storage) -> Storage:
    """The storage for one who tries again himself."""
    return storage.inner if isinstance(storage, RetryingStorage) else storage


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _last_word(state: RetryCallState) -> object:
    """After the last try: its result, or its own error instead of tenacity's."""
    return state.outcome.result() if state.outcome is not None else None
