"""Playlists and cue sheets follow the files that they name: which are written anew, and which have to be named instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from orchestrator.paths import is_ours, join_location, parent_of, split_extension, split_path
from orchestrator.plan.companions.playlists.external import ExternalList, report_external_lists
from orchestrator.plan.companions.playlists.formats import MAX_BYTES, is_list
from orchestrator.plan.companions.playlists.meaning import Library, Root
from orchestrator.plan.companions.playlists.rewrite import Relocation, Rewritten, count, meant, rewrite
from orchestrator.plan.companions.sidecars import Companion, Kind
from orchestrator.plan.layout.collisions import Claim
from orchestrator.plan.layout.names import Names
from orchestrator.plan.model import Expect, Skipped, Verb
from orchestrator.plan.music.same_content import same_content
from orchestrator.plan.ordering import Move
from orchestrator.records import Item, Ref


class Following:
    """The lists of one request. `settle` tells where files go; everything else is asked after it."""

    def __init__(
        self,
        source_fs: str,
        items: Sequence[Item],
        target_fs: str,
        target_items: Sequence[Item],
        *,
        below: str | None,
        copies: bool,
        external_lists: Sequence[ExternalList],
    ) -> None:
        """`below` is where the source lies below the target, None for elsewhere. `copies`: the source stays as it is."""
        self._source_fs, self._target_fs = source_fs, target_fs
        self._target_items = target_items
        self._external_lists = external_lists
        self._below = below
        self._copies = copies
        self._in_place = source_fs == target_fs
        self._lists = lists_of(items)
        self._around = [item for item in lists_of(target_items) if not below or not item.entry.path.startswith(below)]
        """The lists of another target, around a source that lies inside of it or beside one that does not."""
        self._source = Root(source_fs)
        self._target = self._source if self._in_place else Root(target_fs)
        self._library = Library(self._source, {item.entry.path for item in items} if self._any else ())
        self._going: dict[str, str] = {}
        """Path at the source -> path at the target, of everything that has a place there."""
        self._at_target: dict[str, str] = {}
        """Path at the target of a duplicate that goes from there -> path of what stays for it."""
        self._gone: Set[Ref] = frozenset()
        """What goes because something else stands for it."""

    @property
    def _any(self) -> bool:
        return bool(self._lists or self._around or self._external_lists)

    def by_stem(self) -> dict[str, list[Item]]:
        """Path without extension -> the lists of the source that bear it."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self._lists:
            found[item.entry.path.rpartition(".")[0]].append(item)
        return found

    def named(self, item: Item) -> Set[str]:
        """The files of the source that a list names."""
        if item.content is None:
            return frozenset()
        path = item.entry.path
        return meant(path, item.content, self._library, self._source.base(parent_of(path)))

    def settle(self, claims: Iterable[Claim], replacements: Mapping[Ref, Ref]) -> None:
        """Take note of where files go. `replacements`: file -> the one that stands for it afterwards, which may itself go."""
        if not self._any:
            return
        source = self._source_fs
        self._going = {claim.item.entry.path: claim.path or _wished(claim) for claim in claims}
        self._gone = replacements.keys()
        self._at_target = {}
        for gone, other in sorted(replacements.items(), key=lambda pair: (pair[0].fs, pair[0].path)):
            new = self._going.get(other.path, self._position(other.path)) if other.fs == source else other.path
            if new is not None:
                (self._going if gone.fs == source else self._at_target)[gone.path] = new

    def going_along(self, companions: Iterable[Companion], names: Names) -> Iterator[Claim]:
        """Claims of the playlists of no single album that go to another target, because some of their music does."""
        for companion in companions if not self._in_place else ():
            item = companion.item
            if companion.kind is not Kind.PLAYLIST or not self._count(item, self._going):
                continue
            directory, name = split_path(item.entry.path)
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
        if not (by_path or self._gone) or not self._any:
            return [], []
        away = {move.src.path for move in moves if move.verb is Verb.QUARANTINE}
        standing = {claim.item.entry.path for claim in claims if claim.present}
        made: list[Move] = []
        named: list[Skipped] = []
        for item in self._lists:
            path = item.entry.path
            move = by_path.get(path)
            if path in standing or path in away or (move is None and self._copies):
                continue
            if item.content is None:
                named.append(unread(path, item))
            elif move is not None:
                outcome = self._rewritten(item, item.content, move.dst.path)
                named += trouble(path, outcome)
                if outcome.content != item.content:
                    move.content = outcome.content
                    move.after = hangs_on(outcome, self._source_fs, self._gone)
                    move.reason = f"{move.reason}; {_entries(outcome)}"
            elif self._below is None or item.skipped_because is not None:
                number = self._count(item, self._leaving())
                if number:
                    why = item.skipped_because or "it stays where they were"
                    named.append(Skipped(path, "playlist", f"{number} of its entries move, and it is left as it is: {why}"))
            else:
                here = Ref(self._source_fs, path)
                there = Ref(self._target_fs, self._below + path)
                outcome = self._rewritten(item, item.content, there.path)
                named += trouble(path, outcome)
                made += written_anew(item, here, there, outcome, self._gone)
        made += self._follow_around(named)
        if not self._copies:
            named += report_external_lists(self._external_lists, self._source_fs, self._library, self._leaving())
        return made, named

    def _follow_around(self, named: list[Skipped]) -> Iterator[Move]:
        """Those around a source that lies inside of its target belong to the same library; others name duplicates there."""
        below = self._below if not self._copies else None
        if not self._around or not (below or self._at_target):
            return

        def where(path: str) -> str:
            inside = self._going.get(path[len(below) :]) if below and path.startswith(below) else None
            return inside or self._at_target.get(path, path)

        paths = {item.entry.path for item in self._target_items if not is_ours(item.entry.path)}
        relocation = Relocation(Library(self._target, paths), self._target, where)
        for item in self._around:
            ref = Ref(self._target_fs, item.entry.path)
            whole = join_location(ref.fs, ref.path)
            if item.content is None:
                named.append(unread(whole, item))
                continue
            outcome = rewrite(ref.path, item.content, ref.path, relocation)
            named += trouble(whole, outcome)
            yield from written_anew(item, ref, ref, outcome, self._gone)

    def _leaving(self) -> frozenset[str]:
        """The files that will not be where they were."""
        return frozenset(path for path, new in self._going.items() if self._below is None or self._below + path != new)

    def _count(self, item: Item, among: Mapping[str, str] | frozenset[str]) -> int:
        if item.content is None:
            return 0
        path = item.entry.path
        return count(path, item.content, self._library, self._source.base(parent_of(path)), among)

    def _rewritten(self, item: Item, content: bytes, new_path: str) -> Rewritten:
        return rewrite(item.entry.path, content, new_path, Relocation(self._library, self._target, self._where))

    def _where(self, path: str) -> str | None:
        new = self._going.get(path)
        return new if new is not None else self._position(path)

    def _position(self, path: str) -> str | None:
        """Where a file of the source lies at the target as it is; None for elsewhere."""
        return None if self._below is None else self._below + path


