"""Write to a stream that may go away (`| head`), be full or be closed: output stops, work goes on."""

from __future__ import annotations

import os
import threading
from shutil import get_terminal_size
from typing import TextIO


class Output:
    """One stream, safe for several threads; rich writes to it too. Writing never raises."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.gone = False
        """Whether writing has stopped for good."""
        self.failure: str | None = None
        """Why some output was lost; None also if the reader went away by itself (`| head`)."""
        self._lock = threading.Lock()

    @property
    def encoding(self) -> str:
        """The encoding of the stream."""
        return self.stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.stream.isatty()

    def window(self) -> tuple[int, int]:
        """Columns and rows of the terminal as it is now."""
        try:
            columns, rows = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            columns = rows = 0
        return (columns, rows) if columns and rows else get_terminal_size()

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
                    self.stop_writing(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        with self._lock:
            if not self.gone:
                try:
                    self.stream.flush()
                except (OSError, ValueError) as error:
                    self.stop_writing(error)

    def stop_writing(self, error: Exception) -> None:
        """Stop writing, and keep Python from complaining about unwritten output when it exits."""
        self.gone = True
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            self.failure = error.strerror or type(error).__name__
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            # A stream without a file descriptor needs no redirection.
            return


def all_written(stdout: Output, stderr: Output, *, stderr_counts: bool) -> bool:
    """Flush both streams. Returns whether all output could be written; a failure of stdout is reported on stderr."""
    stdout.flush()
    if stdout.failure is not None:
        stderr.line(f"error: cannot write to stdout: {stdout.failure}")
    stderr.flush()
    return stdout.failure is None and (stderr.failure is None or not stderr_counts)
