"""The program on a terminal of its own, as a person sees it: what is on the screen, and keys."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyte

from tests.program import COMMAND

_LONGEST_S = 20.0
_PRIVATE = re.compile(rb"\x1b\[[<>=?][0-9;]*\$?[a-zA-Z]")
"""Questions and modes that pyte would print or mistake for others."""


class Terminal:
    """One terminal, in which the program runs."""

    def __init__(self, handle: int, process: subprocess.Popen[bytes], columns: int, rows: int) -> None:
        self._handle = handle
        self.process = process
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.output = b""
        """All that the program has written."""

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def until(self, wanted: str, *, since: int = 0) -> None:
        """Wait for a text on the screen; or in the output after its first `since` bytes, if that is given."""
        end = time.monotonic() + _LONGEST_S
        while wanted not in self.text and (not since or wanted.encode() not in self.output[since:]):
            if time.monotonic() > end or not self._read(end):
                raise AssertionError(f"{wanted!r} is not on the screen:\n{self.text}")

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._handle, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> int:
        """Wait until the program ends; returns its exit code."""
        end = time.monotonic() + _LONGEST_S
        while self._read(end):
            pass
        return self.process.wait(_LONGEST_S)

    def _read(self, until: float) -> bool:
        """Take what comes next; False if nothing more will."""
        if not select.select([self._handle], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            output = os.read(self._handle, 1 << 16)
        except OSError:  # Linux: the other end is closed
            return False
        self.output += output
        self._stream.feed(_PRIVATE.sub(b"", output))
        return bool(output)


@contextmanager
def terminal(
    *arguments: str, state: Path, environment: Mapping[str, str] = {}, columns: int = 80, rows: int = 24
) -> Iterator[Terminal]:
    """Start the program in a terminal of this size; it is killed at the end, if it still runs."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--state-dir", str(state)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process, columns, rows)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
