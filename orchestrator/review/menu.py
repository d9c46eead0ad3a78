"""Menus and texts above the screen of a review. Imports textual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key as KeyPress
from textual.screen import ModalScreen

from orchestrator.review.list_view import ListView
from orchestrator.review.model import Line


class Choice(NamedTuple):
    """One line of a menu."""

    text: str
    do: Callable[[], object]


_CSS = """
    { background: ansi_default; }
    Vertical { width: 90%; max-width: 100; border: solid ansi_default; background: ansi_default; padding: 0 1; }
    ListView { height: 1fr; }
    #title { height: 1; scrollbar-size: 0 0; overflow: hidden; }
    #hint { height: 1; scrollbar-size: 0 0; overflow: hidden; }
"""
_AROUND = 5
"""Lines of a box beside those of its list."""


class Box(ModalScreen[int | None]):
    """A list in a box that takes all keys, those too that are typed before it is on the screen."""

    CSS: ClassVar[str] = f"Box {_CSS.strip()}"
    hint = "any key goes back"

    def __init__(self, title: str, lines: Sequence[Line], *, shows_mark: bool = False) -> None:
        super().__init__()
        self._title = title
        self.lines = lines
        self._shows_mark = shows_mark
        self._typed: list[KeyPress] = []

    def compose(self) -> ComposeResult:
        """Make the box."""
        self.styles.align = ("center", "middle")
        with Vertical() as box:
            yield ListView(lambda *_: ((self._title, "strong"),), 1, shows_mark=False, identity="title")
            yield ListView(lambda number, _: self.lines[number], len(self.lines), shows_mark=self._shows_mark, identity="list")
            yield ListView(lambda *_: ((self.hint, "faint"),), 1, shows_mark=False, identity="hint")
        box.styles.height = len(self.lines) + _AROUND
        box.styles.max_height = "100%"

    def on_key(self, event: KeyPress) -> None:
        """Take a key."""
        event.stop()
        self.take(event)

    def take(self, event: KeyPress) -> None:
        """Do what a key says, once the box is on the screen."""
        if self.is_mounted:
            self.press(event)
        else:
            self._typed.append(event)

    def on_mount(self) -> None:
        """Do what was typed already."""
        for event in self._typed:
            self.press(event)

    def press(self, event: KeyPress) -> None:
        """Move, or go back."""
        if event.key in ("up", "k", "down", "j"):
            self.list.move(-1 if event.key in ("up", "k") else 1)
        else:
            self.dismiss(None)

    @property
    def list(self) -> ListView:
        """Its lines on the screen."""
        return self.query_one("#list", ListView)


class Menu(Box):
    """Asks for one of several choices; None if the person wants none."""

    hint = "Enter or a digit chooses, Esc goes back"

    def __init__(self, title: str, texts: Sequence[str]) -> None:
        super().__init__(title, [((f"{number}  {text}", "plain"),) for number, text in enumerate(texts, 1)], shows_mark=True)

    def press(self, event: KeyPress) -> None:
        """Choose, move, or go back."""
        if event.key == "enter":
            self.dismiss(self.list.marked)
        elif event.character and event.character.isdecimal() and 1 <= int(event.character) <= len(self.lines):
            self.dismiss(int(event.character) - 1)
        elif event.key in ("up", "k", "down", "j", "escape", "q"):
            super().press(event)
