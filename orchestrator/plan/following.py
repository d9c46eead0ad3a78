"""Playlists and cue sheets follow the files that they name: which are written anew, and which have to be named instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.plan.collisions import Claim
from orchestrator.plan.equality import same_content
from orchestrator.plan.model import Expect, Ref, Skipped, Verb
from orchestrator.plan.names import Names, split_extension
from orchestrator.plan.ordering import Move, location_prefix
from orchestrator.plan.playlists.formats import MAX_BYTES, is_list
from orchestrator.plan.playlists.meaning import Library, Root
from orchestrator.plan.playlists.rewrite import Relocation, Rewritten, count, rewrite
from orchestrator.plan.request import Item, OrganizeRequest
from orchestrator.plan.sidecars import Companion, Kind
from orchestrator.storage.base import OWN_DIRECTORY, remote_of


class Following:
    """The lists of one request. `settle` tells where files go; everything else is asked after it."""

    def __init__(self, request: OrganizeRequest, below: str | None) -> None:
        """`below` is where the source lies below the target, None for elsewhere."""
        self._request = request
        self._below = below
        self._copies = request.options.copy
        self._in_place = request.source_fs == request.target_fs
        self._lists = _lists(request.items)
        self._source = Root(request.source_fs)
        self._target = self._source if self._in_place else Root(request.target_fs)
        self._library = Library(self._source, {item.entry.path for item in request.items} if self._any else ())
        self._going: dict[str, str] = {}
        """Path at the source -> path at the target, of everything that has a place there."""

    @property
    def _any(self) -> bool:
        return bool(self._lists or self._request.outside)

    def settle(self, claims: Iterable[Claim], stand_ins: Mapping[str, str]) -> None:
        """Take note of where files go. `stand_ins`: file -> the one that stands for it at the target, which goes there itself."""
        if not self._any:
            return
        self._going = {claim.item.entry.path: claim.path or _wished(claim) for claim in claims}
        self._going |= {path: self._going[other] for path, other in stand_ins.items() if other in self._going}

    def going_along(self, companions: Iterable[Companion], names: Names) -> Iterator[Claim]:
        """Claims of the playlists of no single album that go to another target, because some of their music does."""
        for companion in companions if not self._in_place else ():
            item = companion.item
            if companion.kind is not Kind.PLAYLIST or not self._count(item, self._going):
                continue
            directory, _, name = item.entry.path.rpartition("/")
            stem, extension = split_extension(name)
            extension = names.extension(extension)
            wanted = "/".join(names.directory(part) for part in directory.split("/") if part)
            position = (self._below or "") + item.entry.path
            yield Claim(item, position, wanted, names.stem(stem, extension), extension, companion)

    def equal(self, claim: Claim, occupant: Item) -> bool:
        """Whether the target holds what a claim would put there: for a list, as it would be written there."""
        content = claim.item.content
        if content is None or not is_list(claim.item.entry.path):
            return same_content(claim.item, occupant)
        return self._rewritten(claim.item, content, occupant.entry.path).content == occupant.content

    def follow(self, moves: Sequence[Move], claims: Iterable[Claim]) -> tuple[list[Move], list[Skipped]]:
        """Let the lists among `moves` be written anew on their way; gives the moves of those that are where they stay, and names.

        Where nothing moves there is nothing to follow.
        """
        by_path = {move.src.path: move for move in moves if move.verb is not Verb.QUARANTINE}
        if not by_path or not self._any:
            return [], []
        standing = {claim.item.entry.path for claim in claims if claim.present}
        made: list[Move] = []
        named: list[Skipped] = []
        for item in self._lists:
            path = item.entry.path
            move = by_path.get(path)
            if path in standing or (move is None and self._copies):
                continue
            if item.content is None:
                named.append(Skipped(path, "playlist", _unread(item)))
            elif move is not None:
                outcome = self._rewritten(item, item.content, move.dst.path)
                named += _trouble(path, outcome)
                if outcome.content != item.content:
                    move.content = outcome.content
                    move.reason = f"{move.reason}; {_entries(outcome)}"
            elif self._below is None or item.left_alone is not None:
                number = self._count(item, self._leaving())
                if number:
                    why = item.left_alone or "it stays where they were"
                    named.append(Skipped(path, "playlist", f"{number} of its entries move, and it is left as it is: {why}"))
            else:
                here = Ref(self._request.source_fs, path)
                there = Ref(self._request.target_fs, self._below + path)
                made += self._where_it_stays(item, here, there, self._rewritten(item, item.content, there.path), named)
        if not self._copies:
            made += self._around(named)
            named += self._outside()
        return made, named

    def _where_it_stays(self, item: Item, src: Ref, dst: Ref, outcome: Rewritten, named: list[Skipped]) -> Iterator[Move]:
        named += _trouble(src.path, outcome)
        if outcome.content != item.content:
            entry = item.entry
            expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns)
            group = dst.path.rpartition("/")[0]
            yield Move(Verb.MOVE, src, dst, entry.size, expect, _entries(outcome), group, outcome.content)

    def _around(self, named: list[Skipped]) -> list[Move]:
        """The lists around a source that lies inside of its target: they belong to the same library."""
        below = self._below
        if not below:
            return []
        items = [item for item in self._request.target_entries if not _is_ours(item.entry.path)]
        around = [item for item in _lists(items) if item.content is not None and not item.entry.path.startswith(below)]
        if not around:
            return []

        def where(path: str) -> str:
            return self._going.get(path[len(below) :], path) if path.startswith(below) else path

        relocation = Relocation(Library(self._target, {item.entry.path for item in items}), self._target, where)
        made: list[Move] = []
        for item in around:
            ref = Ref(self._request.target_fs, item.entry.path)
            outcome = rewrite(ref.path, item.content or b"", ref.path, relocation)
            made += self._where_it_stays(item, ref, ref, outcome, named)
        return made

    def _outside(self) -> Iterator[Skipped]:
        """Name the lists of other places that lead to files which leave their place."""
        leaving = self._leaving()
        here = location_prefix(self._request.source_fs)
        for one in self._request.outside:
            whole = location_prefix(one.fs) + one.path
            if whole.startswith(here):
                continue
            near = remote_of(one.fs) == remote_of(self._request.source_fs)
            base = Root(one.fs).base(one.path.rpartition("/")[0]) if near else None
            number = count(one.path, one.content, self._library, base, leaving)
            if number:
                yield Skipped(whole, "playlist", f"{number} of its entries move; it lies outside and is not changed")

    def _leaving(self) -> frozenset[str]:
        """The files that will not be where they were."""
        return frozenset(path for path, new in self._going.items() if self._below is None or self._below + path != new)

    def _count(self, item: Item, among: Mapping[str, str] | frozenset[str]) -> int:
        if item.content is None:
            return 0
        path = item.entry.path
        return count(path, item.content, self._library, self._source.base(path.rpartition("/")[0]), among)

    def _rewritten(self, item: Item, content: bytes, new_path: str) -> Rewritten:
        return rewrite(item.entry.path, content, new_path, Relocation(self._library, self._target, self._where))

    def _where(self, path: str) -> str | None:
        new = self._going.get(path)
        return new if new is not None or self._below is None else self._below + path


def _lists(items: Iterable[Item]) -> list[Item]:
    found = (item for item in items if is_list(item.entry.path) and not _is_ours(item.entry.path))
    return sorted(found, key=lambda item: (item.entry.path, item.entry.id or ""))


def _is_ours(path: str) -> bool:
    return path.partition("/")[0] == OWN_DIRECTORY


def _wished(claim: Claim) -> str:
    name = claim.stem + claim.extension
    return f"{claim.directory}/{name}" if claim.directory else name


def _entries(outcome: Rewritten) -> str:
    return f"{outcome.changed} of {outcome.entries} entries follow their files"


def _unread(item: Item) -> str:
    if item.entry.size is not None and item.entry.size > MAX_BYTES:
        return f"it is larger than {MAX_BYTES // 1024 // 1024} MiB and was not read: entries that move are not followed"
    return "it was not read: entries that move are not followed"


def _trouble(path: str, outcome: Rewritten) -> Iterator[Skipped]:
    if outcome.problem is not None:
        yield Skipped(path, "playlist", f"{outcome.changed} of its entries move, and it is left as it is: {outcome.problem}")
    elif outcome.lost:
        yield Skipped(path, "playlist", f"{outcome.lost} of its entries are files that do not go along")
