"""What every planner does with a playlist or cue sheet whose files move: update it, or report why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from orchestrator.paths import is_ours, parent_of
from orchestrator.plan.companions.playlists.format import MAX_BYTES
from orchestrator.plan.companions.playlists.formats import is_list
from orchestrator.plan.companions.playlists.rewrite import Rewritten
from orchestrator.plan.model import Expect, Skipped, Verb
from orchestrator.plan.ordering import Move
from orchestrator.records import Item, Ref


def lists_of(items: Iterable[Item]) -> list[Item]:
    """The playlists and cue sheets among files, sorted by path."""
    found = (item for item in items if is_list(item) and not is_ours(item.entry.path))
    return sorted(found, key=lambda item: (item.entry.path, item.entry.id or ""))


def updating_move(item: Item, src: Ref, dst: Ref, updated: Rewritten, quarantined: Set[Ref]) -> Iterator[Move]:
    """The move that gives a list its new content, in place or on its way; none if the content stays the same."""
    if updated.content != item.content:
        expect = Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns)
        after = duplicates_before(updated, src.fs, quarantined)
        reason = entries_updated(updated)
        yield Move(Verb.MOVE, src, dst, item.entry.size, expect, reason, parent_of(dst.path), updated.content, after)


def duplicates_before(updated: Rewritten, fs: str, quarantined: Set[Ref]) -> tuple[Ref, ...]:
    """The quarantined duplicates that a list named, and names no longer: they must be gone before the list is updated."""
    return tuple(ref for path in sorted(updated.followed) if (ref := Ref(fs, path)) in quarantined)


def entries_updated(updated: Rewritten) -> str:
    """For the reason of an operation: how many entries change."""
    by_end = f", {updated.by_end} of them found by the end of their path" if updated.by_end else ""
    return f"{updated.changed} of {updated.entries} entries follow their files{by_end}"


def report_unread(path: str, item: Item) -> Skipped:
    """Report a list whose content is unknown."""
    large = item.entry.size is not None and item.entry.size > MAX_BYTES
    why = f"it is larger than {MAX_BYTES // 1024 // 1024} MiB and was not read" if large else "it was not read"
    return Skipped(path, "playlist", f"not updated: {why}")


def report_not_updated(path: str, updated: Rewritten, lost: str = "point at files that do not move along") -> Iterator[Skipped]:
    """Report a list that could not be updated, or not completely. `lost` says what is wrong with the other entries."""
    if updated.problem is not None and updated.changed:
        yield Skipped(path, "playlist", f"not updated although {updated.changed} of its entries move: {updated.problem}")
    elif updated.problem is not None:
        yield Skipped(path, "playlist", f"not updated: {updated.problem}")
    elif updated.lost:
        yield Skipped(path, "playlist", f"{updated.lost} of its entries {lost}")
