"""One side against the last common state: which file is which entry's, and what has become of it.

A rename is found within one side, between what is new there and what vanished there. The evidence, in this order: the remote's
id, the renames of our own runs, the same path with the same content, the inode, hash and size, the sound, the way that the rest
of a folder went, and at last the same path with any content.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.paths import join_path, name_of, parent_of, parents_of
from orchestrator.plan.planners.sync.evidence import Comparison, content_keys, remembered, unchanged
from orchestrator.plan.planners.sync.records import File, Row, Side, SideNumber, Sound, other

Old = TypeVar("Old")


@dataclass(frozen=True, slots=True)
class Now:
    """What has become of one side of an entry."""

    file: File
    moved: bool
    """It has another path than in the common state, or none there, or its last rename was not carried over yet."""
    edited: bool
    """It has another content than in the common state, or none there."""


@dataclass(slots=True)
class SideState:
    """The files of one side, by the rows they belong to."""

    known: dict[int, Now] = field(default_factory=dict)
    """Row -> what has become of its file. A row that is missing here has lost it."""
    new: list[File] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)
    """The rows whose file is left out."""
    waiting: set[int] = field(default_factory=set)
    """The rows whose file waits for a later run."""


def match_side(number: SideNumber, sides: tuple[Side, Side], rows: Sequence[Row], comparison: Comparison) -> SideState:
    """Find the file of every row on one side. No two files of it have the same path."""
    side = sides[number]
    rows = [row for row in rows if row.moved_away_from != number]
    matching = _Matching(number, rows, [*side.files, *side.left_out, *side.waiting], comparison)
    matching.by_id()
    matching.by_own_renames(side.renamed, edited=False)
    matching.by_unchanged_path()
    matching.by_own_renames(side.renamed, edited=True)
    matching.by_inode()
    matching.by_hash()
    matching.by_sound(sides[other(number)].files)
    matching.by_folder()
    matching.by_path()
    state = SideState(new=[file for file in side.files if file.path in matching.files])
    left_out, waiting = ({file.path for file in files} for files in (side.left_out, side.waiting))
    for row, now in matching.found.items():
        if now.file.path in left_out:
            state.left_out.add(row)
        elif now.file.path in waiting:
            state.waiting.add(row)
        else:
            state.known[row] = now
    return state


def edits_unseen(side: Side, unedited: Iterable[File]) -> int:
    """How many files that look unchanged may have been edited: their side keeps neither hashes nor times, and was not read."""
    able = side.capabilities
    if able.local or able.hashes or able.mtime_precision_ns is not None or side.checked:
        return 0
    return sum(1 for file in unedited if file.size != 0)


class _Matching:
    """Rows and files that have not found each other yet, and those that have."""

    def __init__(self, number: SideNumber, rows: Sequence[Row], files: Iterable[File], comparison: Comparison) -> None:
        self._number = number
        self._comparison = comparison
        self.rows = _sorted({row.files[number].entry.path: row for row in rows})
        self.files = _sorted({file.entry.path: file for file in files})
        self.found: dict[int, Now] = {}
        self._moved: list[tuple[str, str]] = []

    def _join(self, old_path: str, new_path: str, *, same: bool | None = None) -> None:
        row, file = self.rows.pop(old_path), self.files.pop(new_path)
        then = row.files[self._number]
        if old_path != new_path:
            self._moved.append((old_path, new_path))
        same = same or self._comparison.unchanged(self._number, file, then)
        if same is None:
            # A rename changes the time of change as an edit does: only the content tells them apart.
            self._comparison.ask_hash(self._number, file)
        moved = old_path != new_path or row.files[other(self._number)].renamed_there
        self.found[row.number] = Now(remembered(file, then) if same else file, moved=moved, edited=not same)

    def _then(self, path: str) -> File:
        return self.rows[path].files[self._number]

    def by_id(self) -> None:
        """The remote's own ids stay the same when a file is renamed or its content is replaced."""
        by_id = {file.entry.id: path for path, file in self.files.items() if file.entry.id}
        for path in list(self.rows):
            found = by_id.get(self._then(path).entry.id or "")
            if found is not None and found in self.files:
                self._join(path, found)

    def by_unchanged_path(self) -> None:
        """What is where it was, and as it was."""
        for path in [path for path in self.rows if path in self.files]:
            if self._comparison.unchanged(self._number, self.files[path], self._then(path)):
                self._join(path, path, same=True)

    def by_own_renames(self, renamed: Mapping[str, str], *, edited: bool) -> None:
        """What this program itself has renamed since.

        What was not edited as well comes before the same path: a remote without hashes and times does not show a swap.
        """
        for path in [path for path in self.rows if path in renamed]:
            file = self.files.get(renamed[path])
            if file is not None and (edited or unchanged(file, self._then(path)) is not False):
                self._join(path, file.path)

    def by_inode(self) -> None:
        """Renamed on a disk: the same inode, with size and modification time kept, because inodes are used again."""
        by_inode = {file.inode.number: path for path, file in self.files.items() if file.inode and file.inode.links == 1}
        for path in list(self.rows):
            inode = self._then(path).inode
            found = by_inode.get(inode.number) if inode else None
            if found is not None and found in self.files and _same_inode(self.files[found], self._then(path)):
                self._join(path, found)

    def by_hash(self) -> None:
        """The same bytes. Whichever of several equal files is taken, the bytes are the same."""
        lost_sizes = {self._then(path).size for path in self.rows} - {0, None}
        for file in self.files.values():
            if file.size in lost_sizes:
                self._comparison.ask_hash(self._number, file)
        old = {path: list(content_keys(self._then(path))) for path in self.rows}
        new = {path: list(content_keys(file)) for path, file in self.files.items()}
        for pair in pair_off(old, new):
            self._join(*pair)

    def by_sound(self, others: Iterable[File]) -> None:
        """The same sound, where no hash tells: only if one file alone has lost it, and one alone has it.

        What a lost file sounded like is known from its counterpart among `others`, the files of the other side.
        """
        without_hash = {path: file for path, file in self.files.items() if not file.hashes}
        if without_hash and not self.rows.keys() <= self.files.keys():
            # Of files with one content the last by name, in whatever order they came.
            there = {trace: file for file in sorted(others, key=lambda file: file.path) for trace in _traces(file)}
            for file in without_hash.values():
                self._comparison.ask_sound(self._number, file)
            old = {path: _sound_keys(self._then(path), self._lost_sound(row, there)) for path, row in self.rows.items()}
            self._join_sounds(old, {path: _sound_keys(file, file.sound) for path, file in without_hash.items()})

    def _lost_sound(self, row: Row, there: Mapping[Hashable, File]) -> Sound | None:
        """The sound of the file that a row has lost here."""
        counterpart = row.files[other(self._number)]
        known = row.files[self._number].sound or counterpart.sound
        if known is not None:
            return known
        for trace in _traces(counterpart):
            now = there.get(trace)
            if now is not None and (unchanged(now, counterpart) or _same_inode(now, counterpart)):
                self._comparison.ask_sound(other(self._number), now)
                return now.sound
        return None

    def _join_sounds(self, old: dict[str, list[Hashable]], new: dict[str, list[Hashable]]) -> None:
        # A file that is where it was is the nearest, even if another one now has its sound as well.
        stays = {path for path in old.keys() & new.keys() if old[path] == new[path]}
        for pair in pair_off(_without(old, stays), _without(new, stays), unambiguous=True):
            self._join(*pair)

    def by_folder(self) -> None:
        """Edited in a folder that was renamed: it is where the other files of its folder went, under its old name."""
        way = _ways((old, new) for old, new in self._moved if parent_of(old) != parent_of(new))
        for path in [path for path in self.rows if path not in self.files] if way else []:
            above = next((folder for folder in parents_of(path) if folder in way), None)
            if above is not None:
                new_path = join_path(way[above], path[len(above) + 1 :])
                if new_path in self.files and new_path not in self.rows:
                    self._join(path, new_path)

    def by_path(self) -> None:
        """What is left: another content where the old one was."""
        for path in [path for path in self.rows if path in self.files]:
            self._join(path, path)


