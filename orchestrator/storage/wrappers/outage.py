"""Whether a remote still answers. One place decides for how long an outage is waited for, whatever was asked and by whom.

A short one, such as a restart of a server or a router, is waited for. A remote is given up when nothing has come from it for
`OUTAGE_S`, and it does not answer a simple question either. Then the requests that still wait for it are ended, and all others
fail at once: neither the retries of rclone, nor ours, nor the number of files multiplies the wait.

A remote that has not answered once is given up sooner: it may have been switched off for weeks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Protocol

from orchestrator.errors import NoAnswerError, NotFoundError, OrchestratorError, OutageError, RateLimitError, TransientError
from orchestrator.records import Capabilities
from orchestrator.retry_times import LONGEST_RETRY_AFTER_S, OUTAGE_S
from orchestrator.storage.protocol import PROBE, Call, CallResult, Storage
from orchestrator.storage.wrappers.forwarding import ForwardingStorage, Result

_FIRST_CONTACT_S = 20.0
"""The same as OUTAGE_S for a remote that has not answered once."""
_SILENT_S = 15.0
"""After so long without an answer, while some are waited for, a remote is asked a simple question beside them."""
_QUESTION_S = 10.0
"""How long the answer to that question may take."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
"""Between two questions; the pause doubles."""
_GIVEN_UP_S = 30.0
"""So long, nothing is sent to a remote that was given up. Then it is asked again, if somebody needs it: a job has more steps."""
_IDLE_S = 60.0
"""If nobody has asked a remote for so long, an earlier error says nothing about it."""


class Line(Protocol):
    """The way to one remote."""

    def ask(self, within_s: float) -> object:
        """Ask a simple question; raises what is wrong, TransientError if no answer comes in time."""

    def signs(self) -> int | None:
        """A number that changes when something comes from a remote, also during a long request; None: unknown."""

    def cut(self) -> None:
        """End all requests that are under way, and let others fail at once, but for `ask`."""

    def reopen(self) -> None:
        """Let requests pass again."""


class Request:
    """One request to a remote."""

    answered = True
    """Whether its end without an error is an answer."""


