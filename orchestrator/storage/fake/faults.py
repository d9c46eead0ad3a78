"""Faults for the in-memory storage: which call goes wrong, when, and how; and the record of calls.

The executor is tested by failing call N for every N, so faults are addressed by number. Numbers start at 1 and count over the
storage's whole life.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, MutableSequence
from typing import Literal, TypeAlias

import msgspec

CHANGING = frozenset({"write", "copy", "move", "give", "delete", "make_directory", "remove_directory", "move_directory"})
"""The verbs that change a storage."""

When: TypeAlias = Literal["before", "between", "after"]
"""before: nothing happened. after: it happened, and the reply was lost. between: half of it happened - a move that is a copy and
a delete stopped after the copy, a replaced file is in the trash and its successor is missing, a listing or a read broke off in
the middle, a file has both its staged and its final name, or a look found a name free. A call that has no middle never fails
"between"."""

Counting: TypeAlias = Literal["calls", "changes"]


class Killed(BaseException):
    """The process died at this call. Not an `Exception`, so that no code handles it by accident.

    Every later call raises it too, from any thread, until `MemoryStorage.revive()`.
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
"""What to raise, or a function that may do anything and returns what to raise, None for nothing."""


class Fault(msgspec.Struct):
    """One fault, waiting for its call."""

    number: int
    trouble: Trouble
    when: When
    counting: Counting
    whole_batch: bool


class LastingFault(msgspec.Struct):
    """One fault of every call that matches, for ever."""

    matches: Callable[[RecordedCall], bool]
    trouble: Trouble
    when: When


class BatchFailure(Exception):  # noqa: N818 - only wraps an error
    """Wraps an error that fails the whole batch, instead of one item."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class FaultPlan:
    """Counts calls and raises their faults. The caller holds a lock."""

    def __init__(self) -> None:
        self.calls = 0
        self.changes = 0
        self.dead = False
        self._faults: list[Fault] = []
        self._lasting: list[LastingFault] = []

    def add_lasting(self, fault: LastingFault) -> None:
        """Add a fault that stays."""
        self._lasting.append(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Drop the faults that have not happened, and accept calls after a `Killed` again."""
        self._faults.clear()
        self._lasting.clear()
        self.dead = False

    def begin(self, verb: str, path: str, dst: str | None) -> tuple[RecordedCall, int]:
        """Count a call; returns its record and its number among the changing ones (0 for the others)."""
        if self.dead:
            raise Killed(f"{verb} {path}: the process is dead")
        self.calls += 1
        call = RecordedCall(self.calls, verb, path, dst)
        if not call.changing:
            return call, 0
        self.changes += 1
        return call, self.changes

    def reach(self, call: RecordedCall, change: int, when: When) -> None:
        """Raise the fault for this point of this call."""
        for fault in self._faults:
            number = call.number if fault.counting == "calls" else change
            if fault.number == number and fault.when == when:
                self._faults.remove(fault)
                self._raise(fault.trouble, call, whole_batch=fault.whole_batch)
                return
        for lasting in self._lasting:
            if lasting.when == when and lasting.matches(call):
                self._raise(lasting.trouble, call)

    def _raise(self, of: Trouble, call: RecordedCall, *, whole_batch: bool = False) -> None:
        trouble = of if isinstance(of, BaseException) else of(call)
        if trouble is None:
            return
        if isinstance(trouble, Killed):
            self.dead = True
        if whole_batch:
            raise BatchFailure(trouble)
        raise trouble


class FaultyCalls:
    """The base of the in-memory storage that counts and logs its calls, and lets them fail."""

    def __init__(self) -> None:
        self._faults = FaultPlan()
        self._lock = threading.RLock()
        self.call_counts: Counter[str] = Counter()
        """Verb -> calls so far."""
        self.log: MutableSequence[RecordedCall] = []
        """The changing calls that took effect, oldest first."""

    def fail(
        self, number: int, trouble: Trouble, *, when: When = "before", counting: Counting = "calls", whole_batch: bool = False
    ) -> None:
        """Let the `number`-th call of the storage's life go wrong.

        `counting` "changes" counts only the changing calls. `whole_batch` fails the batch instead of its item. `calls_made` and
        `changes_made` are the numbers of the last calls.
        """
        with self._lock:
            self._faults.add(Fault(number, trouble, when, counting, whole_batch))

    def fail_always(self, matches: Callable[[RecordedCall], bool], trouble: Trouble, *, when: When = "before") -> None:
        """Let every call that matches go wrong, until `revive`."""
        with self._lock:
            self._faults.add_lasting(LastingFault(matches, trouble, when))

    def revive(self) -> None:
        """A new process: pending faults are dropped, and calls work again after a `Killed`."""
        with self._lock:
            self._faults.clear()

    @property
    def calls_made(self) -> int:
        """All calls so far; an item of a batch counts as one."""
        return self._faults.calls

    @property
    def changes_made(self) -> int:
        """Changing calls so far, failed ones included."""
        return self._faults.changes

    def _begin(self, verb: str, path: str, dst: str | None = None) -> tuple[RecordedCall, int]:
        with self._lock:
            call, change = self._faults.begin(verb, path, dst)
            self.call_counts[verb] += 1
            self._faults.reach(call, change, "before")
            return call, change

    def _reach(self, call: RecordedCall, change: int, when: When) -> None:
        with self._lock:
            self._faults.reach(call, change, when)

    def _done(self, call: RecordedCall, change: int) -> None:
        self.log.append(call)
        self._faults.reach(call, change, "after")
