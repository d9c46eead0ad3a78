"""What a library holds and what it lacks, counted over its files. Pure.

Albums are those of `organize`: by tags, wherever the files lie.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from orchestrator.paths import parent_of
from orchestrator.plan.music.albums import group_albums, has_place
from orchestrator.plan.music.completeness import Missing, missing
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold, year_of
from orchestrator.plan.music.values import text
from orchestrator.records import Entry, Item
from orchestrator.tags.formats import is_audio
from orchestrator.track import Reading, Status, Track

FIELDS: Final = (
    "title", "artist", "album", "album_artist", "track", "disc", "date", "genre", "musicbrainz_recording_id",
    "musicbrainz_release_id",
)  # fmt: skip
"""The tags that are looked for in every file, and a picture."""
NEEDED: Final = ("title", "artist", "album", "track", "date")
"""Where one of these is missing, a file lacks tags."""
_BITRATES: Final = (320, 256, 192, 128)
UNKNOWN: Final = "unknown"
_SHARED: Final = (
    "artist", "album_artist", "album", "date", "original_date", "label", "catalogue_number", "barcode", "media", "release_type",
    "edition", "venue", "disc_subtitle", "codec", "musicbrainz_release_id", "musicbrainz_release_group_id",
    "musicbrainz_artist_ids", "musicbrainz_album_artist_ids", "artist_sort", "album_artist_sort", "album_sort",
)  # fmt: skip
"""Fields in which the tracks of an album are alike."""
_NO_MATTER: Final[dict[str, Any]] = {
    "genre": (), "composer": (), "isrc": (), "comment": None, "title_sort": None, "acoustid_id": None,
    "musicbrainz_recording_id": None, "musicbrainz_track_id": None,
}  # fmt: skip
"""Fields that tell nothing of a track's album."""


class Tally(msgspec.Struct):
    """Files of one kind."""

    files: int = 0
    bytes: int = 0
    duration_s: float = 0.0
    """Playing time, of the files that state one."""

    def add(self, item: Item, track: Track | None = None) -> None:
        """Count one file."""
        self.files += 1
        self.bytes += item.entry.size or 0
        self.duration_s += (track is not None and track.duration_s) or 0.0


class Lack(msgspec.Struct, frozen=True):
    """How many files do not have a field."""

    field: str
    files: int
    of: int
    """Files of which it is known whether they have it."""


class Part(msgspec.Struct):
    """The share of one artist, or of one decade, in the files whose tags place them."""

    name: str
    """"unknown" where the tags do not say."""
    tally: Tally = msgspec.field(default_factory=Tally)
    albums: int = 0
    incomplete: int = 0
    """Albums of which tracks are missing."""
    lossless: int = 0
    """Files, as in the three that follow."""
    lacking: int = 0
    """Without one of NEEDED."""
    suspect: int = 0
    duplicates: int = 0
    wasted: int = 0
    """Bytes of the duplicates."""


class IncompleteAlbum(msgspec.Struct, frozen=True):
    """An album of which tracks are missing."""

    albumartist: str
    album: str
    year: int | None
    files: int
    missing_tracks: int
    missing_discs: tuple[int, ...]
    missing: str
    """In words."""
    folder: str
    """Where most of its files lie."""


