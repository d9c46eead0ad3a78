"""The time that a command may take (`--max-duration`)."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple


class Deadline(NamedTuple):
    """When a command begins nothing more."""

    until: float
    """By the clock `time.monotonic`: a clock that is set does not matter."""
    allowed: str
    """How long it may take, as it was given."""

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.until

    def __str__(self) -> str:
        return f"--max-duration {self.allowed}: the time is up"


class StopOrDeadline(threading.Event):
    """Is set when `stop` is, and when a deadline has passed."""

    def __init__(self, stop: threading.Event, deadline: Deadline) -> None:
        super().__init__()
        self._stop = stop
        self._deadline = deadline

    def is_set(self) -> bool:
        """Whether the work should end."""
        return self._stop.is_set() or self._deadline.passed
