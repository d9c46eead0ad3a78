"""Texts of tags -> Track: numbers, yes and no, lists of words; which of several tags of a file counts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from orchestrator.tags.media_kinds import media_kind
from orchestrator.tags.number_fields import number_fields, without_numbers_of
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.tag_names import FACTS, named
from orchestrator.tags.tag_texts import MOST_VALUES, texts_of
from orchestrator.tags.written_dates import year_of
from orchestrator.track import Facts, Track

_Value = TypeVar("_Value")

# Fields that are texts, all of them or the first one:
_LISTS = (
    "title", "artist", "album_artist", "album", "release_type", "genre", "composer", "isrc", "version", "remixer",
    "musicbrainz_artist_ids", "musicbrainz_album_artist_ids", "artist_sort", "album_artist_sort",
)  # fmt: skip
_SINGLES = (
    "disc_subtitle", "edition", "venue", "label", "catalogue_number", "barcode", "media", "subtitle",
    "comment",
    "musicbrainz_recording_id", "musicbrainz_track_id", "musicbrainz_release_id", "musicbrainz_release_group_id",
    "acoustid_id", "title_sort", "album_sort",
)  # fmt: skip


def _dated(values: Sequence[str]) -> str | None:
    return next(filter(year_of, values), None)


def _truth(values: Sequence[str]) -> bool | None:
    """None for an empty word; "0" and "no" are false, everything else ("1", "yes") is true."""
    word = values[0].strip().lower()
    return None if not word else word not in ("0", "no", "false")


def _advisory(values: Sequence[str]) -> str | None:
    word = values[0].strip().lower()
    return {"1": "explicit", "4": "explicit", "explicit": "explicit", "2": "clean", "clean": "clean"}.get(word)


def _word(values: Sequence[str]) -> str | None:
    return next((word for text in values if (word := text.strip().lower())), None)


def text_fields(kind: str, tags: Any) -> dict[str, Any]:
    """The fields of Track and Facts that come from tags; absent ones are missing or None."""
    found = named(kind, texts_of(kind, tags))

    def first(field: str, convert: Callable[[Sequence[str]], _Value | None]) -> _Value | None:
        """What the best key that says anything says."""
        return next((value for texts in found.get(field, ()) if (value := convert(texts)) is not None), None)

    fields: dict[str, Any] = {field: found[field][0][:MOST_VALUES] for field in _LISTS if field in found}
    fields |= {field: found[field][0][0] for field in _SINGLES if field in found}
    fields |= {field: date for field in ("date", "original_date") if (date := first(field, _dated))}
    fields |= number_fields(found)
    fields["compilation"] = first("compilation", _truth)
    fields["advisory"] = first("advisory", _advisory)
    fields["media_kind"] = media_kind(found)
    fields |= {"cue_sheet": True} if "cue_sheet" in found else {}
    for field in ("musicbrainz_artist_ids", "musicbrainz_album_artist_ids"):
        if field in fields:
            fields[field] = _words(fields[field])  # ID3v2.3 has no other way to hold several
    fields["release_status"] = first("release_status", _word)
    if "release_type" in fields:
        fields["release_type"] = tuple(word.lower() for word in _words(fields["release_type"]))
    for field in FACTS & found.keys():
        fields[field] = tuple(dict.fromkeys(text for texts in found[field] for text in texts))[:MOST_VALUES]
    return fields


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    """The words of a list: two in "Album/Live" and in "album; live"."""
    return tuple(word for text in texts for part in re.split("[/;]", text) if (word := part.strip()))


def _positive(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else None


def track_of(parsed: Parsed) -> Track:
    """All fields of a file."""
    fields: dict[str, Any] = text_fields(parsed.kind, parsed.tags) if parsed.tags else {}
    for kind, tags in parsed.others:
        known = {field: value for field, value in fields.items() if value is not None}
        fields = without_numbers_of(text_fields(kind, tags), known) | known
    if fields.get("original_date") is not None:
        fields.setdefault("date", fields["original_date"])
    if parsed.cue_sheet:
        fields["cue_sheet"] = True
    facts = {field: fields.pop(field) for field in FACTS & fields.keys()}
    if facts:
        fields["facts"] = Facts(**facts)
    info = parsed.info
    length = getattr(info, "length", None)
    if length and math.isfinite(length) and length > 0:
        fields["duration_s"] = round(length, 3) or None
    return Track(
        **fields,
        codec=parsed.codec,
        lossless=parsed.lossless,
        bitrate=_positive(parsed.bitrate or getattr(info, "bitrate", None)),
        sample_rate=_positive(getattr(info, "sample_rate", None)),
        bit_depth=_positive(getattr(info, "bits_per_sample", None)),
        channels=_positive(getattr(info, "channels", None)),
        video=parsed.video,
    )
