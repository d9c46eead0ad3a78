"""In which order the operations of a plan go: each after those that it depends on, as many at a time as a window holds."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from orchestrator.errors import IntegrityError
from orchestrator.plan.model import Operation, Verb, is_temporary

_LAST = 2
"""The turn of a rewrite."""


class Schedule:
    """The operations that are still to be done. `done` and `out`: the ids that an earlier start brought to a good or a bad end.

    Duplicates go first, while the copies that stay are where the plan saw them, and moves to temporary names: what waits for the
    old name of a file or directory then finds it free. Lists are rewritten last, when nothing else can go: until then their
    entries lead to where the files were.

    Raises IntegrityError for a dependency that the plan does not hold, and for a circle.
    """

    def __init__(self, operations: Sequence[Operation], done: Iterable[str] = (), out: Iterable[str] = ()) -> None:
        self._operations = operations
        self._position = {operation.id: index for index, operation in enumerate(operations)}
        if len(self._position) != len(operations):
            raise IntegrityError("the plan holds an operation twice")
        self._followers: dict[str, list[str]] = {}
        self._waits_for: dict[str, int] = {}
        self._ready: list[tuple[int, int]] = []
        already = set(done)
        for operation in operations:
            for other in operation.depends:
                if other not in self._position:
                    raise IntegrityError(f"{operation.src.path}: waits for an operation that the plan does not hold ({other})")
                self._followers.setdefault(other, []).append(operation.id)
            self._waits_for[operation.id] = len(set(operation.depends))
        self._check_for_circles()
        self._taken = already.union(out)
        for operation in operations:
            if operation.id in already:
                self._release(operation.id)
        for operation in operations:
            if not self._waits_for[operation.id]:
                self._push(operation.id)

    def window(self, fits: Callable[[Operation], bool]) -> list[Operation]:
        """The next operations that may go together; empty when none is left that may go.

        `fits` is asked for one after another and tells whether it still goes into this window.
        """
        chosen: list[Operation] = []
        while self._ready:
            operation = self._operations[self._ready[0][1]]
            if operation.id in self._taken:
                heapq.heappop(self._ready)
                continue
            if (chosen and self._ready[0][0] == _LAST and chosen[0].verb is not Verb.REWRITE) or not fits(operation):
                break
            heapq.heappop(self._ready)
            self._taken.add(operation.id)
            chosen.append(operation)
        return chosen

    def take(self, operations: Iterable[Operation]) -> None:
        """These, which wait for nothing, go otherwise than in a window."""
        self._taken.update(operation.id for operation in operations)

    def done(self, operation_id: str) -> None:
        """An operation came through: those that waited for it may go."""
        for follower in self._release(operation_id):
            self._push(follower)

    def without(self, operation_id: str) -> list[Operation]:
        """An operation did not come through: gives, and takes out, all that wait for it, directly or not."""
        lost: list[Operation] = []
        pending = [operation_id]
        while pending:
            for follower in self._followers.get(pending.pop(), ()):
                if follower not in self._taken:
                    self._taken.add(follower)
                    lost.append(self._operations[self._position[follower]])
                    pending.append(follower)
        return lost

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
        first = is_temporary(operation.dst.path) or bool(operation.expect.kept)
        turn = _LAST if operation.verb is Verb.REWRITE else 0 if first else 1
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
            raise IntegrityError("operations of the plan wait for each other in a circle: make the plan anew")
