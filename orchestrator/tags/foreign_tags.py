"""Tags that mutagen's class for the format ignores: ID3 before a FLAC, APEv2 after an MP3."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from orchestrator.tags import apev2
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.lazy_imports import id3_options, parser
from orchestrator.tags.parsed import NotReadableError, Parsed
from orchestrator.tags.sparse import SparseFile

_ID3V1 = 131
"""mutagen looks for ID3v1 in this many bytes at the end of the file."""


def fetch_end(file: SparseFile) -> None:
    """The end of the file, where ID3v1 and APEv2 are."""
    file.fetch(file.size - file.policy.short_tail, file.size, "the end: ID3v1 or APEv2 may be there")


def may_have_id3v1(file: SparseFile) -> bool:
    """Whether mutagen may find ID3v1 at the end, odd lengths included."""
    return b"TAG" in file.peek(max(0, file.size - _ID3V1), _ID3V1)


def find_other_tags(file: SparseFile, parsed: Parsed, *, kinds: tuple[str, ...] = ("id3v2", "ape", "id3v1")) -> None:
    """Add to `parsed` the first tags of these kinds that the file has. Damaged tags count as absent."""
    may_be_first = "id3v2" in kinds and plan_tag(file, 0) is not None
    if may_be_first and _add(parsed, "id3", _read(file, "id3", "ID3", load_v1=False, **id3_options())):
        return
    fetch_end(file)
    footer = apev2.find_footer(file) if "ape" in kinds else None
    if footer is not None:
        with suppress(NotReadableError):
            apev2.plan_tag(file, footer)
            _add(parsed, "ape", _read(file, "apev2", "APEv2"))
    elif "id3v1" in kinds and file.peek(max(0, file.size - 128), 3) == b"TAG":
        _add(parsed, "id3", _read(file, "id3", "ID3", **id3_options()))


def _add(parsed: Parsed, kind: str, tags: Any) -> bool:
    if tags:
        parsed.others.append((kind, tags))
    return bool(tags)


def _read(file: SparseFile, module: str, name: str, **options: Any) -> Any:
    file.seek(0)
    try:
        return parser(module, name)(file, **options)
    except (
        Exception
    ):  # a damaged tag can make mutagen raise anything; the file itself was read, and failed requests are remembered
        return None
