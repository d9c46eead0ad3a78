"""The numbers of a track and its disc, from the texts of its tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.tags.written_numbers import Written, disc_written, track_written


def number_fields(found: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, Any]:
    """The fields of Track that hold numbers, None for absent ones. `found`: field -> the texts of each key, best key first."""
    track_text, track = _best(found.get("track", ()), track_written)
    disc_text, disc = _best(found.get("disc", ()), disc_written)
    return {
        "track": track.number,
        "track_total": track.total or _best(found.get("track_total", ()), track_written)[1].number,
        "track_text": None if track_text in ("", str(track.number)) else track_text,
        "disc": disc.number or track.disc,
        "disc_total": disc.total or _best(found.get("disc_total", ()), disc_written)[1].number,
        "disc_text": None if disc_text in ("", str(disc.number)) else disc_text,
    }


def without_numbers_of(fields: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` without the numbers that `known` states as well: a number and its text come from the same tag."""
    stated = {name for name in ("track", "disc") if known.get(name) is not None or known.get(f"{name}_text") is not None}
    return {field: value for field, value in fields.items() if field.removesuffix("_text") not in stated}


def _best(keys: Sequence[Sequence[str]], read: Callable[[str], Written]) -> tuple[str, Written]:
    """The text that says a number, otherwise the first text, and what it says."""
    written = [(texts[0], read(texts[0])) for texts in keys if texts]
    return next((one for one in written if one[1].number is not None), written[0] if written else ("", Written()))
