"""The screen of a review: the entries above, all about the marked one below. Imports textual."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key as KeyPress
from textual.events import Resize
from textual.widgets import Input

from orchestrator.report.reporter import printable
from orchestrator.report.wrapping import wrapped
from orchestrator.review.list_view import ListView
from orchestrator.review.menu import Box, Choice, Menu
from orchestrator.review.model import Line, Offer, Outcome, Review, Scope
from orchestrator.wording import counted

_MOVES = {"up": -1, "k": -1, "down": 1, "j": 1}
_MOST_DIGITS = 9
_NEXT = 4
"""Lines after that of the marked file that are in view with it."""
_MOST_MESSAGE = 4
"""Lines, of what a decision came to."""


class ReviewScreen(App[Outcome]):
    """Shows a review until a person leaves it. No key changes a file: what was decided is carried out afterwards, if at all."""

    CSS: ClassVar[str] = """
    Screen { background: ansi_default; color: ansi_default; }
    ListView { background: ansi_default; scrollbar-background: ansi_default; scrollbar-color: ansi_bright_black; }
    #top, #message, #foot { height: 1; overflow: hidden; scrollbar-size: 0 0; }
    #entries { height: 2fr; }
    #details { height: 3fr; border-top: solid ansi_bright_black; }
    #search { display: none; height: 1; border: none; padding: 0; background: ansi_default; color: ansi_default; }
    """
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "leave", priority=True), Binding("ctrl+q", "leave", priority=True)]

    def __init__(self, review: Review, *, at: int = 0) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.review = review
        self.failure: Exception | None = None
        """What kept the screen from going on."""
        self._file = 0
        self._said = ""
        self._message: list[str] = []
        self._details: Sequence[Line] = ()
        self._searched: list[str] = []
        self._first = at
        self._settling = False

    def compose(self) -> ComposeResult:
        """Make the parts of the screen, from top to bottom."""
        yield ListView(lambda *_: self._top(), 1, shows_mark=False, identity="top")
        yield ListView(self.review.line, len(self.review), identity="entries")
        yield ListView(lambda number, _: self._details[number], 0, shows_mark=False, identity="details")
        yield ListView(lambda number, _: ((self._message[number], "warning"),), 0, shows_mark=False, identity="message")
        yield Input(id="search", select_on_focus=False)
        yield ListView(lambda _, width: self._foot(width), 1, shows_mark=False, identity="foot")

    def on_mount(self) -> None:
        """Show the first entry, or the one that was shown before."""
        self._list("entries").show(len(self.review), self._first)
        self._show()

    def on_resize(self, _: Resize) -> None:
        """Lay the lines out again."""
        self.call_after_refresh(self._show)

    def on_key(self, event: KeyPress) -> None:
        """Do what a key says. While something is typed, or a menu is open, keys belong to that."""
        if isinstance(self.screen, Box):
            self.screen.take(event)
            return
        if self.focused is not None:
            if event.key == "escape":
                event.stop()
                self._end_search()
            return
        event.stop()
        self._try(lambda: self._press(event.character if event.is_printable and event.character else event.key))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the first entry that has all the words."""
        self._searched = event.value.casefold().split()
        self._end_search()
        self._try(lambda: self._find(1, including=True))

    def action_leave(self) -> None:
        """Leave without changing anything, after a question if something was decided."""
        if not self.review.decided or len(self.screen_stack) > 1:
            self.exit(Outcome("quit", self._index))
            return
        what = counted(self.review.decided, "decision")
        self._open(f"Leave, and throw {what} away?", [Choice("stay", lambda: None), Choice("leave", self._quit)])

    # Keys.

    def _press(self, key: str) -> None:
        entries, self._said = self._list("entries"), ""
        page = max(1, entries.size.height - 1)
        moves = {**_MOVES, "pageup": -page, "ctrl+b": -page, "pagedown": page, "ctrl+f": page, " ": page}
        moves |= {"home": -len(self.review), "g": -len(self.review), "end": len(self.review), "G": len(self.review)}
        if key in moves:
            entries.move(moves[key])
            self._file = 0
        elif key in ("left", "h", "right", "l", "tab", "shift+tab"):
            self._mark(-1 if key in ("left", "h", "shift+tab") else 1)
        elif key in ("n", "N"):
            self._find(1 if key == "n" else -1)
        elif key in self._commands:
            self._commands[key]()
        elif len(self.review) and self._decides(key):
            if key.isdecimal():
                self._file = min(int(key), self.review.choices(self._index)) - 1
            self._said = self.review.press(key, self._index, self._file)
        self._show()

    def _decides(self, key: str) -> bool:
        digit = key.isdecimal() and 1 <= int(key) <= _MOST_DIGITS and self.review.choices(self._index) > 0
        return digit or any(key == one.key for one in self.review.keys)

    @property
    def _commands(self) -> dict[str, Callable[[], object]]:
        return {
            "/": self._begin_search,
            "s": self._offer_scopes,
            "u": self._undo,
            "?": self._help,
            "d": self._done,
            "q": self.action_leave,
            "escape": self.action_leave,
        }

    def _mark(self, by: int) -> None:
        number = self.review.choices(self._index) if len(self.review) else 0
        self._file = (self._file + by) % number if number else 0

    def _undo(self) -> None:
        self._said = self.review.undo()

    def _begin_search(self) -> None:
        box = self.query_one("#search", Input)
        box.value = ""
        box.placeholder = "search: words in names and reasons"
        box.display = True
        box.focus()

    def _end_search(self) -> None:
        self.query_one("#search", Input).display = False
        self.set_focus(None)
        self._show()

    def _find(self, by: int, *, including: bool = False) -> None:
        """Go to the next entry that has all the words; start again at the other end."""
        number = len(self.review)
        for step in range(0 if including else 1, number + 1):
            index = (self._index + by * step) % number
            text = self.review.text(index).casefold()
            if self._searched and all(word in text for word in self._searched):
                self._file = 0
                self._list("entries").show(number, index)
                break
        else:
            self._said = "nothing found" if self._searched else "search with / first"
        self._show()

    def _offer_scopes(self) -> None:
        if not len(self.review):
            return
        scopes = self.review.scopes(self._index, self._file)
        self._open("The same for many", [Choice(scope.title, partial(self._offer, scope)) for scope in scopes])

    def _offer(self, scope: Scope) -> None:
        def take(offer: Offer) -> None:
            self._said = offer.do()

        self._open(scope.title, [Choice(offer.text, partial(take, offer)) for offer in scope.offers])

    def _done(self) -> None:
        def end(outcome: Outcome) -> Callable[[], None]:
            return lambda: self.exit(outcome)

        index = self._index
        self._open(
            self.review.summary(),
            [
                Choice("go on: look at the plan, and be asked before anything is changed", end(Outcome("apply", index))),
                Choice("write the plan to a file, and change nothing now", end(Outcome("write", index))),
                Choice("save as rules in the config, for runs that nobody watches", end(Outcome("rules", index))),
                Choice("back to the review", lambda: None),
                Choice("leave, and change nothing", self._quit),
            ],
        )

    def _quit(self) -> None:
        self.exit(Outcome("quit", self._index))

    def _help(self) -> None:
        ours = [(one.key, one.meaning) for one in self.review.keys]
        keys = [
            ("up down, j k", "the entry before, the next one"),
            ("PgUp PgDn", "a page up, down"),
            ("Home End, g G", "the first entry, the last one"),
            ("left right, h l", "mark another file of the entry"),
            ("1 ... 9", "choose the file with this number"),
            *ours,
            ("s", "the same for many: of this kind, or in this folder"),
            ("u", "take the last decision back"),
            ("/  n N", "search; the next one found, the one before"),
            ("d", "done: go on, write a plan file, save as rules"),
            ("q, Esc, Ctrl-C", "leave, and change nothing"),
        ]
        lines: list[Line] = [((f"{key:<17}", "strong"), (meaning, "plain")) for key, meaning in keys]
        marks: list[Line] = [
            (("*                ", "strong"), ("you have decided this entry", "plain")),
            (("~                ", "strong"), ("it changes because of another decision", "plain")),
        ]
        self.push_screen(Box("Keys (none of them changes a file)", [*lines, *marks]))

    # What is shown.

    def _top(self) -> Line:
        number = f"{self._index + 1}/{len(self.review)}" if len(self.review) else "nothing to review"
        return ((f"{self.review.title}  ", "strong"), (f"{number}  ", "plain"), (self.review.summary(), "stays"))

    def _foot(self, width: int) -> Line:
        keys = [(one.key, one.short) for one in self.review.keys if one.short]
        keys += [("?", "help"), ("d", "done"), ("u", "undo"), ("s", "many"), ("q", "quit"), ("/", "search")]
        shown: list[tuple[str, str]] = []
        for key, text in keys:
            if sum(len(one) + len(two) + 3 for one, two in [*shown, (key, text)]) <= width + 2:
                shown.append((key, text))
        return tuple(part for key, text in shown for part in ((key, "strong"), (f" {text}  ", "plain")))

    def _show(self) -> None:
        details = self._list("details")
        marked = 0
        if len(self.review):
            width = details.columns or self.size.width
            self._details, marked = self.review.details(self._index, self._file, width)
        details.show(len(self._details), marked if self._file else 0, with_next=_NEXT)
        message = self._list("message")
        self._message = wrapped(printable(self._said), self.size.width)[:_MOST_MESSAGE]
        message.styles.height = max(1, len(self._message))
        message.show(len(self._message))
        for name in ("top", "entries", "message", "foot"):
            self._list(name).refresh()
        if self.review.pending and not self._settling:
            self._settling = True
            self.run_worker(self._settle())

    async def _settle(self) -> None:
        """Bring the review up to date while keys are pressed. A failure ends the screen."""
        while self.review.pending and self.failure is None:
            try:
                await asyncio.to_thread(self.review.settle)
            except Exception as error:
                self.failure = error
                self.exit()
            else:
                self._show()
        self._settling = False

    @property
    def _index(self) -> int:
        return self._list("entries").marked

    def _list(self, name: str) -> ListView:
        return self.screen_stack[0].query_one(f"#{name}", ListView)

    def _open(self, title: str, choices: Sequence[Choice]) -> None:
        def chosen(number: int | None) -> None:
            if number is not None:
                self._try(choices[number].do)
            self._show()

        self.push_screen(Menu(title, [choice.text for choice in choices]), chosen)

    def _try(self, do: Callable[[], object]) -> None:
        """Do it; a failure ends the screen, and is raised where it was opened."""
        try:
            do()
        except Exception as error:
            self.failure = error
            self.exit()
