"""From moves to operations: which must wait for which, and which go through a temporary name.

A move waits for every move that leaves its destination, a directory of its path, or something below it. If moves wait for each
other in a circle, one of them takes two steps: to the temporary name `.music-orchestrator/tmp/<id>`, and on to its destination
when that is free. A rename that only changes case or Unicode form always takes two steps. An updated playlist takes three: the
new content is written to a temporary name, the old list is quarantined, the new list moves to its destination.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from orchestrator.errors import OrchestratorError
from orchestrator.paths import collision_key, location_prefix, parent_of, split_path
from orchestrator.plan.model import TEMPORARY, Expect, Operation, Verb, operation_id
from orchestrator.records import Ref

_REMOVING = frozenset({Verb.QUARANTINE, Verb.DELETE})


@dataclass(slots=True, eq=False)
class Move:
    """One file that is moved or copied (MOVE, COPY), or moved out of the library (QUARANTINE, DELETE; `dst` as in the plan)."""

    verb: Verb
    src: Ref
    dst: Ref
    size: int | None
    expect: Expect
    reason: str
    group: str
    content: bytes | None = None
    """New content of the file at its destination: that of a playlist whose entries have moved."""
    after: tuple[Ref, ...] = ()
    """Duplicates that must be quarantined first."""


def temporary(move: Move) -> Ref:
    """The temporary name for a move in two steps, below the root of its destination."""
    verb = Verb.MOVE if move.content is None else Verb.REWRITE
    return Ref(move.dst.fs, f"{TEMPORARY}/{operation_id(verb, move.src, move.dst)}")


def order(moves: Sequence[Move], *, case_insensitive: bool = False) -> list[Operation]:
    """The operations that carry out the moves, each after everything that it depends on.

    Destinations must be different, and free or left by one of the moves. With `case_insensitive` a directory whose spelling
    changes is emptied before anything enters it under its new spelling.
    """
    graph = _Graph(sorted(moves, key=lambda move: (move.group, move.dst.fs, move.dst.path, move.src.fs, move.src.path)))
    graph.find_waits()
    if case_insensitive:
        graph.find_respelled_directories()
    graph.rank_moves()
    return graph.operations()


class _Keys:
    """Collision keys of absolute paths. Those of directories are computed once."""

    def __init__(self) -> None:
        self._directories: dict[tuple[str, str], str] = {}

    def of(self, ref: Ref) -> str:
        directory, name = split_path(ref.path)
        key = self._directories.get((ref.fs, directory))
        if key is None:
            absolute = location_prefix(ref.fs) + (f"{directory}/" if directory else "")
            key = self._directories[ref.fs, directory] = collision_key(absolute[:-1]) + absolute[-1]
        return key + collision_key(name)


def _parents(path: str) -> Iterator[str]:
    """The directories above an absolute path, deepest first, without the root of its disk."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


