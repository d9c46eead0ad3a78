"""What the screen shows of a review, and what it asks it to do: one implementation for each kind of plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

Style = Literal["plain", "strong", "faint", "stays", "leaves", "warning"]
"""How a part of a line looks; what it means can be read without it."""
QUARANTINED = "quarantine"
"""What the reviews call what becomes of a file that goes there; one that is kept `stays`."""
Part = tuple[str, Style]
Line = tuple[Part, ...]
"""A line on the screen. Names in it are escaped by the screen."""


class Key(NamedTuple):
    """A key that decides something."""

    key: str
    """As textual names it."""
    short: str
    """For the last line of the screen; "" for what does not stand there."""
    meaning: str
    """For the help."""


class Offer(NamedTuple):
    """Something that can be done with many entries at once."""

    text: str
    do: Callable[[], str]
    """Does it, and returns what it came to, in words."""


class Scope(NamedTuple):
    """Entries that have something in common with one of them, and what can be done with all."""

    title: str
    offers: Sequence[Offer]


class Review(Protocol):
    """The entries of a plan, such as groups of duplicates, and the decisions about them. Pure: it changes no file."""

    title: str
    keys: Sequence[Key]
    """What decides one entry, besides the digits, which choose among its files."""

    def __len__(self) -> int:
        """How many entries there are. Neither their number nor their order ever changes."""

    @property
    def decided(self) -> int:
        """How many entries a person has decided."""

    @property
    def pending(self) -> bool:
        """Whether what is shown does not follow from the decisions yet."""

    def settle(self) -> None:
        """Bring it up to date, in another thread if it is `pending` after a decision: decisions may change meanwhile."""

    def summary(self) -> str:
        """What would happen now, in numbers, on one line."""

    def line(self, index: int, width: int) -> Line:
        """An entry in one line of so many columns."""

    def choices(self, index: int) -> int:
        """How many files of an entry can be marked; 0 where there is nothing to choose."""

    def details(self, index: int, marked: int, width: int) -> tuple[Sequence[Line], int]:
        """All about an entry, and which of these lines is that of the marked file."""

    def text(self, index: int) -> str:
        """What a search in an entry looks at."""

    def press(self, key: str, index: int, marked: int) -> str:
        """Decide one entry, by one of `keys`, "enter" (the marked file) or a digit; returns what it came to, in words."""

    def scopes(self, index: int, marked: int) -> Sequence[Scope]:
        """All of the kind of an entry, and all of the folder of its marked file."""

    def undo(self) -> str:
        """Take back the last decision; returns what was taken back, in words."""


class Outcome(NamedTuple):
    """How a person has left a review."""

    end: Literal["apply", "write", "rules", "quit"]
    """Carry the plan out, write it to a file, save the decisions as rules and go on, or change nothing."""
    entry: int = 0
    """The entry that was shown last."""
