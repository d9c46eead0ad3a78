"""What lies beside the music: which track or album each file belongs to, what is clutter, what stays and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.paths import collision_key, extension_of, name_of, parent_of, parents_of, split_extension, split_path
from orchestrator.plan.companions.playlists.formats import PLAYLISTS, is_list
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.music.song import Album, Song
from orchestrator.records import Item


class Kind(StrEnum):
    """What becomes of a file that is no music."""

    TRACK = "track"
    """Goes with one track and is renamed with it."""
    ALBUM = "album"
    """Goes with an album, name kept."""
    AMBIGUOUS = "ambiguous-sidecar"
    """Would go with an album, but with which?"""
    PLAYLIST = "playlist"
    """A playlist of no single album: it stays where it is, or goes along to another target."""
    OTHER = "other"
    TIED = "tied"
    """Belongs to a track that itself stays."""


class QuarantinedTrack(NamedTuple):
    """Music that leaves the library because the same stays elsewhere."""

    path: str
    song: Song | None
    """What stays for it, with its place; None for what is not placed here."""
    album: Album | None
    """The album of that; None for none."""


class Companion:
    """One file beside the music."""

    __slots__ = ("after", "below", "directory", "home", "item", "kind", "song", "suffix")

    def __init__(self, item: Item, kind: Kind, home: str, after: Sequence[str] = ()) -> None:
        self.item = item
        self.kind = kind
        self.after = after
        """The paths of its music where that is gone: it goes with what stays for it, if there is none like it."""
        self.home = home
        """The nearest directory above it that holds music, or holds directories that do; "" also for none."""
        self.song: Song | None = None
        self.suffix = ""
        """TRACK: what follows the stem (or the whole name) of the track that it lies beside in this file's name."""
        self.directory = ""
        """ALBUM: the album's wanted directory."""
        self.below = ""
        """ALBUM: the directories between that one and the file, such as `Scans`."""

    @property
    def former(self) -> bool:
        """Whether it belonged to music that is gone."""
        return bool(self.after)

    @property
    def goes(self) -> bool:
        """Whether it goes where its owner goes."""
        return self.kind in {Kind.ALBUM, Kind.TRACK}


