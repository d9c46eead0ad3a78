"""Names as tags in a plan: what they tell, as long as the next run finds every file where this one puts it.

Tags are never written, so the next run has only the new names. The planner looks at them as that run will: names that would then
be read otherwise, and move their files again, are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from orchestrator.paths import join_path
from orchestrator.plan.companions.cue_sheets import images_of, with_cue_sheet
from orchestrator.plan.file_names.pattern import AUTO
from orchestrator.plan.file_names.reading import LAYOUT, FromName, NamesRead, album_folder_of, read_names
from orchestrator.plan.layout.own_names import names_of_layout
from orchestrator.plan.layout.templates import Layout
from orchestrator.plan.music.albums import has_usable_tags
from orchestrator.plan.music.folders import title_key
from orchestrator.plan.music.kinds import kind_of
from orchestrator.plan.music.song import Song
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Item

Place = Callable[[Sequence[Song]], None]
"""Sets where songs belong."""


class NamesAsTags:
    """What names tell, without those that would be read otherwise by the next run."""

    def __init__(self, request: OrganizeRequest, layout: Layout) -> None:
        self._items = request.items
        self._patterns = request.options.names_as_tags or ()
        self._is_in_place = request.source_fs == request.target_fs
        self._copies = request.options.copy
        self._layout = names_of_layout(layout) if self._patterns and self._is_in_place else ()
        self._held: dict[str, str] = {}
        self._count = [*_which_count(request.items, layout)]
        """For each file, whether its name must fit: those that other evidence places go their own way."""
        self.unasked = self._read(self._items, (AUTO,)).patterns() if request.options.names_as_tags is None else []
        """Without the option: the patterns that it would find, each with the number of its files."""

    def read(self) -> NamesRead:
        """What names tell, as far as that is known to last."""
        if not self._patterns:
            return NamesRead()
        found = self._read(self._items, self._patterns)
        return msgspec.structs.replace(found, unused={path: why for path, why in self._held.items() if why})

    def _read(self, items: Sequence[Item], patterns: Sequence[str]) -> NamesRead:
        counting = (item for item, counts in zip(items, self._count, strict=True) if counts)
        return read_names(counting, patterns, self._layout, self._held)

    def hold_unstable(self, songs: Sequence[Song], place: Place) -> bool:
        """Do not use names any more that the next run would read otherwise. Returns whether there are such names.

        `songs` are placed; `place` places songs as the next run will.
        """
        named = [song for song in songs if song.from_name]
        if not named or not self._is_in_place:
            return False
        before = len(self._held)
        for song in named:
            if song.from_name == LAYOUT and _new_path(song) != song.item.entry.path:
                self._hold(named, song, "")
        if len(self._held) == before and not self._copies:
            self._hold_moving_again(songs, named, place)
        return len(self._held) > before

    def _hold_moving_again(self, songs: Sequence[Song], named: Sequence[Song], place: Place) -> None:
        first = {id(song.item): song for song in songs}
        items = [_moved(item, first.get(id(item))) for item in self._items]
        origin = {id(new): first.get(id(old)) for old, new in zip(self._items, items, strict=True)}
        read = self._read(items, self._patterns).read
        again = [song for item in items if (song := _next_song(item, origin[id(item)], read)) is not None]
        place(again)
        before = len(self._held)
        moving = [song for song in again if _new_path(song) != song.item.entry.path]
        for song in moving:
            origin_of_song = origin[id(song.item)]
            if origin_of_song is not None and origin_of_song.from_name:
                self._hold(named, origin_of_song, _would_move_again(origin_of_song))
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


def _which_count(items: Sequence[Item], layout: Layout) -> Iterator[bool]:
    images = images_of(items)
    for item in items:
        track = item.reading.track if item.reading is not None else None
        image = images.get(item.entry.path)
        has_tags_of_cue_sheet = track is not None and image is not None and has_usable_tags(with_cue_sheet(track, image))
        yield not has_tags_of_cue_sheet and (track is None or kind_of(item.entry.path, track) not in layout.kinds)


def _would_move_again(song: Song) -> str:
    return (
        f"no usable tags; named like {song.from_name}, but the next run would read its new name {_new_path(song)} otherwise: "
        "organize to another location, or use another layout or pattern"
    )


def _new_path(song: Song) -> str:
    return join_path(song.directory, song.stem + song.extension)


def _moved(item: Item, song: Song | None) -> Item:
    """The file as it will lie there."""
    if song is None:
        return msgspec.structs.replace(item)
    return msgspec.structs.replace(item, entry=msgspec.structs.replace(item.entry, path=_new_path(song)))


def _next_song(item: Item, song: Song | None, read: dict[str, FromName]) -> Song | None:
    """The file as the next run will find it; None if that run has no tags for it."""
    if song is not None and not song.from_name:
        tags = msgspec.structs.replace(song.tags, title=()) if song.titled_by_name else song.tags
        return Song(item, tags, song.cue, kind=song.kind)
    named = read.get(item.entry.path)
    return Song(item, named.track, from_name=named.pattern) if named is not None else None
