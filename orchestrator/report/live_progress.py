"""Progress on a terminal, drawn by a thread of its own: neither a slow terminal nor an rclone that hangs holds up the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping

from orchestrator.errors import OrchestratorError
from orchestrator.progress import Activity
from orchestrator.report.live_lines import ECHO, AboveLines, LiveLines
from orchestrator.report.output import Output
from orchestrator.report.progress_view import ASCII_BAR, BAR, ProgressView

_DRAW_EVERY_S = 0.5
_LOOK_EVERY_S = 1.0


class LiveProgress:
    """See the module."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._view = ProgressView(BAR if "utf" in output.encoding.lower() else ASCII_BAR)
        self._lines = LiveLines(output)
        self.above = self._lines.above
        self.stream = AboveLines(output, self._lines)
        self._look: Callable[[], Activity | None] = lambda: None
        self._looked_at = 0.0
        self._over: threading.Event | None = None

    def watch(self, look: Callable[[], Activity | None]) -> None:
        """Ask `look` once a second what rclone does; None: nothing to say."""
        self._look = look

    def stage(self, name: str, total: int | None, sizes: Mapping[str, int] | None, at: Collection[str]) -> None:
        """A stage begins."""
        self._view.begin(name, total, sizes, at, time.monotonic())
        self._looked_at = 0.0
        if self._over is None:
            self._over = threading.Event()
            threading.Thread(target=self._run, args=(self._over,), name="progress", daemon=True).start()

    def advance(self, items: int, size: int) -> None:
        """So much more of the stage is done."""
        self._view.advance(items, size, time.monotonic())

    def wait(self, reason: str, seconds: float) -> None:
        """Something is tried again later."""
        self._view.wait(reason, seconds, time.monotonic())

    def end(self) -> None:
        """Remove the lines."""
        if self._over is not None:
            self._over.set()
            self._over = None
            self._view.end()
            self._lines.remove()

    def _run(self, over: threading.Event) -> None:
        window = self._output.window()
        while not over.wait(_DRAW_EVERY_S):
            now = time.monotonic()
            if now - self._looked_at >= _LOOK_EVERY_S:
                self._looked_at = now
                self._note_activity()
            before, window = window, self._output.window()
            if window == before:  # while it is resized, nobody knows where the lines of a moment ago are
                columns, rows = window
                self._lines.draw(self._view.lines(columns - ECHO, rows, time.monotonic()), over)

    def _note_activity(self) -> None:
        try:
            activity = self._look()
        except OrchestratorError:
            self._view.note_mute()
            return
        if activity is not None:
            self._view.note(activity, time.monotonic())
