"""A few lines at the bottom of a terminal that are drawn again and again. What is printed meanwhile goes above them.

rich can do that too, but after the window became narrower it does not know on how many rows its lines stand, and leaves some
behind. Terminals wrap the old lines again, so their rows can be counted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orchestrator.report.output import Output

ECHO = 2
"""Cells that stay free at the end of each line: a terminal echoes ^C there, which must not begin another row."""
_UP = "\x1b[{}A"
_CLEAR_BELOW = "\x1b[J"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


class LiveLines:
    """See the module. Safe for several threads."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lock = threading.RLock()
        self._shown: Sequence[str] = ()

    def draw(self, lines: Sequence[str], over: threading.Event | None = None) -> None:
        """Show these lines in place of the ones before, each cut to the width of the window, unless it is `over`."""
        with self._lock:
            if over is not None and over.is_set():
                return
            width, _ = self._output.window()
            cut = [fitted(line, width - 1 - ECHO) for line in lines]
            # Rows that were wrapped must be cleared whole, otherwise terminals join them again in a wider window. A character may
            # be wider than we think: without wrapping, each line stays on one row.
            self._output.write(self._to_the_top() + _CLEAR_BELOW + _NO_WRAP + "\n".join(cut) + _WRAP)
            self._output.flush()
            self._shown = cut

    def remove(self) -> None:
        """Show no lines."""
        with self._lock:
            if self._shown:
                self._output.write(self._to_the_top() + _CLEAR_BELOW)
                self._output.flush()
            self._shown = ()

    @contextmanager
    def above(self) -> Iterator[None]:
        """What is printed during the block, in whole lines, stands above the live lines."""
        with self._lock:
            shown = self._shown
            self.remove()
            try:
                yield
            finally:
                if shown:
                    self.draw(shown)

    def _to_the_top(self) -> str:
        """From the end of the last line to the beginning of the first, however many rows they take in the window as it is now."""
        if not self._shown:
            return "\r"
        width, _ = self._output.window()
        rows = sum(max(1, -(-_cells(line) // width)) for line in self._shown)
        return "\r" + (_UP.format(rows - 1) if rows > 1 else "")


class AboveLines:
    """A stream for the log of -v: what is written to it stands above the live lines."""

    def __init__(self, output: Output, lines: LiveLines) -> None:
        self._output = output
        self._lines = lines

    def write(self, text: str) -> int:
        """Write whole lines."""
        with self._lines.above():
            return self._output.write(text)

    def flush(self) -> None:
        """Flush the terminal."""
        self._output.flush()


def fitted(text: str, width: int) -> str:
    """The text, cut at its end if it is wider than `width` cells."""
    from rich.cells import set_cell_size  # noqa: PLC0415 - only on a terminal

    return text if _cells(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "…"


def end_fitted(text: str, width: int) -> str:
    """The text, cut at its beginning if it is wider than `width` cells: the end of a path says most."""
    if _cells(text) <= width:
        return text
    kept = text[-max(0, width - 1) :] if width > 1 else ""
    while _cells(kept) > max(0, width - 1):
        kept = kept[1:]
    return "…" + kept


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - only on a terminal

    return cell_len(text)
