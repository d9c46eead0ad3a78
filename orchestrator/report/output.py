"""Writing to a stream that may go away (`| head`): the work goes on, the words stop."""

from __future__ import annotations

import os
import threading
from typing import TextIO


class Output:
    """One stream, whole lines, from several threads."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._gone = False
        self._lock = threading.Lock()

    def line(self, text: str) -> None:
        """Write one line; nothing when nobody reads any more."""
        with self._lock:
            if self._gone:
                return
            try:
                self.stream.write(text + "\n")
            except (BrokenPipeError, ValueError):
                self._leave()

    def flush(self) -> None:
        """Give the lines to the reader."""
        with self._lock:
            if self._gone:
                return
            try:
                self.stream.flush()
            except (BrokenPipeError, ValueError):
                self._leave()

    def _leave(self) -> None:
        """Nobody reads any more: keep the interpreter from complaining at its end."""
        self._gone = True
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            # A stream without a descriptor has nothing to complain about.
            return
