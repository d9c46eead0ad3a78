"""Tracks into albums, by their tags alone: where the files lie plays no part, so a library that is in order stays in order.

Whose album it is: ALBUMARTIST; else Various Artists where the compilation flag is set; else the artist that the most tracks of that title
share (a guest, in a second value or after "feat.", changes nothing). What one artist calls by one name is still several albums where
release ids differ, or where year, type, catalogue number, barcode or label differ and the track numbers meet.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from orchestrator.plan.fields import ABSENT, NO_ALBUM, NO_ARTIST, joined, number, text
from orchestrator.plan.layout import Template
from orchestrator.plan.request import Item
from orchestrator.tags.track import Track

VARIOUS_ARTISTS = "Various Artists"
_VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "v/a"})
_GUEST = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b\.?\s.*$", re.IGNORECASE | re.DOTALL)
_YEAR = re.compile(r"\d{4}")


class Song:
    """One audio file with usable tags, and where the plan puts it."""

    __slots__ = ("album", "directory", "extension", "item", "position", "raw_directory", "raw_name", "stem", "track")

    def __init__(self, item: Item, track: Track) -> None:
        self.item = item
        self.track = track
        self.album: Album
        self.raw_directory = ""
        self.raw_name = ""
        self.directory = ""
        self.stem = ""
        self.extension = ""


class Album:
    """Tracks that belong together, and the fields that are one value for all of them."""

    __slots__ = ("songs", "template", "values")

    def __init__(self, songs: list[Song], values: dict[str, Any]) -> None:
        self.songs = songs
        self.values = values
        self.template: Template
        for song in songs:
            song.album = self

    @property
    def singletons(self) -> bool:
        """Whether these are an artist's tracks that name no album."""
        return bool(self.values["singleton"])


def has_place(track: Track) -> bool:
    """Whether the tags say enough: an album or an artist, and a title or a track number."""
    return bool((track.album or track.artist or track.album_artist) and (track.title or track.track))


def group_albums(songs: Sequence[Song]) -> list[Album]:
    """The albums of these tracks. The songs' order makes no difference but to the order within an album."""
    by_title: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_title[_fold(song.track.album[0]) if song.track.album else ""].append(song)
    albums: list[Album] = []
    for title, of_one_title in by_title.items():
        for artist, of_one_artist in _by_artist(of_one_title, album_known=bool(title)).items():
            if title:
                albums.extend(_album(release, artist) for release in _releases(of_one_artist))
            else:
                albums.append(_album(of_one_artist, artist))
    return albums


def label_of(albums: Sequence[Album]) -> list[str] | None:
    """For albums that would share a directory: what to append to each one's name, by the first field that tells all apart."""
    for allow_one_empty in (False, True):
        for field in ("albumartist", "release_type", "year", "date", "label", "catalogue_number", "media", "barcode", "release"):
            values = [str(_distinction(album, field)) for album in albums]
            if len({_fold(value) for value in values}) == len(albums) and (allow_one_empty or all(values)):
                return values
    return None


def _distinction(album: Album, field: str) -> object:
    if field == "release":
        return album.values["musicbrainz_release_id"][:8]
    return album.values[field]


@lru_cache(maxsize=65536)
def _fold(value: str) -> str:
    """What makes two spellings one: Unicode form, case and runs of spaces do not count."""
    return " ".join(unicodedata.normalize("NFC", text(value).casefold()).split())


@lru_cache(maxsize=65536)
def _without_guest(artist: str) -> str:
    return _GUEST.sub("", artist) or artist


def _by_artist(songs: list[Song], *, album_known: bool) -> dict[str, list[Song]]:
    """Folded album artist ("" for none at all) -> songs."""
    owned: dict[str, list[Song]] = defaultdict(list)
    loose: list[Song] = []
    for song in songs:
        owner = _fold(joined(song.track.album_artist))
        if owner:
            owned[VARIOUS_ARTISTS.casefold() if owner in _VARIOUS else owner].append(song)
        elif song.track.compilation and album_known:
            owned[VARIOUS_ARTISTS.casefold()].append(song)
        else:
            loose.append(song)
    if loose:
        _place_loose(loose, owned, album_known=album_known)
    return owned


def _place_loose(loose: list[Song], owned: dict[str, list[Song]], *, album_known: bool) -> None:
    """Give each song without an album artist to the artist whom most of them share, or to the owner of its release."""
    owner_of_release = {
        song.track.musicbrainz_release_id: owner
        for owner, group in sorted(owned.items(), reverse=True)
        for song in group
        if song.track.musicbrainz_release_id
    }
    releases: dict[str, list[Song]] = defaultdict(list)
    waiting: list[Song] = []
    for song in loose:
        release = song.track.musicbrainz_release_id
        if release in owner_of_release:
            owned[owner_of_release[release]].append(song)
        elif release and album_known:
            releases[release].append(song)
        else:
            waiting.append(song)
    for release in sorted(releases):
        group = releases[release]
        shared = set.intersection(*(set(_candidates(song)) for song in group))
        if shared or len(group) == 1:
            waiting.extend(group)
        else:
            owned[VARIOUS_ARTISTS.casefold()].extend(group)
    explicit = set(owned)
    counts = Counter(name for song in waiting for name in set(_candidates(song)))
    for song in waiting:
        names = _candidates(song)
        known = [name for name in names if name in explicit]
        # The most shared one; among equals the one named first, guests cut off.
        owned[known[0] if known else max(names, key=lambda name: counts[name], default="")].append(song)


