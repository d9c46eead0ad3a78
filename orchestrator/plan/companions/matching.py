"""Which track or album each companion belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.paths import (
    collision_key,
    common_directory,
    name_of,
    parent_of,
    parents_of,
    split_extension,
    split_path,
)
from orchestrator.plan.companions.album_folders import is_album_folder
from orchestrator.plan.companions.playlists.formats import is_list, is_playlist
from orchestrator.plan.companions.records import Companion, CompanionKind, QuarantinedTrack
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.music.kinds import ALBUM_KINDS
from orchestrator.plan.music.song import Album, Song
from orchestrator.plan.music.tag_values import first
from orchestrator.records import Item


class _NamedTrack(NamedTuple):
    """A track that a companion's name may begin with."""

    name: str
    song: Song
    duplicate: str | None
    """The path of the track if it is a quarantined duplicate; `song` is then its kept copy."""


class CompanionMatcher:
    """Finds the music of every companion in one location."""

    def __init__(
        self,
        songs: Iterable[Song],
        staying_music: Iterable[str],
        table: SidecarTable,
        *,
        other_albums: Iterable[str] = (),
        quarantined: Iterable[QuarantinedTrack] = (),
        untagged: Iterable[str] = (),
        lists_by_stem: Mapping[str, Sequence[Item]] = MappingProxyType({}),
        files_named_by: Callable[[Item], Set[str]] = lambda _: frozenset(),
    ) -> None:
        """`songs` have their destinations; `staying_music` are the paths of audio files that have none.

        `other_albums` are the directories of albums that stay: in those, companions may belong to them. In directories whose
        music is all `quarantined`, companions belong to the kept copies. `untagged` are the paths of music that moves without an
        album. `lists_by_stem`: path without extension -> lists; `files_named_by` gives the files that one of them names.
        """
        self._table = table
        self._lists_by_stem = lists_by_stem
        self._files_named_by = files_named_by
        self._songs: dict[str, list[Song]] = defaultdict(list)
        """Directory -> the songs directly in it."""
        self._staying: dict[str, set[str]] = defaultdict(set)
        """Directory -> keys of the stems of staying music directly in it."""
        self._untagged: dict[str, dict[str, str]] = defaultdict(dict)
        """Directory -> for untagged music directly in it that moves: keys of its names and stems -> its path."""
        for song in songs:
            self._songs[parent_of(song.item.entry.path)].append(song)
        for path in sorted(untagged):
            directory, name = split_path(path)
            for known in (name, split_extension(name)[0]):
                self._untagged[directory].setdefault(collision_key(known), path)
        for path in staying_music:
            directory, name = split_path(path)
            self._staying[directory].add(collision_key(split_extension(name)[0]))
        self._album_in: dict[str, Album | None] = {}
        """Directory -> the only album with songs directly in it, None for several."""
        self._album_below: dict[str, Album | None] = {}
        """The same for songs in it or anywhere below."""
        for directory, inside in self._songs.items():
            for album in _albums_of(inside):
                self._album_in[directory] = album if directory not in self._album_in else None
                _note(self._album_below, directory, album)
        for directory in other_albums:
            self._album_in.update(dict.fromkeys({directory} & self._album_in.keys()))
            self._album_below.update(dict.fromkeys({directory, *parents_of(directory, root=True)} & self._album_below.keys()))
        self._quarantined: dict[str, list[QuarantinedTrack]] = defaultdict(list)
        """Directory -> the quarantined tracks directly in it."""
        self._quarantined_of: dict[int, list[QuarantinedTrack]] = defaultdict(list)
        """id of an album -> the quarantined duplicates of its songs."""
        self._emptied: dict[str, list[str]] = {}
        """Directory that loses all music in and below it -> the paths of that music."""
        self._note_quarantined(quarantined)
        self._album_at: dict[str, Album | None] = {}
        """Key of a destination directory -> the only album that goes into it or below, None for several."""
        self._entered: set[str] = set()
        """Keys of the directories that songs go directly into."""
        self._note_destinations()
        self._track_names: dict[str, dict[str, _NamedTrack]] = {}
        self._album_directories: dict[str, str | None] = {}

    def _note_quarantined(self, quarantined: Iterable[QuarantinedTrack]) -> None:
        albums: dict[tuple[str, int], Album | None] = {}
        with_music = self._album_below.keys() | {
            above for directory in self._staying for above in (directory, *parents_of(directory, root=True))
        }
        for track in sorted(quarantined, key=_path_of):
            directory = parent_of(track.path)
            self._quarantined[directory].append(track)
            albums[directory, id(track.kept_album)] = track.kept_album
            if track.kept_album is not None:
                self._quarantined_of[id(track.kept_album)].append(track)
            for above in parents_of(track.path, root=True):
                if above in with_music:
                    break
                self._emptied.setdefault(above, []).append(track.path)
        for (directory, _), album in albums.items():
            if directory in with_music:
                self._album_in.setdefault(directory, None)
            else:
                self._album_in[directory] = album if directory not in self._album_in else None
                _note(self._album_below, directory, album, with_music)

    def _note_destinations(self) -> None:
        songs = [(song, song.album) for inside in self._songs.values() for song in inside]
        songs += [
            (track.kept_song, track.kept_album)
            for inside in self._quarantined.values()
            for track in inside
            if track.kept_song and track.kept_album
        ]
        entering = {(collision_key(song.directory), id(album)): album for song, album in songs}
        for (key, _), album in entering.items():
            _note(self._album_at, key, album)
            self._entered.add(key)

    def match(self, item: Item) -> Companion:
        """One file that is neither music nor clutter, with the music that it belongs to."""
        path = item.entry.path
        directory, name = split_path(path)
        music_directory = next((above for above in parents_of(path, root=True) if self._has_music(above)), "")
        if any(directory in music for music in (self._songs, self._staying, self._quarantined, self._untagged)):
            with_track = self._table.goes_with(name) in {"track", "track or album"}
            companion = self._match_track(item, directory, name) if with_track else None
            if companion is not None:
                return companion
        subdirectory = directory[len(music_directory) :].strip("/")
        with_album = self._table.goes_with(name, subdirectory.partition("/")[0]) in {"album", "track or album"}
        album_directory = self._directory_of_album(music_directory) if with_album else None
        if album_directory is None and with_album and directory and music_directory == directory:
            companion = self._match_named_album(item, directory)
            if companion is not None:
                return companion
        if album_directory is None:
            return Companion(item, self._kind_without_album(item, music_directory, with_album=with_album), music_directory)
        companion = Companion(item, CompanionKind.ALBUM, music_directory, self._emptied.get(music_directory, ()))
        companion.album_directory, companion.subdirectory = album_directory, subdirectory
        return companion

    def _kind_without_album(self, item: Item, music_directory: str, *, with_album: bool) -> CompanionKind:
        if with_album and self._moves_untagged(music_directory):
            return CompanionKind.UNTAGGED
        if is_playlist(item):
            return CompanionKind.PLAYLIST
        if with_album and music_directory not in self._album_in and self._album_below.get(music_directory) is not None:
            return CompanionKind.ABOVE_ALBUM
        return CompanionKind.AMBIGUOUS if with_album else CompanionKind.OTHER

    def _moves_untagged(self, directory: str) -> bool:
        """Whether all music of a directory moves without an album. The root must hold no other music at all."""
        other = (self._songs, self._staying, self._quarantined)
        return directory in self._untagged and not any(directory in music if directory else music for music in other)

    def _has_music(self, directory: str) -> bool:
        """Whether music is in or below a directory, untagged music is in it, or music goes into it."""
        return directory in self._album_below or directory in self._untagged or collision_key(directory) in self._entered

    def _match_track(self, item: Item, directory: str, name: str) -> Companion | None:
        """A file whose name begins with a track's name, or with the stem of one: the longest that fits."""
        tracks = self._track_names.get(directory)
        if tracks is None:
            tracks = self._track_names[directory] = self._track_names_in(directory)
        end = name.rfind(".")
        while end > 0:
            key = collision_key(name[:end])
            track = tracks.get(key)
            if track is not None:
                duplicates = () if track.duplicate is None else (track.duplicate,)
                companion = Companion(item, CompanionKind.TRACK, directory, duplicates)
                companion.song, companion.suffix = track.song, _suffix(name, end, key, track.name)
                return companion
            beside = self._untagged.get(directory, {}).get(key)
            if beside is not None:
                companion = Companion(item, CompanionKind.UNTAGGED, directory)
                companion.beside, companion.suffix = beside, _suffix(name, end, key, name_of(beside))
                return companion
            if key in self._staying.get(directory, ()):
                return Companion(item, CompanionKind.STAYING_TRACK, directory)
            end = name.rfind(".", 0, end)
        return None

    def _track_names_in(self, directory: str) -> dict[str, _NamedTrack]:
        """Key of a track's name, and key of its stem -> the track."""
        songs = sorted(self._songs.get(directory, ()), key=lambda song: song.item.entry.path)
        tracks = [_NamedTrack(name_of(song.item.entry.path), song, None) for song in songs]
        staying = self._staying.get(directory, ())
        for one in self._quarantined.get(directory, ()):
            name = name_of(one.path)
            if one.kept_song is not None and collision_key(split_extension(name)[0]) not in staying:
                tracks.append(_NamedTrack(name, one.kept_song, one.path))
        found: dict[str, _NamedTrack] = {}
        for track in tracks:
            found.setdefault(collision_key(track.name), track)
            found.setdefault(collision_key(split_extension(track.name)[0]), track)
        return found

    def _match_named_album(self, item: Item, directory: str) -> Companion | None:
        """In a directory of several albums: a list goes with the only album that it names, and so do files with a list's stem."""
        path = item.entry.path
        lists = (item,) if is_list(item) else self._lists_by_stem.get(path.rpartition(".")[0], ())
        named = {path for one in lists for path in self._files_named_by(one)}
        if not named:
            return None
        here = {track.path: (track.kept_song, track.kept_album) for track in self._quarantined.get(directory, ())}
        quarantined = frozenset(here)
        here |= {song.item.entry.path: (song, song.album) for song in self._songs.get(directory, ())}
        found = [here.get(path, (None, None)) for path in named]
        album = found[0][1]
        if album is None or album.singletons or any(song is None or other is not album for song, other in found):
            return None
        companion = Companion(item, CompanionKind.ALBUM, directory, sorted(named) if named <= quarantined else ())
        companion.album_directory = common_directory(song.directory for song, _ in found if song is not None)
        return companion if self._album_at.get(collision_key(companion.album_directory)) is album else None

    def _directory_of_album(self, music_directory: str) -> str | None:
        """The destination of the only album in a directory; None if there are several, here or at the destination."""
        if music_directory not in self._album_directories:
            self._album_directories[music_directory] = self._find_directory_of_album(music_directory)
        return self._album_directories[music_directory]

    def _find_directory_of_album(self, directory: str) -> str | None:
        album = self._album_in[directory] if directory in self._album_in else self._album_just_below(directory)
        if album is not None and not album.singletons:
            prefix = f"{directory}/" if directory else ""
            destination = common_directory(self._destinations(album, prefix, emptied=directory in self._emptied))
            key = collision_key(destination)
            # A file above the album's own directory, such as an artist's picture, is right where it is.
            beside_music = directory in self._album_in or not key.startswith(collision_key(prefix[:-1]) + prefix[-1:])
            if beside_music and destination and self._album_at.get(key) is album:
                return destination
        # No album leaves this directory. If exactly one will be here, the companions here already belong to it.
        key = collision_key(directory)
        album = self._album_at.get(key) if directory and key in self._entered else None
        return directory if album is not None and not album.singletons else None

    def _album_just_below(self, directory: str) -> Album | None:
        """The only album in folders that are parts of this directory, such as its discs."""
        album = self._album_below.get(directory)
        if album is None:
            return None
        prefix = f"{directory}/" if directory else ""
        music = self._emptied.get(directory) or [song.item.entry.path for song in album.songs]
        folders = {parent_of(path) for path in music if path.startswith(prefix)}
        return album if is_album_folder(directory, first(album.songs[0].track.album), folders) else None

    def _destinations(self, album: Album, prefix: str, *, emptied: bool) -> Iterator[str]:
        """Where the songs below `prefix` go; if all of them are quarantined, where their kept copies go."""
        if emptied:
            tracks = self._quarantined_of[id(album)]
            return (track.kept_song.directory for track in tracks if track.kept_song and track.path.startswith(prefix))
        return (song.directory for song in album.songs if song.item.entry.path.startswith(prefix))


def _suffix(name: str, end: int, key: str, track_name: str) -> str:
    """What follows the stem of a track in the name of its companion: `.lrc`, or `.mp3.lrc` after its whole name."""
    extension = track_name[len(split_extension(track_name)[0]) :] if key == collision_key(track_name) else ""
    return extension + name[end:]


def _albums_of(songs: Iterable[Song]) -> Iterable[Album]:
    """The albums of these songs; without those of videos and voice memos, if there are others: nothing belongs to a clip."""
    albums = {id(song.album): song.album for song in songs}.values()
    return [album for album in albums if album.kind in ALBUM_KINDS] or albums


def _path_of(track: QuarantinedTrack) -> str:
    return track.path


def _note(table: dict[str, Album | None], directory: str, album: Album | None, except_in: Container[str] = ()) -> None:
    """Note an album for a directory and all above it, up to the first of `except_in`; None where several albums meet."""
    for above in (directory, *parents_of(directory, root=True)):
        if above in except_in:
            return
        if above not in table:
            table[above] = album
        elif table[above] is None:
            return
        elif table[above] is not album:
            table[above] = None
