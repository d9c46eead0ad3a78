"""Two entries, one name: who keeps it, and how the other is called. A file and a folder cannot share a name either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from orchestrator.paths import case_key, directories_above, parents_of
from orchestrator.plan.model import Skipped
from orchestrator.plan.planners.sync.conflicts import conflict_name
from orchestrator.plan.planners.sync.evidence import content_keys
from orchestrator.plan.planners.sync.reconcile import Basis, Wish
from orchestrator.plan.planners.sync.records import SIDES, SideNumber, other

Names = dict[str, list[Wish]]
"""Key of a path on one side -> the wishes for it."""


class Clashes:
    """Settles the names of all wishes together; `skipped` says what cannot be called on the other side as on its own."""

    def __init__(self, basis: Basis) -> None:
        self._sides = basis.sides
        self._spelling = basis.spelling
        self._settings = basis.settings
        self._comparison = basis.comparison
        self._judge = basis.judge
        self._folds_case = any(side.capabilities.case_insensitive for side in basis.sides)
        self.skipped: list[Skipped] = []

    def settle(self, wishes: Sequence[Wish], fixed: tuple[Iterable[str], Iterable[str]]) -> None:
        """Change the paths of those that cannot have theirs. `fixed`: the paths of files that take no part."""
        if all(map(_is_at_home, wishes)):
            return  # no name changes
        files = [{self._key(path) for path in paths} for paths in fixed]
        folders = [{self._key(path) for path in directories_above(paths)} for paths in fixed]
        # Whatever gives way leaves a name, or goes back to its own, where another one may be on its way: look again.
        while any(self._settle_side(side, wishes, files[side], folders[side]) for side in SIDES):
            pass
        self._give_names(wishes, files[0] | files[1] | folders[0] | folders[1])

    def _key(self, path: str) -> str:
        return case_key(path) if self._folds_case else path

    def _names(self, side: SideNumber, wishes: Iterable[Wish]) -> Names:
        names: Names = defaultdict(list)
        for wish in wishes:
            path = wish.paths[side]
            if path is not None and not wish.renamed:
                names[self._key(path)].append(wish)
        return names

    def _settle_side(self, side: SideNumber, wishes: Sequence[Wish], files: set[str], folders: set[str]) -> bool:
        """Let some give way on one side; whether any did."""
        names = self._names(side, wishes)
        gave_way = False
        for key, group in names.items():
            if key in files or key in folders or (files and not files.isdisjoint(parents_of(key))):
                why = "a file that takes no part in this run has this name"
                if key in folders:
                    why = "a folder with files that are not carried has this name: rename or remove it"
                for wish in group:
                    gave_way |= not _stays(wish, side) and self._stay_behind(wish, why)
            elif len(group) > 1 and not all(_stays(wish, side) for wish in group):
                best = group[0]
                for wish in group[1:]:
                    best = self._better(best, wish)
                for wish in group:
                    gave_way |= wish is not best and self._give_way(wish, best)
        return gave_way or self._clear_for_folders(side, names)

    def _clear_for_folders(self, side: SideNumber, names: Names) -> bool:
        """Let files give way that have the name of a folder; whether any did."""
        gave_way = False
        for key, group in sorted(names.items()):
            for parent in parents_of(key):
                for file in names.get(parent, ()):
                    gave_way |= not file.renamed and self._part(side, file, group[0])
        return gave_way

    def _part(self, side: SideNumber, file: Wish, inside: Wish) -> bool:
        """A file, and another one in a folder of its name; whether one of them gives way.

        Buckets can hold both, and so can a side that spells them otherwise. Where one does, both stay; on the other side the one
        that is there already stays alone.
        """
        has_folder = [self._key(file.paths[one] or "") in self._folders[one] for one in SIDES]
        holding = [one for one in SIDES if _stays(file, one) and (has_folder[one] or _stays(inside, one))]
        if side in holding:
            return False
        if not holding:
            return self._give_way(file, inside)
        newcomer, first = (inside, file) if _stays(file, side) else (file, inside)
        return self._stay_behind(newcomer, f"it cannot be there beside {first.paths[side]}", side)

    @cached_property
    def _folders(self) -> tuple[set[str], set[str]]:
        """The keys of the folders that each side has."""
        first, second = (set(map(self._key, folders)) for folders in self._spelling.folders)
        return first, second

    def _better(self, one: Wish, two: Wish) -> Wish:
        """The one of two that keeps the name: one way the source's, then what is there on both sides, then the newer."""
        first, second = (one, two) if one.claim <= two.claim else (two, one)
        at_home = [wish for wish in (first, second) if _is_at_home(wish)]
        if len(at_home) == 1 and (self._settings.source is None or first.claim == second.claim):
            return at_home[0]
        if first.claim == second.claim:
            return min(first, second, key=lambda wish: wish.claimant.path)
        return (first, second)[self._judge.keeper((first.claimant, second.claimant))]

    def _give_way(self, wish: Wish, winner: Wish) -> bool:
        for having in (wish.claim, other(wish.claim)):
            if _stays(wish, having) and _stays(winner, having):
                # This side has both; only the other one cannot. If it is there under another spelling, the new one stays behind.
                lacking = other(having)
                stayed = self._stay_behind(wish, f"it cannot be there beside {winner.paths[having]}", lacking)
                if stayed or None in {wish.paths[lacking], winner.paths[lacking]}:
                    return stayed
                return self._stay_behind(winner, f"it cannot be there beside {wish.paths[lacking]}", lacking)
        wish.renamed = True
        return True

    def _stay_behind(self, wish: Wish, why: str, target: SideNumber | None = None) -> bool:
        """The name is not carried to the other side, or to `target`: what is there keeps its own, what is new is not copied.

        Whether that is news.
        """
        target = other(wish.claim) if target is None else target
        there = wish.files[target]
        path = there.path if there else None
        if wish.paths[target] == path:
            return False
        wish.settled = False
        wish.paths[target] = path
        if there is None:
            wish.content = None
        self.skipped.append(Skipped(wish.claimant.path, "unsupported-name", f"{self._sides[target].fs}: {why}"))
        return True

    def _give_names(self, wishes: Sequence[Wish], fixed: set[str]) -> None:
        renamed = sorted((wish for wish in wishes if wish.renamed), key=lambda wish: (wish.claim, wish.claimant.path))
        if not renamed:
            return
        taken: dict[str, Wish | None] = dict.fromkeys(fixed)
        for side in SIDES:
            names = self._names(side, wishes)
            taken.update({self._key(path): None for path in directories_above(names)})
            taken.update({key: group[0] for key, group in names.items()})
        for wish in renamed:
            self._rename(wish, taken)

    def _rename(self, wish: Wish, taken: dict[str, Wish | None]) -> None:
        giver = wish.claim if wish.paths[wish.claim] else other(wish.claim)
        base = wish.paths[giver]
        assert base is not None  # noqa: S101 - only what has a name loses it
        equals: list[Wish] = []

        def names(path: str) -> list[str]:
            there = self._spelling.at(other(giver), path)
            return [path, there] if giver == SIDES[0] else [there, path]

        def is_taken(path: str) -> bool:
            keys = [self._key(name) for name in names(path)]
            holders = (taken.get(key) for key in keys)
            equals.extend(holder for holder in holders if holder is not None and _same_content(holder, wish))
            return not taken.keys().isdisjoint(keys)

        name = conflict_name(base, wish.claim, self._comparison.own_time(wish.claim, wish.claimant), is_taken)
        for side in SIDES:
            if wish.paths[side] is not None and self._settings.writes_to(side):
                # A copy of it is there already, from an earlier conflict: this one goes to the trash.
                wish.paths[side] = None if equals else names(name)[side]
        taken.update({self._key(one): wish for one in names(name)})


def _stays(wish: Wish, side: SideNumber) -> bool:
    """Whether its file is at the wished path already."""
    file = wish.files[side]
    return file is not None and file.path == wish.paths[side]


def _is_at_home(wish: Wish) -> bool:
    return all(path is None or _stays(wish, side) for side, path in zip(SIDES, wish.paths, strict=True))


def _same_content(one: Wish, two: Wish) -> bool:
    keys = [{key for file in wish.files if file for key in content_keys(file)} for wish in (one, two)]
    return not keys[0].isdisjoint(keys[1])
