"""Tags that mutagen's class for the format ignores: ID3 before a FLAC, APEv2 after an MP3."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from orchestrator.tags import apev2
from orchestrator.tags.id3 import appended, plan_tag, stacked
from orchestrator.tags.lazy_imports import id3_options, parser
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile

_ID3V1 = 131
"""mutagen looks for ID3v1 in this many bytes at the end of the file."""

_LARGEST = 16 << 20
"""Bytes; a larger tag would take the parser too much memory, and no music has one."""


def fetch_end(file: SparseFile) -> None:
    """The end of the file, where ID3v1 and APEv2 are."""
    file.fetch(file.size - file.policy.short_tail, file.size, "the end: ID3v1 or APEv2 may be there")


def may_have_id3v1(file: SparseFile) -> bool:
    """Whether mutagen may find ID3v1 at the end, odd lengths included."""
    return b"TAG" in file.peek(max(0, file.size - _ID3V1), _ID3V1).replace(apev2.MAGIC, b"")


def find_other_tags(file: SparseFile, parsed: Parsed, *, kinds: tuple[str, ...] = ("id3v2", "ape", "id3v1")) -> None:
    """Add to `parsed` the first tags of these kinds that the file has. Damaged tags count as absent."""
    if "id3v2" in kinds:
        for start in stacked(file, 0):
            add_id3(file, parsed, start)
        if parsed.others:
            return
    fetch_end(file)
    last = appended(file)
    if last is not None:
        add_id3(file, parsed, last)
    footer = apev2.find_footer(file) if "ape" in kinds else None
    if footer is not None:
        with suppress(NotReadableError):
            _add(parsed, "ape", apev2.read_tag(file, footer))
    elif "id3v1" in kinds and file.peek(max(0, file.size - 128), 3) == b"TAG":
        file.seek(0)
        _add(parsed, "id3", _parsed(file, load_v1=True))


def add_id3(file: SparseFile, parsed: Parsed, start: int) -> None:
    """Add the ID3v2 tag at `start` to the other tags of `parsed`; nothing if it is damaged."""
    try:
        end = plan_tag(file, start)
    except NotReadableError:
        return
    length = min(end or 0, file.size) - start
    if 0 < length <= _LARGEST:
        view = SparseFile(
            length, lambda offset, size: file.peek(start + offset, size), replace(file.policy, budget=length, extra=length)
        )
        _add(parsed, "id3", _parsed(view, load_v1=False))


def _add(parsed: Parsed, kind: str, tags: Any) -> None:
    if tags:
        parsed.others.append((kind, tags))


def _parsed(file: SparseFile, *, load_v1: bool) -> Any:
    try:
        return parser("id3", "ID3")(file, load_v1=load_v1, **id3_options())
    except (
        Exception
    ):  # a damaged tag can make mutagen raise anything; the file itself was read, and failed requests are remembered
        return None
