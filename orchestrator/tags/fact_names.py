"""Which key of which kind of tag means which of the Facts of a track.

Programs agree less on these names than on those of titles, so they are compared without case, spaces, "_", "-" and "/".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from orchestrator.track import Facts

PEOPLE = "people:"
"""What stands before the role in the keys of ID3's lists of people."""
LYRICS_LANGUAGE = "lyrics language"
"""The key for the languages of ID3's lyrics."""

_NAMES: dict[str, tuple[str, ...]] = {  # Picard, foobar2000, Mp3tag, MusicBee, beets, iTunes; APEv2's own; several may be there
    "conductor": ("conductor",),
    "orchestra": ("orchestra",),
    "ensemble": ("ensemble", "ensembles"),
    "performer": ("performer", "performers", "soloist", "soloists"),
    "work": ("work", "worktitle", "workname"),
    "movement": ("movementname", "movementtitle"),
    "movement_number": ("movement", "movementnumber", "movementno"),
    "language": ("language", "languages"),
    "lyrics_language": ("lyricslanguage", "lyriclanguage", "lyricslang"),
    "musicbrainz_work_ids": ("musicbrainzworkid",),
    "discogs_id": ("discogsreleaseid", "discogsalbumid", "discogsid", "discogsrelease"),
    "asin": ("asin", "amazonid"),
    "country": ("releasecountry", "musicbrainzalbumreleasecountry", "country"),
    "recording_date": ("recordingdate", "recorddate", "recorded", "daterecorded", "recordeddate"),
    "recording_place": ("recordinglocation", "recordlocation", "recordingplace", "recordedat", "location"),
    "key": ("initialkey", "key", "musicalkey"),
    "bpm": ("bpm", "beatsperminute", "tempo"),
    "grouping": ("grouping", "contentgroup", "contentgroupdescription"),
}
_NATIVE = {
    "id3": {
        "tpe3": "conductor", "mvnm": "movement", "mvin": "movement_number", "tlan": "language", "tkey": "key", "tbpm": "bpm",
        "tit1": "grouping", "grp1": "grouping",
    },
    "mp4": {
        "\xa9wrk": "work", "\xa9mvn": "movement", "\xa9mvi": "movement_number", "tmpo": "bpm", "\xa9grp": "grouping",
    },
}  # fmt: skip
_IGNORED = str.maketrans("", "", " _-/")
_FIELDS = {name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names, start=1)}
_BEHIND_THE_SCENES = frozenset(
    {
        *("arranger", "engineer", "producer", "djmix", "mix", "mixer", "remixer"),
        *("lyricist", "writer", "composer", "programming", "recording", "mastering", "editor"),
    }
)
"""Roles of ID3's lists of people that are not heard; every other unknown role is an instrument."""


@lru_cache(maxsize=4096)
def _field(kind: str, key: str) -> tuple[str, int] | None:
    """The field that a key means and its rank among the keys of that field; None for a key of another meaning."""
    native = _NATIVE.get(kind, {}).get(key)
    if native is not None:
        return native, 0
    if kind == "id3":
        known, _, name = key.partition(":")
        if known == PEOPLE[:-1]:
            role = name.translate(_IGNORED)
            return _FIELDS.get(role) or (None if role in _BEHIND_THE_SCENES else ("performer", 0))
        if known not in {"txxx", LYRICS_LANGUAGE}:
            return None
        key = name or known
    elif kind == "asf":
        key = key.lower().removeprefix("wm/")
    return _FIELDS.get(key.translate(_IGNORED))


def fact_fields(kind: str, values: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The fields of Facts that these tags state. `values`: key -> texts, as `orchestrator.tags.tag_names` reads them."""
    found: dict[str, list[tuple[int, Sequence[str]]]] = {}
    for key, texts in values.items():
        meaning = _field(kind, key)
        if meaning is not None and texts:
            found.setdefault(meaning[0], []).append((meaning[1], texts))
    return {
        field: tuple(dict.fromkeys(text for _, texts in sorted(ranked, key=lambda one: one[0]) for text in texts))
        for field, ranked in found.items()
    }


FACTS = frozenset(Facts.__struct_fields__)
