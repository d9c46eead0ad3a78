"""The outline of a plan as lines: as wide as a terminal, or unwrapped for a pipe. Names are escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from orchestrator.report.plan_outline import Outline, Point, Where
from orchestrator.report.reporter import printable, shortened, width_of
from orchestrator.report.wrapping import wrapped

MOST_FOLDERS = 3
"""So many folders are named of each reason why files stay, if there is room."""


class Line(NamedTuple):
    """One line, and what of it matters less: on a terminal, that is dim."""

    text: str
    aside: str = ""


def outline_lines(outline: Outline, width: int | None = None, height: int | None = None) -> list[Line]:
    """The outline in at most `width` columns (None: no line is wrapped or shortened), if possible in `height` lines.

    On a pipe, only what no error has named is named.
    """
    if width is None:
        return list(_lines(outline, None, 0))
    lines: list[Line] = []
    for folders in range(MOST_FOLDERS, -1, -1):
        lines = list(_lines(outline, width, folders))
        if height is None or len(lines) <= height:
            break
    return lines


def _lines(outline: Outline, width: int | None, folders: int) -> Iterator[Line]:
    yield from _wrapped(printable(outline.headline), width, "")
    digits = max((len(f"{point.number:,}") for point in outline.points), default=0)
    column = 0
    if width is not None:
        texts = [len(_text(point, digits)) for point in outline.points if point.remedy]
        column = max((length for length in texts if length <= width // 2), default=0)
    for point in outline.points:
        yield from _point(point, digits, column, width, folders)
    yield from _wrapped(printable(" ".join(filter(None, (outline.cost, outline.undo)))), width, "")


def _text(point: Point, digits: int) -> str:
    return f"{point.number:>{digits},} {printable(point.text)}"


def _point(point: Point, digits: int, column: int, width: int | None, folders: int) -> Iterator[Line]:
    text, remedy = _text(point, digits), f"({printable(point.remedy)})" if point.remedy else ""
    indent = " " * (digits + 1)
    where = list(point.where)
    if width is None:
        yield Line(text, f"  {remedy}" if remedy else "")
        return
    if len(where) == 1 and where[0].number == 1 and not remedy:  # a single file stands beside the reason
        name = _name(where[0])
        if width_of(text) + 2 + width_of(name) <= width:
            yield Line(f"{text}: {name}")
            return
    padding = "  " + " " * max(0, column - len(text))
    if remedy and len(text) + len(padding) + len(remedy) <= width:
        yield Line(text, padding + remedy)
    else:
        yield from _wrapped(text, width, indent)
        if remedy:
            yield from (Line("", line.text) for line in _wrapped(indent + remedy, width, indent + " "))
    yield from where_lines(where, indent + "   ", width, folders)


def where_lines(where: Sequence[Where], indent: str, width: int, folders: int) -> Iterator[Line]:
    """The first `folders` of these, and how many more there are."""
    shown = where[:folders]
    digits = max((len(str(one.number)) for one in shown), default=0)
    rest = len(where) - len(shown)
    more = f"... {rest:,} more {'folder' if rest == 1 else 'folders'}" if rest and shown else ""
    for index, one in enumerate(shown):
        text = f"{indent}{one.number:>{digits}}  "
        text += _fitted(one, width - len(text))
        if more and index == len(shown) - 1 and width_of(text) + 3 + len(more) <= width:
            yield Line("", f"{text}   {more}")
            return
        yield Line("", text)
    if more:
        yield Line("", f"{indent}{' ' * digits}  {more}")


def _name(where: Where) -> str:
    name = printable(where.name)
    return f"{name} ({printable(where.why)})" if where.why else name


def _fitted(where: Where, width: int) -> str:
    """As `_name`, in so many columns: the name gives way to the reason, as long as something of it is left."""
    why = f" ({printable(where.why)})" if where.why else ""
    name = shortened(printable(where.name), max(width - width_of(why), width // 3))
    return shortened(name + why, width)


def _wrapped(text: str, width: int | None, indent: str) -> Iterator[Line]:
    if text:
        yield from map(Line, [text] if width is None else wrapped(text, width, rest=indent))
