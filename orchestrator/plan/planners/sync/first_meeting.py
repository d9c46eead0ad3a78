"""Files without a common state: which of A and which of B are one entry.

By path, unless two songs have exchanged their names; then by a path that differs only in case or Unicode form, then by content:
those have different names on the two sides.
Equal content alone is not enough for that where a side has it several times: a song may lie in two albums, and the same cover
beside each of ten. A pair whose name would be taken out of a folder that keeps its music is none: its files are new on each side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from orchestrator.paths import case_key, name_of, parent_of
from orchestrator.plan.planners.sync.evidence import Comparison, content_keys, differ
from orchestrator.plan.planners.sync.matching import nearest, pair_off
from orchestrator.plan.planners.sync.music_folders import MusicFolders
from orchestrator.plan.planners.sync.records import SIDES, File, SideNumber, other
from orchestrator.tags.formats import is_audio

Met = tuple[File | None, File | None]
"""The two files of an entry; None where a side has none."""
_Key = tuple[str, str, int | None]
_EMPTY = ""
"""In place of the name of a hash."""
_MOST_PAIRS = 1000
"""Contents with more possible pairs than this do not say which folders belong together."""


def meet(
    new: tuple[Sequence[File], Sequence[File]],
    known: Sequence[Met],
    fixed: tuple[Sequence[str], Sequence[str]],
    comparison: Comparison,
    name_giver: SideNumber | None,
) -> list[Met]:
    """The new entries.

    `known`: the entries that have a common state. `fixed`: the paths of files that take no part. `name_giver`: the side whose
    names both get; None if each keeps its own.
    """
    return _Meeting(new, known, fixed, comparison, name_giver).entries() if any(new) else []


class _Group(NamedTuple):
    """Files of one content that had not met when the group was made, in the order of their names."""

    left: tuple[list[str], list[str]]
    all_left: bool
    """There are as many on A as on B, and none had met another one: each has another name there."""


class _Meeting:
    def __init__(
        self,
        new: tuple[Sequence[File], Sequence[File]],
        known: Sequence[Met],
        fixed: tuple[Sequence[str], Sequence[str]],
        comparison: Comparison,
        name_giver: SideNumber | None,
    ) -> None:
        self._comparison = comparison
        self._renamed = SIDES if name_giver is None else (other(name_giver),)
        """Where names may change."""
        self._left = [{file.path: file for file in sorted(files, key=lambda file: file.path)} for files in new]
        self._all = [[*new[side], *(file for pair in known if (file := pair[side]) is not None)] for side in SIDES]
        self._fixed = fixed
        self._partners: list[dict[str, str]] = [{}, {}]
        for one, two in known:
            self._note(one, two)
        self._met: list[Met] = []

    def _note(self, one: File | None, two: File | None) -> None:
        if one is not None and two is not None:
            self._partners[0][one.path] = two.path
            self._partners[1][two.path] = one.path

    def _join(self, pairs: Iterable[tuple[str, str]]) -> None:
        for first, second in pairs:
            files = self._left[0].pop(first), self._left[1].pop(second)
            self._note(*files)
            self._met.append(files)

    def entries(self) -> list[Met]:
        """All of them."""
        left = self._left
        exchanged = self._join_paths()
        respelled = ({path: [case_key(path)] for path in files if path not in exchanged} for files in left)
        self._join(pair_off(*respelled, unambiguous=True))
        for side in SIDES:
            self._ask_for_sizes(side)
        if left[0] and left[1]:
            paths = ([*fixed, *(file.path for file in files)] for fixed, files in zip(self._fixed, self._all, strict=True))
            audio = [list(filter(is_audio, one)) for one in paths]
            self._join_music(audio)
            self._join([(path, path) for path in sorted(exchanged) if path in left[0] and path in left[1]])
            for side in SIDES:
                self._ask_for_sounds(side)
            alike = pair_off(*({path: _whole_sounds(file) for path, file in files.items()} for files in left), unambiguous=True)
            self._join([pair for pair in alike if self._comparison.alike((left[0][pair[0]], left[1][pair[1]]))])
            self._join_companions(audio)
        return [*self._met, *((file, None) for file in left[0].values()), *((None, file) for file in left[1].values())]

    def _join_paths(self) -> set[str]:
        """Files of one path. What is left has exchanged its name: either content has another name on the other side."""
        left = self._left
        both = sorted(left[0].keys() & left[1].keys())
        apart = {path for path in both if is_audio(path) and differ(left[0][path], left[1][path])}
        self._join([(path, path) for path in both if path not in apart])
        if not apart:
            return set()
        for side in SIDES:
            self._ask_for_sizes(side)
        contents = [{key for file in files.values() for key in content_keys(file)} for files in left]
        exchanged = {
            path for path in apart if all(not contents[other(side)].isdisjoint(content_keys(left[side][path])) for side in SIDES)
        }
        self._join([(path, path) for path in both if path in apart - exchanged])
        return exchanged

    def _ask_for_sizes(self, side: SideNumber) -> None:
        """Note those files whose size is that of a file of the other side: they may be the same, or a copy of it."""
        sizes = {file.size for file in self._all[other(side)]} - {0, None}
        for file in self._left[side].values():
            if file.size in sizes:
                self._comparison.ask_hash(side, file)

    def _ask_for_sounds(self, side: SideNumber) -> None:
        """Note those files that may be one of the other side by their size, where no hash tells."""
        by_size: dict[int | None, dict[frozenset[str], File]] = defaultdict(dict)
        for file in self._left[other(side)].values():
            by_size[file.size][frozenset(file.hashes)] = file
        for file in self._left[side].values():
            possible = by_size.get(file.size, {}).values()
            if not all(self._comparison.may_share_hash(side, file, one) for one in possible):
                self._comparison.ask_sound(side, file)

    def _groups(self, *, audio: bool) -> dict[_Key, _Group]:
        """Content -> its files on both sides; a file with several hashes is in the group of each."""
        left: dict[_Key, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for side in SIDES:
            for path, file in self._left[side].items():
                for key in _keys(file) if is_audio(path) == audio else ():
                    left[key][side].append(path)
        wanted = {key: paths for key, paths in left.items() if paths[0] and paths[1]}
        in_all = [Counter(key for file in files for key in _keys(file) if key in wanted) for files in self._all if wanted]
        return {
            key: _Group(paths, all_left=len(paths[0]) == len(paths[1]) == in_all[0][key] == in_all[1][key])
            for key, paths in wanted.items()
        }

    def _join_nearest(self, first: Iterable[str], second: Iterable[str]) -> None:
        olds, news = ([path for path in paths if path in left] for paths, left in zip((first, second), self._left, strict=True))
        self._join(nearest(olds, news, {}))

    def _join_music(self, audio: Sequence[Sequence[str]]) -> None:
        """Audio files, those of the two folders that have most in common first.

        Where one side has a content more often than the other, a file only leaves a folder most of whose music leaves it.
        """
        groups = self._groups(audio=True).values()
        leaving = [Counter(parent_of(path) for path in {path for group in groups for path in group.left[side]}) for side in SIDES]
        music = [Counter(map(parent_of, paths)) for paths in audio]

        def join(group: _Group, paths: Sequence[Sequence[str]]) -> None:
            if group.all_left:
                self._join_nearest(*paths)
                return
            for side in self._renamed:
                may = [[*one] for one in paths]
                may[side] = [path for path in may[side] if 2 * leaving[side][parent_of(path)] > music[side][parent_of(path)]]
                self._join_nearest(*may)

        in_common: dict[tuple[str, str], list[_Group]] = defaultdict(list)
        for group in groups:
            self._join_within_folders(group)
            if len(group.left[0]) * len(group.left[1]) <= _MOST_PAIRS:
                for folders in {(parent_of(first), parent_of(second)) for first in group.left[0] for second in group.left[1]}:
                    in_common[folders].append(group)
        for folders in sorted(in_common, key=lambda one: (-len(in_common[one]), one)):
            for group in in_common[folders]:
                join(group, [[path for path in group.left[side] if parent_of(path) == folders[side]] for side in SIDES])
        for group in groups:
            join(group, group.left)

    def _join_companions(self, audio: Sequence[Sequence[str]]) -> None:
        """Other files: inside one folder, then where the music of their folder went, then what both sides have as often."""
        groups = self._groups(audio=False)
        folders = [MusicFolders(audio[side], self._partners[side]) for side in SIDES if groups]
        for group in groups.values():
            self._join_within_folders(group)
            for side in self._renamed:
                self._join_where_music_went(group, side, folders)
        for key, group in groups.items():
            if group.all_left and key[0] != _EMPTY:
                beside = {folders[side].folder_of(path) for side in SIDES for path in group.left[side]}
                free = [all(map(folders[side].is_free, group.left[side])) for side in self._renamed]
                if any(free) or (len(group.left[0]) == 1 and len(beside) == 1):
                    self._join_nearest(*group.left)

    def _join_within_folders(self, group: _Group) -> None:
        inside: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for side in SIDES:
            for path in group.left[side]:
                inside[case_key(parent_of(path))][side].append(path)
        for paths in inside.values():
            self._join_nearest(*paths)

    def _join_where_music_went(self, group: _Group, side: SideNumber, folders: Sequence[MusicFolders]) -> None:
        """`side`: where names change."""
        there = other(side)
        beside: dict[str | None, list[str]] = defaultdict(list)
        for path in group.left[there]:
            beside[folders[there].folder_of(path)].append(path)
        for path in group.left[side]:
            way = folders[side].way(path) if path in self._left[side] else {}
            went_along = [
                (rank, name_of(one) != name_of(path), one)
                for folder, rank in way.items()
                for one in beside.get(folder, ())
                if one in self._left[there]
            ]
            if went_along:
                best = min(went_along)[2]
                self._join([(path, best) if side == 0 else (best, path)])


def _keys(file: File) -> Iterable[_Key]:
    """The keys of its content. Empty files have only their name in common, and only say something beside their music."""
    return content_keys(file) if file.size != 0 else () if is_audio(file.path) else ((_EMPTY, name_of(file.path), 0),)


def _whole_sounds(file: File) -> list[Hashable]:
    """Sound and tags together."""
    sound = file.sound
    return [(sound.identity, sound.tags, file.size)] if sound and sound.sure and sound.identity else []