def _sorted(by_path: Mapping[str, Old]) -> dict[str, Old]:
    return {path: by_path[path] for path in sorted(by_path)}


def _same_inode(now: File, then: File) -> bool:
    return (
        now.inode is not None
        and now.inode.ctime_ns is not None
        and then.inode is not None
        and (now.inode.number, now.size, now.entry.mtime_ns) == (then.inode.number, then.size, then.entry.mtime_ns)
    )


def _traces(file: File) -> Iterator[Hashable]:
    """By what a file can be found again among those of its side: its path, then its content, then its inode."""
    yield file.path
    yield from content_keys(file)
    if file.inode is not None:
        yield file.inode.number


def _sound_keys(file: File, sound: Sound | None) -> list[Hashable]:
    """What only files of one sound have in common.

    A hint (the length of the sound, and a checksum of its ends or of the sizes of its frames) only counts together with the tags,
    the size and the listed time. That is more than what shows a file to be unchanged under its old name where no hash is
    listed: size and time. Another recording has other ends; only a change inside the sound that keeps all of this is not seen,
    as it would not be under the old name, until --checksum reads the file. Nothing is deleted for such a pair.
    """
    if sound is None or sound.identity is None:
        return []
    if sound.sure:
        return [sound.identity]
    return [] if file.entry.mtime_ns is None else [(sound.identity, sound.tags, file.size, file.entry.mtime_ns)]