class Trouble(msgspec.Struct, frozen=True):
    """A file that is cut, damaged or no audio at all."""

    path: str
    status: str
    """"suspect" or "unreadable"."""
    reason: str


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Sorted: parts and kinds by their bytes, the largest first; decades, albums and paths ascending."""

    music: Tally
    others: Tally
    """Files that are not music."""
    albums: int
    artists: int
    untagged: int
    """Files of music whose tags do not place them."""
    unread: int
    """Files of music that were not read."""
    formats: tuple[tuple[str, Tally], ...]
    """By codec; "unreadable" and "unread" are among them."""
    qualities: tuple[tuple[str, Tally], ...]
    """Lossy by bit rate, lossless by bit depth and sample rate."""
    lacks: tuple[Lack, ...]
    by_artist: tuple[Part, ...]
    by_decade: tuple[Part, ...]
    incomplete: tuple[IncompleteAlbum, ...]
    troubles: tuple[Trouble, ...]
    duplicates: tuple[tuple[str, Tally], ...] | None
    """By tier; None where nobody looked."""


def collect(items: Iterable[Item], duplicates: Mapping[str, str] | None = None) -> Statistics:
    """Count. `duplicates`: path -> the tier of each file that a better copy makes superfluous; None where nobody looked.

    A file that the run's options leave alone does not count; one that could not be read does.
    """
    collector = _Collector(duplicates or {})
    for item in items:
        if item.skipped_because is None:
            collector.add(item)
    return collector.result(looked=duplicates is not None)


class _Collector:
    def __init__(self, duplicates: Mapping[str, str]) -> None:
        self._duplicates = duplicates
        self._music, self._others = Tally(), Tally()
        self._untagged = self._unread = 0
        self._formats: dict[str, Tally] = defaultdict(Tally)
        self._qualities: dict[str, Tally] = defaultdict(Tally)
        self._waste: dict[str, Tally] = defaultdict(Tally)
        self._lacking: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._troubles: list[Trouble] = []
        self._songs: list[Song] = []
        self._shared: dict[Any, Any] = {}

    def add(self, item: Item) -> None:
        if item.reading is None and not is_audio(item.entry.path):
            self._others.add(item)
            return
        reading = item.reading
        track = reading.track if reading is not None else None
        self._music.add(item, track)
        if item.entry.path in self._duplicates:
            self._waste[self._duplicates[item.entry.path]].add(item, track)
        if reading is None:
            self._unread += 1
            self._formats["unread"].add(item)
        elif track is None or reading.status is Status.UNREADABLE:
            self._formats["unreadable"].add(item)
            self._troubles.append(Trouble(item.entry.path, "unreadable", reading.reason or UNKNOWN))
        else:
            self._add_track(item, reading, track)

    def _add_track(self, item: Item, reading: Reading, track: Track) -> None:
        self._formats[track.codec or UNKNOWN].add(item, track)
        self._qualities[_quality(track)].add(item, track)
        for field in FIELDS:
            self._asked[field] += 1
            self._lacking[field] += not getattr(track, field)
        if reading.covers is not None:
            self._asked["cover"] += 1
            self._lacking["cover"] += not reading.covers
        if reading.suspect is not None:
            self._troubles.append(Trouble(item.entry.path, "suspect", reading.suspect))
        if has_place(track):
            self._songs.append(self._kept(item, reading, track))
        else:
            self._untagged += 1

    def _kept(self, item: Item, reading: Reading, track: Track) -> Song:
        """What of a file has to stay in memory until its album is known; what many files say is there once."""
        shared = {field: self._shared.setdefault(value, value) for field in _SHARED if (value := getattr(track, field))}
        entry = Entry(item.entry.path, item.entry.size, None)
        slim = msgspec.structs.replace(track, **shared, **_NO_MATTER)
        return Song(Item(entry, Reading(reading.status, suspect=reading.suspect)), slim)

    def result(self, *, looked: bool) -> Statistics:
        artists: dict[str, Part] = {}
        decades: dict[str, Part] = {}
        incomplete: list[IncompleteAlbum] = []
        albums = 0
        for album in group_albums(self._songs):
            parts = {id(part): part for song in album.songs for part in self._credit(song, artists, decades)}
            if album.singletons:
                continue
            albums += 1
            lacks = missing([song.track for song in album.songs])
            if lacks is not None:
                incomplete.append(_incomplete(album, lacks))
            for part in parts.values():
                part.albums += 1
                part.incomplete += lacks is not None
        return Statistics(
            music=self._music,
            others=self._others,
            albums=albums,
            artists=len(artists.keys() - {fold(UNKNOWN)}),
            untagged=self._untagged,
            unread=self._unread,
            formats=_largest_first(self._formats),
            qualities=_largest_first(self._qualities),
            lacks=tuple(Lack(field, self._lacking[field], self._asked[field]) for field in (*FIELDS, "cover")),
            by_artist=tuple(sorted(artists.values(), key=lambda part: (-part.tally.bytes, part.name))),
            by_decade=tuple(sorted(decades.values(), key=lambda part: part.name)),
            incomplete=tuple(sorted(incomplete, key=lambda one: (fold(one.albumartist), fold(one.album), one.folder))),
            troubles=tuple(sorted(self._troubles, key=lambda one: one.path)),
            duplicates=tuple((tier, self._waste[tier]) for tier in sorted(self._waste)) if looked else None,
        )

    def _credit(self, song: Song, artists: dict[str, Part], decades: dict[str, Part]) -> tuple[Part, Part]:
        """Count a song for its artist and its decade."""
        name = song.album.values["albumartist"] or UNKNOWN
        artist = artists.get(fold(name))
        if artist is None:
            artist = artists[fold(name)] = Part(_spelled(name, song.album, artists=True))
        decade_name = _decade(song)
        decade = decades.setdefault(decade_name, Part(decade_name))
        reading, size = song.item.reading, song.item.entry.size or 0
        superfluous = song.item.entry.path in self._duplicates
        for part in (artist, decade):
            part.tally.add(song.item, song.track)
            part.lossless += bool(song.track.lossless)
            part.lacking += not all(getattr(song.track, field) for field in NEEDED)
            part.suspect += reading is not None and reading.suspect is not None
            part.duplicates += superfluous
            part.wasted += size * superfluous
        return artist, decade


def _decade(song: Song) -> str:
    """Such as "1990s": when the music first came out, as far as the tags say."""
    values = song.album.values
    year = str(values["original_year"] or values["year"])
    if song.album.singletons:
        year = year_of(song.track.original_date) or year_of(song.track.date)
    return f"{int(year) // 10}0s" if year and int(year) else UNKNOWN


def _spelled(name: str, album: Album, *, artists: bool = False) -> str:
    """A name as the tags have it: the fields of layouts are fit for file names."""
    for song in album.songs:
        track = song.track
        for value in (", ".join(track.album_artist), *track.artist) if artists else track.album:
            if text(value) == name:
                return value
    return str(name)


def _quality(track: Track) -> str:
    if track.lossless:
        depth = f", {track.bit_depth} bit" if track.bit_depth else ""
        rate = f", {track.sample_rate / 1000:g} kHz" if track.sample_rate else ""
        return f"lossless{depth}{rate}"
    if not track.bitrate:
        return UNKNOWN
    for least in _BITRATES:
        if track.bitrate >= least * 1000:
            return f"{least} kbit/s or more"
    return f"less than {_BITRATES[-1]} kbit/s"


def _incomplete(album: Album, lacks: Missing) -> IncompleteAlbum:
    folders = Counter(parent_of(song.item.entry.path) for song in album.songs)
    return IncompleteAlbum(
        albumartist=_spelled(album.values["albumartist"], album, artists=True),
        album=_spelled(album.values["album"], album),
        year=album.values["year"] or None,
        files=len(album.songs),
        missing_tracks=lacks.tracks,
        missing_discs=lacks.discs,
        missing=lacks.words,
        folder=min(folders, key=lambda folder: (-folders[folder], folder)),
    )


def _largest_first(kinds: Mapping[str, Tally]) -> tuple[tuple[str, Tally], ...]:
    return tuple(sorted(kinds.items(), key=lambda kind: (-kind[1].bytes, kind[0])))
