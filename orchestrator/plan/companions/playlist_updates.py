"""The playlists and cue sheets of an organize run: which are updated because their files move, which are only reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from orchestrator.paths import is_ours, join_location, join_path, parent_of, split_extension, split_path
from orchestrator.plan.companions.playlists.external import ExternalList, report_external_lists
from orchestrator.plan.companions.playlists.following import (
    duplicates_before,
    entries_updated,
    lists_of,
    report_not_updated,
    report_unread,
    updating_move,
)
from orchestrator.plan.companions.playlists.formats import can_move, is_checksums, is_list
from orchestrator.plan.companions.playlists.meaning import Library
from orchestrator.plan.companions.playlists.rewrite import (
    Relocation,
    Rewritten,
    count,
    entries_without_file,
    files_named,
    rewrite,
)
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.plan.companions.records import Companion, CompanionKind
from orchestrator.plan.layout.collisions import Claim
from orchestrator.plan.layout.names import Names
from orchestrator.plan.model import ENTRIES_WITHOUT_FILE, Skipped, Verb
from orchestrator.plan.music.same_content import Likeness, same_content
from orchestrator.plan.ordering import Move
from orchestrator.records import Item, Ref


class WithoutFile(NamedTuple):
    """The lists of the source with entries that name no file of it."""

    counts: dict[str, int]
    """For the header of the plan."""
    lists: list[Skipped]


class PlaylistUpdates:
    """The lists of one organize run. Call `note_destinations` first: everything else depends on where files go."""

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
        elsewhere: frozenset[str],
    ) -> None:
        """`below`: the source's path below the target ("" in place), None if it is elsewhere. `copies`: the source is kept.

        `elsewhere`: absolute paths of this machine outside the locations that entries name.
        """
        self._elsewhere = elsewhere
        self._source_fs, self._target_fs = source_fs, target_fs
        self._target_items = target_items
        self._external_lists = external_lists
        self._below = below
        self._copies = copies
        self._in_place = source_fs == target_fs
        self._lists = lists_of(items)
        self._target_lists = [item for item in lists_of(target_items) if not below or not item.entry.path.startswith(below)]
        """The lists of another target, without those of a source that is inside it."""
        self._source = Root(source_fs)
        self._target = self._source if self._in_place else Root(target_fs)
        self._library = Library(self._source, {item.entry.path for item in items} if self._any_lists else (), elsewhere)
        self._destinations: dict[str, str] = {}
        """Path in the source -> path in the target, of every file that has a destination."""
        self._kept_at_target: dict[str, str] = {}
        """Path in the target of a quarantined duplicate -> path of its kept copy."""
        self._quarantined: Set[Ref] = frozenset()
        """Files that another one replaces."""

    @property
    def _any_lists(self) -> bool:
        return bool(self._lists or self._target_lists or self._external_lists)

    def lists_by_stem(self) -> dict[str, list[Item]]:
        """Path without extension -> the lists of the source with that path."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self._lists:
            found[item.entry.path.rpartition(".")[0]].append(item)
        return found

    def files_named_by(self, item: Item) -> Set[str]:
        """The files of the source that a list names."""
        if item.content is None:
            return frozenset()
        path = item.entry.path
        return files_named(path, item.content, self._library, self._source.base(parent_of(path)))

    def note_destinations(self, claims: Iterable[Claim], replaced_by: Mapping[Ref, Ref]) -> None:
        """Take note of where files go. `replaced_by`: duplicate -> the copy that lists name instead, which may itself move."""
        if not self._any_lists:
            return
        source = self._source_fs
        self._destinations = {claim.item.entry.path: claim.path or _wanted_path(claim) for claim in claims}
        self._quarantined = replaced_by.keys()
        self._kept_at_target = {}
        for duplicate, kept in sorted(replaced_by.items(), key=lambda pair: (pair[0].fs, pair[0].path)):
            path = self._destination(kept.path) if kept.fs == source else kept.path
            if path is not None:
                (self._destinations if duplicate.fs == source else self._kept_at_target)[duplicate.path] = path

    def claims_to_target(self, companions: Iterable[Companion], names: Names) -> Iterator[Claim]:
        """Claims of the playlists of more than one album that move to another target, because some of their music does."""
        for companion in companions if not self._in_place else ():
            item = companion.item
            if companion.kind is not CompanionKind.PLAYLIST or not can_move(item) or not self._count(item, self._destinations):
                continue
            directory, name = split_path(item.entry.path)
            stem, extension = split_extension(name)
            extension = names.extension(extension)
            wanted = "/".join(names.directory(part) for part in directory.split("/") if part)
            position = (self._below or "") + item.entry.path
            yield Claim(item, position, wanted, names.stem(stem, extension), extension, companion)

    def is_at_target(self, claim: Claim, occupant: Item) -> Likeness:
        """Whether a file of the target is what a claim would put there.

        A list is compared as it would be updated.
        """
        content = claim.item.content
        if content is None or not is_list(claim.item):
            return same_content(claim.item, occupant)
        equal = self._updated(claim.item, content, occupant.entry.path).content == occupant.content
        return Likeness.SAME if equal else Likeness.OTHER

    def update(self, moves: Sequence[Move], claims: Iterable[Claim]) -> tuple[list[Move], list[Skipped]]:
        """Give the lists among `moves` their new content. Returns the moves that update lists in place, and reports."""
        by_path = {move.src.path: move for move in moves if move.verb is not Verb.QUARANTINE}
        if not (by_path or self._quarantined) or not self._any_lists:
            return [], []
        unchanged = {move.src.path for move in moves if move.verb is Verb.QUARANTINE}
        unchanged |= {claim.item.entry.path for claim in claims if claim.present}
        updating: list[Move] = []
        skipped: list[Skipped] = []
        for item in self._lists:
            path = item.entry.path
            move = by_path.get(path)
            if path in unchanged or (move is None and self._copies):
                continue
            if item.content is None:
                skipped.append(report_unread(path, item))
            elif move is not None:
                skipped += self._update_moved(item, item.content, move)
            elif self._below is None or item.skipped_because is not None:
                skipped += self._report_staying(item)
            else:
                src, dst = Ref(self._source_fs, path), Ref(self._target_fs, self._below + path)
                updated = self._updated(item, item.content, dst.path)
                skipped += report_not_updated(path, updated)
                updating += updating_move(item, src, dst, updated, self._quarantined)
        updating += self._update_target_lists(skipped)
        if not self._copies:
            skipped += report_external_lists(self._external_lists, self._source_fs, self._library, self._leaving())
        return updating, skipped

    def _update_moved(self, item: Item, content: bytes, move: Move) -> Iterator[Skipped]:
        updated = self._updated(item, content, move.dst.path)
        if updated.content != content:
            move.content = updated.content
            move.after = duplicates_before(updated, self._source_fs, self._quarantined)
            move.reason = f"{move.reason}; {entries_updated(updated)}"
        return report_not_updated(item.entry.path, updated)

    def _report_staying(self, item: Item) -> Iterator[Skipped]:
        number = self._count(item, self._leaving())
        if number:
            why = item.skipped_because or "the list stays in the source"
            yield Skipped(item.entry.path, "playlist", f"not updated although {number} of its entries move: {why}")

    def _update_target_lists(self, skipped: list[Skipped]) -> Iterator[Move]:
        """Update the lists of another target: for files of a source inside it, and for duplicates quarantined there."""
        below = self._below if not self._copies else None
        if not self._target_lists or not (below or self._kept_at_target):
            return

        def own(path: str) -> str:
            moved = self._destinations.get(path[len(below) :]) if below and path.startswith(below) else None
            return moved or path

        def where(path: str) -> str:
            return self._kept_at_target.get(path) or own(path)

        paths = {item.entry.path for item in self._target_items if not is_ours(item.entry.path)}
        library = Library(self._target, paths, self._elsewhere)
        for item in self._target_lists:
            ref = Ref(self._target_fs, item.entry.path)
            full_path = join_location(ref.fs, ref.path)
            if item.content is None:
                skipped.append(report_unread(full_path, item))
                continue
            relocation = Relocation(library, self._target, own if is_checksums(item) else where)
            updated = rewrite(ref.path, item.content, ref.path, relocation)
            skipped += report_not_updated(full_path, updated)
            yield from updating_move(item, ref, ref, updated, self._quarantined)

    def without_file(self) -> WithoutFile:
        """The lists with entries that name no file of the source: now, not only after the plan."""
        entries = 0
        lists: list[Skipped] = []
        for item in self._lists:
            path = item.entry.path
            if item.content is None or item.skipped_because is not None or is_checksums(item):
                continue
            found = entries_without_file(path, item.content, self._library, self._source.base(parent_of(path)))
            if found.without_file:
                entries += found.without_file
                lists.append(Skipped(path, ENTRIES_WITHOUT_FILE, found.reason()))
        return WithoutFile({"entries_without_file": entries} if entries else {}, lists)

    def _leaving(self) -> frozenset[str]:
        """The files that leave their paths."""
        return frozenset(path for path, new in self._destinations.items() if self._below is None or self._below + path != new)

    def _count(self, item: Item, among: Mapping[str, str] | frozenset[str]) -> int:
        if item.content is None:
            return 0
        path = item.entry.path
        return count(path, item.content, self._library, self._source.base(parent_of(path)), among)

    def _updated(self, item: Item, content: bytes, new_path: str) -> Rewritten:
        where = self._own_destination if is_checksums(item) else self._destination
        return rewrite(item.entry.path, content, new_path, Relocation(self._library, self._target, where))

    def _own_destination(self, path: str) -> str | None:
        """The same as `_destination`, but None for a duplicate: the checksum of one file does not fit another."""
        return None if Ref(self._source_fs, path) in self._quarantined else self._destination(path)

    def _destination(self, path: str) -> str | None:
        """Where a file of the source will be in the target; None if it will not be there."""
        new = self._destinations.get(path)
        if new is not None:
            return new
        return None if self._below is None else self._below + path


def _wanted_path(claim: Claim) -> str:
    return join_path(claim.directory, claim.stem + claim.extension)
