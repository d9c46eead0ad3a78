"""All fields that a layout can use, and how the tags of a track become their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from orchestrator.plan.music import classical
from orchestrator.plan.music.tag_values import ABSENT, Absent, Position, first, joined, number, text
from orchestrator.tags.written_dates import date_of
from orchestrator.track import Track

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
    "album_composer": "Ludwig van Beethoven",
    "album_conductor": "Carlos Kleiber",
    "album_ensemble": "Wiener Philharmoniker",
    "musicbrainz_release_id": "0a",
    "musicbrainz_release_group_id": "0b",
}
"""Fields with one value for a whole album -> an example. Conditions can only use these."""

NAMING_FIELDS = ("album", "venue")
"""Album fields that can name a directory. A label that distinguishes albums of one name is added to the first that does."""

TRACK_FIELDS: dict[str, Any] = {
    "title": "Star",
    "title_sort": "Star",
    "subtitle": "Live",
    "artist": "Earth, Wind & Fire",
    "artist_sort": "Earth, Wind & Fire",
    "track": 4,
    "track_total": 9,
    "track_text": "4/9",
    "disc": 1,
    "disc_text": "1/2",
    "disc_subtitle": "Side A",
    "composer": "Maurice White",
    "work": "Symphony No. 5",
    "movement": "Allegro con brio",
    "movement_number": 1,
    "movement_total": 4,
    "conductor": "Carlos Kleiber",
    "ensemble": "Wiener Philharmoniker",
    "soloists": "Martha Argerich",
    "advisory": "clean",
    "isrc": "USSM17900001",
    "track_date": "1979-06-09",
    "codec": "flac",
    "bitrate": 900,
    "sample_rate": 44100,
    "bit_depth": 16,
    "channels": 2,
    "lossless": True,
}
"""Fields with a value for each track -> an example. `bitrate` is in kbit/s, `sample_rate` in Hz."""

TELLING_FIELDS: Final = frozenset({"title", "title_sort", "track", "track_text", "work", "movement", "movement_number", "isrc"})
"""Fields that tell the tracks of one album apart: a layout needs one of them."""

FIELDS: dict[str, Any] = {**ALBUM_FIELDS, **TRACK_FIELDS}


def track_fields(track: Track, wanted: Iterable[str], values: dict[str, Any]) -> dict[str, Any]:
    """Add the wanted fields of TRACK_FIELDS to `values`, and return it."""
    for name in wanted:
        value = _VALUES.get(name)
        values[name] = value(track) if value is not None else text(getattr(track, name))
    return values


def _track_number(track: Track) -> int | Absent:
    """The number, which may be 0, or the position on a record."""
    if track.track is None:
        return ABSENT
    return track.track if track.position is None else Position(track.track, track.position)


def _as_written(name: str) -> Callable[[Track], object]:
    """The text of the tag; where it is just the number, the number."""
    return lambda track: text(getattr(track, f"{name}_text")) or number(getattr(track, name))


def _joined(name: str) -> Callable[[Track], object]:
    return lambda track: joined(getattr(track, name))


def _number(name: str) -> Callable[[Track], object]:
    return lambda track: number(getattr(track, name))


_VALUES: Final[dict[str, Callable[[Track], object]]] = {
    "title": lambda track: first(track.title, NO_TITLE),
    "artist": lambda track: joined(track.artist or track.album_artist, NO_ARTIST),
    **{name: _joined(name) for name in ("artist_sort", "composer", "isrc")},
    "track": _track_number,
    **{f"{name}_text": _as_written(name) for name in ("track", "disc")},
    **{name: _number(name) for name in ("track_total", "disc", "sample_rate", "bit_depth", "channels")},
    "track_date": lambda track: text(date_of(track.date) or date_of(track.original_date)),
    "work": classical.work,
    "movement": classical.movement,
    "movement_number": classical.movement_number,
    "movement_total": classical.movement_total,
    "conductor": classical.conductor,
    "ensemble": classical.ensemble,
    "soloists": classical.soloists,
    "bitrate": lambda track: number(round(track.bitrate / 1000)) if track.bitrate else ABSENT,
    "lossless": lambda track: bool(track.lossless),
}
"""Field -> its value; all other fields are one text of the track with the same name."""
