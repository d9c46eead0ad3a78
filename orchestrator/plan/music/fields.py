"""The closed set of fields that a layout may use, and how a track's tags become their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.plan.layout.names import clean_value
from orchestrator.track import Track


class Absent(str):
    """A field that a file does not have: the empty string, false, and neither more nor less than any number.

    `fallback` stands in where a whole name would be empty.
    """

    __slots__ = ("fallback",)
    fallback: str

    def __new__(cls, fallback: str = "") -> Absent:
        """An absent value with the words that stand in for it."""
        absent = super().__new__(cls, "")
        absent.fallback = fallback
        return absent

    def __lt__(self, _other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


ABSENT = Absent()
NO_ARTIST = Absent("[unknown artist]")
NO_ALBUM = Absent("[no album]")
NO_TITLE = Absent("[untitled]")

FALLBACKS = (NO_ARTIST.fallback, NO_ALBUM.fallback, NO_TITLE.fallback)

ALBUM_FIELDS: dict[str, Any] = {
    "albumartist": "Earth, Wind & Fire",
    "albumartist_sort": "Earth, Wind & Fire",
    "artists": "Earth, Wind & Fire",
    "album": "I Am",
    "year": 1979,
    "date": "1979-06-09",
    "original_year": 1979,
    "original_date": "1979-06-09",
    "discs": 2,
    "multi_disc": True,
    "album_class": "album",
    "release_type": "album",
    "compilation": False,
    "various": False,
    "live": False,
    "singleton": False,
    "release_status": "official",
    "edition": "2004 remaster",
    "venue": "Red Rocks",
    "all_lossless": True,
    "label": "Columbia",
    "catalogue_number": "FC 35730",
    "barcode": "074643573023",
    "media": "CD",
    "genre": "Funk",
    "musicbrainz_release_id": "0a",
    "musicbrainz_release_group_id": "0b",
}
"""Fields that are one value for a whole album -> an example. Conditions see these only."""

NAMING_FIELDS = ("album", "venue")
"""Album fields that a directory can be called after; what tells albums of one name apart is put behind the first that is."""

TRACK_FIELDS: dict[str, Any] = {
    "title": "Star",
    "title_sort": "Star",
    "subtitle": "Live",
    "artist": "Earth, Wind & Fire",
    "artist_sort": "Earth, Wind & Fire",
    "track": 4,
    "track_total": 9,
    "disc": 1,
    "disc_subtitle": "Side A",
    "composer": "Maurice White",
    "advisory": "clean",
    "isrc": "USSM17900001",
    "codec": "flac",
    "bitrate": 900,
    "sample_rate": 44100,
    "bit_depth": 16,
    "channels": 2,
    "lossless": True,
}
"""Fields that differ from track to track -> an example. `bitrate` is in kbit/s, `sample_rate` in Hz."""

FIELDS: dict[str, Any] = {**ALBUM_FIELDS, **TRACK_FIELDS}


def text(value: str | None, absent: Absent = ABSENT) -> str:
    """One tag value, harmless; absent also for one of dots and spaces alone, which is no name anywhere."""
    if not value:
        return absent
    clean = clean_value(value)
    return clean if clean.strip(". ") else absent


def joined(values: tuple[str, ...], absent: Absent = ABSENT) -> str:
    """All values of one tag, as one text. Values are never split, only joined."""
    if len(values) == 1:
        return text(values[0], absent)
    return ", ".join(clean for value in values if (clean := text(value))) or absent


def first(values: tuple[str, ...], absent: Absent = ABSENT) -> str:
    """The first value of a tag that says anything."""
    for value in values:
        clean = text(value)
        if clean:
            return clean
    return absent


def number(value: int | None) -> int | Absent:
    """A number, or absent."""
    return value or ABSENT


def track_fields(track: Track, wanted: Iterable[str], values: dict[str, Any]) -> dict[str, Any]:
    """Add those of TRACK_FIELDS that are wanted to `values`, and give them back."""
    for name in wanted:
        match name:
            case "title":
                values[name] = first(track.title, NO_TITLE)
            case "artist":
                values[name] = joined(track.artist or track.album_artist, NO_ARTIST)
            case "artist_sort" | "composer" | "isrc":
                values[name] = joined(getattr(track, name))
            case "track" | "track_total" | "disc" | "sample_rate" | "bit_depth" | "channels":
                values[name] = number(getattr(track, name))
            case "bitrate":
                values[name] = number(round(track.bitrate / 1000)) if track.bitrate else ABSENT
            case "lossless":
                values[name] = bool(track.lossless)
            case _:
                values[name] = text(getattr(track, name))
    return values