def written_anew(item: Item, src: Ref, dst: Ref, outcome: Rewritten, gone: Set[Ref]) -> Iterator[Move]:
    """What gives a list its new content, where it stays or on its way, once the duplicates that it named are `gone`."""
    if outcome.content != item.content:
        expect = Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns)
        group = parent_of(dst.path)
        after = hangs_on(outcome, src.fs, gone)
        yield Move(Verb.MOVE, src, dst, item.entry.size, expect, _entries(outcome), group, outcome.content, after)


def hangs_on(outcome: Rewritten, fs: str, gone: Set[Ref]) -> tuple[Ref, ...]:
    """The duplicates for which a list now names something else."""
    return tuple(ref for path in sorted(outcome.followed) if (ref := Ref(fs, path)) in gone)


def lists_of(items: Iterable[Item]) -> list[Item]:
    """The playlists and cue sheets among files, sorted."""
    found = (item for item in items if is_list(item.entry.path) and not is_ours(item.entry.path))
    return sorted(found, key=lambda item: (item.entry.path, item.entry.id or ""))


def _wished(claim: Claim) -> str:
    name = claim.stem + claim.extension
    return f"{claim.directory}/{name}" if claim.directory else name


def _entries(outcome: Rewritten) -> str:
    return f"{outcome.changed} of {outcome.entries} entries follow their files"


def unread(path: str, item: Item) -> Skipped:
    """Name a list of which nobody knows what it says."""
    large = item.entry.size is not None and item.entry.size > MAX_BYTES
    why = f"it is larger than {MAX_BYTES // 1024 // 1024} MiB and was not read" if large else "it was not read"
    return Skipped(path, "playlist", f"{why}: entries that move are not followed")


def trouble(path: str, outcome: Rewritten, lost: str = "are files that do not go along") -> Iterator[Skipped]:
    """Name a list whose entries could not all be followed."""
    if outcome.problem is not None and outcome.changed:
        yield Skipped(path, "playlist", f"{outcome.changed} of its entries move, and it is left as it is: {outcome.problem}")
    elif outcome.problem is not None:
        yield Skipped(path, "playlist", f"{outcome.problem}: entries that move are not followed")
    elif outcome.lost:
        yield Skipped(path, "playlist", f"{outcome.lost} of its entries {lost}")
