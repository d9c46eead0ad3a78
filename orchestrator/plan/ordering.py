"""From moves to operations: which must wait for which, and which go through a temporary name.

A move waits for every move that leaves the place it wants, a directory of its path, or something below it. Rings of waiting
moves are broken by taking one of them in two steps: aside to `.music-orchestrator/tmp/<id>`, and home when its place is free.
Renames that change case or Unicode form only always go in two steps. A list that is rewritten takes three: the new content is
written aside, the old list leaves, the new one comes home.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from orchestrator.paths import collision_key, location_prefix, parent_of, split_path
from orchestrator.plan.model import TEMPORARY, Expect, Operation, Verb, operation_id
from orchestrator.records import Ref


@dataclass(slots=True, eq=False)
class Move:
    """One file that goes from one place to another (MOVE, COPY), or out of the library (QUARANTINE, `dst` as in the plan)."""

    verb: Verb
    src: Ref
    dst: Ref
    size: int | None
    expect: Expect
    reason: str
    group: str
    content: bytes | None = None
    """What the file holds at its destination, where that is something else: a list whose entries have moved."""
    after: tuple[Ref, ...] = ()
    """The duplicates on whose leaving it hangs: it goes only once those have gone."""


def temporary(move: Move) -> Ref:
    """The temporary name that a move in two steps goes through, at the root of its destination."""
    verb = Verb.MOVE if move.content is None else Verb.REWRITE
    return Ref(move.dst.fs, f"{TEMPORARY}/{operation_id(verb, move.src, move.dst)}")


def order(moves: Sequence[Move], *, case_insensitive: bool = False) -> list[Operation]:
    """The operations that carry out the moves, each after everything that it depends on.

    Destinations must be unique and free, or left by one of the moves. With `case_insensitive` a directory that is spelled anew
    is emptied before anything enters it under its new spelling.
    """
    graph = _Graph(sorted(moves, key=lambda move: (move.group, move.dst.fs, move.dst.path, move.src.fs, move.src.path)))
    graph.find_waits()
    if case_insensitive:
        graph.find_respelled()
    graph.settle()
    return graph.operations()


class _Keys:
    """Collision keys of absolute paths, remembered by directory."""

    def __init__(self) -> None:
        self._directories: dict[tuple[str, str], str] = {}

    def of(self, ref: Ref) -> str:
        directory, name = split_path(ref.path)
        key = self._directories.get((ref.fs, directory))
        if key is None:
            absolute = location_prefix(ref.fs) + (f"{directory}/" if directory else "")
            key = self._directories[ref.fs, directory] = collision_key(absolute[:-1]) + absolute[-1]
        return key + collision_key(name)


def _above(path: str) -> Iterator[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


class _Graph:
    def __init__(self, moves: list[Move]) -> None:
        self.moves = moves
        keys = _Keys()
        self.sources = [keys.of(move.src) for move in moves]
        self.targets = ["" if move.verb is Verb.QUARANTINE else keys.of(move.dst) for move in moves]
        self.after = {index: [keys.of(ref) for ref in move.after] for index, move in enumerate(moves) if move.after}
        self.waits: dict[int, set[int]] = defaultdict(set)
        """Move, or barrier (a negative number) -> what must have left before it goes on."""
        self.split = {index for index, move in enumerate(moves) if move.content is not None}
        """Moves in two steps. A list that is rewritten always is one: its old self goes aside, for good."""
        self.barriers: dict[int, list[int]] = {}
        self.rank: dict[int, int] = {}

    def find_waits(self) -> None:
        """Note for each move which others stand in its way."""
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
        """Where a directory will be there is a file now: it leaves before anything enters the directory."""
        in_the_way = _directories(self.targets) & leaving.keys()
        for index, target in enumerate(self.targets) if in_the_way else ():
            for above in _above(target):
                if above in in_the_way:
                    for other in leaving[above]:
                        self._wait(index, other)

    def _find_directories_for_files(self, leaving: Mapping[str, list[int]]) -> None:
        """Where a file will be there is a directory now: everything leaves it before the file comes."""
        left = _directories(leaving)
        replaced = {target: index for index, target in enumerate(self.targets) if target in left}
        for source, indices in leaving.items() if replaced else ():
            for above in _above(source):
                if above in replaced:
                    for other in indices:
                        self._wait(replaced[above], other)

    def find_respelled(self) -> None:
        """Note the directories that are spelled anew: whatever is in them leaves before anything comes in."""
        respelled = self._respelled()
        barrier_of = {key: -1 - number for number, key in enumerate(sorted(respelled))}
        for key, barrier in barrier_of.items():
            self.barriers[barrier] = respelled[key]
            self.waits[barrier] = set(respelled[key])
        for index, target in enumerate(self.targets) if respelled else ():
            for above in _above(target):
                if above in barrier_of:
                    self.waits[index].add(barrier_of[above])

    def _respelled(self) -> dict[str, list[int]]:
        """Key of the highest directory that is spelled anew -> the moves that leave it."""
        spelling: dict[str, str] = {}
        arriving = (move.dst for move in self.moves if move.verb is not Verb.QUARANTINE)
        for directory in {location_prefix(dst.fs) + parent_of(dst.path) for dst in arriving}:
            for above in _above(f"{directory}/"):
                spelling.setdefault(collision_key(above), above)
        highest: dict[str, str | None] = {}
        respelled: dict[str, list[int]] = defaultdict(list)
        for index, move in enumerate(self.moves):
            directory = location_prefix(move.src.fs) + parent_of(move.src.path)
            if directory not in highest:
                keys = [key for above in _above(f"{directory}/") if spelling.get(key := collision_key(above), above) != above]
                highest[directory] = keys[-1] if keys else None
            top = highest[directory]
            if top is not None and move.verb is not Verb.COPY:
                respelled[top].append(index)
        return respelled

    def settle(self) -> None:
        """Rank everything so that what waits comes later; break the rings."""
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
            ring = self._ring(oldest[next_oldest], waiting)
            node = min((member for member in ring if member >= 0), key=lambda member: (self.moves[member].src.path, member))
            self.split.add(node)
            self._leave(node, blocks, waiting, ready)

    def operations(self) -> list[Operation]:
        """The operations in their order."""
        ids = {index: self._leaving_id(index) for index in self._needed()}
        extra = self._close_barriers()
        gate = {barrier: max(leavers, key=self._leaving_rank) for barrier, leavers in self.barriers.items()}
        made: list[Operation] = []
        for index, move in enumerate(self.moves):
            needs = {gate[need] if need < 0 else need for need in self.waits.get(index, ())} - {index}
            if move.content is not None:
                # Whoever is the last to leave a directory that is spelled anew waits for its lists: they cannot wait for him.
                first = [ids[need] for need in needs if self.moves[need].expect.kept] if not self.barriers else []
                made += self._rewrite(move, move.content, first, [ids[n] for n in needs], [ids[n] for n in extra.get(index, ())])
            elif index in self.split:
                aside = temporary(move)
                reason = f"{move.reason}; steps aside"
                made.append(self._operation(move, move.src, aside, reason, (ids[need] for need in extra.get(index, ()))))
                depends = [*(ids[need] for need in needs), operation_id(Verb.MOVE, move.src, aside)]
                made.append(self._operation(move, aside, move.dst, move.reason, depends))
            else:
                depends = [ids[need] for need in needs | extra.get(index, set())]
                made.append(self._operation(move, move.src, move.dst, move.reason, depends))
        return _leveled(made)

    def _rewrite(
        self, move: Move, content: bytes, first: Iterable[str], needs: Iterable[str], extra: Iterable[str]
    ) -> list[Operation]:
        """Write the new list at a temporary name, put the old one away, give the new one its place."""
        aside = temporary(move)
        write = msgspec.structs.replace(
            self._operation(move, move.src, aside, move.reason, first, verb=Verb.REWRITE),
            content=b64encode(content).decode("ascii"),
        )
        made = [write]
        if move.verb is not Verb.COPY:
            made.append(self._operation(move, move.src, move.src, "the list as it was", [write.id, *extra], verb=Verb.QUARANTINE))
        depends = [*needs, *(operation.id for operation in made)]
        home = self._operation(move, aside, move.dst, move.reason, depends, verb=Verb.MOVE)
        digests = {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in ("md5", "sha1", "sha256")}
        made.append(msgspec.structs.replace(home, size=len(content), expect=Expect(hash=digests)))
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

    def _needed(self) -> set[int]:
        needed = {need for needs in self.waits.values() for need in needs if need >= 0}
        return needed.union(*self.barriers.values())

    def _close_barriers(self) -> dict[int, set[int]]:
        """A barrier is the last of its moves to leave: that one waits for all the others."""
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
    def _ring(node: int, waiting: dict[int, set[int]]) -> list[int]:
        """The nodes of one ring. Every need left is itself waiting, so following needs must come round."""
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
        for above in _above(path):
            if above in directories:
                break
            directories.add(above)
    return directories


def _leveled(operations: list[Operation]) -> list[Operation]:
    """Sorted so that every operation comes after those it depends on; those that wait for as many steps stay in order."""
    by_id = {operation.id: operation for operation in operations}
    level: dict[str, int] = {}
    for operation in operations:
        stack = [operation]
        while stack:
            top = stack[-1]
            pending = [by_id[need] for need in top.depends if need not in level]
            if pending:
                stack.extend(pending)
            else:
                level[top.id] = 1 + max((level[need] for need in top.depends), default=-1)
                stack.pop()
    # Duplicates go first: the copies that stay are then still where the plan saw them.
    return sorted(operations, key=lambda o: (level[o.id], not o.expect.kept, o.group, o.dst.fs, o.dst.path, o.src.path))
