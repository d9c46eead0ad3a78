"""What becomes of folders without files: one that is gone on one side goes on the other as well, and no other one goes."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from orchestrator.paths import case_key, directories_above, parent_of, parents_of, path_problem
from orchestrator.plan.model import GONE_FOLDERS, KEPT_FOLDERS, LEAVING_THE_SOURCE, Operation, Verb
from orchestrator.plan.planners.sync.records import SIDES, Direction, FolderPair, Row, Side, SideNumber, SyncSettings, other


class EmptyFolders(NamedTuple):
    """The folders that have no files after a sync."""

    kept: Mapping[str, list[str]]
    """Location -> those that lose their last file, and which the other side has as well."""
    gone: Mapping[str, list[str]]
    """Location -> those that have lost none, and that were on both sides, but are gone on the other one."""
    common: tuple[FolderPair, ...]
    """For the next sync: those of both sides, and those that are still to be removed."""

    def options(self) -> dict[str, Any]:
        """For the header of the plan."""
        named = {KEPT_FOLDERS: self.kept, GONE_FOLDERS: self.gone}
        return {option: dict(folders) for option, folders in named.items() if folders}


class FolderRequest(NamedTuple):
    """What is asked."""

    sides: tuple[Side, Side]
    operations: Collection[Operation]
    known: Collection[FolderPair]
    """The empty folders of the last sync."""
    rows: Collection[Row]
    """The entries that at least one of the sides has lost."""
    settings: SyncSettings
    is_frozen: Callable[[str], bool]
    """Whether nothing may be done at a path."""


def empty_folders(request: FolderRequest) -> EmptyFolders:
    """What becomes of the folders without files.

    Where a side has no folders of its own (S3), nothing is known of them, and each goes with its last file.
    """
    if not all(side.capabilities.empty_directories for side in request.sides):
        return EmptyFolders({}, {}, tuple(sorted(request.known)))
    maker = _Maker(request)
    common = maker.on_both_sides()
    waiting, gone = maker.gone(common)
    usable = (pair for pair in common | waiting if not any(map(path_problem, pair)))
    return EmptyFolders(maker.kept(), gone, tuple(sorted(usable)))


class _Maker:
    def __init__(self, request: FolderRequest) -> None:
        self._request = request
        self._lost = _above_entries(request.rows)
        self._there = [frozenset(side.folders) for side in request.sides]
        self._in_use = [_folders_in_use(side, request.operations) for side in request.sides]
        self._emptied = [self._emptied_at(side) for side in SIDES]
        self._spelled = _spelled(self._lost)
        self._by_form = [{_nfc(folder): folder for folder in folders if not folder.isascii()} for folders in self._there]

    def kept(self) -> dict[str, list[str]]:
        """See EmptyFolders."""
        found = {}
        for side in SIDES:
            kept = sorted(folder for folder in self._emptied[side] if self._twin(side, folder) is not None)
            if kept and side != self._request.settings.emptied:
                found[self._request.sides[side].fs] = kept
        return found

    def on_both_sides(self) -> set[FolderPair]:
        """The folders of both sides that then have no files."""
        found = set()
        for folder in self._empty(SIDES[0]):
            twin = self._twin(SIDES[0], folder)
            if twin is not None and twin not in self._in_use[1]:
                found.add((folder, twin))
        return found

    def gone(self, common: set[FolderPair]) -> tuple[set[FolderPair], dict[str, list[str]]]:
        """Of what was on both sides, the folders that one side still has, without files; and those to remove, by location."""
        is_frozen = self._request.is_frozen
        waiting: set[FolderPair] = set()
        gone: dict[str, list[str]] = {}
        empty = [self._empty(side) for side in SIDES]
        for pair in sorted({*self._request.known, *self._lost} - common):
            for side in SIDES:
                folder, twin = pair[side], pair[other(side)]
                if folder in empty[side] and twin not in self._there[other(side)] | self._in_use[other(side)]:
                    waiting.add(pair)  # until it is seen to be gone
                    stays = folder in self._emptied[side] or not self._removes_at(side)
                    if not (stays or is_frozen(folder) or is_frozen(twin)):
                        gone.setdefault(self._request.sides[side].fs, []).append(folder)
        return waiting, {fs: sorted({*folders}) for fs, folders in gone.items()}

    def _removes_at(self, side: SideNumber) -> bool:
        """Whether deletions of the other side are carried over to this one."""
        settings = self._request.settings
        return settings.writes_to(side) and (settings.direction is Direction.BOTH or settings.delete)

    def _emptied_at(self, side: SideNumber) -> set[str]:
        """The folders that lose their last file, and then go by themselves, unless they are kept."""
        fs = self._request.sides[side].fs
        left = [one.src.path for one in self._request.operations if one.src.fs == fs and one.verb not in LEAVING_THE_SOURCE]
        return directories_above(left) - self._in_use[side] - {""}

    def _empty(self, side: SideNumber) -> frozenset[str]:
        return self._there[side] - self._in_use[side]

    def _twin(self, side: SideNumber, folder: str) -> str | None:
        """The same folder on the other side, if that has it."""
        there = self._there[other(side)]
        candidates = (folder, *sorted(self._spelled[side].get(folder, ())))
        return next((one for one in candidates if one in there), None) or self._by_form[other(side)].get(_nfc(folder))


def _folders_in_use(side: Side, operations: Collection[Operation]) -> set[str]:
    """The folders that hold files once the operations are done."""
    left = {one.src.path for one in operations if one.src.fs == side.fs and one.verb not in LEAVING_THE_SOURCE}
    come = {one.dst.path for one in operations if one.dst.fs == side.fs and one.verb is not Verb.DELETE}
    files = (file.entry.path for files in (side.files, side.left_out, side.waiting) for file in files)
    # Most files share their folder with others, and most syncs move none: a set of folders first.
    folders = {path.rpartition("/")[0] for path in files if not left or path not in left} | {*map(parent_of, come)}
    return folders | directories_above(folders)


def _above_entries(rows: Iterable[Row]) -> set[FolderPair]:
    """The folders above entries, as each side spells them."""
    found: set[FolderPair] = set()
    for row in rows:
        paths = zip(*([*parents_of(file.path)][::-1] for file in row.files), strict=False)
        for first, second in paths:
            if case_key(first) != case_key(second):
                break
            found.add((first, second))
    return found


def _spelled(pairs: Iterable[FolderPair]) -> tuple[Mapping[str, set[str]], Mapping[str, set[str]]]:
    """Folders of each side -> how the other one spells them, if otherwise."""
    found: tuple[dict[str, set[str]], dict[str, set[str]]] = (defaultdict(set), defaultdict(set))
    for first, second in (pair for pair in pairs if pair[0] != pair[1]):
        found[0][first].add(second)
        found[1][second].add(first)
    return found


def _nfc(path: str) -> str:
    return unicodedata.normalize("NFC", path)