class Contact:
    """With one remote, for all its storages and any number of threads. Somebody must call `check` now and then.

    A set `stop` ends each wait. `on_wait` gets what to say of a wait, and its seconds.
    """

    def __init__(
        self,
        name: str,
        line: Line,
        *,
        stop: threading.Event,
        on_wait: Callable[[str, float], None] = lambda _reason, _seconds: None,
        outage_s: float = OUTAGE_S,
        clock: Callable[[], float] = time.monotonic,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        """`alone`: whether all signs of the line are of this remote."""
        self._name = name
        self._alone = alone
        self._line = line
        self._stop = stop
        self._on_wait = on_wait
        self._outage_s = outage_s
        self._clock = clock
        self._asking = threading.Lock()
        """Held by the one thread that asks questions."""
        self._lock = threading.Lock()
        self._under_way = 0
        self._ever_heard = self._in_doubt = False
        self._silent_since_s = self._ended_s = clock()
        self._signs: int | None = None
        self._given_up: tuple[float, OutageError] | None = None
        self._closed = False

    def close(self) -> None:
        """Nobody needs the remote any more: ask no further question."""
        self._closed = True

    @property
    def outage(self) -> OutageError | None:
        """The error of a remote that is given up."""
        return self._given_up[1] if self._given_up is not None else None

    @contextmanager
    def request(self, *, reading: bool = False) -> Iterator[Request]:
        """Around a request. Raises OutageError while the remote is given up, at once and in place of the error that caused.

        `reading` of a file: while it is in doubt whether the remote answers, "not found" says nothing (TransientError).
        """
        self._begin()
        request = Request()
        try:
            yield request
        except TransientError as error:
            self._in_doubt = True
            if self.outage is not None:
                raise self.outage from error
            raise
        except OrchestratorError as error:
            if reading and self._in_doubt and isinstance(error, NotFoundError):
                raise TransientError(f"{error.message}, or {self._name} does not answer", path=error.path) from error
            if self._given_up is None:
                self.hear(asks_for_s=_delay_of(error))
            raise
        else:
            if not request.answered:
                self._in_doubt = True
            elif self._given_up is None:  # otherwise the answer came before that, or is none
                self.hear()
        finally:
            with self._lock:
                self._under_way -= 1
                self._ended_s = self._clock()

    def hear(self, *, asks_for_s: float = 0.0) -> None:
        """Something has come from the remote, perhaps that it wants no requests for a while: rclone waits then, too."""
        self._silent_since_s = self._clock() + asks_for_s
        self._ever_heard = True
        self._in_doubt = False
        self._signs = None
        if self._given_up is not None:
            self._revive()

    def check(self) -> None:
        """If the remote is silent although somebody waits for it, ask it in another thread. After a stop, give it up."""
        silent_s = self._clock() - self._silent_since_s
        if not self._under_way or self._given_up is not None or silent_s < _SILENT_S / 2 or self._asking.locked():
            return
        before, now = self._signs, self._line.signs()
        self._signs = now
        if None not in (before, now) and now != before:  # perhaps from another remote
            self._silent_since_s, self._signs = self._clock(), None
        elif silent_s < _SILENT_S:
            return
        elif self._stop.is_set():
            self._give_up(NoAnswerError("stopped"), silent_s)
        else:
            threading.Thread(target=self._ask_beside, name=f"asks {self._name}", daemon=True).start()

    def wait(self) -> None:
        """After a TransientError: return as soon as the remote answers. Raises OutageError if it does not do so in time."""
        began_s = self._clock()
        with self._asking:
            if self.outage is not None:
                raise self.outage
            if self._silent_since_s > began_s:  # another thread has just asked
                return
            pause_s, signs = _FIRST_PAUSE_S, self._line.signs()
            while (error := self._answer()) is not None:
                before, signs = signs, self._line.signs()
                if self._alone() and None not in (before, signs) and before != signs:  # it is only slow
                    self._silent_since_s = self._clock()
                limit_s = self._outage_s if self._ever_heard else min(self._outage_s, _FIRST_CONTACT_S)
                silent_s = self._clock() - self._silent_since_s
                if self._stop.is_set() or self._closed:
                    raise error
                if silent_s >= limit_s:
                    raise self._give_up(error, silent_s)
                said = f"no answer from {self._name}: for {silent_s:.0f} s, given up after {limit_s:.0f} s"
                pause_s = min(pause_s, _LONGEST_PAUSE_S, limit_s - silent_s)
                self._on_wait(said, pause_s)
                self._stop.wait(pause_s)
                pause_s *= 2

    def _begin(self) -> None:
        with self._lock:
            now = self._clock()
            if self._given_up is not None:
                if now - self._given_up[0] < _GIVEN_UP_S:
                    raise self._given_up[1]
                self._revive()  # the next error shows at once that it is still away
            elif not self._under_way and (not self._in_doubt or now - self._ended_s > _IDLE_S):
                self._in_doubt = False
                self._silent_since_s = max(self._silent_since_s, now)
            self._under_way += 1

    def _ask_beside(self) -> None:
        try:
            self.wait()
        except TransientError:
            return  # those who wait for the remote have an error as well

    def _answer(self) -> TransientError | None:
        """Ask the question; the error if there is no answer."""
        try:
            self._line.ask(_QUESTION_S)
        except TransientError as error:
            return error
        except OrchestratorError as error:  # it answers, if only to refuse
            self.hear(asks_for_s=_delay_of(error))
            return None
        self.hear()
        return None

    def _give_up(self, error: TransientError, silent_s: float) -> OutageError:
        why = "" if isinstance(error, NoAnswerError) else f": {error.message.removeprefix(f'{PROBE}: ')}"
        given_up = OutageError(f"no answer for {silent_s:.0f} s{why}")
        with self._lock:
            self._given_up = self._clock(), given_up
        self._line.cut()
        return given_up

    def _revive(self) -> None:
        self._given_up = None
        self._line.reopen()


def _delay_of(error: OrchestratorError) -> float:
    """For how many seconds the remote wants no requests."""
    return min(error.retry_after or 0.0, LONGEST_RETRY_AFTER_S) if isinstance(error, RateLimitError) else 0.0


class AnsweringStorage(ForwardingStorage):
    """Tells a Contact what comes from its remote, and sends nothing while that is given up."""

    def __init__(self, inner: Storage, contact: Contact) -> None:
        super().__init__(inner)
        self.contact = contact

    @cached_property
    def capabilities(self) -> Capabilities:
        """See Storage."""
        return self.look(lambda: self.inner.capabilities)

    def look(self, ask: Callable[[], Result], requests: int = 1) -> Result:
        """A request."""
        return self.change(ask, requests)

    def change(self, ask: Callable[[], Result], requests: int = 1) -> Result:  # noqa: ARG002 - counts no requests
        """A request."""
        with self.contact.request():
            return ask()

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See Storage."""
        return self.read_ranges(path, [(offset, length)])[0]

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """See Storage. rclone's ways to read say "not found" of many errors."""
        with self.contact.request(reading=True):
            return self.inner.read_ranges(path, ranges)

    def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
        """Each item is a sign of life."""
        with self.contact.request():
            for item in ask():
                self.contact.hear()
                yield item

    def batch(self, calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        """See Storage. If calls fail as if nobody were there, its end is no answer: the others may have ended long before."""
        with self.contact.request() as request:
            results = self.inner.batch(calls, concurrency=concurrency)
            request.answered = not any(isinstance(result, TransientError) for result in results)
        if (delay_s := max((_delay_of(one) for one in results if isinstance(one, RateLimitError)), default=0.0)) > 0:
            self.contact.hear(asks_for_s=delay_s)
        outage = self.contact.outage
        return results if outage is None else [outage if isinstance(one, TransientError) else one for one in results]
