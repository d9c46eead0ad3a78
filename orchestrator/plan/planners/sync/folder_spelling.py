"""How each side spells the folders of the other: what comes into a folder goes to its neighbours there, not into a second one."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from orchestrator.paths import case_key, directories_above, parent_of, parents_of
from orchestrator.plan.planners.sync.brakes import Entries
from orchestrator.plan.planners.sync.first_meeting import Met
from orchestrator.plan.planners.sync.records import SIDES, Row, Side, SideNumber, other

_Paths = tuple[str, str]
_Spellings = dict[str, set[str]]


class FolderSpelling:
    """The folders that hold the same entries on both sides, and whose paths differ only in case or Unicode form."""

    def __init__(self, sides: tuple[Side, Side], rows: Mapping[int, Row], entries: Entries, met: Iterable[Met]) -> None:
        self._sides = sides
        self._spellings: tuple[_Spellings, _Spellings] = (defaultdict(set), defaultdict(set))
        """Folders of each side -> how the other one spells them."""
        self._pairs: tuple[dict[str, str], dict[str, str]] = ({}, {})
        """Files in such folders -> the other file of their entry."""
        for paths, earlier in _spelled_otherwise(rows, entries, met):
            for side in SIDES:
                self._pairs[side][paths[side]] = paths[other(side)]
            for folders in _same_folders(paths, earlier):
                for side in SIDES:
                    self._spellings[side][folders[side]].add(folders[other(side)])

    def at(self, side: SideNumber, path: str, *, new: bool = False) -> str:
        """What a path of the other side is called on this one; the same unless that is beyond doubt.

        `new`: it is no rename. A rename may change the spelling of a folder where all spellings are one folder.
        """
        for folder in parents_of(path):
            spelled = self._spelled(side, folder, new=new)
            if spelled is not None:
                translated = spelled + path[len(folder) :]
                # Beside it, the other side may have files whose own names differ in case: this is not one of them.
                return translated if self._pairs[side].get(translated, path) == path else path
        return path

    def _spelled(self, side: SideNumber, folder: str, *, new: bool) -> str | None:
        giver = other(side)
        found = self._spellings[giver].get(folder, set())
        if len(found) == 1:
            (spelled,) = found
            if (
                len(self._spellings[side][spelled]) == 1
                and folder not in self.folders[side]
                and spelled not in self.folders[giver]
            ):
                return spelled
        if new and self._sides[side].capabilities.case_insensitive:
            there = self._by_key[side].get(case_key(folder), set())
            if len(there) == 1:
                return next(iter(there))
        return None

    @cached_property
    def folders(self) -> tuple[set[str], set[str]]:
        """All folders of each side."""
        first, second = (
            directories_above(file.path for files in (side.files, side.left_out, side.waiting) for file in files)
            for side in self._sides
        )
        return first, second

    @cached_property
    def _by_key(self) -> tuple[_Spellings, _Spellings]:
        keys: tuple[_Spellings, _Spellings] = (defaultdict(set), defaultdict(set))
        for side in SIDES:
            for folder in self.folders[side]:
                keys[side][case_key(folder)].add(folder)
        return keys


def _spelled_otherwise(rows: Mapping[int, Row], entries: Entries, met: Iterable[Met]) -> Iterator[tuple[_Paths, _Paths]]:
    """The paths of entries whose folders are not spelled alike, now and when they were last in sync."""
    for number, (first, second) in entries.items():
        if first and second and parent_of(first.file.path) != parent_of(second.file.path):
            before = rows[number].files
            yield (first.file.path, second.file.path), (before[0].path, before[1].path)
    for one, two in met:
        if one and two and parent_of(one.path) != parent_of(two.path) and case_key(one.path) == case_key(two.path):
            yield (one.path, two.path), (one.path, two.path)


def _same_folders(paths: _Paths, earlier: _Paths) -> Iterator[_Paths]:
    """The folders above an entry, as each side spells them, as long as neither has renamed them."""
    for first, second, *before in zip(*(_from_the_top(path) for path in (*paths, *earlier)), strict=False):
        if case_key(first) != case_key(second) or [_nfc(first), _nfc(second)] != [_nfc(folder) for folder in before]:
            return
        if first != second:
            yield first, second


def _from_the_top(path: str) -> list[str]:
    return [*parents_of(path)][::-1]


def _nfc(path: str) -> str:
    return unicodedata.normalize("NFC", path)
