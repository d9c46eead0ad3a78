"""Duplicates within `organize`: they go before the places are given, so that no place is kept for a file that goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from orchestrator.errors import UsageError
from orchestrator.paths import location_prefix
from orchestrator.plan.companions.sorting import SortedItems
from orchestrator.plan.music.song import Song
from orchestrator.plan.ordering import Move
from orchestrator.plan.planners.dedup.candidates import candidates_of
from orchestrator.plan.planners.dedup.kept_copies import kept_copy_of
from orchestrator.plan.planners.dedup.options import DEFAULT_KEEP, DedupOptions
from orchestrator.plan.planners.dedup.planner import quarantine_of
from orchestrator.plan.planners.dedup.records import Decision, Duplicates
from orchestrator.plan.planners.dedup.search import find_duplicates
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.plan.shared_names import Sharing
from orchestrator.records import Item, Ref

_QUALITY = ("reference", "whole", "lossless", "bit_depth", "sample_rate", "bitrate", "longest")


class QuarantinedDuplicates(msgspec.Struct, frozen=True):
    """What goes because it is a duplicate."""

    moves: tuple[Move, ...] = ()
    """Into the quarantine of the location that each lies in."""
    dropped: tuple[Decision, ...] = ()
    """What of the source is neither placed nor copied."""
    replacements: dict[Ref, Ref] = {}
    """What goes -> what stays for it, each without an id: lists that name the one then name the other."""
    at_target: frozenset[str] = frozenset()
    """Paths at another target that become free."""

    @property
    def gone(self) -> set[str]:
        """The names of the source at which nothing is left, or copied."""
        return {ref.path for one in self.dropped if (ref := Ref(one.duplicate.fs, one.duplicate.path)) in self.replacements}


def take_out(
    request: OrganizeRequest, options: DedupOptions, intake: SortedItems, at_home: Callable[[Song], bool]
) -> QuarantinedDuplicates:
    """Take the duplicates out of what `organize` is about to place.

    Of equal copies the one at another target stays. A copying run leaves the source as it is and copies no duplicate.
    `at_home` tells whether a song lies where the layout wants it. Raises UsageError where nothing can be taken out.
    """
    source, target = request.source_fs, request.target_fs
    copying = request.options.copy
    if copying and location_prefix(source).startswith(location_prefix(target)):
        raise UsageError("--dedup quarantine does not go with --copy inside one location: --copy leaves every original in place")
    home = {song.item.entry.path for song in intake.songs if at_home(song)}
    decisions = duplicates_of(request, options, home).decisions
    dropped = tuple(decision for decision in decisions if decision.duplicate.fs == source)
    intake.drop([decision.duplicate.item for decision in dropped])
    moves = [quarantine_of(one, several=source != target) for one in decisions if not (copying and one.duplicate.fs == source)]
    # A name that others carry as well does not become free.
    at_target = frozenset(one.duplicate.path for one in decisions if one.duplicate.fs != source and not one.duplicate.shares_name)
    sharing = {target: Sharing(request.target_entries), source: intake.sharing}
    return QuarantinedDuplicates(tuple(moves), dropped, kept_copy_of(decisions, sharing), at_target)


def duplicates_of(request: OrganizeRequest, options: DedupOptions, home: Collection[str] = ()) -> Duplicates:
    """The duplicates of what `organize` looks at: its source and, where that is another place, its target.

    `home` are the paths of the source that the layout wants as they are.
    """
    source, target = request.source_fs, request.target_fs
    candidates = candidates_of(source, request.items, request.source_capabilities)
    for candidate in candidates:
        candidate.in_place = candidate.path in home
    if source != target:
        candidates += candidates_of(target, _outside(request.target_entries, source, target), request.target_capabilities)
        options = msgspec.structs.replace(options, keep=_target_first(options.keep, target))
    return find_duplicates(candidates, options)


def _outside(entries: Sequence[Item], source: str, target: str) -> list[Item]:
    """What lies at the target and not in the source, where that lies below it."""
    prefix, root = location_prefix(source), location_prefix(target)
    return [item for item in entries if not (root + item.entry.path).startswith(prefix)]


def _target_first(keep: Sequence[str], target: str) -> tuple[str, ...]:
    """The criteria, and after those of quality: what is at the target stays there."""
    words = list(keep or DEFAULT_KEEP)
    behind = max((index + 1 for index, word in enumerate(words) if word in _QUALITY), default=0)
    mine = f"location:{target}"
    return tuple(words if mine in words else [*words[:behind], mine, *words[behind:]])
