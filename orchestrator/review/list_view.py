"""A list of lines on the screen, of which only those in view are made. Imports textual."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as Look
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orchestrator.report.reporter import printable
from orchestrator.review.model import Line, Style

LOOKS: dict[Style, Look] = {
    "plain": Look(),
    "strong": Look(bold=True),
    "faint": Look(dim=True),
    "stays": Look(color="green"),
    "leaves": Look(color="yellow"),
    "warning": Look(bold=True, color="yellow"),
}
_MARKED = Look(reverse=True)

LineAt = Callable[[int, int], Line]
"""The line with a number, in so many columns."""


class ListView(ScrollView, can_focus=False):
    """Lines with one marked. Their texts are shown as they are: nothing in them is markup or a control sequence."""

    DEFAULT_CSS: ClassVar[str] = "ListView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"

    def __init__(self, line_at: LineAt, count: int, *, shows_mark: bool = True, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self._line_at = line_at
        self._shows_mark = shows_mark
        self.count = count
        self.marked = 0

    def on_mount(self) -> None:
        """Make room for all lines."""
        self.show(self.count)

    def show(self, count: int, marked: int | None = None, *, with_next: int = 0) -> None:
        """Draw again, with this number of lines; `marked` is scrolled into view, and some lines after it."""
        self.count = count
        if marked is not None:
            self.marked = max(0, min(marked, count - 1))
        self.virtual_size = Size(1, count)
        self.scroll_to_region(Region(0, self.marked, 1, 1 + with_next), animate=False, force=True)
        self.refresh()

    @property
    def columns(self) -> int:
        """How wide a line can be."""
        return self.scrollable_content_region.width

    def move(self, by: int) -> None:
        """Mark another line."""
        self.show(self.count, self.marked + by)

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        number, width = y + self.scroll_offset.y, self.columns
        if number >= self.count:
            return Strip.blank(width)
        marked = self._shows_mark and number == self.marked
        segments = [
            Segment(printable(text), LOOKS[style] + _MARKED if marked else LOOKS[style])
            for text, style in self._line_at(number, width)
        ]
        return Strip(segments).adjust_cell_length(width, _MARKED if marked else Look())
