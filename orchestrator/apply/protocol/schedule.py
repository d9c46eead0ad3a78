"""The order in which the operations of a plan are carried out: each after those it depends on, as many as a window holds."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from orchestrator.errors import IntegrityError
from orchestrator.plan.model import Operation, Verb, is_temporary

_FIRST, _EARLY, _NORMAL, _LAST = range(4)


class Schedule:
    """The operations still to do. `done` and `abandoned`: ids of those that an earlier start completed, or failed or skipped.

    `first`: ids of those whose copies are verified. They get windows of their own: nothing is copied before their sources are
    deleted.

    Duplicates come first, while the kept copies are where the plan saw them, and so do moves to temporary names: they free the
    old name of a file or directory. Playlists and cue sheets are rewritten last, when nothing else can be done: until then their
    entries point to where the files were. Files are deleted last, too, unless something waits for that: a run that stops half-way
    leaves too much.

    Raises IntegrityError for a dependency that is not in the plan, and for operations that wait for each other.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        done: Iterable[str] = (),
        abandoned: Iterable[str] = (),
        *,
        first: Iterable[str] = (),
    ) -> None:
        self._operations = operations
        self._position = {operation.id: index for index, operation in enumerate(operations)}
        if len(self._position) != len(operations):
            raise IntegrityError("the plan holds the same operation twice")
        self._followers: dict[str, list[str]] = {}
        self._waits_for: dict[str, int] = {}
        self._ready: list[tuple[int, int]] = []
        self._first = frozenset(first)
        completed = set(done)
        for operation in operations:
            for other in operation.depends:
                if other not in self._position:
                    raise IntegrityError(f"{operation.src.path}: depends on an operation that is not in the plan ({other})")
                self._followers.setdefault(other, []).append(operation.id)
            self._waits_for[operation.id] = len(set(operation.depends))
        self._check_for_circles()
        self._taken = completed.union(abandoned)
        for operation in operations:
            if operation.id in completed:
                self._release(operation.id)
        for operation in operations:
            if not self._waits_for[operation.id]:
                self._push(operation.id)

    def next_window(self, fits: Callable[[Operation], bool]) -> list[Operation]:
        """The next operations that can be carried out together; empty when none is left that can be.

        `fits` is asked about one operation after another, and says whether it still fits into this window.
        """
        chosen: list[Operation] = []
        while self._ready:
            operation = self._operations[self._ready[0][1]]
            if operation.id in self._taken:
                heapq.heappop(self._ready)
                continue
            if (chosen and self._begins_window(self._ready[0][0], chosen[0])) or not fits(operation):
                break
            heapq.heappop(self._ready)
            self._taken.add(operation.id)
            chosen.append(operation)
        return chosen

    def _begins_window(self, turn: int, first: Operation) -> bool:
        """Whether an operation may not join the window that begins with `first`."""
        return (turn == _LAST and not self._is_last(first)) or (turn != _FIRST and first.id in self._first)

    def _is_last(self, operation: Operation) -> bool:
        """Whether it waits until nothing else can be done."""
        deletes = operation.verb is Verb.DELETE and not operation.expect.kept and operation.id not in self._followers
        return operation.verb is Verb.REWRITE or deletes

    def take_out(self, operations: Iterable[Operation]) -> None:
        """Leave these operations, which depend on nothing, out of the windows: they are carried out in another way."""
        self._taken.update(operation.id for operation in operations)

    def complete(self, operation_id: str) -> None:
        """An operation succeeded: those that only waited for it are ready."""
        for follower in self._release(operation_id):
            self._push(follower)

    def drop_dependents(self, operation_id: str) -> list[Operation]:
        """An operation did not succeed: take out, and return, all that depend on it, directly or indirectly."""
        dropped: list[Operation] = []
        pending = [operation_id]
        while pending:
            for follower in self._followers.get(pending.pop(), ()):
                if follower not in self._taken:
                    self._taken.add(follower)
                    dropped.append(self._operations[self._position[follower]])
                    pending.append(follower)
        return dropped

    def _release(self, operation_id: str) -> list[str]:
        freed = []
        for follower in dict.fromkeys(self._followers.get(operation_id, ())):
            self._waits_for[follower] -= 1
            if not self._waits_for[follower]:
                freed.append(follower)
        return freed

    def _push(self, operation_id: str) -> None:
        position = self._position[operation_id]
        operation = self._operations[position]
        early = is_temporary(operation.dst.path) or bool(operation.expect.kept)
        turn = _LAST if self._is_last(operation) else _EARLY if early else _NORMAL
        turn = _FIRST if operation.id in self._first else turn
        heapq.heappush(self._ready, (turn, position))

    def _check_for_circles(self) -> None:
        waits = dict(self._waits_for)
        free = [identity for identity, count in waits.items() if not count]
        seen = 0
        while free:
            seen += 1
            for follower in dict.fromkeys(self._followers.get(free.pop(), ())):
                waits[follower] -= 1
                if not waits[follower]:
                    free.append(follower)
        if seen != len(self._operations):
            raise IntegrityError("operations of the plan wait for each other in a circle: make a new plan")
