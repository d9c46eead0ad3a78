"""Names as tags in a plan: what they tell, as long as the next run finds every file where this one puts it.

Tags are never written, so the next run has only the new names. The planner looks at them as that run will: names that would then
be read otherwise, and move their files again, are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from orchestrator.paths import join_path
from orchestrator.plan.companions.cue_sheets import Image, images_of, with_cue_sheet
from orchestrator.plan.file_names.pattern import AUTO
from orchestrator.plan.file_names.reading import LAYOUT, FromName, NamesRead, album_folder_of, lacks_tags, read_names
from orchestrator.plan.layout.own_names import names_of_layout
from orchestrator.plan.layout.templates import Layout
from orchestrator.plan.music.albums import has_usable_tags
from orchestrator.plan.music.folders import title_key
from orchestrator.plan.music.kinds import kind_of
from orchestrator.plan.music.song import Song
from orchestrator.plan.music.spelling import letters_of
from orchestrator.plan.music.stand_ins import is_no_artist
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Item

Place = Callable[[Sequence[Song]], None]
"""Sets where songs belong."""


class NamesAsTags:
    """What names tell, without those that would be read otherwise by the next run."""

    def __init__(self, request: OrganizeRequest, layout: Layout) -> None:
        self._patterns = request.options.names_as_tags or ()
        self._is_in_place = request.source_fs == request.target_fs
        self._copies = request.options.copy
        self._layout = names_of_layout(layout) if self._patterns and self._is_in_place else ()
        self._held: dict[str, str] = {}
        self._alone: dict[int, Song] | None = None
        """The songs with usable tags as a run without names places them, by the ids of their items."""
        self._untold = _without_tags(request.items, layout) if request.options.names_as_tags != () else []
        self._artists = _artists(request.items) if self._untold else frozenset()
        self.unasked: list[tuple[str, int]] = []
        """Without the option: the patterns that it would find, each with the number of its files."""
        if request.options.names_as_tags is None:
            self.unasked = read_names(self._untold, (AUTO,), artists=self._artists).patterns()

    def read(self) -> NamesRead:
        """What names tell, as far as that is known to last."""
        if not self._patterns:
            return NamesRead()
        found = read_names(self._untold, self._patterns, self._layout, self._held, self._artists)
        return msgspec.structs.replace(found, unused={path: why for path, why in self._held.items() if why})

    def hold_unstable(self, songs: Sequence[Song], place: Place) -> bool:
        """Do not use names any more that the next run would read otherwise. Returns whether there are such names.

        `songs` are placed; `place` places songs as the next run will.
        """
        named = [song for song in songs if song.from_name]
        before = len(self._held)
        for song in named if self._is_in_place else ():
            if song.from_name == LAYOUT and _new_path(song) != song.item.entry.path:
                self._hold(named, song, "")
        if named and len(self._held) == before:
            self._hold_disturbing(songs, named, place)
        if named and len(self._held) == before and self._is_in_place and not self._copies:
            self._hold_moving_again(songs, named, place)
        return len(self._held) > before

    def _hold_disturbing(self, songs: Sequence[Song], named: Sequence[Song], place: Place) -> None:
        """Do not use names that give files with tags other places than a run without names does."""
        tagged = [song for song in songs if not song.from_name]
        if self._alone is None:
            alone = [_again(song, song.item) for song in tagged]
            place(alone)
            self._alone = {id(song.item): song for song in alone}
        for song in tagged:
            other = self._alone[id(song.item)]
            if _new_path(song) != _new_path(other):
                places = {song.directory, other.directory}
                for one in named:
                    if one.directory in places or title_key(one) == title_key(song):
                        why = f"no usable tags; named like {one.from_name}, but then files with tags would have other places"
                        self._hold(named, one, why)

    def _hold_moving_again(self, songs: Sequence[Song], named: Sequence[Song], place: Place) -> None:
        moved = {id(song.item): _at_its_new_place(song) for song in songs}
        untold = [moved.get(id(item), item) for item in self._untold]
        read = read_names(untold, self._patterns, self._layout, self._held, self._artists).read
        first = {id(moved[id(song.item)]): song for song in songs}
        again = [_again(song, moved[id(song.item)]) for song in songs if not song.from_name]
        again += [_told(item, read[item.entry.path]) for item in untold if item.entry.path in read]
        place(again)
        before = len(self._held)
        moving = [song for song in again if _new_path(song) != song.item.entry.path]
        for song in moving:
            origin = first.get(id(song.item))
            if origin is not None and origin.from_name:
                self._hold(named, origin, _would_move_again(origin))
            else:
                for one in named:
                    if one.directory.partition("/")[0] == song.folder.partition("/")[0] or title_key(one) == title_key(song):
                        self._hold(named, one, "")
        if moving and len(self._held) == before:
            self._held |= {song.item.entry.path: "" for song in named}

    def _hold(self, named: Iterable[Song], song: Song, why: str) -> None:
        """Do not use the names in the folder of a song."""
        folder = album_folder_of(song.item.entry.path)
        for other in named:
            path = other.item.entry.path
            if album_folder_of(path) == folder:
                self._held.setdefault(path, why)


def _artists(items: Iterable[Item]) -> frozenset[str]:
    """The letters of the artists that usable tags name."""
    tracks = (item.reading.track for item in items if item.reading is not None and item.reading.track is not None)
    names = {name for track in tracks if has_usable_tags(track) for name in (*track.album_artist, *track.artist)}
    return frozenset(letters for name in names if not is_no_artist(name) and (letters := letters_of(name)))


def _without_tags(items: Sequence[Item], layout: Layout) -> list[Item]:
    """The music whose names must fit: that without usable tags, unless a cue sheet or a rule for what is no music places it."""
    found = [item for item in items if lacks_tags(item)]
    images = images_of(items) if found else {}
    return [item for item in found if not _is_placed_otherwise(item, images.get(item.entry.path), layout)]


def _is_placed_otherwise(item: Item, image: Image | None, layout: Layout) -> bool:
    track = item.reading.track if item.reading is not None else None
    return track is not None and (
        has_usable_tags(with_cue_sheet(track, image)) or kind_of(item.entry.path, track) in layout.kinds
    )


def _would_move_again(song: Song) -> str:
    return (
        f"no usable tags; named like {song.from_name}, but the next run would read its new name {_new_path(song)} otherwise: "
        "organize to another location, or use another layout or pattern"
    )


def _new_path(song: Song) -> str:
    return join_path(song.directory, song.stem + song.extension)


def _at_its_new_place(song: Song) -> Item:
    return msgspec.structs.replace(song.item, entry=msgspec.structs.replace(song.item.entry, path=_new_path(song)))


def _again(song: Song, item: Item) -> Song:
    """A song with tags as the next run will find it."""
    tags = msgspec.structs.replace(song.tags, title=()) if song.titled_by_name else song.tags
    return Song(item, tags, song.cue, kind=song.kind)


def _told(item: Item, found: FromName) -> Song:
    return Song(item, found.track, from_name=found.pattern)
