"""What a library contains as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.plan.music.statistics import Statistics
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.report import reporter, statistics_view
from orchestrator.report.html.changes import decade_items
from orchestrator.report.html.document import (
    Cell,
    Chart,
    ChartItem,
    Column,
    Document,
    Remark,
    Section,
    Table,
    largest,
    only_filled,
)
from orchestrator.report.reporter import duration_text
from orchestrator.report.statistics_view import not_compared_text
from orchestrator.wording import counted, size_text

_MOST_BARS = 12
_MOST_SHARES = 7
_TABLES = {
    "stats-artist": "artists",
    "stats-incomplete": "albums",
    "stats-trouble": "files",
    "stats-decade": "decades",
    "stats-kind": "kinds",
}
"""The tables that are shown besides the charts, and what their rows are."""


def statistics_document(statistics: Statistics, location: str, footer: str) -> Document:
    """The page of a library."""
    charts = [*_charts(statistics)]
    sections = [Section(name="pictures", heading="In pictures", view="charts")] if charts else []
    for table in statistics_view.tables(statistics):
        if table.rows and table.kind in _TABLES:
            columns = [Column(column.title.capitalize(), column.right) for column in table.columns]
            rows = [[_cell(one, row) for one in table.columns] for row in table.rows]
            made = Table(table.title, columns, rows, _TABLES[table.kind])
            sections.append(Section(name=table.kind.removeprefix("stats-"), heading=table.title.capitalize(), table=made))
    music = statistics.music
    return Document(
        kind="Library",
        title=location,
        lead=f"{_counted(music.files, 'file')} of music on {counted(statistics.albums, 'album')} "
        f"by {counted(statistics.artists, 'artist')}.",
        remarks=[*_remarks(statistics)],
        sections=sections,
        charts=charts,
        footer=footer,
    )


def _cell(column: reporter.Column, row: Mapping[str, Any]) -> Cell:
    value = row[column.key]
    shown = f"{value:,}" if isinstance(value, int) and value > 9999 else "" if value is None else str(value)
    text = shown if column.text is None else column.text(row)
    return (text, value) if column.right and isinstance(value, int | float) else text


def _charts(statistics: Statistics) -> Iterator[Chart]:
    formats = {name: tally.bytes for name, tally in statistics.formats}
    qualities = {name: tally.bytes for name, tally in statistics.qualities}
    decades = {part.name: part.tally.files for part in statistics.by_decade}
    artists = {part.name: part.tally.bytes for part in statistics.by_artist}
    wasted = {part.name: part.wasted for part in statistics.by_artist}
    tiers = {Tier(tier).words: tally.bytes for tier, tally in statistics.duplicates or ()}
    fields = [one for one in statistics.missing_fields if one.files]
    missing = [
        ChartItem(one.field.replace("_", " "), one.files / one.of, f"{one.files:,} ({one.files / one.of:.1%})") for one in fields
    ]
    unknown = decades.get("unknown")
    note = "Files, by first release." + (f" {counted(unknown, 'file')} without a date." if unknown else "")
    yield from only_filled(
        [
            Chart("Formats", "shares", largest(formats, size_text, most=_MOST_SHARES, rest="more")),
            Chart("Decades", "columns", decade_items(decades), note=note),
            Chart("Quality", "bars", largest(qualities, size_text, most=_MOST_BARS, rest="more")),
            Chart("Where the space goes", "bars", largest(artists, size_text, most=_MOST_BARS, rest="more artists")),
            Chart("How duplicates were found", "bars", largest(tiers, size_text, most=_MOST_BARS, rest="more")),
            Chart("Whose music is duplicated", "bars", largest(wasted, size_text, most=_MOST_BARS, rest="more artists")),
            Chart("Files without a tag", "bars", sorted(missing, key=lambda one: -one.value)[:_MOST_BARS]),
        ]
    )


def _remarks(statistics: Statistics) -> Iterator[Remark]:
    yield Remark(f"{size_text(statistics.music.bytes)}, {duration_text(statistics.music.duration_s)} of playing time.")
    unreadable = sum(file.status == "unreadable" for file in statistics.damaged)
    found = [
        (len(statistics.incomplete), "incomplete album"),
        (statistics.untagged, "file without usable tags"),
        (statistics.unread, "file not read"),
        (unreadable, "unreadable file"),
        (len(statistics.damaged) - unreadable, "suspect file"),
    ]
    for number, noun in found:
        if number:
            yield Remark(f"{_counted(number, noun)}.", careful=True)
    if statistics.duplicates is not None and (number := sum(tally.files for _, tally in statistics.duplicates)):
        size = size_text(sum(tally.bytes for _, tally in statistics.duplicates))
        yield Remark(f"{counted(number, 'duplicate')}, {size}{not_compared_text(statistics)}.", careful=True)
    if statistics.other_files.files:
        yield Remark(f"{counted(statistics.other_files.files, 'other file')}, {size_text(statistics.other_files.bytes)}.")


def _counted(number: int, noun: str) -> str:
    """As `counted`, for nouns whose plural is that of their file."""
    return (
        f"{number:,} {noun}" if number == 1 else f"{number:,} {noun.replace('file', 'files', 1)}{'' if 'file' in noun else 's'}"
    )
