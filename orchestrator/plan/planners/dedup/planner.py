"""The planner of `dedup`: takes the files of one or more locations and makes a plan that quarantines the duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from orchestrator.config.sidecars import DEFAULT_SIDECARS, SidecarRule
from orchestrator.paths import join_location
from orchestrator.plan.build import build_plan
from orchestrator.plan.companions.playlists.external import ExternalList, report_external_lists
from orchestrator.plan.companions.playlists.following import lists_of
from orchestrator.plan.companions.playlists.meaning import Library
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.model import Expect, KeptCopy, Plan, Skipped, Verb
from orchestrator.plan.ordering import Move, order
from orchestrator.plan.planners.dedup.candidates import Candidate, candidates_of
from orchestrator.plan.planners.dedup.choices import NO_CHOICES, Choices
from orchestrator.plan.planners.dedup.companions import DuplicateCompanions
from orchestrator.plan.planners.dedup.keep_order import KEPT_BECAUSE, because
from orchestrator.plan.planners.dedup.kept_copies import kept_copy_of
from orchestrator.plan.planners.dedup.records import Decision, Duplicates
from orchestrator.plan.planners.dedup.repeated_search import find_duplicates
from orchestrator.plan.planners.dedup.search import SameFiles
from orchestrator.plan.planners.dedup.settings import DedupSettings, LayoutSettings
from orchestrator.plan.shared_names import SharedNames, display_name, name_in_quarantine
from orchestrator.records import Capabilities, Item
from orchestrator.track import Status


class DedupLocation(msgspec.Struct, frozen=True, kw_only=True):
    """One location and its files."""

    fs: str
    items: Sequence[Item]
    capabilities: Capabilities


class DedupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The input of `plan_dedup`. The order of items does not matter; the first location is the source of the plan."""

    locations: Sequence[DedupLocation]
    """One or more. None is inside another one."""
    options: DedupSettings = DedupSettings()
    tool_version: str
    created: str
    """RFC 3339."""
    config_sha256: str = ""
    sidecars: tuple[SidecarRule, ...] = DEFAULT_SIDECARS
    """Which files next to the music are its companions."""
    layout: LayoutSettings | None = None
    """Where the layout wants files; None: no file counts as in place."""
    external_lists: Sequence[ExternalList] = ()
    """Playlists outside all these locations; those that point at duplicates being quarantined are reported."""
    elsewhere: frozenset[str] = frozenset()
    """Absolute paths of files outside the locations that playlist entries name, on this machine."""
    choices: Choices = NO_CHOICES
    """What a person has chosen in a review."""


def plan_dedup(request: DedupRequest) -> Plan:
    """The plan that quarantines every duplicate of tiers T0 to T3. Raises UsageError for an invalid `keep`."""
    return plan_of(request, duplicates_of(request))


def duplicates_of(request: DedupRequest) -> Duplicates:
    """The duplicates in these locations. Raises UsageError for an invalid `keep`."""
    candidates = _candidates(request)
    found = find_duplicates(candidates, request.options, partial(_note_in_place, request), request.choices)
    return replace(found, candidates=candidates)


def same_files_of(request: DedupRequest) -> SameFiles:
    """Which files in these locations are the same, to try choices on."""
    return SameFiles(_candidates(request), partial(_note_in_place, request))


def _candidates(request: DedupRequest) -> tuple[Candidate, ...]:
    return tuple(
        candidate
        for location in request.locations
        for candidate in candidates_of(location.fs, location.items, location.capabilities)
    )


def _note_in_place(request: DedupRequest, candidates: Sequence[Candidate], wanted: Iterable[Candidate]) -> None:
    if request.layout is None:
        return
    from orchestrator.plan.planners.dedup.in_place import note_in_place  # noqa: PLC0415 - jinja2 is slow to import

    note_in_place(request.layout, {location.fs: location.capabilities for location in request.locations}, candidates, wanted)


