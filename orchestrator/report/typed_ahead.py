"""Discards what was typed before a question was on the screen: it cannot be the answer to that question."""

from __future__ import annotations

import contextlib
import termios
from typing import TextIO


def discard_typed_ahead(stdin: TextIO) -> None:
    """Forget the keys that a terminal has taken and nobody has read yet. Does nothing to a file or a pipe."""
    if stdin.isatty():
        with contextlib.suppress(OSError, termios.error):  # a stream without a descriptor, or a terminal that is gone
            termios.tcflush(stdin.fileno(), termios.TCIFLUSH)
