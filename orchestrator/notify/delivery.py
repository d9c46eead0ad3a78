"""Send something in the background, for a limited time. What goes wrong is a sentence for a warning, never an exception."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable

from orchestrator.errors import OrchestratorError
from orchestrator.rclone.redact import one_line

LONGEST_S = 10.0
"""How long one delivery may take, with all its tries. docs/monitoring.md names it."""


class Delivery:
    """One of them, on its way from the start. A thread that hangs is left alone: it ends with the program."""

    def __init__(self, label: str, send: Callable[[float], None]) -> None:
        """`send` gets the time by which it must be done (of the monotonic clock), and raises what it cannot do."""
        self.label = label
        """What it is for: the key of the config."""
        self._send = send
        self._problem: str | None = None
        self._until = time.monotonic() + LONGEST_S
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._work,), name="notify", daemon=True)
        self._thread.start()

    def problem(self) -> str | None:
        """Wait until it has ended, at most for the rest of its time. What went wrong, without secrets; None if nothing did."""
        self._thread.join(max(0.0, self._until - time.monotonic()))
        if self._thread.is_alive():
            return f"no answer within {LONGEST_S:.0f} s"
        return self._problem

    def _work(self) -> None:
        try:
            self._send(self._until)
        except OrchestratorError as error:
            self._problem = one_line(error.message)
        except Exception as error:
            self._problem = f"{type(error).__name__}: {one_line(str(error))}"
