"""Mirrors: other locations that get a copy of every file that the plan places. Nothing there is overwritten or deleted.

The content comes from an equal file of the mirror itself, if its server can copy it; otherwise from a disk of this machine, from
the same server, or from the source once more. A file that leaves its source waits for the copies that are made from there; the
other copies wait for it to arrive at the target.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from orchestrator.paths import collision_key, directories_above, parent_of, parents_of, remote_of, split_extension
from orchestrator.plan.layout.collisions import Claim
from orchestrator.plan.layout.names import Names, names_for
from orchestrator.plan.model import Expect, Mirrored, Operation, Replaced, Skipped, Verb, is_temporary, operation_id
from orchestrator.plan.music.same_content import Likeness, same_content
from orchestrator.plan.planners.organize.locations import max_path_bytes
from orchestrator.plan.planners.organize.request import Mirror, OrganizeRequest, items_at
from orchestrator.plan.planners.sync.scope import is_carried
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import WEAK_HASHES, Capabilities, Entry, Item, Ref

_ARRIVING = frozenset({Verb.MOVE, Verb.COPY})
_LEAVING = frozenset({Verb.MOVE, Verb.QUARANTINE})


class Content(msgspec.Struct, frozen=True):
    """One place to copy a file from."""

    ref: Ref
    expect: Expect
    after: Operation | None = None
    """What has to bring it there first."""


class Placed(msgspec.Struct, frozen=True):
    """One file that the plan places, or that is where the plan wants it."""

    path: str
    """At the target."""
    item: Item
    """What is known of its content; its own path is that of `seen`."""
    seen: Ref
    """The listed file with this content, before the plan is carried out; of an updated list, the list as it was."""
    contents: tuple[Content, ...]
    """At the target, then at the source."""
    old: Item | None = None
    """Of an updated list: the list as it was."""
    renamed: Entry | None = None
    """The file as it is before it is renamed within the target; None if it is not."""


@dataclass(slots=True)
class MirrorPlan:
    """What goes to all mirrors."""

    before: list[Operation] = field(default_factory=list)
    """Copies for which a file has to wait that leaves its source."""
    after: list[Operation] = field(default_factory=list)
    waits: dict[str, set[str]] = field(default_factory=dict)
    """Operation -> the copies that it waits for."""
    skipped: list[Skipped] = field(default_factory=list)
    undecided: list[tuple[Ref, Ref]] = field(default_factory=list)
    """Files that may be equal to those that a mirror has under their names: a read of both shows it."""
    counts: Counter[str] = field(default_factory=Counter)
    mirrored: list[Mirrored] = field(default_factory=list)
    full: set[str] = field(default_factory=set)
    """As `Plan.full_mirrors`."""

    def around(self, operations: Iterable[Operation]) -> list[Operation]:
        """The operations of the plan, with those of the mirrors."""
        waiting = (
            replace(one, depends=tuple(sorted({*one.depends, *self.waits[one.id]}))) if one.id in self.waits else one
            for one in operations
        )
        return [*self.before, *waiting, *self.after]


def plan_mirrors(
    request: OrganizeRequest, claims: Sequence[Claim], operations: Sequence[Operation], below: str | None
) -> MirrorPlan:
    """What the mirrors of a request get. `below`: the source's path below the target; None if it is elsewhere."""
    made = MirrorPlan()
    if not request.mirrors:
        return made
    placed = [*_Placing(request, operations, below).files(claims)]
    leaving = {operation.src: operation for operation in operations if operation.verb in _LEAVING}
    all_placed = _remaining(request, operations).issubset(one.path for one in placed)
    for mirror in request.mirrors:
        skipped = len(made.skipped)
        _MirrorWork(request, mirror, made, leaving).add(placed)
        if all_placed and len(made.skipped) == skipped:
            made.full.add(mirror.fs)
    return made


def _remaining(request: OrganizeRequest, operations: Iterable[Operation]) -> set[str]:
    """The paths of the files that the target has afterwards, without those that a sync never carries."""
    target = request.target_fs
    listed = {item.entry.path for item in items_at(request, target)}
    left = {one.src.path for one in operations if one.src.fs == target and one.verb in _LEAVING}
    arrived = {one.dst.path for one in operations if one.dst.fs == target and one.verb in _ARRIVING}
    return {path for path in (listed - left) | arrived if is_carried(path)}


