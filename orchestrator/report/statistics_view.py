"""The statistics of a library as tables: with headings for people, one object a row for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from orchestrator.plan.music.statistics import GroupTotals, Statistics, Tally
from orchestrator.report.duplicates_view import tier_words
from orchestrator.report.reporter import Column, Reporter, duration_text
from orchestrator.wording import counted, size_text


class Table(NamedTuple):
    """One table, as `Reporter.table` takes it."""

    kind: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]


_FILES = Column("files", "files", right=True)
_SIZE = Column("bytes", "size", right=True, text=lambda row: size_text(row["bytes"]))
_TIME = Column("duration_s", "time", right=True, text=lambda row: duration_text(row["duration_s"]))
_PART = (
    Column("albums", "albums", right=True),
    Column("incomplete", "incomplete", right=True),
    _FILES,
    _SIZE,
    Column("lossless", "lossless", right=True, spare=True),
    Column("lacking", "incomplete tags", right=True, spare=True),
    Column("suspect", "suspect", right=True, spare=True),
    Column("wasted", "duplicated", right=True, spare=True, text=lambda row: size_text(row["wasted"])),
)
_OFTEN_ZERO = frozenset({"incomplete", "lossless", "lacking", "suspect", "wasted"})
"""Left out where all rows have 0, so that names find room at 80 columns."""
_INCOMPLETE = (
    Column("albumartist", "artist", gives_way=True),
    Column("album", "album", gives_way=True),
    Column("year", "year", right=True, text=lambda row: str(row["year"] or "-")),
    _FILES,
    Column("missing", "missing tracks", gives_way=True),
    Column("folder", "folder", gives_way=True),
)
_DAMAGED = (Column("status", "what", whole=True), Column("path", "file"), Column("reason", "why", heading=True))


def show(statistics: Statistics, location: str, reporter: Reporter) -> None:
    """Report the totals, then every table."""
    totals = _totals(statistics)
    width = max(map(len, totals))
    text = "\n".join(f"{name:<{width}}  {value}" for name, value in totals.items())
    reporter.document("stats", text, {"location": location, **_fields(statistics)})
    for table in tables(statistics):
        reporter.table(table.kind, table.columns, table.rows, empty="", title=table.title)


def tables(statistics: Statistics) -> Iterator[Table]:
    """All tables, including empty ones."""
    yield _kinds("stats-format", "formats", "format", statistics.formats)
    yield _kinds("stats-quality", "quality", "quality", statistics.qualities)
    yield _kinds("stats-kind", "no music", "kind", statistics.kinds)
    missing = [msgspec.structs.asdict(field) for field in statistics.missing_fields if field.of]
    share = Column("share", "share", right=True, text=lambda row: f"{row['files'] / row['of']:.1%}" if row["of"] else "-")
    field = Column("field", "field", text=lambda row: row["field"].replace("_", " "))
    yield Table("stats-missing", "missing", (field, _FILES, share), missing)
    yield _parts("stats-decade", "decades", "decade", statistics.by_decade)
    yield _parts("stats-artist", "artists", "artist", statistics.by_artist)
    albums = [msgspec.structs.asdict(album) for album in statistics.incomplete]
    yield Table("stats-incomplete", "incomplete albums", _INCOMPLETE, albums)
    damaged = [msgspec.structs.asdict(file) for file in statistics.damaged]
    yield Table("stats-trouble", "damaged files", _DAMAGED, damaged)
    duplicates = _kinds("stats-duplicate", "duplicates", "tier", statistics.duplicates or ())
    tier = Column("tier", "what is the same", text=lambda row: tier_words(row["tier"]))
    yield duplicates._replace(columns=(tier, *duplicates.columns[1:]))


def _kinds(kind: str, title: str, key: str, tallies: Iterable[tuple[str, Tally]]) -> Table:
    rows = [{key: name, **_tally(tally)} for name, tally in tallies]
    return Table(kind, title, (Column(key, key), _FILES, _SIZE, _TIME), rows)


def _parts(kind: str, title: str, key: str, parts: Iterable[GroupTotals]) -> Table:
    rows = []
    for part in parts:
        facts = msgspec.structs.asdict(part)
        name, tally = facts.pop("name"), facts.pop("tally")
        rows.append({key: name, **_tally(tally), **facts})
    shown = [column for column in _PART if column.key not in _OFTEN_ZERO or any(row[column.key] for row in rows)]
    return Table(kind, title, (Column(key, key, gives_way=True), *shown), rows)


def _tally(tally: Tally) -> dict[str, Any]:
    return {**msgspec.structs.asdict(tally), "duration_s": round(tally.duration_s, 3)}


def _fields(statistics: Statistics) -> dict[str, Any]:
    """The totals, for programs."""
    found = statistics.duplicates
    return {
        "files": statistics.music.files,
        "bytes": statistics.music.bytes,
        "duration_s": round(statistics.music.duration_s, 3),
        "other_files": statistics.other_files.files,
        "other_bytes": statistics.other_files.bytes,
        "albums": statistics.albums,
        "artists": statistics.artists,
        "untagged": statistics.untagged,
        "unread": statistics.unread,
        "unreadable": sum(file.status == "unreadable" for file in statistics.damaged),
        "suspect": sum(file.status == "suspect" for file in statistics.damaged),
        "incomplete_albums": len(statistics.incomplete),
        "duplicates": None if found is None else sum(tally.files for _, tally in found),
        "duplicate_bytes": None if found is None else sum(tally.bytes for _, tally in found),
        "not_compared": None if found is None else statistics.not_compared,
    }


def not_compared_text(statistics: Statistics) -> str:
    """Why `dedup` may find more duplicates."""
    number = statistics.not_compared
    return f" (`dedup` also compares {number:,} of equal size)" if number else ""


def _totals(statistics: Statistics) -> dict[str, str]:
    """The totals, for people."""
    facts = _fields(statistics)
    totals = {
        "music": f"{counted(facts['files'], 'file')}, {size_text(facts['bytes'])}, {duration_text(facts['duration_s'])}",
        "albums": f"{facts['albums']:,} by {counted(facts['artists'], 'artist')}, {facts['incomplete_albums']:,} incomplete",
        "tags": f"{counted(facts['untagged'], 'file')} without usable tags, {facts['unread']:,} not read",
        "damaged": f"{facts['unreadable']:,} unreadable, {facts['suspect']:,} cut short or suspect",
    }
    if facts["duplicates"] is not None:
        totals["duplicates"] = (
            f"{counted(facts['duplicates'], 'file')}, {size_text(facts['duplicate_bytes'])}{not_compared_text(statistics)}"
        )
    totals["other files"] = f"{facts['other_files']:,}, {size_text(facts['other_bytes'])}"
    return totals
