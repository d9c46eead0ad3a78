"""Decisions about the entries of a plan, each of which can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

DecisionT = TypeVar("DecisionT")


class Decisions(Generic[DecisionT]):
    """Number of an entry -> what a person has decided about it; entries without one are done as planned."""

    def __init__(self) -> None:
        self._made: dict[int, DecisionT] = {}
        self._before: list[dict[int, DecisionT | None]] = []
        """Of each step, the latest last: what was decided before it about the entries that it has changed."""

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, index: int) -> bool:
        return index in self._made

    @property
    def made(self) -> Mapping[int, DecisionT]:
        """All decisions."""
        return self._made

    def get(self, index: int) -> DecisionT | None:
        """The decision about an entry; None: as planned."""
        return self._made.get(index)

    def make(self, step: Mapping[int, DecisionT | None]) -> set[int]:
        """Decide these entries in one step; returns those whose decision is another one than before."""
        before = {index: self._made.get(index) for index, new in step.items() if self._made.get(index) != new}
        if before:
            self._before.append(before)
            self._put({index: step[index] for index in before})
        return set(before)

    def undo(self) -> set[int]:
        """Take back the last step; returns the entries that it had changed, none if there is no step."""
        if not self._before:
            return set()
        before = self._before.pop()
        self._put(before)
        return set(before)

    def _put(self, decisions: Mapping[int, DecisionT | None]) -> None:
        for index, decision in decisions.items():
            if decision is None:
                self._made.pop(index, None)
            else:
                self._made[index] = decision
