"""Tracks into albums, by their tags alone: where the files lie plays no part, so a library that is in order stays in order.

Whose album it is: ALBUMARTIST; else Various Artists where the compilation flag is set; else the artist that the most
tracks of that title share (a guest, in a second value or after "feat.", changes nothing). What one artist calls by one name
is still several albums where release ids differ, or where year, type, catalogue number, barcode or label differ and the
track numbers meet.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from operator import attrgetter

from orchestrator.plan.album_fields import VARIOUS_KEY, AlbumFields, fold, without_guest, year_of
from orchestrator.plan.fields import first, joined
from orchestrator.plan.layout import Template
from orchestrator.plan.request import Item
from orchestrator.tags.track import Track

_VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "v/a"})


class Song:
    """One audio file with usable tags, and where the plan puts it."""

    __slots__ = ("album", "directory", "extension", "item", "stem", "track")

    def __init__(self, item: Item, track: Track) -> None:
        self.item = item
        self.track = track
        self.album: Album
        self.directory = ""
        self.stem = ""
        self.extension = ""


class Album:
    """Tracks that belong together, and the fields that are one value for all of them."""

    __slots__ = ("songs", "template", "values")

    def __init__(self, songs: list[Song], artist: str) -> None:
        self.songs = songs
        self.values = AlbumFields([song.track for song in songs], artist)
        self.template: Template
        for song in songs:
            song.album = self

    @property
    def singletons(self) -> bool:
        """Whether these are an artist's tracks that name no album."""
        return bool(self.values["singleton"])


def has_place(track: Track) -> bool:
    """Whether the tags say enough: an album or an artist, and a title or a track number.

    A value that makes no name counts as well: names have fallbacks.
    """
    return bool((track.album or track.artist or track.album_artist) and (track.title or track.track))


def group_albums(songs: Sequence[Song]) -> list[Album]:
    """The albums of these tracks. The songs' order makes no difference but to the order within an album."""
    by_title: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        by_title[fold(first(song.track.album))].append(song)
    albums: list[Album] = []
    for title, of_one_title in by_title.items():
        for artist, of_one_artist in _by_artist(of_one_title, album_known=bool(title)).items():
            if title:
                albums.extend(Album(release, artist) for release in _releases(of_one_artist))
            else:
                albums.append(Album(of_one_artist, artist))
    return albums


def label_of(albums: Sequence[Album]) -> list[str] | None:
    """For albums that would share a directory: what to append to each one's name, by the first field that tells all apart."""
    for allow_one_empty in (False, True):
        for field in ("albumartist", "release_type", "year", "date", "label", "catalogue_number", "media", "barcode", "release"):
            values = [str(_distinction(album, field)) for album in albums]
            if len({fold(value) for value in values}) == len(albums) and (allow_one_empty or all(values)):
                return values
    return None


def _distinction(album: Album, field: str) -> object:
    if field == "release":
        return album.values["musicbrainz_release_id"][:8]
    return album.values[field]


def _by_artist(songs: list[Song], *, album_known: bool) -> dict[str, list[Song]]:
    """Folded album artist ("" for none at all) -> songs."""
    owned: dict[str, list[Song]] = defaultdict(list)
    loose: list[Song] = []
    for song in songs:
        owner = fold(joined(song.track.album_artist))
        if owner:
            owned[VARIOUS_KEY if owner in _VARIOUS else owner].append(song)
        elif song.track.compilation and album_known:
            owned[VARIOUS_KEY].append(song)
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
        named = [set(names) for song in group if (names := _candidates(song))]
        if not named or set.intersection(*named):
            waiting.extend(group)
        else:
            owned[VARIOUS_KEY].extend(group)
    explicit = set(owned)
    counts = Counter(name for song in waiting for name in set(_candidates(song)))
    for song in waiting:
        names = _candidates(song)
        known = [name for name in names if name in explicit]
        # The most shared one; among equals the one named first, guests cut off.
        owned[known[0] if known else max(names, key=lambda name: counts[name], default="")].append(song)


def _candidates(song: Song) -> list[str]:
    names = [fold(without_guest(artist)) for artist in song.track.artist] + [fold(artist) for artist in song.track.artist]
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


_EVIDENCE: tuple[tuple[Callable[[Track], object], Callable[[Track], str]], ...] = (
    # How the field stands in the tags, and what of it counts.
    (attrgetter("date", "original_date"), lambda track: year_of(track.date) or year_of(track.original_date)),
    (attrgetter("release_type"), lambda track: fold(joined(track.release_type))),
    (attrgetter("catalogue_number"), lambda track: fold(track.catalogue_number or "")),
    (attrgetter("barcode"), lambda track: fold(track.barcode or "")),
    (attrgetter("label"), lambda track: fold(track.label or "")),
)


def _editions(songs: list[Song]) -> list[list[Song]]:
    """Songs without release ids, split where a field differs and the track numbers of both sides meet."""
    groups = [songs]
    for raw, field in _EVIDENCE:
        if len({raw(song.track) for song in songs}) > 1:
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
    return fold(first(song.track.title))
