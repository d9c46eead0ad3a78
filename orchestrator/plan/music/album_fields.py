"""The fields of an album: for each, the value that most of its tracks have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from orchestrator.plan.music.classes import class_of, is_compilation, release_words
from orchestrator.plan.music.classical import conductor, ensemble
from orchestrator.plan.music.layout_fields import NO_ALBUM, NO_ARTIST
from orchestrator.plan.music.spelling import common, fold, hosts, without_guest
from orchestrator.plan.music.tag_values import ABSENT, first, joined, number
from orchestrator.tags.written_dates import date_of, year_of
from orchestrator.track import Track

VARIOUS_ARTISTS: Final = "Various Artists"
VARIOUS_KEY: Final = VARIOUS_ARTISTS.casefold()

_OF_RELEASE = frozenset(
    {
        "catalogue_number",
        "edition",
        "barcode",
        "label",
        "media",
        "musicbrainz_release_group_id",
        "musicbrainz_release_id",
        "release_status",
        "venue",
    }
)
"""Fields that have the same name in a track, and hold for one release."""


class AlbumFields(dict[str, Any]):
    """The values of `orchestrator.plan.music.layout_fields.ALBUM_FIELDS` for one album, each worked out on first use."""

    def __init__(self, tracks: Sequence[Track], artist: str, kind: str = "") -> None:
        """`artist` is the folded name of the album artist, "" for none; `kind` as in `Song`."""
        various = artist == VARIOUS_KEY
        super().__init__(
            singleton=not first(tracks[0].album),
            various=various,
            albumartist=VARIOUS_ARTISTS if various else _artist_name(tracks, artist) or NO_ARTIST,
        )
        if kind:
            self["album_class"] = kind
        self.tracks = tracks

    def __missing__(self, name: str) -> object:
        if name in _OF_RELEASE:
            value: object = self.of_release(map(attrgetter(name), self.tracks))
        else:
            value = _WORKED_OUT[name](self)
        self[name] = value
        return value

    def of_release(self, values: Iterable[str | None]) -> str:
        """The most common value of a field of a release; absent for tracks without an album, which come from many releases."""
        return ABSENT if self["singleton"] else common(values)


_WORKED_OUT: Final[dict[str, Callable[[AlbumFields], object]]] = {
    "artists": lambda album: album["albumartist"],
    "album": lambda album: common(first(track.album) for track in album.tracks) or NO_ALBUM,
    "date": lambda album: album.of_release(date_of(track.date) or date_of(track.original_date) for track in album.tracks),
    "original_date": lambda album: album.of_release(date_of(track.original_date) for track in album.tracks),
    "year": lambda album: number(int(year_of(album["date"]) or 0)),
    "original_year": lambda album: number(int(year_of(album["original_date"]) or 0)),
    "albumartist_sort": lambda album: (
        ABSENT if album["various"] else common(joined(track.album_artist_sort) for track in album.tracks)
    ),
    "genre": lambda album: common(first(track.genre) for track in album.tracks),
    "album_composer": lambda album: _of_all(album, lambda track: joined(track.composer)),
    "album_conductor": lambda album: _of_all(album, conductor),
    "album_ensemble": lambda album: _of_all(album, ensemble),
    "release_type": lambda album: common(joined(track.release_type) for track in album.tracks),
    "release_words": lambda album: release_words(album.tracks),
    "discs": lambda album: (
        1 if album["singleton"] else max(max(track.disc_total or 1, track.disc or 1) for track in album.tracks)
    ),
    "multi_disc": lambda album: album["discs"] > 1,
    "compilation": lambda album: (
        not album["singleton"] and is_compilation(album.tracks, album["release_words"], various=album["various"])
    ),
    "live": lambda album: "live" in album["release_words"],
    "all_lossless": lambda album: all(track.lossless for track in album.tracks),
    "album_class": lambda album: class_of(
        album.tracks, album["release_words"], compilation=album["compilation"], singleton=album["singleton"]
    ),
}
"""Field -> how to work it out from the tracks and from other fields."""


def _of_all(album: AlbumFields, value: Callable[[Track], str]) -> str:
    """The value that all tracks of an album have, in the spelling of most; absent if they differ or one has none."""
    values = [ABSENT] if album["singleton"] else [value(track) for track in album.tracks]
    return common(values) if len(set(map(fold, values))) == 1 else ABSENT


def _artist_name(tracks: Sequence[Track], artist: str) -> str:
    """The most common spelling of the artist with that folded name."""
    spellings = {track.album_artist for track in tracks if track.album_artist}
    if len(spellings) == 1:
        return joined(next(iter(spellings)))
    if spellings:
        names = [name for track in tracks if (name := joined(track.album_artist))]
        return (
            common(name for name in names if fold(name) == artist)
            or common(host for name in names for host in hosts(name) if fold(host) == artist)
            or common(names)
        )
    return common(
        spelled for track in tracks for name in track.artist for spelled in {without_guest(name), name} if fold(spelled) == artist
    )
