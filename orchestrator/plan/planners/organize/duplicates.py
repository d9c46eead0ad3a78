"""Duplicates in an organize run: they are removed before names are given, so that none takes a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

import msgspec

from orchestrator.errors import UsageError
from orchestrator.paths import join_location, location_prefix
from orchestrator.plan.companions.sorting import SortedItems
from orchestrator.plan.music.song import Song
from orchestrator.plan.ordering import Move
from orchestrator.plan.planners.dedup.candidates import Candidate, candidates_of
from orchestrator.plan.planners.dedup.in_place import note_in_place
from orchestrator.plan.planners.dedup.kept_copies import kept_copy_of
from orchestrator.plan.planners.dedup.planner import quarantine_of
from orchestrator.plan.planners.dedup.records import Decision, Duplicates
from orchestrator.plan.planners.dedup.repeated_search import find_duplicates
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP, DedupSettings, LayoutSettings
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.plan.shared_names import SharedNames
from orchestrator.records import Item, Ref

_QUALITY = ("reference", "whole", "lossless", "bit_depth", "sample_rate", "bitrate")


class QuarantinedDuplicates(msgspec.Struct, frozen=True):
    """The duplicates that an organize run quarantines, or does not copy."""

    moves: tuple[Move, ...] = ()
    """To the quarantine of the location that each is in."""
    of_source: tuple[Decision, ...] = ()
    """The duplicates in the source: they are neither placed nor copied."""
    kept_copies: dict[Ref, Ref] = {}
    """Duplicate -> kept copy, each without an id: playlists that name the one then name the other."""
    freed_at_target: frozenset[str] = frozenset()
    """Paths in another target that become free."""

    @property
    def freed(self) -> set[str]:
        """The paths of the source that become free, or are not copied."""
        return {ref.path for one in self.of_source if (ref := Ref(one.duplicate.fs, one.duplicate.path)) in self.kept_copies}


def quarantine_duplicates(
    request: OrganizeRequest, options: DedupSettings, files: SortedItems, is_in_place: Callable[[Song], bool]
) -> QuarantinedDuplicates:
    """Find the duplicates and remove them from the `files` to organize.

    Of equal copies the one in another target is kept. A copying run leaves the source as it is and copies no duplicate.
    `is_in_place` says whether a song is where the layout wants it. Raises UsageError where nothing can be quarantined.
    """
    source, target = request.source_fs, request.target_fs
    copying = request.options.copy
    if copying and location_prefix(source).startswith(location_prefix(target)):
        raise UsageError(
            "--dedup quarantine cannot be combined with --copy in one location: --copy keeps every original in place"
        )
    in_place = {song.item.entry.path for song in files.songs if is_in_place(song)}
    found = duplicates_of(request, options, in_place).decisions
    files.drop_duplicates([one.duplicate.item for one in found if one.duplicate.fs == source])
    decisions = [one for one in found if one.duplicate.ref not in request.left]
    of_source = tuple(decision for decision in decisions if decision.duplicate.fs == source)
    moves = [quarantine_of(one, several=source != target) for one in decisions if not (copying and one.duplicate.fs == source)]
    # A name that other files have as well does not become free.
    freed_at_target = frozenset(
        one.duplicate.path for one in decisions if one.duplicate.fs != source and not one.duplicate.shares_name
    )
    shared_names = {target: SharedNames(request.target_items), source: files.shared_names}
    return QuarantinedDuplicates(tuple(moves), of_source, kept_copy_of(decisions, shared_names), freed_at_target)


def duplicates_of(request: OrganizeRequest, options: DedupSettings, in_place: Collection[str] | None = None) -> Duplicates:
    """The duplicates in the source and, if that is another location, the target.

    `in_place` are the paths of the source that are already where the layout wants them; None: it is asked.
    """
    source, target = request.source_fs, request.target_fs
    candidates = candidates_of(source, request.items, request.source_capabilities)
    for candidate in candidates:
        candidate.in_place = in_place is not None and candidate.path in in_place
    if source != target:
        candidates += candidates_of(target, _outside_source(request.target_items, source, target), request.target_capabilities)
        options = msgspec.structs.replace(options, keep=_prefer_target(options.keep, target), precedence=(target, source))
    return find_duplicates(candidates, options, partial(_note_in_place, request) if in_place is None else None)


def _note_in_place(request: OrganizeRequest, candidates: Sequence[Candidate], wanted: Iterable[Candidate]) -> None:
    if request.source_fs != request.target_fs:
        return  # what comes from elsewhere is never in place
    chosen = request.options
    settings = LayoutSettings(layout=chosen.layout, layouts=chosen.layouts, names=chosen.names, replace=chosen.replace)
    note_in_place(settings, {request.source_fs: request.source_capabilities}, candidates, wanted)


def _outside_source(items: Sequence[Item], source: str, target: str) -> list[Item]:
    """The files of the target that are not in the source, if that is inside it."""
    return [item for item in items if not join_location(target, item.entry.path).startswith(location_prefix(source))]


def _prefer_target(keep: Sequence[str], target: str) -> tuple[str, ...]:
    """The criteria with "keep what is in the target" after those of quality, if they do not say what they prefer."""
    words = list(keep or DEFAULT_KEEP)
    if "first_location" not in words and f"location:{target}" not in words:
        words.insert(max((index + 1 for index, word in enumerate(words) if word in _QUALITY), default=0), "first_location")
    return tuple(words)