class _Placing:
    """What the plan places."""

    def __init__(self, request: OrganizeRequest, operations: Sequence[Operation], below: str | None) -> None:
        self._request = request
        self._below = below
        self._arriving = {
            one.dst.path: one
            for one in operations
            if one.verb in _ARRIVING and one.dst.fs == request.target_fs and not is_temporary(one.dst.path)
        }
        self._rewritten = {one.dst: one for one in operations if one.verb is Verb.REWRITE}
        self._shared = SharedNames(request.items)

    def files(self, claims: Iterable[Claim]) -> Iterator[Placed]:
        """All of them: those with claims, and lists whose entries are updated where they are."""
        for claim in claims:
            found = self._of(claim)
            if found is not None:
                yield found
        updated = {self._rewritten[one.src].src: one for one in self._arriving.values() if one.src in self._rewritten}
        for fs in sorted({self._request.source_fs, self._request.target_fs}) if updated else ():
            for item in items_at(self._request, fs):
                arrival = updated.get(Ref(fs, item.entry.path))
                if arrival is not None:
                    yield _updated_list(arrival, self._rewritten[arrival.src], item)

    def _of(self, claim: Claim) -> Placed | None:
        arrival = self._arriving.pop(claim.path, None)
        item, ref = claim.item, self._shared.ref(self._request.source_fs, claim.item.entry)
        if arrival is not None and arrival.src in self._rewritten:
            return _updated_list(arrival, self._rewritten[arrival.src], item)
        if arrival is not None:
            contents = [Content(arrival.dst, _on_arrival(item.entry, self._request.target_capabilities), arrival)]
            if ref.fs != arrival.dst.fs and ref.object_id is None:
                contents.append(Content(ref, _expect(item.entry)))
            renames = arrival.verb is Verb.MOVE and ref.fs == arrival.dst.fs
            return Placed(claim.path, item, ref, tuple(contents), renamed=item.entry if renames else None)
        if claim.occupant is not None:
            item = claim.occupant
            ref = Ref(self._request.target_fs, item.entry.path)
            return Placed(claim.path, item, ref, (Content(ref, _expect(item.entry)),))
        if self._below is None or claim.position != claim.path:
            return None
        return Placed(claim.path, item, ref, (Content(Ref(self._request.target_fs, claim.path), _expect(item.entry)),))


def _updated_list(arrival: Operation, written: Operation, old: Item) -> Placed:
    content = Content(arrival.dst, arrival.expect, arrival)
    entry = Entry(old.entry.path, arrival.size, hashes=arrival.expect.hash)
    item = Item(entry, content=written.content_bytes())
    return Placed(arrival.dst.path, item, written.src, (content,), old)


def _on_arrival(entry: Entry, target: Capabilities) -> Expect:
    """What a file will be when it has arrived: its time may be another one."""
    return Expect(hash={name: value for name, value in entry.hashes.items() if name in target.hashes})


def _expect(entry: Entry) -> Expect:
    return Expect(hash=entry.hashes, mtime=entry.mtime_ns)