class _Graph:
    """Which moves wait for which. A move is named by its index, a barrier by a negative number.

    A barrier stands for "everything has left this directory": it waits for the moves that leave, and others wait for it.
    """

    def __init__(self, moves: list[Move]) -> None:
        self.moves = moves
        keys = _Keys()
        self.sources = [keys.of(move.src) for move in moves]
        self.targets = ["" if move.verb in _REMOVING else keys.of(move.dst) for move in moves]
        self.after = {index: [keys.of(ref) for ref in move.after] for index, move in enumerate(moves) if move.after}
        self.waits: dict[int, set[int]] = defaultdict(set)
        """Move or barrier -> what must have left before."""
        self.split = {index for index, move in enumerate(moves) if move.content is not None}
        """Moves in two steps. An updated list leaves its path by the quarantine of the old one."""
        self.barriers: dict[int, list[int]] = {}
        """Barrier -> the moves that leave its directory."""
        self.rank: dict[int, int] = {}
        """Move or barrier -> when its turn comes."""

    def find_waits(self) -> None:
        """Note for each move which other moves must leave before it."""
        leaving: dict[str, list[int]] = defaultdict(list)
        for index, move in enumerate(self.moves):
            if move.verb is not Verb.COPY:
                leaving[self.sources[index]].append(index)
        for index, target in enumerate(self.targets):
            for other in leaving.get(target, ()):
                self._wait(index, other)
        for index, sources in self.after.items():
            for source in sources:
                for other in leaving.get(source, ()):
                    self._wait(index, other)
        self._find_files_for_directories(leaving)
        self._find_directories_for_files(leaving)

    def _find_files_for_directories(self, leaving: Mapping[str, list[int]]) -> None:
        """A file that is where a directory will be leaves before anything enters the directory."""
        in_the_way = _directories(self.targets) & leaving.keys()
        for index, target in enumerate(self.targets) if in_the_way else ():
            for parent in _parents(target):
                if parent in in_the_way:
                    for other in leaving[parent]:
                        self._wait(index, other)

    def _find_directories_for_files(self, leaving: Mapping[str, list[int]]) -> None:
        """Everything leaves a directory that is where a file will be before that file arrives."""
        left = _directories(leaving)
        replaced = {target: index for index, target in enumerate(self.targets) if target in left}
        for source, indices in leaving.items() if replaced else ():
            for parent in _parents(source):
                if parent in replaced:
                    for other in indices:
                        self._wait(replaced[parent], other)

    def find_respelled_directories(self) -> None:
        """Add barriers for directories whose spelling changes: everything leaves them before anything arrives."""
        respelled = self._leaving_respelled()
        barrier_of = {key: -1 - number for number, key in enumerate(sorted(respelled))}
        for key, barrier in barrier_of.items():
            self.barriers[barrier] = respelled[key]
            self.waits[barrier] = set(respelled[key])
        for index, target in enumerate(self.targets) if respelled else ():
            for parent in _parents(target):
                if parent in barrier_of:
                    self.waits[index].add(barrier_of[parent])

    def _leaving_respelled(self) -> dict[str, list[int]]:
        """Key of the highest directory whose spelling changes -> the moves that leave it."""
        spelling: dict[str, str] = {}
        arriving = (move.dst for move in self.moves if move.verb not in _REMOVING)
        for directory in {location_prefix(dst.fs) + parent_of(dst.path) for dst in arriving}:
            for parent in _parents(f"{directory}/"):
                spelling.setdefault(collision_key(parent), parent)
        highest: dict[str, str | None] = {}
        respelled: dict[str, list[int]] = defaultdict(list)
        for index, move in enumerate(self.moves):
            directory = location_prefix(move.src.fs) + parent_of(move.src.path)
            if directory not in highest:
                keys = [
                    key for parent in _parents(f"{directory}/") if spelling.get(key := collision_key(parent), parent) != parent
                ]
                highest[directory] = keys[-1] if keys else None
            top = highest[directory]
            if top is not None and move.verb is not Verb.COPY:
                respelled[top].append(index)
        return respelled

    def rank_moves(self) -> None:
        """Rank the moves so that each comes after those it waits for; break circles by splitting one of their moves."""
        waiting = {node: set(needs) for node, needs in self.waits.items() if needs}
        blocks: dict[int, list[int]] = defaultdict(list)
        for node in sorted(waiting):
            for need in waiting[node]:
                blocks[need].append(node)
        ready = [node for node in range(len(self.moves)) if node not in waiting]
        for node in sorted(self.split):
            self._leave(node, blocks, waiting, ready)
        oldest, next_oldest = sorted(waiting), 0
        position = 0
        while True:
            while position < len(ready):
                node = ready[position]
                self.rank[node] = position
                position += 1
                if node not in self.split:
                    self._leave(node, blocks, waiting, ready)
            if not waiting:
                return
            while oldest[next_oldest] not in waiting:
                next_oldest += 1
            circle = self._circle(oldest[next_oldest], waiting)
            node = min((member for member in circle if member >= 0), key=lambda member: (self.moves[member].src.path, member))
            self.split.add(node)
            self._leave(node, blocks, waiting, ready)

    def operations(self) -> list[Operation]:
        """The operations in their order."""
        ids = {index: self._leaving_id(index) for index in self._waited_for()}
        extra = self._waits_of_last_moves()
        gate = {barrier: max(leavers, key=self._leaving_rank) for barrier, leavers in self.barriers.items()}
        made: list[Operation] = []
        for index, move in enumerate(self.moves):
            needs = {gate[need] if need < 0 else need for need in self.waits.get(index, ())} - {index}
            if move.content is not None:
                # The last move out of a respelled directory waits for the lists in it: those must not wait for that move.
                first = [ids[need] for need in needs if self.moves[need].expect.kept] if not self.barriers else []
                made += self._rewrite(move, move.content, first, [ids[n] for n in needs], [ids[n] for n in extra.get(index, ())])
            elif index in self.split:
                halfway = temporary(move)
                reason = f"{move.reason}; first to a temporary name"
                made.append(self._operation(move, move.src, halfway, reason, (ids[need] for need in extra.get(index, ()))))
                depends = [*(ids[need] for need in needs), operation_id(Verb.MOVE, move.src, halfway)]
                made.append(self._operation(move, halfway, move.dst, move.reason, depends))
            else:
                depends = [ids[need] for need in needs | extra.get(index, set())]
                made.append(self._operation(move, move.src, move.dst, move.reason, depends))
        return _sorted_by_level(self._one_after_another(made))

    def _one_after_another(self, made: list[Operation]) -> list[Operation]:
        """Arrivals at names that may be one wait for each other: a look at the second then shows whether the first has it.

        An undo has such destinations, because a server that takes both Unicode forms of a name for one showed two files; so has a
        sync of places where names may differ in case or Unicode form alone.
        """
        arriving: dict[str, list[int]] = defaultdict(list, {"": []})
        for index, target in enumerate(self.targets):
            arriving[target].append(index)
        del arriving[""]
        shared = [group for group in arriving.values() if len({self.moves[index].dst.path for index in group}) > 1]
        if not shared:
            return made
        last = {operation.dst: number for number, operation in enumerate(made) if operation.verb not in _REMOVING}
        for group in shared:
            # Copies come last: one may be of a file that has another of these names first.
            group.sort(key=lambda index: (self.moves[index].verb is Verb.COPY, self.rank[index]))
            numbers = [last[self.moves[index].dst] for index in group]
            for number, before in zip(numbers[1:], numbers, strict=False):
                depends = tuple(sorted({*made[number].depends, made[before].id}))
                made[number] = msgspec.structs.replace(made[number], depends=depends)
        return made

    def _rewrite(
        self, move: Move, content: bytes, first: Iterable[str], needs: Iterable[str], extra: Iterable[str]
    ) -> list[Operation]:
        """Write the new list to a temporary name, quarantine the old one, move the new one to its destination."""
        halfway = temporary(move)
        write = msgspec.structs.replace(
            self._operation(move, move.src, halfway, move.reason, first, verb=Verb.REWRITE),
            content=b64encode(content).decode("ascii"),
        )
        made = [write]
        if move.verb is not Verb.COPY:
            made.append(
                self._operation(
                    move, move.src, move.src, "replaced by the updated list", [write.id, *extra], verb=Verb.QUARANTINE
                )
            )
        depends = [*needs, *(operation.id for operation in made)]
        arrival = self._operation(move, halfway, move.dst, move.reason, depends, verb=Verb.MOVE)
        digests = {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in ("md5", "sha1", "sha256")}
        made.append(msgspec.structs.replace(arrival, size=len(content), expect=Expect(hash=digests)))
        return made

    @staticmethod
    def _operation(move: Move, src: Ref, dst: Ref, reason: str, depends: Iterable[str], *, verb: Verb | None = None) -> Operation:
        verb = verb or move.verb
        return Operation(
            id=operation_id(verb, src, dst),
            verb=verb,
            src=src,
            dst=dst,
            size=move.size,
            expect=move.expect,
            reason=reason,
            group=move.group,
            depends=tuple(sorted(depends)),
        )

    def _waited_for(self) -> set[int]:
        needed = {need for needs in self.waits.values() for need in needs if need >= 0}
        return needed.union(*self.barriers.values())

    def _waits_of_last_moves(self) -> dict[int, set[int]]:
        """The last move of a barrier waits for all its others, so that operations can wait for this one alone."""
        extra: dict[int, set[int]] = defaultdict(set)
        for leavers in self.barriers.values():
            last = max(leavers, key=self._leaving_rank)
            extra[last] |= set(leavers) - {last}
        return extra

    def _leaving_rank(self, index: int) -> tuple[bool, int]:
        return index not in self.split, self.rank[index]

    def _leaving_id(self, index: int) -> str:
        move = self.moves[index]
        if move.content is not None:
            return operation_id(Verb.QUARANTINE, move.src, move.src)
        return operation_id(move.verb, move.src, temporary(move) if index in self.split else move.dst)

    def _wait(self, index: int, other: int) -> None:
        if index == other:
            if self.moves[index].src != self.moves[index].dst:
                self.split.add(index)
        else:
            self.waits[index].add(other)

    @staticmethod
    def _leave(node: int, blocks: dict[int, list[int]], waiting: dict[int, set[int]], ready: list[int]) -> None:
        for other in blocks.pop(node, ()):
            needs = waiting.get(other)
            if needs is not None:
                needs.discard(node)
                if not needs:
                    del waiting[other]
                    ready.append(other)

    @staticmethod
    def _circle(node: int, waiting: dict[int, set[int]]) -> list[int]:
        """The nodes of one circle. Every need that is left is itself waiting, so following needs must lead into one."""
        seen: dict[int, int] = {}
        path: list[int] = []
        while node not in seen:
            seen[node] = len(path)
            path.append(node)
            node = min(waiting[node])
        return path[seen[node] :]


