"""How one file was read, for people: the requests and why, and the result. Pure: an Explanation in, a text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.report.reporter import printable
from orchestrator.tags.trace import RangeRequest, SkippedRange
from orchestrator.track import AudioIdentity, Cover
from orchestrator.wording import size_text

WAYS = {
    "direct": "from the disk itself, without rclone",
    "rclone": "each range is a GET by rclone, which first looks the file up: one more call a range, two on Google Drive",
    "heads": "a scan lists everything once; then a range at the start of a file takes one call, any other range two",
    "vfs": "each folder is listed once; then a range at the start of a file takes one call, any other range two",
}
"""How ranges are read, and what each costs."""

POLICIES = {
    "few-bytes": "bytes cost more than requests: short ranges",
    "few-requests": "requests cost more than bytes: long ranges",
}
"""How much is requested at once."""

_PICTURES = {0: "picture", 3: "front", 4: "back"}
_LONGEST = 300
"""Characters shown of one tag: some comments hold whole lyrics."""
_NOT_SCANNED = "a scan skips it: its name is not that of an audio file"


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What it took to read one file, and the result: the JSON object `explanation`. Offsets and lengths are in bytes."""

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
    """The whole explanation, one fact a line, names and tags escaped."""
    return "\n".join(printable(line).rstrip() for line in _lines(explanation))


def _lines(one: Explanation) -> Iterator[str]:
    yield f"{one.path} in {one.location}"
    container = f"{one.container}, recognised by {one.recognised_by}" if one.container else "not recognised"
    facts = {"container": container, "size": f"{one.size:,} bytes", "policy": f"{one.policy}: {POLICIES[one.policy]}"}
    facts["way"] = f"{one.way}: {WAYS[one.way]}"
    if not one.scanned:
        facts["note"] = _NOT_SCANNED
    yield from _pairs(facts)
    yield from _ranges("requests", "why", ((ask.offset, ask.length, ask.why) for ask in one.requests))
    yield from _ranges("skipped", "what", ((hole.offset, hole.length, hole.what) for hole in one.skipped))
    number = len(one.requests)
    share = f", {one.bytes_read / one.size:.2%} of the file" if one.size else ""
    yield ""
    yield f"total: {number} request{'' if number == 1 else 's'} and {one.bytes_read:,} bytes ({size_text(one.bytes_read)}){share}"
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
