"""Entries that --delete-after has left on one side only: that the other side has no file of them is never a deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from orchestrator.plan.planners.sync.matching import SideState
from orchestrator.plan.planners.sync.reconcile import Wish
from orchestrator.plan.planners.sync.records import SIDES, File, Link, Row, SideNumber, other

Value = TypeVar("Value")


class MovedAway:
    """What becomes of these entries: their files stay where they are, in every mode."""

    def __init__(self, rows: Mapping[int, Row], states: tuple[SideState, SideState]) -> None:
        self.wishes: list[Wish] = []
        self.links: list[Link] = []
        """What the common state has to know of them: where their files are now, or that they are gone as well."""
        self.met_again: tuple[list[File], list[File]] = ([], [])
        """Files of each side whose path has a new file on the emptied side: as if both were new."""
        self.other_rows = {number: row for number, row in rows.items() if row.moved_away_from is None}
        """The entries of which both sides had a file."""
        new = [{file.path for file in state.new} for state in states]
        for number, row in sorted(rows.items()):
            side = row.moved_away_from
            if side is None:
                continue
            kept = other(side)
            now = states[kept].known.get(number)
            if now is None:
                self.links.append(Link(number, None))
            elif now.file.path in new[side]:
                self.met_again[kept].append(now.file)
                self.links.append(Link(number, None))
            else:
                paths: list[str | None] = [None, None]
                paths[kept] = now.file.path
                self.wishes.append(Wish(row, _in_order(kept, now.file, None), paths, claim=kept, settled=False))
                if now.file != row.files[kept]:
                    entry = msgspec.structs.replace(row.files[side].entry, path=now.file.path)
                    gone = msgspec.structs.replace(row.files[side], entry=entry)
                    files = _in_order(kept, now.file, gone)
                    self.links.append(Link(number, (now.file.path, now.file.path), files))


def _in_order(side: SideNumber, one: Value, two: Value) -> tuple[Value, Value]:
    """Two values for both sides: `one` for `side`."""
    return (one, two) if side == SIDES[0] else (two, one)