class Companions:
    """Finds the owner of every file beside the music."""

    def __init__(
        self,
        songs: Iterable[Song],
        staying_music: Iterable[str],
        table: SidecarTable,
        *,
        gone: Iterable[QuarantinedTrack] = (),
        lists: Mapping[str, Sequence[Item]] = MappingProxyType({}),
        named: Callable[[Item], Set[str]] = lambda _: frozenset(),
    ) -> None:
        """`songs` have their wanted directories; `staying_music` are audio files without a place.

        Of directories that lose all their music because it is `gone`, what lies there belongs to what stays for it. `lists`:
        path without extension -> lists; `named` tells which files a list names.
        """
        self._lists = lists
        self._named = named
        self._table = table
        self._songs: dict[str, list[Song]] = defaultdict(list)
        self._staying: dict[str, set[str]] = defaultdict(set)
        for song in songs:
            self._songs[parent_of(song.item.entry.path)].append(song)
        for path in staying_music:
            directory, name = split_path(path)
            self._staying[directory].add(collision_key(split_extension(name)[0]))
        self._album_in: dict[str, Album | None] = {}
        """Directory -> the only album whose songs lie right in it, None for several."""
        self._album_below: dict[str, Album | None] = {}
        """The same of songs that lie in it or further below."""
        self._owner_of: dict[str, Album | None] = {}
        """Key of a wanted directory -> the only album that goes into it or below, None for several."""
        self._entered: set[str] = set()
        """Keys of the directories that songs go right into."""
        for directory, inside in self._songs.items():
            for album in {id(song.album): song.album for song in inside}.values():
                self._album_in[directory] = album if directory not in self._album_in else None
                _note(self._album_below, directory, album)
        self._gone: dict[str, list[QuarantinedTrack]] = defaultdict(list)
        self._gone_of: dict[int, list[QuarantinedTrack]] = defaultdict(list)
        """id of an album -> the music that its songs stay for."""
        self._emptied: dict[str, list[str]] = {}
        """Directory that loses all the music in it and below -> the paths of that."""
        self._note_gone(gone)
        everyone = [(song, song.album) for inside in self._songs.values() for song in inside]
        everyone += [(one.song, one.album) for inside in self._gone.values() for one in inside if one.song and one.album]
        entering = {(collision_key(song.directory), id(album)): album for song, album in everyone}
        for (key, _), album in entering.items():
            _note(self._owner_of, key, album)
            self._entered.add(key)
        self._stems: dict[str, dict[str, tuple[str, Song, str | None]]] = {}
        self._common: dict[str, str | None] = {}

    def _note_gone(self, gone: Iterable[QuarantinedTrack]) -> None:
        by_album: dict[tuple[str, int], Album | None] = {}
        alive = self._album_below.keys() | {
            place for directory in self._staying for place in (directory, *parents_of(directory, root=True))
        }
        for one in sorted(gone, key=_path_of):
            directory = parent_of(one.path)
            self._gone[directory].append(one)
            by_album[directory, id(one.album)] = one.album
            if one.album is not None:
                self._gone_of[id(one.album)].append(one)
            for place in parents_of(one.path, root=True):
                if place in alive:
                    break
                self._emptied.setdefault(place, []).append(one.path)
        for (directory, _), album in by_album.items():
            if directory in alive:
                self._album_in.setdefault(directory, None)
            else:
                self._album_in[directory] = album if directory not in self._album_in else None
                _note(self._album_below, directory, album, alive)

    def owner(self, item: Item) -> Companion:
        """To whom one file that is neither music nor clutter belongs."""
        path = item.entry.path
        directory, name = split_path(path)
        home = next(
            (
                place
                for place in parents_of(path, root=True)
                if place in self._album_below or collision_key(place) in self._entered
            ),
            "",
        )
        if directory in self._songs or directory in self._staying or directory in self._gone:
            with_track = self._table.goes_with(name) in {"track", "track or album"}
            companion = self._beside_its_track(item, directory, name) if with_track else None
            if companion is not None:
                return companion
        between = directory[len(home) :].strip("/")
        with_album = self._table.goes_with(name, between.partition("/")[0]) in {"album", "track or album"}
        album_directory = self._directory_of_album(home) if with_album else None
        if album_directory is None and with_album and directory and home == directory:
            companion = self._beside_its_list(item, directory)
            if companion is not None:
                return companion
        if album_directory is None:
            # A playlist of the whole library and the like belong where they are.
            staying = Kind.PLAYLIST if extension_of(path) in PLAYLISTS else Kind.AMBIGUOUS if with_album else Kind.OTHER
            return Companion(item, staying, home)
        companion = Companion(item, Kind.ALBUM, home, self._emptied.get(home, ()))
        companion.directory, companion.below = album_directory, between
        return companion

    def _beside_its_track(self, item: Item, directory: str, name: str) -> Companion | None:
        stems = self._stems.get(directory)
        if stems is None:
            stems = self._stems[directory] = self._stems_in(directory)
        end = name.rfind(".")
        while end > 0:
            key = collision_key(name[:end])
            if key in stems:
                whole, song, gone = stems[key]
                companion = Companion(item, Kind.TRACK, directory, () if gone is None else (gone,))
                companion.song = song
                companion.suffix = name[end:]
                if key == collision_key(whole):
                    companion.suffix = whole[len(split_extension(whole)[0]) :] + companion.suffix
                return companion
            if key in self._staying.get(directory, ()):
                return Companion(item, Kind.TIED, directory)
            end = name.rfind(".", 0, end)
        return None

    def _beside_its_list(self, item: Item, directory: str) -> Companion | None:
        """A list in a directory of several albums goes with the only one that it names, and so does what bears a list's name."""
        path = item.entry.path
        lists = (item,) if is_list(path) else self._lists.get(path.rpartition(".")[0], ())
        named = {path for one in lists for path in self._named(one)}
        if not named:
            return None
        here = {one.path: (one.song, one.album) for one in self._gone.get(directory, ())}
        gone = frozenset(here)
        here |= {song.item.entry.path: (song, song.album) for song in self._songs.get(directory, ())}
        found = [here.get(path, (None, None)) for path in named]
        album = found[0][1]
        if album is None or album.singletons or any(song is None or other is not album for song, other in found):
            return None
        companion = Companion(item, Kind.ALBUM, directory, sorted(named) if named <= gone else ())
        companion.directory = _common_directory(song.directory for song, _ in found if song is not None)
        return companion if self._owner_of.get(collision_key(companion.directory)) is album else None

    def _stems_in(self, directory: str) -> dict[str, tuple[str, Song, str | None]]:
        """Key of a track's name, and of its stem -> the name, the song, and the path of what the song stays for."""
        stems: dict[str, tuple[str, Song, str | None]] = {}
        here = sorted(self._songs.get(directory, ()), key=lambda song: song.item.entry.path)
        known: list[tuple[str, Song, str | None]] = [(name_of(song.item.entry.path), song, None) for song in here]
        staying = self._staying.get(directory, ())
        for one in self._gone.get(directory, ()):
            name = name_of(one.path)
            if one.song is not None and collision_key(split_extension(name)[0]) not in staying:
                known.append((name, one.song, one.path))
        for found in known:
            stems.setdefault(collision_key(found[0]), found)
            stems.setdefault(collision_key(split_extension(found[0])[0]), found)
        return stems

    def _directory_of_album(self, home: str) -> str | None:
        """Where the only album of a directory goes; None where there are several, here or there."""
        if home not in self._common:
            self._common[home] = self._find_directory_of_album(home)
        return self._common[home]

    def _find_directory_of_album(self, home: str) -> str | None:
        album = self._album_in[home] if home in self._album_in else self._album_below.get(home)
        if album is not None and not album.singletons:
            prefix = f"{home}/" if home else ""
            directory = _common_directory(self._directories(album, prefix, former=home in self._emptied))
            wanted = collision_key(directory)
            # Above the album's own directory there is an artist's picture, say, which is right where it is.
            beside = home in self._album_in or not wanted.startswith(collision_key(prefix[:-1]) + prefix[-1:])
            if beside and directory and self._owner_of.get(wanted) is album:
                return directory
        # Whatever lies here now: what lies where one album will lie, and no other, belongs to that one.
        key = collision_key(home)
        album = self._owner_of.get(key) if home and key in self._entered else None
        return home if album is not None and not album.singletons else None

    def _directories(self, album: Album, prefix: str, *, former: bool) -> Iterator[str]:
        """Where the songs go that lie below `prefix`, or that stay for what is gone from there."""
        if former:
            return (one.song.directory for one in self._gone_of[id(album)] if one.song and one.path.startswith(prefix))
        return (song.directory for song in album.songs if song.item.entry.path.startswith(prefix))


def _path_of(one: QuarantinedTrack) -> str:
    return one.path


def _common_directory(directories: Iterable[str]) -> str:
    parts = [directory.split("/") for directory in sorted(set(directories))]
    common: list[str] = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return "/".join(common)


def _note(table: dict[str, Album | None], directory: str, album: Album | None, untouched: Container[str] = ()) -> None:
    for place in (directory, *parents_of(directory, root=True)):
        if place in untouched:
            return
        if place not in table:
            table[place] = album
        elif table[place] is None:
            return
        elif table[place] is not album:
            table[place] = None
