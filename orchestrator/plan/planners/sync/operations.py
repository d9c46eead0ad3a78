"""From wishes to operations: moves, replaced contents, copies and deletions, and what the state may say once they are done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from orchestrator.paths import parent_of
from orchestrator.plan.model import Expect, KeptCopy, Operation, Replaced, Verb, operation_id
from orchestrator.plan.ordering import Move, after_needs, order
from orchestrator.plan.planners.sync.evidence import content_keys
from orchestrator.plan.planners.sync.reconcile import Wish
from orchestrator.plan.planners.sync.records import LETTERS, SIDES, Change, File, Link, Side, SideNumber, change_of, other
from orchestrator.records import Entry, Ref

_PHASES = {Verb.MOVE: 0, Verb.REPLACE: 1, Verb.COPY: 2, Verb.DELETE: 3}
"""Renames come first, with the deletions that free their names; the other deletions come last: a run that stops half-way leaves
too much, never too little."""


@dataclass(slots=True)
class Work:
    """The operations of a sync in their order, the links of its entries, and what goes where."""

    operations: list[Operation] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """As `counts` in the header of the plan: "a_added", "bytes_to_b" ..."""


def work_for(sides: tuple[Side, Side], wishes: Sequence[Wish], emptied: SideNumber | None = None) -> Work:
    """Everything that makes what is there what is wished. `emptied`: the side whose files are deleted once the other has them."""
    maker = _Maker(sides, wishes, emptied)
    for wish in wishes:
        for side in SIDES:
            maker.compare(wish, side)
        maker.empty(wish)
    return maker.finish(wishes)


class _Maker:
    def __init__(self, sides: tuple[Side, Side], wishes: Sequence[Wish], emptied: SideNumber | None) -> None:
        self._sides = sides
        self._emptied = emptied
        self._moved: set[Wish] = set()
        """Those whose file is moved from the emptied side to the other one."""
        self._moves: list[Move] = []
        """Renames, copies and deletions."""
        self._others: list[Operation] = []
        """Replacements, and deletions at the emptied side."""
        self._changes: dict[Wish, list[Change]] = defaultdict(list)
        self._content_of: dict[Change, frozenset[Hashable]] = {}
        """The keys of the content that a copy or replacement brings, or that a deletion takes away."""
        self._counts: Counter[str] = Counter()
        self._held: tuple[dict[Hashable, tuple[Ref, File]], dict[Hashable, tuple[Ref, File]]] = ({}, {})
        """Contents that a side has, and still has afterwards -> where."""
        # Only asked for contents that one side is to get from the other.
        wanted = {key for wish in wishes if wish.content is not None for key in _keys_of(wish.files[wish.content])}
        seen = [{file.path: file for file in side.files} if wanted else {} for side in sides]
        for wish in wishes if wanted else ():
            for side in SIDES:
                file, path = wish.files[side], wish.paths[side]
                if file is not None and path is not None and wish.content in {None, side}:
                    for key in wanted.intersection(_keys_seen(file, seen[side].get(file.path))):
                        known = self._held[side].get(key)
                        if known is None or path < known[0].path:
                            self._held[side][key] = Ref(sides[side].fs, path), file

    def compare(self, wish: Wish, side: SideNumber) -> None:
        """Note what is to be done on one side for one entry."""
        file, path = wish.files[side], wish.paths[side]
        if file is not None and path is None:
            self._delete(wish, side, file)
        elif file is not None and path is not None and file.path != path:
            self._rename(wish, side, file, path)
        if path is not None and wish.content == other(side):
            self._bring(wish, side, file, path)

    def _delete(self, wish: Wish, side: SideNumber, file: File) -> None:
        where = Ref(self._sides[side].fs, file.path)
        superseded = wish.renamed
        reason = "its content is kept in a conflict copy already" if superseded else f"deleted on {LETTERS[other(side)]}"
        self._add(wish, Move(Verb.DELETE, where, where, file.size, _expect(file), reason, parent_of(file.path)), file)
        if not superseded:
            self._count(side, "deleted")

    def _rename(self, wish: Wish, side: SideNumber, file: File, path: str) -> None:
        fs = self._sides[side].fs
        reason = "conflict: another file has the name" if wish.renamed else f"renamed on {LETTERS[wish.claim]}"
        self._add(wish, Move(Verb.MOVE, Ref(fs, file.path), Ref(fs, path), file.size, _expect(file), reason, parent_of(path)))
        self._count(side, "renamed")

    def _bring(self, wish: Wish, side: SideNumber, replaced: File | None, path: str) -> None:
        """Give a side the content of the other one: from there, or from a file of its own with the same content."""
        giver = other(side)
        file, source_path = wish.files[giver], wish.paths[giver]
        assert file is not None  # noqa: S101 - it is the content that was chosen
        assert source_path is not None  # noqa: S101 - and it stays
        dst = Ref(self._sides[side].fs, path)
        src, seen = self._nearest(side, file, Ref(self._sides[giver].fs, source_path))
        if src.fs != dst.fs:
            self._counts[f"bytes_to_{LETTERS[side].lower()}"] += file.size or 0
        if replaced is None:
            known = "new" if wish.row is None else f"deleted on {LETTERS[side]}, and changed"
            reason = "conflict: different on both sides" if wish.conflict else f"{known} on {LETTERS[giver]}"
            whole = giver == self._emptied and src.fs == self._sides[giver].fs
            verb = Verb.MOVE if whole else Verb.COPY
            self._add(wish, Move(verb, src, dst, file.size, _expect(seen), reason, parent_of(path)), file)
            if whole:
                self._moved.add(wish)
                self._counts["moved_away"] += 1
            self._count(side, "added")
            listed = {name: value for name, value in file.hashes.items() if name in self._sides[side].capabilities.hashes}
            copied = File(Entry(path, file.size, hashes=listed))
            for key in content_keys(file):
                self._held[side].setdefault(key, (dst, copied))
        else:
            identity = operation_id(Verb.REPLACE, src, dst)
            expect = msgspec.structs.replace(
                _expect(seen), replaced=Replaced(replaced.size, replaced.entry.hashes, replaced.entry.mtime_ns)
            )
            reason = f"changed on {LETTERS[giver]}"
            self._others.append(Operation(identity, Verb.REPLACE, src, dst, file.size, expect, reason, parent_of(path)))
            self._note(wish, (Verb.REPLACE, dst), file)
            self._count(side, "changed")

    def empty(self, wish: Wish) -> None:
        """Delete the file of the emptied side if the other one has, or gets, the same, and it is not moved there anyway."""
        side = self._emptied
        if side is None or not wish.settled or wish.content not in {None, side} or wish in self._moved:
            return
        file, path = wish.files[side], wish.paths[other(side)]
        if file is None or path is None or wish.paths[side] is None:
            return
        src, dst = Ref(self._sides[side].fs, file.path), Ref(self._sides[other(side)].fs, path)
        there = wish.files[other(side)] if wish.content is None else None
        kept = KeptCopy(dst.fs, dst.path, file.size, there.entry.hashes if there else {}, there.entry.mtime_ns if there else None)
        expect = msgspec.structs.replace(_expect(file), kept=kept)
        reason = f"{LETTERS[other(side)]} has it as well: compared in full, then deleted"
        identity = operation_id(Verb.MOVE, src, dst)
        self._others.append(Operation(identity, Verb.MOVE, src, dst, file.size, expect, reason, parent_of(path)))
        self._moved.add(wish)
        self._counts["moved_away"] += 1
        self._changes[wish].append((Verb.DELETE, src))

    def _nearest(self, side: SideNumber, file: File, src: Ref) -> tuple[Ref, File]:
        capabilities = self._sides[side].capabilities
        if capabilities.copy or capabilities.local:
            for key in content_keys(file):
                if key in self._held[side]:
                    return self._held[side][key]
        return src, file

    def _add(self, wish: Wish, move: Move, content: File | None = None) -> None:
        self._moves.append(move)
        self._note(wish, (move.verb, move.dst), content)

    def _note(self, wish: Wish, change: Change, content: File | None) -> None:
        self._changes[wish].append(change)
        if content is not None:
            self._content_of[change] = frozenset(content_keys(content))

    def _count(self, side: SideNumber, what: str) -> None:
        self._counts[f"{LETTERS[side].lower()}_{what}"] += 1

    def finish(self, wishes: Iterable[Wish]) -> Work:
        """Put everything in order. `compare` is not called afterwards."""
        folds_case = any(side.capabilities.case_insensitive for side in self._sides)
        operations = [*order(self._moves, case_insensitive=folds_case), *self._others]
        final = {change_of(operation): operation.id for operation in operations}
        waited_for = {need for operation in operations for need in operation.depends}
        free = [operation for operation in operations if operation.id not in waited_for]
        extra = self._arrivals_before_copies(operations, final)
        extra.update(self._copies_before_deletions(free, final))
        operations = [
            msgspec.structs.replace(one, depends=tuple(sorted({*one.depends, *extra.get(one.id, ())}))) for one in operations
        ]
        operations.sort(key=lambda one: 0 if one.id in waited_for else _PHASES[change_of(one)[0]])
        links = [link for wish in wishes if (link := self._link(wish)) is not None]
        return Work(after_needs(operations), links, self._counts)

    @staticmethod
    def _arrivals_before_copies(operations: Iterable[Operation], final: Mapping[Change, str]) -> dict[str, list[str]]:
        """Copies and replacements -> the operations that bring their source, or the file that they replace, to its place.

        What only deletes the source of a move waits for everything that brings its file.
        """
        arriving = {dst: identity for (verb, dst), identity in final.items() if verb in {Verb.MOVE, Verb.COPY}}
        found = {}
        for one in operations:
            if one.finishes_move:
                changes = ((verb, one.dst) for verb in (Verb.MOVE, Verb.COPY, Verb.REPLACE))
                found[one.id] = [final[change] for change in changes if change in final]
            elif one.verb in {Verb.COPY, Verb.REPLACE}:
                places = (one.src, one.dst) if one.verb is Verb.REPLACE else (one.src,)
                found[one.id] = [arriving[place] for place in places if place in arriving]
        return found

    def _copies_before_deletions(self, operations: Iterable[Operation], final: Mapping[Change, str]) -> dict[str, list[str]]:
        """Deletions -> the copies of the same content: nothing is deleted before it has arrived where it goes."""
        carried: dict[Hashable, list[str]] = defaultdict(list)
        for change, keys in self._content_of.items():
            for key in keys if change[0] is not Verb.DELETE else ():
                carried[key].append(final[change])
        return {
            one.id: [copy for key in self._content_of[one.verb, one.dst] for copy in carried.get(key, ())]
            for one in operations
            if one.verb is Verb.DELETE
        }

    def _link(self, wish: Wish) -> Link | None:
        """What the state may say of an entry afterwards; None if that is nothing new."""
        paths = wish.paths[0], wish.paths[1]
        made = tuple(self._changes.get(wish, ()))
        row = wish.row.number if wish.row else None
        if paths == (None, None):
            return Link(row, None, changes=made)
        if not wish.settled or paths[0] is None or paths[1] is None:
            return None
        keeping = [wish.content in {None, side} for side in SIDES]
        files = (wish.files[0] if keeping[0] else None, wish.files[1] if keeping[1] else None)
        if wish.renamed_at is not None:
            first, second = (_renamed_there(file, side != wish.renamed_at) for side, file in zip(SIDES, files, strict=True))
            files = first, second
        if wish in self._moved:
            first, second = (self._moved_away(side, file) for side, file in zip(SIDES, files, strict=True))
            files = first, second
        if not made and wish.row and files == wish.row.files:
            return None
        return Link(row, (paths[0], paths[1]), files, made)

    def _moved_away(self, side: SideNumber, file: File | None) -> File | None:
        return msgspec.structs.replace(file, moved_away=True) if file and side == self._emptied else file


def _renamed_there(file: File | None, is_so: bool) -> File | None:
    return file and msgspec.structs.replace(file, renamed_there=is_so)


def _keys_of(file: File | None) -> Iterable[Hashable]:
    return () if file is None else content_keys(file)


def _keys_seen(file: File, seen: File | None) -> Iterable[Hashable]:
    """The keys of what a file holds now, as this run has seen it.

    What is remembered of a file on a remote that lists no hashes may have been overtaken by an edit that cannot be seen there. A
    time of change on a disk of this machine shows every edit.
    """
    watched = file.inode is not None and file.inode.ctime_ns is not None
    return _keys_of(file if watched else seen)


def _expect(file: File) -> Expect:
    return Expect(hash=file.entry.hashes, mtime=file.entry.mtime_ns)
