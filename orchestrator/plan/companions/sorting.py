"""Tells music from what lies beside it, and what can be placed from what stays where it is."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.paths import is_clutter, is_ours, is_rclone_debris, path_problem, split_extension
from orchestrator.plan.layout.names import Names
from orchestrator.plan.model import Skipped
from orchestrator.plan.music.albums import has_usable_tags
from orchestrator.plan.music.song import Song
from orchestrator.plan.shared_names import Sharing
from orchestrator.records import Capabilities, Item
from orchestrator.tags.formats import is_audio
from orchestrator.track import Status


class SortedItems:
    """The source's files, sorted out, each kind in the order of paths."""

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
    ) -> None:
        """`capabilities` are those of the source; `copy`: it stays as it is."""
        self._names = names
        self._source_fs, self._capabilities = source_fs, capabilities
        self._target_fs, self._copy = target_fs, copy
        self._moves_untagged = moves_untagged
        self.sharing = Sharing(items)
        self._stayed: set[int] = set()
        self.songs: list[Song] = []
        self.strays: list[Item] = []
        """Audio without usable tags, where the user named a directory for it."""
        self.others: list[Item] = []
        self.clutter: list[Item] = []
        self.staying: dict[str, Item] = {}
        """Path -> a file that stays where it is."""
        self.skipped: dict[str, Skipped] = {}
        self.music = 0
        """How many files are audio."""
        self.suspect = 0
        """How many of them are thought to be cut or damaged. They go where whole ones would."""
        self._sort_out(sorted(items, key=lambda item: (item.entry.path, item.entry.id or "")))

    def stay(self, item: Item, code: str, reason: str) -> None:
        """Leave a file where it is, and say why."""
        self._stayed.add(id(item))
        self.staying[item.entry.path] = item
        self.skipped[item.entry.path] = Skipped(item.entry.path, code, reason)

    def forget_staying(self) -> None:
        """Take out of the other lists what was told to stay since."""
        self.songs = [song for song in self.songs if id(song.item) not in self._stayed]
        self.strays = [item for item in self.strays if id(item) not in self._stayed]
        self.others = [item for item in self.others if id(item) not in self._stayed]

    def drop(self, items: Sequence[Item]) -> None:
        """Forget files that are taken out of the library."""
        dropped = {id(item) for item in items}
        self.songs = [song for song in self.songs if id(song.item) not in dropped]
        self.strays = [item for item in self.strays if id(item) not in dropped]
        for item in items:
            path = item.entry.path
            if self.sharing.number(path) == 1:
                self.staying.pop(path, None)
                self.skipped.pop(path, None)

    def staying_music(self) -> list[str]:
        """The paths of the audio files that stay."""
        return [path for path, item in self.staying.items() if is_music(item)]

    def _sort_out(self, items: list[Item]) -> None:
        obstacle = self.sharing.obstacle
        for item in items:
            path = item.entry.path
            if is_ours(path):
                continue
            music = is_music(item)
            self.music += music
            problem = path_problem(path)
            shared = obstacle(item.entry, self._source_fs, self._capabilities, target_fs=self._target_fs, copy=self._copy)
            if problem:
                self.stay(item, "unsupported-name", f"no operation can name it: {problem}")
            elif shared:
                self.stay(item, "unsupported-name", shared)
            elif item.skipped_because is not None:
                self.stay(item, "left-alone", item.skipped_because)
            elif is_rclone_debris(path):
                self.stay(item, "other", "left behind by an interrupted transfer")
            elif music:
                self._sort_out_music(item)
            else:
                (self.clutter if is_clutter(path) else self.others).append(item)

    def _sort_out_music(self, item: Item) -> None:
        reading = item.reading
        self.suspect += reading is not None and reading.suspect is not None
        if reading is None or reading.status is Status.UNREADABLE or (reading.track is None and reading.status is Status.TAGGED):
            self.stay(item, "unreadable", (reading and reading.reason) or "its tags have not been read")
        elif reading.status is Status.TAGGED and reading.track is not None and has_usable_tags(reading.track):
            song = Song(item, reading.track)
            song.extension = self._names.extension(split_extension(item.entry.path)[1])
            self.songs.append(song)
        elif self._moves_untagged:
            self.strays.append(item)
        else:
            self.stay(item, "untagged", "its tags do not name an album or artist and a title or track")


def is_music(item: Item) -> bool:
    """Whether a file is audio, by its name or because it was read as such."""
    return item.reading is not None or is_audio(item.entry.path)