def _candidates(song: Song) -> list[str]:
    names = [_fold(_without_guest(artist)) for artist in song.track.artist] + [_fold(artist) for artist in song.track.artist]
    return [name for name in dict.fromkeys(names) if name]


def _releases(songs: list[Song]) -> list[list[Song]]:
    """One artist's songs with one album title, by release."""
    by_id: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_id[song.track.musicbrainz_release_id or ""].append(song)
    unknown = by_id.pop("", [])
    if len(by_id) == 1:
        next(iter(by_id.values())).extend(unknown)
        unknown = []
    groups = [by_id[release] for release in sorted(by_id)]
    if unknown:
        groups.append(unknown)
    return [part for group in groups for part in ([group] if group is not unknown else _editions(group))]


_EVIDENCE: tuple[Callable[[Track], str], ...] = (
    lambda track: _year(track.date) or _year(track.original_date),
    lambda track: _fold(joined(track.release_type)),
    lambda track: _fold(track.catalogue_number or ""),
    lambda track: _fold(track.barcode or ""),
    lambda track: _fold(track.label or ""),
)


def _editions(songs: list[Song]) -> list[list[Song]]:
    """Songs without release ids, split where a field differs and the track numbers of both sides meet."""
    groups = [songs]
    for field in _EVIDENCE:
        groups = [part for group in groups for part in _split(group, field)]
    return groups


def _split(songs: list[Song], field: Callable[[Track], str]) -> list[list[Song]]:
    by_value: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_value[field(song.track)].append(song)
    if len(by_value) == 1:
        return [songs]
    unknown = by_value.pop("", [])
    ranked = [by_value[value] for value in sorted(by_value, key=lambda value: (-len(by_value[value]), value))]
    largest, apart = list(ranked[0]), []
    for group in ranked[1:]:
        if _meets(group, ranked[0]):
            apart.append(group)
        else:
            largest += group
    return [largest + unknown, *apart]


def _meets(group: list[Song], other: list[Song]) -> bool:
    """Whether most numbers of a group are taken in the other: then these are two albums, not one with differing tags."""
    titles = defaultdict(set)
    for song in other:
        if song.track.track:
            titles[song.track.disc or 1, song.track.track].add(_title(song))
    numbered = [song for song in group if song.track.track]
    meeting = [song for song in numbered if (song.track.disc or 1, song.track.track) in titles]
    if len(meeting) * 2 <= len(numbered):
        return False
    return len(group) > 1 or all(_title(song) not in titles[song.track.disc or 1, song.track.track or 0] for song in meeting)


def _title(song: Song) -> str:
    return _fold(song.track.title[0]) if song.track.title else ""


def _year(date: str | None) -> str:
    found = _YEAR.search(date[:32]) if date else None
    return found.group() if found else ""


def _common(values: Iterable[str | None]) -> str:
    """The value that the most have; among equals the smallest; absent if none has one."""
    counts = Counter(value for value in values if value)
    return text(min(counts, key=lambda value: (-counts[value], value)), ABSENT) if counts else ABSENT


def _album(songs: list[Song], artist: str) -> Album:
    tracks = [song.track for song in songs]
    singleton = not tracks[0].album
    various = artist == VARIOUS_ARTISTS.casefold()
    values: dict[str, Any] = {"singleton": singleton, "various": various}
    values["albumartist"] = VARIOUS_ARTISTS if various else _artist_name(tracks, artist) or NO_ARTIST
    values["albumartist_sort"] = _common(joined(track.album_artist_sort) for track in tracks)
    values["artists"] = values["albumartist"]
    values["album"] = _common(track.album[0] for track in tracks) or NO_ALBUM if not singleton else NO_ALBUM
    for name in ("label", "catalogue_number", "barcode", "media", "musicbrainz_release_id", "musicbrainz_release_group_id"):
        values[name] = ABSENT if singleton else _common(getattr(track, name) for track in tracks)
    date = ABSENT if singleton else _common(track.date or track.original_date for track in tracks)
    original = ABSENT if singleton else _common(track.original_date for track in tracks)
    values["date"], values["original_date"] = date, original
    values["year"] = number(int(_year(date) or 0))
    values["original_year"] = number(int(_year(original) or 0))
    values["genre"] = _common(joined(track.genre[:1]) for track in tracks)
    discs = max(max(track.disc_total or 1, track.disc or 1) for track in tracks)
    values["discs"] = 1 if singleton else discs
    values["multi_disc"] = not singleton and discs > 1
    types = frozenset(_fold(value) for track in tracks for value in track.release_type)
    values["release_type"] = _common(joined(track.release_type) for track in tracks)
    values["compilation"] = not singleton and (various or "compilation" in types or any(track.compilation for track in tracks))
    values["live"] = "live" in types
    values["album_class"] = _class(values, types, tracks)
    return Album(songs, values)


def _artist_name(tracks: list[Track], artist: str) -> str:
    """How most of the tracks spell the artist with that folded name."""
    spellings = [joined(track.album_artist) for track in tracks if track.album_artist]
    if not spellings:
        spellings = [
            spelled
            for track in tracks
            for name in track.artist
            for spelled in {_without_guest(name), name}
            if _fold(spelled) == artist
        ]
    return _common(spellings)


def _class(values: dict[str, Any], types: frozenset[str], tracks: list[Track]) -> str:
    if values["various"] or (values["compilation"] and not values["live"]):
        return "compilation"
    if values["live"]:
        return "live"
    if types & {"demo", "bootleg", "rarities"}:
        return "rarity"
    if any(len(track.album_artist) > 1 for track in tracks):
        return "collaboration"
    return "album"