def _without(keys: Mapping[str, list[Hashable]], paths: set[str]) -> dict[str, list[Hashable]]:
    return {path: values for path, values in keys.items() if path not in paths}


def pair_off(
    old: Mapping[str, Sequence[Hashable]], new: Mapping[str, Sequence[Hashable]], *, unambiguous: bool = False
) -> list[tuple[str, str]]:
    """Pairs of an old and a new path that have a key in common, each path at most once.

    Of several with one key: those in the same folder, then with the same name in the folder to which most files of theirs went,
    then with the same name, then in that folder, then in the order of names. With `unambiguous`, none of several.
    """
    groups: dict[Hashable, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, keys in enumerate((old, new)):
        for path in sorted(keys):
            for key in keys[path]:
                groups[key][side].append(path)
    single = [(olds[0], news[0]) for olds, news in groups.values() if len(olds) == len(news) == 1]
    pairs = _each_once(single)
    if unambiguous:
        return pairs
    way = _ways(pairs)
    taken = {gone for gone, _ in pairs}, {come for _, come in pairs}
    for group in groups.values():
        olds, news = ([path for path in paths if path not in known] for paths, known in zip(group, taken, strict=True))
        for gone, come in nearest(olds, news, way):
            pairs.append((gone, come))
            taken[0].add(gone)
            taken[1].add(come)
    return pairs


def _ways(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Folder -> the folder that most of its files went to."""
    ways: dict[str, Counter[str]] = defaultdict(Counter)
    for gone, come in pairs:
        ways[parent_of(gone)][parent_of(come)] += 1
    # Of several the first by name, in whatever order the pairs came.
    return {folder: min((-count, to) for to, count in counted.items())[1] for folder, counted in ways.items()}


def _each_once(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without those of which a path was in an earlier pair: files with several hashes are in several groups."""
    olds: set[str] = set()
    news: set[str] = set()
    kept = []
    for gone, come in pairs:
        if gone not in olds and come not in news:
            olds.add(gone)
            news.add(come)
            kept.append((gone, come))
    return kept


def nearest(olds: list[str], news: list[str], way: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of old and new paths of one content, as many as there can be, by what their paths have in common.

    `way`: folder -> the folder to which most of its files went.
    """
    pairs: list[tuple[str, str]] = []

    def went(path: str) -> str:
        return way.get(parent_of(path), parent_of(path))

    stages: list[tuple[Callable[[str], Hashable], Callable[[str], Hashable]]] = [
        (lambda path: path, lambda path: path),
        (parent_of, parent_of),
        (lambda path: (went(path), name_of(path)), lambda path: (parent_of(path), name_of(path))),
        (name_of, name_of),
        (went, parent_of),
        (lambda _: None, lambda _: None),
    ]
    for old_key, new_key in stages:
        waiting: dict[Hashable, list[str]] = defaultdict(list)
        for path in reversed(news):
            waiting[new_key(path)].append(path)
        left = []
        for path in olds:
            if waiting[old_key(path)]:
                pairs.append((path, waiting[old_key(path)].pop()))
            else:
                left.append(path)
        olds, taken = left, {come for _, come in pairs}
        news = [path for path in news if path not in taken]
    return pairs
