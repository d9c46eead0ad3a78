"""The fields of an album: for each, what most of its tracks say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from orchestrator.plan.music.classes import class_of, is_compilation, release_words
from orchestrator.plan.music.fields import NO_ALBUM, NO_ARTIST
from orchestrator.plan.music.spelling import common, fold, without_guest, year_of
from orchestrator.plan.music.values import ABSENT, first, joined, number
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
        "original_date",
        "release_status",
        "venue",
    }
)
"""Fields that are spelled as in the track and are one release's."""


class AlbumFields(dict[str, Any]):
    """The values of `orchestrator.plan.music.fields.ALBUM_FIELDS` for one album, each worked out when it is first asked for."""

    def __init__(self, tracks: Sequence[Track], artist: str) -> None:
        """`artist` is the folded name of the album artist, "" for none."""
        various = artist == VARIOUS_KEY
        super().__init__(
            singleton=not first(tracks[0].album),
            various=various,
            albumartist=VARIOUS_ARTISTS if various else _artist_name(tracks, artist) or NO_ARTIST,
        )
        self._tracks = tracks

    def __missing__(self, name: str) -> object:
        value = self[name] = self._find(name)
        return value

    def _find(self, name: str) -> object:  # noqa: C901, PLR0911, PLR0912 - one flat table: a field a line
        tracks = self._tracks
        if name in _OF_RELEASE:
            return self._of_release(map(attrgetter(name), tracks))
        match name:
            case "artists":
                return self["albumartist"]
            case "album":
                return common(first(track.album) for track in tracks) or NO_ALBUM
            case "date":
                return self._of_release(track.date or track.original_date for track in tracks)
            case "year":
                return number(int(year_of(self["date"]) or 0))
            case "original_year":
                return number(int(year_of(self["original_date"]) or 0))
            case "albumartist_sort":
                return ABSENT if self["various"] else common(joined(track.album_artist_sort) for track in tracks)
            case "genre":
                return common(first(track.genre) for track in tracks)
            case "release_type":
                return common(joined(track.release_type) for track in tracks)
            case "release_words":
                return release_words(tracks)
            case "discs":
                return 1 if self["singleton"] else max(max(track.disc_total or 1, track.disc or 1) for track in tracks)
            case "multi_disc":
                return self["discs"] > 1
            case "compilation":
                return not self["singleton"] and is_compilation(tracks, self["release_words"], various=self["various"])
            case "live":
                return "live" in self["release_words"]
            case "all_lossless":
                return all(track.lossless for track in tracks)
            case "album_class":
                return class_of(tracks, self["release_words"], compilation=self["compilation"], singleton=self["singleton"])
        raise KeyError(name)

    def _of_release(self, values: Iterable[str | None]) -> str:
        """A field of a release: what an artist's tracks without an album say of it is not one value."""
        return ABSENT if self["singleton"] else common(values)


def _artist_name(tracks: Sequence[Track], artist: str) -> str:
    """How most of the tracks spell the artist with that folded name."""
    spellings = {track.album_artist for track in tracks if track.album_artist}
    if len(spellings) == 1:
        return joined(next(iter(spellings)))
    if spellings:
        return common(name for track in tracks if fold(name := joined(track.album_artist)) == artist) or common(
            joined(track.album_artist) for track in tracks
        )
    return common(
        spelled for track in tracks for name in track.artist for spelled in {without_guest(name), name} if fold(spelled) == artist
    )
