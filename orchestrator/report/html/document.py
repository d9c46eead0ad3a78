"""What a page says. Texts hold names as they are: `page` escapes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from orchestrator.report.html.rows import Rows

STATES = ("not done", "done", "failed", "skipped", "half-way")
"""What became of a change."""
State = Literal["not done", "done", "failed", "skipped", "half-way"]


class Remark(NamedTuple):
    """One sentence below the lead."""

    text: str
    careful: bool = False
    """Whether a person should look at it before going on."""
    search: str = ""
    """What finds these files among the changes, if they are there."""


class ChartItem(NamedTuple):
    """One bar."""

    label: str
    value: float
    text: str
    """The value for people."""
    rest: bool = False
    """Whether it stands for several smaller ones, and so is compared with none."""


class Chart(msgspec.Struct, frozen=True):
    """A picture of some numbers."""

    title: str
    form: Literal["bars", "columns", "shares"]
    items: Sequence[ChartItem]
    note: str = ""


class Column(NamedTuple):
    """One column of a table."""

    title: str
    number: bool = False


Cell = str | tuple[str, float]
"""A text, or a text with the number by which it is sorted."""


class Table(msgspec.Struct, frozen=True):
    """A table that people can search, and sort by each column."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    noun: str
    """What its rows are, in the plural."""


class Code(NamedTuple):
    """One kind of reasons why files stay."""

    title: str
    remedy: str = ""


class Left(NamedTuple):
    """A file that stays as it is, or that has a problem."""

    location: str
    path: str
    code: str
    reason: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the page below a heading of its own."""

    name: str
    heading: str
    intro: str = ""
    facts: Sequence[tuple[str, str]] = ()
    sentences: Sequence[str] = ()
    view: Literal["", "changes", "duplicates", "stays", "charts"] = ""
    """The list that the page draws here."""
    table: Table | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole page."""

    kind: str
    """"Plan", "Run", "Job" or "Library"."""
    title: str
    lead: str
    """What matters, in one sentence."""
    remarks: Sequence[Remark] = ()
    sections: Sequence[Section]
    charts: Sequence[Chart] = ()
    codes: Mapping[str, Code] = {}
    """By the code of what `rows` calls `left`."""
    results: bool = False
    """Whether changes have a state."""
    several: bool = False
    """Whether the page is about several locations, so that each path needs its own."""
    rows: Callable[[Rows], None] = lambda _: None
    """Writes the long lists."""
    footer: str = ""


def largest(values: Mapping[str, float], text: Callable[[float], str], *, most: int, rest: str) -> list[ChartItem]:
    """The largest values as bars, and what remains as one more named `rest`."""
    ordered = sorted(values.items(), key=lambda one: (-one[1], one[0]))
    shown = [ChartItem(name, value, text(value)) for name, value in ordered[:most] if value]
    if left := sum(value for _, value in ordered[most:]):
        shown.append(ChartItem(f"{len(ordered) - most} {rest}", left, text(left), rest=True))
    return shown


def only_filled(charts: Iterable[Chart]) -> list[Chart]:
    """The charts that compare something."""
    return [chart for chart in charts if len(chart.items) > 1]
