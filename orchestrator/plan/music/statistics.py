"""What a library contains and what is missing from it, counted over its files. Pure.

Albums are those of `organize` by tags alone, wherever the files are: copies of one album count as one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from orchestrator.paths import parent_of
from orchestrator.plan.music.albums import group_albums, has_usable_tags
from orchestrator.plan.music.completeness import Missing, missing
from orchestrator.plan.music.kinds import KINDS, kind_of, kinds_of
from orchestrator.plan.music.positions import explained
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import text
from orchestrator.records import Entry, Item
from orchestrator.tags.formats import is_audio
from orchestrator.tags.written_dates import year_of
from orchestrator.track import Reading, Status, Track

FIELDS: Final = (
    "title", "artist", "album", "album_artist", "track", "disc", "date", "genre", "musicbrainz_recording_id",
    "musicbrainz_release_id",
)  # fmt: skip
"""The tags that are counted in every file, besides a cover."""
NEEDED: Final = ("title", "artist", "album", "track", "date")
"""A file without one of these has incomplete tags."""
_BITRATES: Final = (320, 256, 192, 128)
UNKNOWN: Final = "unknown"
_SHARED: Final = (
    "artist", "album_artist", "album", "genre", "date", "original_date", "label", "catalogue_number", "barcode", "media",
    "release_type", "edition", "venue", "disc_subtitle", "codec", "musicbrainz_release_id", "musicbrainz_release_group_id",
    "musicbrainz_artist_ids", "musicbrainz_album_artist_ids", "artist_sort", "album_artist_sort", "album_sort",
)  # fmt: skip
"""Fields that are usually equal in all tracks of an album."""
_IRRELEVANT: Final[dict[str, Any]] = {
    "composer": (), "isrc": (), "comment": None, "title_sort": None, "acoustid_id": None,
    "musicbrainz_recording_id": None, "musicbrainz_track_id": None,
}  # fmt: skip
"""Fields that say nothing about the album of a track."""


class Tally(msgspec.Struct):
    """The number and size of files of one kind."""

    files: int = 0
    bytes: int = 0
    duration_s: float = 0.0
    """Playing time of the files that state one."""

    def add(self, item: Item, track: Track | None = None) -> None:
        """Count one file."""
        self.files += 1
        self.bytes += item.entry.size or 0
        self.duration_s += (track is not None and track.duration_s) or 0.0


class MissingField(msgspec.Struct, frozen=True):
    """How many files lack a field."""

    field: str
    files: int
    of: int
    """How many files were checked for it."""


class GroupTotals(msgspec.Struct):
    """The totals of one artist or one decade, over files with usable tags."""

    name: str
    """Artist or decade; "unknown" if the tags do not say."""
    tally: Tally = msgspec.field(default_factory=Tally)
    albums: int = 0
    incomplete: int = 0
    """Albums with missing tracks."""
    lossless: int = 0
    """Files, as in the next three fields."""
    lacking: int = 0
    """Files without one of NEEDED."""
    suspect: int = 0
    duplicates: int = 0
    wasted: int = 0
    """Bytes of the duplicates."""


class IncompleteAlbum(msgspec.Struct, frozen=True):
    """An album with missing tracks."""

    albumartist: str
    album: str
    year: int | None
    files: int
    missing_tracks: int
    missing_discs: tuple[int, ...]
    missing: str
    """In words."""
    folder: str
    """The folder of most of its files."""


class DamagedFile(msgspec.Struct, frozen=True):
    """A file that is cut, damaged or not audio at all."""

    path: str
    status: str
    """"suspect" or "unreadable"."""
    reason: str


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result. Kinds and artists are sorted by bytes, largest first; decades, albums and paths ascending."""

    music: Tally
    other_files: Tally
    """Files other than music."""
    albums: int
    artists: int
    untagged: int
    """Music files without usable tags."""
    unread: int
    """Music files that were not read."""
    formats: tuple[tuple[str, Tally], ...]
    """By codec, with "unreadable" and "unread" as two more kinds."""
    qualities: tuple[tuple[str, Tally], ...]
    """Lossy by bit rate, lossless by bit depth and sample rate."""
    missing_fields: tuple[MissingField, ...]
    by_artist: tuple[GroupTotals, ...]
    by_decade: tuple[GroupTotals, ...]
    incomplete: tuple[IncompleteAlbum, ...]
    damaged: tuple[DamagedFile, ...]
    kinds: tuple[tuple[str, Tally], ...]
    """What is no music, by its kind: it counts as music files, but not among albums, artists and decades."""
    duplicates: tuple[tuple[str, Tally], ...] | None
    """By tier; None if duplicates were not searched for."""
    not_compared: int = 0
    """Music files that others equal in size and whose bytes are not known: `dedup` reads them, and may find more duplicates."""


