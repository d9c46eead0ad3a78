"""Writing to a stream that may go away (`| head`), be full or be closed: the work goes on, the words stop."""

from __future__ import annotations

import os
import threading
from typing import TextIO


class Output:
    """One stream, for several threads; also what rich writes to. Writing to it raises nothing."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.gone = False
        """Nothing is written any more."""
        self.failure: str | None = None
        """Why not all was written, where it should have been: nobody misses what a reader did not stay for."""
        self._lock = threading.Lock()

    @property
    def encoding(self) -> str:
        """The stream's."""
        return self.stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.stream.isatty()

    def line(self, text: str) -> None:
        """Write one line."""
        self.write(text + "\n")

    def write(self, text: str) -> int:
        """Write the text as it is."""
        with self._lock:
            if not self.gone:
                try:
                    self.stream.write(text)
                except (OSError, ValueError) as error:
                    self.leave(error)
        return len(text)

    def flush(self) -> None:
        """Give the lines to the reader."""
        with self._lock:
            if not self.gone:
                try:
                    self.stream.flush()
                except (OSError, ValueError) as error:
                    self.leave(error)

    def leave(self, error: Exception) -> None:
        """Write no more, and keep the interpreter from complaining of what is left at its end."""
        self.gone = True
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            self.failure = error.strerror or type(error).__name__
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            # A stream without a descriptor has nothing to complain about.
            return


def all_written(stdout: Output, stderr: Output, *, stderr_counts: bool) -> bool:
    """Give the last lines to the readers; whether all that was said could be written. stderr hears of a stdout that fails."""
    stdout.flush()
    if stdout.failure is not None:
        stderr.line(f"error: what was said could not be written to stdout: {stdout.failure}")
    stderr.flush()
    return stdout.failure is None and (stderr.failure is None or not stderr_counts)