class _MirrorWork:
    """What one mirror gets."""

    def __init__(self, request: OrganizeRequest, mirror: Mirror, made: MirrorPlan, leaving: Mapping[Ref, Operation]) -> None:
        self._mirror = mirror
        self._made = made
        self._leaving = leaving
        self._local = {
            request.source_fs: request.source_capabilities.local,
            request.target_fs: request.target_capabilities.local,
        }
        self._names = names_for("target", mirror.capabilities, {})
        self._longest = max_path_bytes(mirror.fs, mirror.capabilities, has_buckets=mirror.has_buckets)
        self._there = {collision_key(item.entry.path): item for item in mirror.items}
        self._folders = {collision_key(folder) for folder in directories_above(item.entry.path for item in mirror.items)}
        self._shared = SharedNames(mirror.items)
        self._by_content = self._contents_there() if mirror.capabilities.copy or mirror.capabilities.local else {}

    def _contents_there(self) -> dict[tuple[str, str, int | None], Item]:
        items = sorted(self._mirror.items, key=lambda item: item.entry.path, reverse=True)
        return {key: item for item in items if self._shared.count(item.entry.path) == 1 for key in _keys(item.entry)}

    def add(self, placed: Iterable[Placed]) -> None:
        """Add what each file needs to the plan."""
        for one in placed:
            key = collision_key(one.path)
            there = self._there.get(key)
            if there is not None:
                self._meet(one, there)
            elif (problem := self._name_problem(one.path)) is not None:
                self._skip(one.path, "unsupported-name", problem)
            elif key in self._folders:
                self._skip(one.path, "conflict", "a folder has this name there")
            elif any(parent in self._there for parent in parents_of(key)):
                self._skip(one.path, "conflict", "a file there has the name of its folder")
            else:
                self._copy(one)

    def _meet(self, one: Placed, there: Item) -> None:
        """The mirror has a file of this name."""
        ref = Ref(self._mirror.fs, there.entry.path)
        likeness = _likeness(one.item, there)
        if likeness in {Likeness.UNKNOWN, Likeness.ALIKE}:
            self._made.undecided.append((one.seen, ref))
        if likeness.agrees:
            self._made.counts["at_mirrors"] += 1
            self._note(one, ref, there.entry)
        elif one.old is not None and same_content(one.old, there) is Likeness.SAME and self._shared.count(ref.path) == 1:
            self._replace(one, there)
        elif likeness is Likeness.UNKNOWN:
            self._skip(one.path, "conflict", "a file of this name and size is there, and was not compared; `--checksum` does")
        else:
            self._skip(one.path, "conflict", "another file has this name there: rename or remove one of the two")

    def _copy(self, one: Placed) -> None:
        content = self._nearest(one)
        self._add(Verb.COPY, one, content, Ref(self._mirror.fs, one.path), content.expect)

    def _replace(self, one: Placed, there: Item) -> None:
        """An updated list takes the place of the list as it was, which goes to the trash."""
        (content,) = one.contents
        old = Replaced(there.entry.size, there.entry.hashes, there.entry.mtime_ns)
        self._add(Verb.REPLACE, one, content, Ref(self._mirror.fs, there.entry.path), replace(content.expect, replaced=old))

    def _add(self, verb: Verb, one: Placed, content: Content, dst: Ref, expect: Expect) -> None:
        after, size = content.after, one.item.entry.size
        self._note(one, dst, verb=verb)
        operation = Operation(
            operation_id(verb, content.ref, dst),
            verb,
            content.ref,
            dst,
            size,
            expect,
            "mirror",
            parent_of(one.path),
            () if after is None else (after.id,),
        )
        leaving = self._leaving.get(content.ref) if after is None else None
        if leaving is None:
            self._made.after.append(operation)
        else:
            self._made.before.append(operation)
            self._made.waits.setdefault(leaving.id, set()).add(operation.id)
        self._made.counts["to_mirrors"] += 1
        if not self._on_server(content.ref.fs):
            self._made.counts["bytes_to_mirrors"] += size or 0

    def _note(self, one: Placed, there: Ref, entry: Entry | None = None, *, verb: Verb | None = None) -> None:
        """Note that both have a file, the mirror by an operation if `verb` is given. Not of names that several files have."""
        at_target = one.contents[0]
        if at_target.ref.object_id is not None or self._shared.count(there.path) > 1:
            return
        arrival = at_target.after
        here = replace(one.item.entry, path=at_target.ref.path) if arrival is None else one.renamed
        changes = [*([] if arrival is None else [(arrival.verb, arrival.dst)]), *([] if verb is None else [(verb, there)])]
        self._made.mirrored.append(Mirrored(at_target.ref, there, here, entry, tuple(changes)))

    def _nearest(self, one: Placed) -> Content:
        """Where to take the content from: see the top of the module."""
        for key in _keys(one.item.entry):
            if key in self._by_content:
                entry = self._by_content[key].entry
                return Content(Ref(self._mirror.fs, entry.path), _expect(entry))
        for near in (self._local.get, self._on_server):
            for content in one.contents:
                if near(content.ref.fs):
                    return content
        return one.contents[-1]

    def _on_server(self, fs: str) -> bool:
        return remote_of(fs) == remote_of(self._mirror.fs) and self._mirror.capabilities.copy

    def _name_problem(self, path: str) -> str | None:
        """Why the mirror cannot have a file of this name; None if it can."""
        *folders, name = path.split("/")
        if any(self._names.directory(folder) != folder for folder in folders) or not _is_legal(self._names, name):
            return "its name is not possible there"
        if self._longest is not None and self._mirror.capabilities.stored_bytes(path) > self._longest:
            return f"its path would be longer than the {self._longest} bytes that are possible there"
        return None

    def _skip(self, path: str, code: str, why: str) -> None:
        self._made.skipped.append(Skipped(path, code, f"not copied to the mirror {self._mirror.fs}: {why}"))


def _likeness(one: Item, other: Item) -> Likeness:
    empty = one.entry.size == other.entry.size == 0
    return Likeness.SAME if empty else same_content(one, other)


def _is_legal(names: Names, name: str) -> bool:
    stem, extension = split_extension(name)
    ending = f".{extension}" if extension else ""
    return names.stem(stem, ending) == stem and names.extension(extension) == ending


def _keys(entry: Entry) -> Iterator[tuple[str, str, int | None]]:
    """What files with the same bytes have in common; empty files have nothing worth a copy."""
    if entry.size:
        for name in sorted(entry.hashes.keys() - WEAK_HASHES):
            yield name, entry.hashes[name], entry.size
