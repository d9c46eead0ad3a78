"""Opens the screen of a review in the terminal, and gives the terminal and its signals back as they were. Imports textual."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.review.model import Outcome, Review
from orchestrator.review.screen import ReviewScreen

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TAKEN = (*_ENDING, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)
"""What the screen handles itself while it is open."""


def show(review: Review, at: int) -> Outcome:
    """Show a review until the person leaves it; `at` is the entry to begin with.

    A signal closes the screen, and is then handled as it would have been without one.
    """
    app = ReviewScreen(review, at=at)
    received: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        received.append(number)
        app.exit(Outcome("quit"))

    async def run() -> Outcome | None:
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, end, number)
        return await app.run_async(mouse=False)

    with _signals_given_back():
        outcome = asyncio.run(run())
    for number in received:
        signal.raise_signal(number)
    if app.failure is not None:
        raise app.failure
    if outcome is None:
        raise RuntimeError("the screen of the review has ended by itself")
    return outcome


@contextmanager
def _signals_given_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _TAKEN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