def _directories(paths: Iterable[str]) -> set[str]:
    directories: set[str] = set()
    for path in paths:
        for parent in _parents(path):
            if parent in directories:
                break
            directories.add(parent)
    return directories


def after_needs(operations: Sequence[Operation]) -> list[Operation]:
    """The same order, except that what an operation needs comes before it.

    Raises OrchestratorError if operations wait for each other in a circle, which would be a mistake of the planner.
    """
    by_id = {operation.id: operation for operation in operations}
    placed: dict[str, Operation] = {}
    opened: set[str] = set()
    """Those whose needs are being placed."""
    for operation in operations:
        stack = [operation]
        while stack:
            top = stack[-1]
            pending = [by_id[need] for need in top.depends if need not in placed]
            if not pending:
                placed[top.id] = stack.pop()
            elif top.id in opened:
                what = "operations of the plan wait for each other in a circle; nothing was changed"
                raise OrchestratorError(f"this is a bug in music-orchestrator: {what}", path=top.dst.path)
            else:
                opened.add(top.id)
                stack.extend(pending)
    return list(placed.values())


def _sorted_by_level(operations: list[Operation]) -> list[Operation]:
    """Sorted so that every operation comes after those it depends on: by the number of steps before it, then by path."""
    level: dict[str, int] = {}
    for operation in after_needs(operations):
        level[operation.id] = 1 + max((level[need] for need in operation.depends), default=-1)
    # Duplicates come first: their kept copies are then still where the plan saw them.
    return sorted(operations, key=lambda o: (level[o.id], not o.expect.kept, o.group, o.dst.fs, o.dst.path, o.src.path))
