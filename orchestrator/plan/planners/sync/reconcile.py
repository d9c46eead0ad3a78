"""What is to become of each entry: its name and its content are decided independently, from what each side has done with it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.paths import case_key, name_of, path_problem
from orchestrator.plan.layout.names import RULES
from orchestrator.plan.model import Skipped
from orchestrator.plan.planners.sync.conflicts import Judge, may_not_be_whole, why_not_whole
from orchestrator.plan.planners.sync.evidence import Comparison
from orchestrator.plan.planners.sync.folder_spelling import FolderSpelling
from orchestrator.plan.planners.sync.matching import Now
from orchestrator.plan.planners.sync.records import (
    LETTERS,
    SIDES,
    Answer,
    Conflict,
    Direction,
    File,
    Row,
    Side,
    SideNumber,
    SyncSettings,
    other,
)

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class Wish:
    """What is to be of one entry. Everything after it only compares this with what is there."""

    row: Row | None
    files: tuple[File | None, File | None]
    """What is there now."""
    paths: list[str | None]
    """Where it is to be on each side; None: not there."""
    content: SideNumber | None = None
    """The side whose content the other is to get; None: each keeps what it has."""
    claim: SideNumber = SIDES[0]
    """The side that chose the name."""
    renamed: bool = False
    """It has lost its name to another file, and gets that of a conflict copy."""
    conflict: bool = False
    """It is one of two different files that both sides have of one entry, and both are kept."""
    settled: bool = True
    """Afterwards both sides are alike, and the common state may say so."""
    renamed_at: SideNumber | None = None
    """The target of a one-way sync that has renamed it, and keeps its name."""

    @property
    def claimant(self) -> File:
        """The file whose name it has."""
        file = self.files[self.claim] or self.files[other(self.claim)]
        assert file is not None  # noqa: S101 - a wish is made from at least one file
        return file


@dataclass(frozen=True, slots=True)
class Basis:
    """What all decisions about entries are made from."""

    sides: tuple[Side, Side]
    settings: SyncSettings
    comparison: Comparison
    judge: Judge
    spelling: FolderSpelling
    answers: Mapping[tuple[str, str], Answer]


class Reconciler:
    """Turns entries into wishes; `skipped` and `counts` say what is left as it is."""

    def __init__(self, basis: Basis) -> None:
        self._sides = basis.sides
        self._spelling = basis.spelling
        self._settings = basis.settings
        self._comparison = basis.comparison
        self._judge = basis.judge
        self._answers = basis.answers
        self._refused = tuple(frozenset(side.refused) for side in basis.sides)
        self._paths = tuple(frozenset(file.path for file in side.files) for side in basis.sides)
        self.skipped: list[Skipped] = []
        self.counts: Counter[str] = Counter()
        self.conflicts: list[Conflict] = []

    def wishes(self, row: Row | None, now: tuple[Now | None, Now | None]) -> list[Wish]:
        """One wish, or two where both files of a conflict are kept. At least one side has a file."""
        first, second = now
        if first is not None and second is not None:
            return self._on_both(row, (first, second))
        there = SIDES[first is None]
        return [self._on_one(row, there, first or second)]

    def can_hold(self, side: SideNumber, path: str) -> bool:
        """Whether a side can have a file of this path, as far as is known beforehand."""
        limits = self._sides[side].capabilities
        rules = RULES.get(limits.names)
        return not (
            path in self._refused[side]
            or path_problem(path)
            or any(len(part.encode()) > limits.max_component_bytes for part in path.split("/"))
            or (limits.max_path_bytes is not None and limits.stored_bytes(path) > limits.max_path_bytes)
            or (rules is not None and limits.names != "portable" and name_of(path).casefold() in rules.reserved)
        )

    # An entry that one side has.

    def _on_one(self, row: Row | None, there: SideNumber, now: Now | None) -> Wish:
        assert now is not None  # noqa: S101 - the other side has none
        gone, path = other(there), now.file.path
        files = _placed(there, now.file)
        stays = Wish(row, files, list(_placed(there, path)), claim=there, settled=False)
        if row is not None and not (now.edited or now.moved):
            carried = self._settings.writes_to(there) and (self._settings.delete or self._settings.direction is Direction.BOTH)
            if carried:
                return Wish(row, files, [None, None], claim=there)
        elif self._settings.writes_to(gone):
            # New, or changed since the other side deleted it: the change survives.
            spelled = self._spelling.at(gone, path, new=True)
            if self.can_hold(gone, spelled):
                paths = [path, spelled] if there == SIDES[0] else [spelled, path]
                return Wish(row, files, list[str | None](paths), content=there, claim=there)
            self._report_name(gone, spelled)
            return stays
        self.counts["only_at_source" if there == self._settings.source else "only_at_target"] += 1
        return stays

    # An entry that both sides have.

    def _on_both(self, row: Row | None, now: tuple[Now, Now]) -> list[Wish]:
        files = (now[0].file, now[1].file)
        wish = Wish(row, files, [file.path for file in files])
        self._settle_name(wish, row, now)
        edited = [side for side in SIDES if now[side].edited]
        if len(edited) == 1:
            if not self._comparison.same_bytes(files):
                self._carry_edit(wish, edited[0], files)
        # Where neither side has changed, what is known is enough: nothing is read for it.
        elif edited and not (same := self._comparison.alike(files)):
            self.counts["not_compared"] += same is None and not all(side.readable for side in self._sides)
            return self._settle_conflict(wish, files)
        return [wish]

    def _carry_edit(self, wish: Wish, edited: SideNumber, files: tuple[File, File]) -> None:
        """One side has another content: the other gets it, unless it is cut."""
        now, then = files[edited], files[other(edited)]
        self._comparison.ask_sound(edited, now)
        if may_not_be_whole(now):
            self._comparison.ask_sound(other(edited), then)
        damage = why_not_whole(now, then)
        winner = edited if damage is None else other(edited)
        if damage is not None:
            self._report_damage(now, edited, damage)
        if self._settings.writes_to(other(winner)):
            wish.content = winner
        else:
            wish.settled = False
            self.counts["changed_at_target"] += winner == edited

    def _settle_conflict(self, wish: Wish, files: tuple[File, File]) -> list[Wish]:
        self.counts["conflicts"] += 1
        conflict = self._judge.decide(files, self._answers.get((files[0].path, files[1].path)))
        self.conflicts.append(conflict)
        if conflict.outcome is Answer.LATER:
            wish.paths, wish.settled = [file.path for file in files], False
            self.skipped.append(Skipped(files[0].path, "conflict", "both sides have changed it, and it is left for later"))
            return [wish]
        if conflict.outcome is not Answer.BOTH:
            winner = SIDES[conflict.outcome is Answer.B]
            damage = why_not_whole(files[other(winner)], files[winner])
            if damage is not None:
                self._report_damage(files[other(winner)], other(winner), damage)
            if self._settings.writes_to(other(winner)):
                wish.content = winner
            else:
                wish.settled = False
            return [wish]
        keeper = self._judge.keeper(files)
        loser_side = other(keeper)
        kept = replace(wish, files=_placed(keeper, files[keeper]), content=keeper, conflict=True, settled=True)
        everywhere = self._settings.writes_to(keeper)
        base = wish.paths[loser_side]
        renamed = Wish(
            None,
            _placed(loser_side, files[loser_side]),
            [base, base] if everywhere else list(_placed(loser_side, base)),
            content=loser_side if everywhere else None,
            claim=loser_side,
            renamed=True,
            conflict=True,
            settled=everywhere,
        )
        return [kept, renamed]

    def _settle_name(self, wish: Wish, row: Row | None, now: tuple[Now, Now]) -> None:
        """Give the wish the name that one side has given the entry since; a difference of spelling stays."""
        claim = self._name_giver(row, now)
        if claim is None:
            self._report_old_name(row, now)
            return
        wish.claim = claim
        target = other(claim)
        path = self._spelling.at(target, now[claim].file.path)
        if now[target].file.path == path:
            return
        if not self._settings.writes_to(target):
            wish.renamed_at = claim
            self.counts["renamed_at_target"] += 1
            if self._settings.emptied is not None:
                wish.settled = False
                reason = f"stays in the source: it is {now[claim].file.path} at the target now"
                self.skipped.append(Skipped(now[target].file.path, "left-alone", reason))
        elif self.can_hold(target, path):
            wish.paths[target] = path
        else:
            self._report_name(target, path)

    def _name_giver(self, row: Row | None, now: tuple[Now, Now]) -> SideNumber | None:
        """The side whose name both get; None: each keeps its own."""
        moved = [side for side in SIDES if row and now[side].moved and not self._is_respelled(side, row, now[side])]
        if len(moved) == 2:
            if _nfc(now[0].file.path) == _nfc(now[1].file.path):
                return None
            self.counts["renamed_on_both"] += 1
            return self._settings.source or SIDES[0]
        return moved[0] if moved else self._chosen_name(row, now)

    def _chosen_name(self, row: Row | None, now: tuple[Now, Now]) -> SideNumber | None:
        """The same of files that have met under other names, until one is chosen: --keep-names may come in any later run."""
        first, second = (one.file.path for one in now)
        if case_key(first) == case_key(second) or (row is not None and self._unsupported_names(now)):
            return None
        giver = self._settings.name_giver
        if giver is None:
            self.counts["other_names"] += 1
            reason = f"has the same content as {second} of {LETTERS[1]}: --keep-names a or b says which name to use"
            self.skipped.append(Skipped(first, "other-name", reason))
        return giver

    def _is_respelled(self, side: SideNumber, row: Row, now: Now) -> bool:
        """Whether a new name is the old one in another Unicode form, as some systems write it; not if both forms are in use."""
        old, new = row.files[side].path, now.file.path
        return _nfc(old) == _nfc(new) and old not in self._paths[side] and new not in self._paths[other(side)]

    # What is reported.

    def _report_old_name(self, row: Row | None, now: tuple[Now, Now]) -> None:
        """Every run says so as long as one side cannot have the name of the other."""
        if row is None or case_key(now[0].file.path) == case_key(now[1].file.path):
            return
        for side, path in self._unsupported_names(now):
            if self._settings.writes_to(side):
                self._report_name(side, path)

    def _unsupported_names(self, now: tuple[Now, Now]) -> list[tuple[SideNumber, str]]:
        """The names on the other side that a side cannot have."""
        names = [(side, self._spelling.at(side, now[other(side)].file.path)) for side in SIDES]
        return [(side, path) for side, path in names if not self.can_hold(side, path)]

    def _report_name(self, side: SideNumber, path: str) -> None:
        reason = f"{self._sides[side].fs} cannot have a file of this name: it keeps the old one there, or is not copied"
        if path in self._refused[side]:
            reason += " (--resync tries again)"
        self.skipped.append(Skipped(path, "unsupported-name", reason))

    def _report_damage(self, file: File, side: SideNumber, damage: str) -> None:
        reason = f"{LETTERS[side]} has a damaged file ({damage}): it does not replace the complete one"
        self.skipped.append(Skipped(file.path, "unreadable", reason))


def _placed(side: SideNumber, value: Value) -> tuple[Value | None, Value | None]:
    """The value on its side, nothing on the other."""
    return (value, None) if side == 0 else (None, value)


def _nfc(path: str) -> str:
    return unicodedata.normalize("NFC", path)
