"""Sorts the files of the source: music with usable tags, other music, companions, clutter, and what stays where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.paths import collision_key, is_clutter, is_ours, is_rclone_debris, path_problem, split_extension, split_path
from orchestrator.plan.companions.cue_sheets import images_of, with_cue_sheet
from orchestrator.plan.file_names.reading import NamesRead
from orchestrator.plan.layout.names import Names
from orchestrator.plan.model import Skipped
from orchestrator.plan.music.albums import has_usable_tags
from orchestrator.plan.music.kinds import VIDEO, kind_by_name, kind_of, kinds_of
from orchestrator.plan.music.song import Song
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import Capabilities, Item
from orchestrator.tags.formats import is_audio
from orchestrator.track import Status, Track

_NO_TAGS: Final = "it has no usable tags"
_RULE: Final = "a rule of `layouts` with album_class == '{kind}' can place it"


class SortedItems:
    """The files of the source by what they are, each kind in the order of paths."""

    def __init__(
        self,
        items: Sequence[Item],
        names: Names,
        *,
        source_fs: str,
        capabilities: Capabilities,
        target_fs: str,
        copy: bool,
        moves_untagged: bool,
        kinds: frozenset[str] = frozenset(),
        names_read: NamesRead,
        litter: Sequence[Item] = (),
    ) -> None:
        """`capabilities` are those of the source; `copy`: the source is kept as it is; `litter`: see OrganizeRequest.

        `kinds` of files that are no music have a place in the layout.
        `names_read`: what names tell of files without usable tags.
        """
        self._names = names
        self._source_fs, self._capabilities = source_fs, capabilities
        self._target_fs, self._copy = target_fs, copy
        self._moves_untagged = moves_untagged
        self._kinds = kinds
        self._names_read = names_read
        self.shared_names = SharedNames([*items, *litter])
        self.songs: list[Song] = []
        self.untagged: list[Item] = []
        """Audio without usable tags that moves; otherwise it is in `staying`."""
        self.companions: list[Item] = []
        """Every other file."""
        self.clutter = [item for item in litter if not (path_problem(item.entry.path) or self._move_problem(item))]
        self.staying: dict[str, Item] = {}
        """Path -> a file that stays where it is."""
        self.skipped: dict[str, Skipped] = {}
        """Path -> why a file stays."""
        self.music_files = 0
        self.suspect: list[tuple[str, str]] = []
        """Path and reason of music that may be cut short or damaged. It is organized like all other."""
        self._images = images_of(items)
        self._bare_videos: list[Item] = []
        """Videos without usable tags."""
        self._paired_videos: list[Item] = []
        """Those among the companions."""
        self._skipped_items: set[int] = set()
        self._sort(sorted(items, key=_place))
        kinds_of_songs = kinds_of([(song.item.entry.path, song.tags) for song in self.songs])
        for song, kind in zip(self.songs, kinds_of_songs, strict=True):
            song.kind = kind
        self._pair_videos()

    def skip(self, item: Item, code: str, reason: str) -> None:
        """Leave a file where it is, and report why."""
        self._skipped_items.add(id(item))
        self.staying[item.entry.path] = item
        self.skipped[item.entry.path] = Skipped(item.entry.path, code, reason)

    def leave_alone(self, item: Item, kind: str, remedy: str = _RULE) -> None:
        """Leave a file where it is because it is no music."""
        self.skip(item, kind, f"no music ({kind}): left alone; {remedy.format(kind=kind)}")

    def drop_skipped(self) -> None:
        """Remove files that were skipped later from the lists of files that move."""
        self.songs = [song for song in self.songs if id(song.item) not in self._skipped_items]
        self.untagged = [item for item in self.untagged if id(item) not in self._skipped_items]
        self.companions = [item for item in self.companions if id(item) not in self._skipped_items]

    def drop_duplicates(self, items: Sequence[Item]) -> None:
        """Remove music files that are quarantined. A video that was named like one is no duplicate of anything: it stays."""
        dropped = {id(item) for item in items}
        self.songs = [song for song in self.songs if id(song.item) not in dropped]
        self.untagged = [item for item in self.untagged if id(item) not in dropped]
        for item in items:
            path = item.entry.path
            if self.shared_names.count(path) == 1:
                self.staying.pop(path, None)
                self.skipped.pop(path, None)
        names = self._names_of_music()
        for video in [video for video in self._paired_videos if _stem_key(video) not in names]:
            self.leave_alone(video, VIDEO)
        self.drop_skipped()

    def staying_music(self) -> list[str]:
        """The paths of the audio files that stay."""
        return [path for path, item in self.staying.items() if is_music(item)]

    def _sort(self, items: list[Item]) -> None:
        for item in items:
            path = item.entry.path
            if is_ours(path):
                continue
            music = is_music(item)
            self.music_files += music
            problem = path_problem(path)
            shared = self._move_problem(item)
            if problem:
                self.skip(item, "unsupported-name", f"its path cannot be used: {problem}")
            elif shared:
                self.skip(item, "unsupported-name", shared)
            elif item.skipped_because is not None:
                self.skip(item, "left-alone", item.skipped_because)
            elif is_rclone_debris(path):
                self.skip(item, "other", "left behind by an interrupted transfer")
            elif music:
                self._sort_music(item)
            elif kind := kind_by_name(path):
                self.leave_alone(item, kind, "its tags cannot be read")
            else:
                (self.clutter if is_clutter(path) else self.companions).append(item)

    def _move_problem(self, item: Item) -> str | None:
        return self.shared_names.move_problem(
            item.entry, self._source_fs, self._capabilities, target_fs=self._target_fs, copy=self._copy
        )

    def _sort_music(self, item: Item) -> None:
        reading = item.reading
        kind = kind_of(item.entry.path, reading.track) if reading is not None and reading.track is not None else ""
        if reading is not None and reading.suspect is not None:
            self.suspect.append((item.entry.path, reading.suspect))
        if reading is None or reading.status is Status.UNREADABLE or (reading.track is None and reading.status is Status.TAGGED):
            self.skip(item, "unreadable", (reading and reading.reason) or "its tags have not been read")
        elif item.doubtful is not None:
            self.skip(item, "doubtful-text", item.doubtful)
        elif (song := self._song(item, reading.track, kind)) is not None:
            self.songs.append(song)
        elif kind == VIDEO:
            self._bare_videos.append(item)
        elif kind:
            self.leave_alone(item, kind, _NO_TAGS)
        elif (doubtful := self._names_read.doubtful.get(item.entry.path)) is not None:
            self.skip(item, "doubtful-text", doubtful)
        elif self._moves_untagged:
            self.untagged.append(item)
        else:
            needs = "needs two of artist, album, and title or track number"
            why = self._names_read.unused.get(item.entry.path, f"no usable tags: {needs}")
            self.skip(item, "untagged", "; ".join(filter(None, (why, reading.too_long))))

    def _pair_videos(self) -> None:
        """Make a video that the layout has no place for a companion if it is named like a song beside it."""
        names = self._names_of_music()
        paired = self._paired_videos = [
            song.item for song in self.songs if song.kind == VIDEO and VIDEO not in self._kinds and _stem_key(song.item) in names
        ]
        paired_ids = set(map(id, paired))
        self.songs = [song for song in self.songs if id(song.item) not in paired_ids]
        for item in self._bare_videos:
            if _stem_key(item) in names:
                paired.append(item)
            else:
                self.leave_alone(item, VIDEO, _NO_TAGS)
        self.companions = sorted([*self.companions, *paired], key=_place)

    def _names_of_music(self) -> set[str]:
        return {_stem_key(song.item) for song in self.songs if not song.kind}

    def _song(self, item: Item, track: Track | None, kind: str) -> Song | None:
        """A file as a song; None without usable tags, its own or those that a cue sheet or its name has for it.

        What is no music and has a place in the layout needs no tags.
        """
        image = self._images.get(item.entry.path)
        full = with_cue_sheet(track, image) if track is not None else None
        named = None if kind else self._names_read.read.get(item.entry.path)
        if track is None or full is None:
            return None
        if has_usable_tags(full) or kind in self._kinds:
            completed = (full.album, full.album_artist) != (track.album, track.album_artist)
            song = Song(item, self._names.track(full), image.cue if image is not None and completed else "")
        elif named is not None:
            song = Song(item, self._names.track(named.track), from_name=named.pattern)
        else:
            return None
        song.extension = self._names.extension(split_extension(item.entry.path)[1])
        return song


def _place(item: Item) -> tuple[str, str]:
    return item.entry.path, item.entry.id or ""


def _stem_key(item: Item) -> str:
    """The path without its extension, in a form that can be compared."""
    directory, name = split_path(item.entry.path)
    return collision_key(f"{directory}/{split_extension(name)[0]}")


def is_music(item: Item) -> bool:
    """Whether a file is audio, by its name or because its tags were read."""
    return item.reading is not None or is_audio(item.entry.path)
