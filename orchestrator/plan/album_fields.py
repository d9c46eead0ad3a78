"""The fields of an album: for each, what most of its tracks say."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from orchestrator.plan.fields import ABSENT, NO_ALBUM, NO_ARTIST, first, joined, number, text
from orchestrator.tags.track import Track

VARIOUS_ARTISTS = "Various Artists"
VARIOUS_KEY = VARIOUS_ARTISTS.casefold()
_GUEST = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b\.?\s.*$", re.IGNORECASE | re.DOTALL)
_YEAR = re.compile(r"\d{4}")
_RARITIES = frozenset({"demo", "bootleg", "rarities"})


@lru_cache(maxsize=65536)
def fold(value: str) -> str:
    """What makes two spellings one: Unicode form, case and runs of spaces do not count."""
    return " ".join(unicodedata.normalize("NFC", text(value).casefold()).split())


@lru_cache(maxsize=65536)
def without_guest(artist: str) -> str:
    """An artist's name up to "feat."."""
    return _GUEST.sub("", artist) or artist


def year_of(date: str | None) -> str:
    """The year in a date, "" where there is none."""
    found = _YEAR.search(date[:32]) if date else None
    return found.group() if found else ""


class AlbumFields(dict[str, Any]):
    """The values of `orchestrator.plan.fields.ALBUM_FIELDS` for one album, each worked out when it is first asked for."""

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
        match name:
            case "artists":
                return self["albumartist"]
            case "album":
                return common(first(track.album) for track in tracks) or NO_ALBUM
            case "label" | "catalogue_number" | "barcode" | "media" | "musicbrainz_release_id" | "musicbrainz_release_group_id":
                return self._of_release(map(attrgetter(name), tracks))
            case "date":
                return self._of_release(track.date or track.original_date for track in tracks)
            case "original_date":
                return self._of_release(track.original_date for track in tracks)
            case "year":
                return number(int(year_of(self["date"]) or 0))
            case "original_year":
                return number(int(year_of(self["original_date"]) or 0))
            case "albumartist_sort":
                return common(joined(track.album_artist_sort) for track in tracks)
            case "genre":
                return common(first(track.genre) for track in tracks)
            case "release_type":
                return common(joined(track.release_type) for track in tracks)
            case "discs":
                return 1 if self["singleton"] else max(max(track.disc_total or 1, track.disc or 1) for track in tracks)
            case "multi_disc":
                return self["discs"] > 1
            case "compilation":
                return not self["singleton"] and (
                    self["various"] or "compilation" in self._types() or any(track.compilation for track in tracks)
                )
            case "live":
                return "live" in self._types()
            case "album_class":
                return self._class()
        raise KeyError(name)

    def _of_release(self, values: Iterable[str | None]) -> str:
        """A field of a release: what an artist's tracks without an album say of it is not one value."""
        return ABSENT if self["singleton"] else common(values)

    def _types(self) -> frozenset[str]:
        return frozenset(fold(value) for track in self._tracks for value in track.release_type)

    def _class(self) -> str:
        if self["various"] or (self["compilation"] and not self["live"]):
            return "compilation"
        if self["live"]:
            return "live"
        if self._types() & _RARITIES:
            return "rarity"
        if any(len(track.album_artist) > 1 for track in self._tracks):
            return "collaboration"
        return "album"


def common(values: Iterable[str | None]) -> str:
    """The value that the most have; among equals the smallest; absent if none has one."""
    counts = Counter(value for value in values if value)
    if len(counts) == 1:
        return text(next(iter(counts)))
    return text(min(counts, key=lambda value: (-counts[value], value))) if counts else ABSENT


def _artist_name(tracks: Sequence[Track], artist: str) -> str:
    """How most of the tracks spell the artist with that folded name."""
    spellings = [joined(values) for values in {track.album_artist for track in tracks} if values]
    if len(spellings) == 1:
        return spellings[0]
    if spellings:
        return common(joined(track.album_artist) for track in tracks)
    return common(
        spelled for track in tracks for name in track.artist for spelled in {without_guest(name), name} if fold(spelled) == artist
    )