def plan_of(request: DedupRequest, duplicates: Duplicates) -> Plan:
    """The plan that quarantines these duplicates.

    Companions of duplicates move to the kept copies or are quarantined as well; playlists are updated to the kept copies.
    """
    several = len(request.locations) > 1
    moves = [quarantine_of(decision, several=several) for decision in duplicates.decisions]
    items = [item for location in request.locations for item in location.items]
    skipped = [*_skipped(items)]
    for companions, fs in _companions(request, duplicates):
        moves += companions.moves
        skipped += (
            replace(one, path=join_location(fs, one.path)) if several else one  # paths of one location need no prefix
            for one in companions.skipped
        )
    skipped += _external_lists(request, duplicates)
    counts = Counter(f"duplicates.{decision.tier}" for decision in duplicates.decisions)
    counts.update({"files": len(items), "music": sum(1 for item in items if item.reading is not None)})
    locations = [location.fs for location in request.locations]
    return build_plan(
        order(moves),
        source=locations[0],
        target=locations[0],
        locations=locations,
        options=msgspec.to_builtins(request.options) | {"locations": locations},
        capabilities={location.fs: location.capabilities for location in request.locations},
        counts=counts,
        skipped=skipped,
        tool_version=request.tool_version,
        created=request.created,
        config_sha256=request.config_sha256,
    )


def _companions(request: DedupRequest, duplicates: Duplicates) -> Iterator[tuple[DuplicateCompanions, str]]:
    kept = kept_copy_of(duplicates.decisions, {location.fs: SharedNames(location.items) for location in request.locations})
    for location in request.locations:
        fs = location.fs
        decisions = [decision for decision in duplicates.decisions if decision.duplicate.fs == fs]
        if decisions:
            companions = DuplicateCompanions(
                fs,
                location.items,
                location.capabilities,
                decisions=decisions,
                candidates=duplicates.candidates,
                kept_copies={freed: copy for freed, copy in kept.items() if freed.fs == fs},
                references=request.options.reference,
                table=SidecarTable(request.sidecars),
                elsewhere=request.elsewhere,
            )
            yield companions, fs


def _external_lists(request: DedupRequest, duplicates: Duplicates) -> Iterator[Skipped]:
    """The playlists of other locations that point at duplicates being quarantined."""
    lists = [
        ExternalList(location.fs, item.entry.path, item.content)
        for location in request.locations
        for item in lists_of(location.items)
        if item.content is not None
    ]
    for location in request.locations:
        leaving = {decision.duplicate.path for decision in duplicates.decisions if decision.duplicate.fs == location.fs}
        external = [*(one for one in lists if one.fs != location.fs), *request.external_lists]
        if leaving and external:
            library = Library(Root(location.fs), {item.entry.path for item in location.items}, request.elsewhere)
            yield from report_external_lists(external, location.fs, library, leaving, "point at duplicates being quarantined")


def quarantine_of(decision: Decision, *, several: bool) -> Move:
    """The operation that quarantines a duplicate. `several`: the reason also names the location of the kept copy."""
    duplicate, kept = decision.duplicate, decision.kept
    entry, kept_entry = duplicate.item.entry, kept.item.entry
    kept_name = display_name(kept.ref, "" if several else kept.fs)
    expect = Expect(
        hash=entry.hashes,
        mtime=entry.mtime_ns,
        kept=KeptCopy(kept.fs, kept.path, kept_entry.size, kept_entry.hashes, kept_entry.mtime_ns, decision.tier, kept.ref.id),
    )
    destination = name_in_quarantine(duplicate.ref)
    reason = reason_of(decision, kept_name)
    return Move(Verb.QUARANTINE, duplicate.ref, destination, entry.size, expect, reason, kept_name)


def reason_of(decision: Decision, kept_name: str) -> str:
    """Why a file is quarantined, in words: how it is the same as the kept copy, and why that one is kept."""
    lossy = decision.kept.track.lossless and decision.duplicate.track.lossless is False
    what = "lossy copy of the lossless" if lossy else f"{decision.tier.words} as"
    return f"{what} {kept_name}, {KEPT_BECAUSE} {because(decision.criterion)}"


def _skipped(items: Iterable[Item]) -> Iterable[Skipped]:
    for item in sorted(items, key=lambda item: item.entry.path):
        if item.reading is not None and item.reading.status is Status.UNREADABLE:
            yield Skipped(item.entry.path, "unreadable", item.reading.reason or "its tags could not be read")
        elif item.skipped_because is not None and item.reading is not None:
            yield Skipped(item.entry.path, "left-alone", item.skipped_because)
