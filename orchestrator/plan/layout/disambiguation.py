"""Labels that distinguish albums of one name, chosen over the whole plan: all such albums get one, and always the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.plan.music.song import Album
from orchestrator.plan.music.spelling import fold

FIELDS: Final = (
    "albumartist",
    "release_type",
    "year",
    "date",
    "label",
    "catalogue_number",
    "edition",
    "media",
    "barcode",
    "release",
)
"""Tried in this order; "release" is the start of the MusicBrainz release id."""


def labels_of(albums: Sequence[Album]) -> list[str] | None:
    """The label to add to the name of each album that would share a directory; None if no field distinguishes them.

    The first field that all of them have and that differs; otherwise the first that differs and that one of them lacks; otherwise
    the shortest combination of the first fields that differs.
    """
    values = {field: [str(_value(album, field)) for album in albums] for field in FIELDS}
    for allow_one_empty in (False, True):
        for found in values.values():
            if _differ(found) and (allow_one_empty or all(found)):
                return found
    together = [""] * len(albums)
    parts = 1
    for found in values.values():
        longer = [", ".join(filter(None, pair)) for pair in zip(together, found, strict=True)]
        distinct = len(set(map(fold, longer)))
        if distinct > parts:
            together, parts = longer, distinct
        if _differ(together):
            return together
    return together if parts > 1 else None


def _differ(values: Sequence[str]) -> bool:
    return len(set(map(fold, values))) == len(values)


def _value(album: Album, field: str) -> object:
    return album.values["musicbrainz_release_id"][:8] if field == "release" else album.values[field]
