"""One file's reading for people: what was asked for and why, and what came of it. Pure: an Explanation in, a text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.report.reporter import printable, size_text
from orchestrator.tags.trace import RangeRequest, SkippedRange
from orchestrator.track import AudioIdentity, Cover

WAYS = {
    "direct": "from the disk itself; nothing is asked of rclone",
    "rclone": "each range is a GET of rclone's, which looks the file up first: one call more a range, on Google Drive two",
    "vfs": "each directory is listed once; then a range at a file's beginning is one call, one behind it two",
}
"""How ranges are read, and what that costs."""

POLICIES = {
    "few-bytes": "bytes cost more than requests: short ranges",
    "few-requests": "requests cost more than bytes: long ranges",
}
"""How much is asked for at once."""

_PICTURES = {0: "picture", 3: "front", 4: "back"}
_LONGEST = 300
"""Characters shown of one tag: whole lyrics stand in comments at times."""
_NOT_SCANNED = "a scan passes it over: its name is not that of an audio file"


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What reading one file took, and what it came to: the JSON object `explanation`. Offsets and lengths are in bytes."""

    location: str
    path: str
    size: int
    scanned: bool
    """Whether a scan reads files of this name."""
    policy: str
    way: str
    container: str | None
    recognised_by: str | None
    requests: list[RangeRequest]
    skipped: list[SkippedRange]
    bytes_read: int
    status: str
    reason: str | None
    tags: dict[str, Any]
    stream: dict[str, Any]
    identity: AudioIdentity | None
    suspect: str | None
    covers: tuple[Cover, ...] | None


def text(explanation: Explanation) -> str:
    """All of it, one fact a line, names and tags made harmless."""
    return "\n".join(printable(line).rstrip() for line in _lines(explanation))


def _lines(one: Explanation) -> Iterator[str]:
    yield f"{one.path} in {one.location}"
    told = f"{one.container}, told by {one.recognised_by}" if one.container else "not recognised"
    facts = {"container": told, "size": f"{one.size:,} bytes", "policy": f"{one.policy}: {POLICIES[one.policy]}"}
    facts["way"] = f"{one.way}: {WAYS[one.way]}"
    if not one.scanned:
        facts["note"] = _NOT_SCANNED
    yield from _pairs(facts)
    yield from _ranges("requests", "why", ((ask.offset, ask.length, ask.why) for ask in one.requests))
    yield from _ranges("skipped", "what", ((hole.offset, hole.length, hole.what) for hole in one.skipped))
    number = len(one.requests)
    share = f", {one.bytes_read / one.size:.2%} of the file" if one.size else ""
    yield ""
    yield f"in all {number} request{'' if number == 1 else 's'} and {one.bytes_read:,} bytes ({size_text(one.bytes_read)}){share}"
    yield ""
    if one.reason is not None:
        yield f"{one.status}: {one.reason}"
        return
    identity = one.identity
    yield from _pairs(
        {
            "status": one.status,
            "suspect": one.suspect or "no",
            "identity": f"{identity.kind}, {identity.strength}: {identity.value}" if identity is not None else "unknown",
            "covers": "unknown" if one.covers is None else "; ".join(map(_cover, one.covers)) or "none",
        }
    )
    yield from _section("tags", one.tags)
    yield from _section("stream", one.stream)


def _pairs(facts: Mapping[str, str], indent: str = "") -> Iterator[str]:
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        yield f"{indent}{name:<{width}}  {value}"


def _cover(cover: Cover) -> str:
    facts = [_PICTURES.get(cover.kind, f"picture of kind {cover.kind}"), cover.mime or "of unknown type", f"{cover.size:,} bytes"]
    if cover.width and cover.height:
        facts.append(f"{cover.width} x {cover.height}")
    return ", ".join(facts)


def _section(title: str, facts: Mapping[str, Any]) -> Iterator[str]:
    if facts:
        yield ""
        yield title
        yield from _pairs({name: _value(value) for name, value in facts.items()}, indent="  ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}... ({len(words):,} characters)"


def _ranges(title: str, heading: str, rows: Iterable[tuple[int, int, str]]) -> Iterator[str]:
    cells = [(f"{offset:,}", f"{length:,}", words) for offset, length, words in rows]
    if not cells:
        return
    offset_width, length_width = (max(len("offset"), *(len(row[column]) for row in cells)) for column in (0, 1))
    yield ""
    yield f"{title:<10}{'offset':>{offset_width}}  {'length':>{length_width}}  {heading}"
    for number, (offset, length, words) in enumerate(cells, 1):
        yield f"{number:>8}  {offset:>{offset_width}}  {length:>{length_width}}  {words}"
