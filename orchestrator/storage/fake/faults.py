"""Faults for the in-memory storage: which call goes wrong, when, and how; and the record of what was asked.

The executor is tested by letting call N fail for every N, so a fault is addressed by number. Numbers start at 1 and go on
over the storage's whole life.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

CHANGING = frozenset({"write", "copy", "move", "delete", "make_directory", "remove_directory", "move_directory"})
"""The verbs that change a storage."""

When: TypeAlias = Literal["before", "between", "after"]
"""before: nothing happened. after: it happened, and the reply was lost. between: half of it happened - a move that is a copy
and a delete stopped after the copy, a replaced file is in the trash and its successor not yet there, a listing or a read broke
off in the middle. Where a call has no middle, "between" never comes to pass."""

Counting: TypeAlias = Literal["calls", "changes"]


class Killed(BaseException):
    """The process died at this call. Not an `Exception`, so that nobody handles it by accident.

    Every later call raises it too, whichever thread it comes from, until `MemoryStorage.revive()`.
    """


class RecordedCall(msgspec.Struct, frozen=True):
    """One request as it reached the storage."""

    number: int
    """Among all calls, from 1."""
    verb: str
    path: str
    dst: str | None = None

    @property
    def changing(self) -> bool:
        """Whether the verb changes the storage."""
        return self.verb in CHANGING


Trouble: TypeAlias = BaseException | Callable[[RecordedCall], BaseException | None]
"""What to raise, or something to call: it may do as it likes and returns what to raise, None for nothing."""


class Fault(msgspec.Struct):
    """One fault that waits for its call."""

    number: int
    trouble: Trouble
    when: When
    counting: Counting
    whole_batch: bool


class BatchFailure(Exception):  # noqa: N818 - not an error of its own: the envelope that carries one out of a batch
    """Carries an error out of a batch that would otherwise be an item's outcome."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class FaultPlan:
    """Counts calls and raises what was ordered for them. The storage calls it under its own lock."""

    def __init__(self) -> None:
        self.calls = 0
        self.changes = 0
        self.dead = False
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Wait for one more fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget the faults that have not come to pass, and let the dead live."""
        self._faults.clear()
        self.dead = False

    def begin(self, verb: str, path: str, dst: str | None) -> tuple[RecordedCall, int]:
        """Count a call; gives its record and its number among the changing ones (0 for the others)."""
        if self.dead:
            raise Killed(f"{verb} {path}: the process is dead")
        self.calls += 1
        asked = RecordedCall(self.calls, verb, path, dst)
        if not asked.changing:
            return asked, 0
        self.changes += 1
        return asked, self.changes

    def reach(self, asked: RecordedCall, change: int, when: When) -> None:
        """Raise what waits for this point of this call."""
        for fault in self._faults:
            number = asked.number if fault.counting == "calls" else change
            if fault.number == number and fault.when == when:
                self._faults.remove(fault)
                self._raise(fault, asked)
                return

    def _raise(self, fault: Fault, asked: RecordedCall) -> None:
        trouble = fault.trouble if isinstance(fault.trouble, BaseException) else fault.trouble(asked)
        if trouble is None:
            return
        if isinstance(trouble, Killed):
            self.dead = True
        if fault.whole_batch:
            raise BatchFailure(trouble)
        raise trouble