def collect(items: Iterable[Item], duplicates: Mapping[str, str] | None = None, *, not_compared: int = 0) -> Statistics:
    """The statistics of these files. `duplicates`: path of each duplicate -> its tier; None if they were not searched for.

    Files that the options of the run exclude do not count; unreadable files do.
    """
    collector = _Collector(duplicates or {})
    for item in items:
        if item.skipped_because is None:
            collector.add(item)
    return msgspec.structs.replace(collector.result(with_duplicates=duplicates is not None), not_compared=not_compared)


class _Collector:
    def __init__(self, duplicates: Mapping[str, str]) -> None:
        self._duplicates = duplicates
        self._music, self._other_files = Tally(), Tally()
        self._untagged = self._unread = 0
        self._formats: dict[str, Tally] = defaultdict(Tally)
        self._qualities: dict[str, Tally] = defaultdict(Tally)
        self._kinds: dict[str, Tally] = {kind: Tally() for kind in KINDS}
        self._duplicated: dict[str, Tally] = defaultdict(Tally)
        self._missing: Counter[str] = Counter()
        self._checked: Counter[str] = Counter()
        self._damaged: list[DamagedFile] = []
        self._songs: list[Song] = []
        self._shared: dict[Any, Any] = {}

    def add(self, item: Item) -> None:
        if item.reading is None and not is_audio(item.entry.path):
            self._other_files.add(item)
            return
        reading = item.reading
        track = reading.track if reading is not None else None
        self._music.add(item, track)
        if item.entry.path in self._duplicates:
            self._duplicated[self._duplicates[item.entry.path]].add(item, track)
        if reading is None:
            self._unread += 1
            self._formats["unread"].add(item)
        elif track is None or reading.status is Status.UNREADABLE:
            self._formats["unreadable"].add(item)
            self._damaged.append(DamagedFile(item.entry.path, "unreadable", reading.reason or UNKNOWN))
        else:
            self._add_track(item, reading, track)

    def _add_track(self, item: Item, reading: Reading, track: Track) -> None:
        self._formats[track.codec or UNKNOWN].add(item, track)
        self._qualities[_quality(track)].add(item, track)
        for field in FIELDS:
            self._checked[field] += 1
            self._missing[field] += not (getattr(track, field) or getattr(track, f"{field}_text", None))
        if reading.covers is not None:
            self._checked["cover"] += 1
            self._missing["cover"] += not reading.covers
        if reading.suspect is not None:
            self._damaged.append(DamagedFile(item.entry.path, "suspect", reading.suspect))
        if has_usable_tags(track):
            self._songs.append(self._slimmed(item, reading, track))
        elif kind := kind_of(item.entry.path, track):
            self._kinds[kind].add(item, track)
        else:
            self._untagged += 1

    def _slimmed(self, item: Item, reading: Reading, track: Track) -> Song:
        """A song with only the tags needed later. Values that many files share are stored once, to save memory."""
        shared = {field: self._shared.setdefault(value, value) for field in _SHARED if (value := getattr(track, field))}
        entry = Entry(item.entry.path, item.entry.size, None)
        slim = msgspec.structs.replace(track, **shared, **_IRRELEVANT)
        return Song(Item(entry, Reading(reading.status, suspect=reading.suspect)), slim)

    def result(self, *, with_duplicates: bool) -> Statistics:
        artists: dict[str, GroupTotals] = {}
        decades: dict[str, GroupTotals] = {}
        incomplete: list[IncompleteAlbum] = []
        albums = 0
        for index, track in explained([song.track for song in self._songs]).items():
            self._songs[index].track = track
        for album in group_albums(self._take_music()):
            groups = {id(group): group for song in album.songs for group in self._credit(song, artists, decades)}
            if album.singletons:
                continue
            albums += 1
            gaps = missing([song.track for song in album.songs])
            if gaps is not None:
                incomplete.append(_incomplete(album, gaps))
            for group in groups.values():
                group.albums += 1
                group.incomplete += gaps is not None
        return Statistics(
            music=self._music,
            other_files=self._other_files,
            albums=albums,
            artists=len(artists.keys() - {fold(UNKNOWN)}),
            untagged=self._untagged,
            unread=self._unread,
            formats=_largest_first(self._formats),
            qualities=_largest_first(self._qualities),
            missing_fields=tuple(MissingField(field, self._missing[field], self._checked[field]) for field in (*FIELDS, "cover")),
            by_artist=tuple(sorted(artists.values(), key=lambda group: (-group.tally.bytes, group.name))),
            by_decade=tuple(sorted(decades.values(), key=lambda group: group.name)),
            incomplete=tuple(sorted(incomplete, key=lambda one: (fold(one.albumartist), fold(one.album), one.folder))),
            damaged=tuple(sorted(self._damaged, key=lambda one: one.path)),
            kinds=tuple((kind, tally) for kind, tally in self._kinds.items() if tally.files),
            duplicates=tuple((tier, self._duplicated[tier]) for tier in sorted(self._duplicated)) if with_duplicates else None,
        )

    def _take_music(self) -> list[Song]:
        """The songs that are music; all others are counted by their kind."""
        kinds = kinds_of([(song.item.entry.path, song.tags) for song in self._songs])
        for song, kind in zip(self._songs, kinds, strict=True):
            if kind:
                self._kinds[kind].add(song.item, song.track)
        return [song for song, kind in zip(self._songs, kinds, strict=True) if not kind]

    def _credit(
        self, song: Song, artists: dict[str, GroupTotals], decades: dict[str, GroupTotals]
    ) -> tuple[GroupTotals, GroupTotals]:
        """Count a song for its artist and its decade, and return both."""
        name = song.album.values["albumartist"] or UNKNOWN
        artist = artists.get(fold(name))
        if artist is None:
            artist = artists[fold(name)] = GroupTotals(_spelled(name, song.album, artists=True))
        decade_name = _decade(song)
        decade = decades.setdefault(decade_name, GroupTotals(decade_name))
        reading, size = song.item.reading, song.item.entry.size or 0
        is_duplicate = song.item.entry.path in self._duplicates
        for group in (artist, decade):
            group.tally.add(song.item, song.track)
            group.lossless += bool(song.track.lossless)
            group.lacking += not all(getattr(song.track, field) for field in NEEDED)
            group.suspect += reading is not None and reading.suspect is not None
            group.duplicates += is_duplicate
            group.wasted += size * is_duplicate
        return artist, decade


