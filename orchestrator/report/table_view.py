"""Tables for people. rich is imported on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO, cast

from orchestrator.report.output import Output
from orchestrator.report.reporter import Column, printable, shortened, width_of
from orchestrator.report.wrapping import wrapped

_GAP = 2
"""Columns of the window between two columns of a table."""
_LEAST_CELL = 4
"""Columns of the window that a cell keeps that gives way to others."""
_LEAST_NAME = 20
"""As long as there are columns to spare, it keeps so many."""


def table_texts(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, grouped: bool) -> list[list[str]]:
    """The cells of each row as people read them. `grouped`: large numbers as 1,300; on a pipe they may be counted with."""
    return [[_cell(column.text(row) if column.text else row.get(column.key), grouped) for column in columns] for row in rows]


def show_table(output: Output, columns: Sequence[Column], texts: Sequence[Sequence[str]]) -> None:
    """Show rows on a terminal, below the headings that they have in common."""
    headings = [index for index, column in enumerate(columns) if column.heading]
    if not headings:
        _rich_table(output, columns, texts)
        return
    below: dict[tuple[str, ...], list[list[str]]] = {}
    for cells in texts:
        rest = [cell for index, cell in enumerate(cells) if index not in headings]
        below.setdefault(tuple(cells[index] for index in headings), []).append(rest)
    for heading, members in below.items():
        for line in _heading_lines(heading, output.window()[0]):
            output.line(line)
        _rich_table(output, [column for column in columns if not column.heading], members, indent=2)


def _heading_lines(heading: Sequence[str], width: int) -> Iterator[str]:
    first, *more = heading
    yield from wrapped(first, width)
    for text in filter(None, more):
        yield from wrapped(f"({text})", width, first="  ", rest="   ")


def _rich_table(output: Output, columns: Sequence[Column], texts: Sequence[Sequence[str]], indent: int = 0) -> None:
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.padding import Padding  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    # What stands below a heading needs no titles of columns.
    titles = [[] if indent else [column.title] for column in columns]
    cells_of = [(*title, *cells) for title, cells in zip(titles, zip(*texts, strict=True), strict=True)]
    needed = [max(map(width_of, cells)) for cells in cells_of]
    widths = _widths(columns, needed, output.window()[0] - indent)
    shown = [index for index, width in enumerate(widths) if width]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=not indent)
    for column in (columns[index] for index in shown):
        whole = column.whole or column.right or column.gives_way
        table.add_column(column.title, justify="right" if column.right else "left", overflow="fold", no_wrap=whole)
    for cells in texts:
        table.add_row(*(Text(shortened(cells[at], widths[at]) if columns[at].gives_way else cells[at]) for at in shown))
    console = Console(file=cast("TextIO", output), highlight=False, emoji=False)
    console.print(Padding(table, (0, 0, 0, indent)) if indent else table)


def _widths(columns: Sequence[Column], needed: Sequence[int], window: int) -> list[int]:
    """How wide each column is; 0 for one that is left out. What gives way becomes narrower, the widest first."""
    widths = list(needed)
    ways = [index for index, column in enumerate(columns) if column.gives_way]

    def missing() -> int:
        return sum(widths) + _GAP * (len([width for width in widths if width]) - 1) - window

    least = sum(min(widths[index], _LEAST_NAME) for index in ways)
    for index in reversed([index for index, column in enumerate(columns) if column.spare]):
        if missing() - sum(widths[way] for way in ways) + least > 0:
            widths[index] = 0
    while ways and missing() > 0 and max(widths[index] for index in ways) > _LEAST_CELL:
        widths[max(ways, key=widths.__getitem__)] -= 1
    return widths


def _cell(value: Any, grouped: bool) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and grouped:
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return printable(", ".join(map(str, value))) or "-"
    return printable(str(value))