def _decade(song: Song) -> str:
    """The decade in which the music first came out, such as "1990s"; "unknown" if the tags do not say."""
    values = song.album.values
    year = str(values["original_year"] or values["year"])
    if song.album.singletons:
        year = year_of(song.track.original_date) or year_of(song.track.date)
    return f"{int(year) // 10}0s" if year and int(year) else UNKNOWN


def _spelled(name: str, album: Album, *, artists: bool = False) -> str:
    """A name as the tags spell it: the values of layout fields are cleaned for file names."""
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


def _incomplete(album: Album, gaps: Missing) -> IncompleteAlbum:
    folders = Counter(parent_of(song.item.entry.path) for song in album.songs)
    return IncompleteAlbum(
        albumartist=_spelled(album.values["albumartist"], album, artists=True),
        album=_spelled(album.values["album"], album),
        year=album.values["year"] or None,
        files=len(album.songs),
        missing_tracks=gaps.tracks,
        missing_discs=gaps.discs,
        missing=gaps.description,
        folder=min(folders, key=lambda folder: (-folders[folder], folder)),
    )


def _largest_first(kinds: Mapping[str, Tally]) -> tuple[tuple[str, Tally], ...]:
    return tuple(sorted(kinds.items(), key=lambda kind: (-kind[1].bytes, kind[0])))
