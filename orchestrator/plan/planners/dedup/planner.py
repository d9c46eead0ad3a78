"""The planner of `dedup`: the files of one or several locations in, a plan out that takes the duplicates out of the library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from orchestrator.config.sidecars import DEFAULT_SIDECARS, SidecarRule
from orchestrator.paths import join_location
from orchestrator.plan.build import build_plan
from orchestrator.plan.companions.playlists.external import ExternalList, report_external_lists
from orchestrator.plan.companions.playlists.following import lists_of
from orchestrator.plan.companions.playlists.meaning import Library, Root
from orchestrator.plan.companions.sidecar_table import SidecarTable
from orchestrator.plan.model import Expect, KeptCopy, Plan, Skipped, Verb
from orchestrator.plan.ordering import Move, order
from orchestrator.plan.planners.dedup.candidates import candidates_of
from orchestrator.plan.planners.dedup.companions import DuplicateCompanions
from orchestrator.plan.planners.dedup.kept_copies import kept_copy_of
from orchestrator.plan.planners.dedup.records import Decision, Duplicates
from orchestrator.plan.planners.dedup.search import find_duplicates
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.shared_names import SharedNames, display_name, name_in_quarantine
from orchestrator.records import Capabilities, Item
from orchestrator.track import Status


class DedupLocation(msgspec.Struct, frozen=True, kw_only=True):
    """One location and what lies there."""

    fs: str
    items: Sequence[Item]
    capabilities: Capabilities


class DedupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to `plan_dedup`. The order of items makes no difference; that of places names the plan's source."""

    places: Sequence[DedupLocation]
    """One or more. None lies in another one."""
    options: DedupSettings = DedupSettings()
    tool_version: str
    created: str
    """RFC 3339."""
    config_sha256: str = ""
    sidecars: tuple[SidecarRule, ...] = DEFAULT_SIDECARS
    """With what files beside the music go."""
    external_lists: Sequence[ExternalList] = ()
    """Playlists outside all these locations; those that point at duplicates being quarantined are reported."""


def plan_dedup(request: DedupRequest) -> Plan:
    """The plan that quarantines every duplicate of tiers T0 to T3. Raises UsageError for a wrong `keep`."""
    return plan_of(request, duplicates_of(request))


def duplicates_of(request: DedupRequest) -> Duplicates:
    """What is the same as what in these places, and what should become of it. Raises UsageError for a wrong `keep`."""
    candidates = tuple(one for place in request.places for one in candidates_of(place.fs, place.items, place.capabilities))
    return replace(find_duplicates(candidates, request.options), candidates=candidates)


def plan_of(request: DedupRequest, duplicates: Duplicates) -> Plan:
    """The plan that quarantines what goes by `duplicates`; what lies beside it goes with it or with what stays, lists follow."""
    several = len(request.places) > 1
    moves = [quarantine_of(decision, several=several) for decision in duplicates.decisions]
    capabilities = {place.fs: place.capabilities for place in request.places}
    items = [item for place in request.places for item in place.items]
    named = [*_skipped(items)]
    for found, fs in _beside(request, duplicates):
        moves += found.moves
        named += found.skipped if not several else (replace(one, path=join_location(fs, one.path)) for one in found.skipped)
    named += _external_lists(request, duplicates)
    operations = order(moves)
    counts = Counter(f"duplicates.{decision.tier}" for decision in duplicates.decisions)
    counts.update({"files": len(items), "music": sum(1 for item in items if item.reading is not None)})
    locations = [place.fs for place in request.places]
    return build_plan(
        operations,
        source=locations[0],
        target=locations[0],
        locations=locations,
        options=msgspec.to_builtins(request.options) | {"locations": locations},
        capabilities=capabilities,
        counts=counts,
        skipped=named,
        tool_version=request.tool_version,
        created=request.created,
        config_sha256=request.config_sha256,
    )


def _beside(request: DedupRequest, duplicates: Duplicates) -> Iterator[tuple[DuplicateCompanions, str]]:
    stays = kept_copy_of(duplicates.decisions, {place.fs: SharedNames(place.items) for place in request.places})
    for place in request.places:
        here = [decision for decision in duplicates.decisions if decision.duplicate.fs == place.fs]
        if here:
            yield (
                DuplicateCompanions(
                    place.fs,
                    place.items,
                    place.capabilities,
                    decisions=here,
                    candidates=duplicates.candidates,
                    replacements={gone: other for gone, other in stays.items() if gone.fs == place.fs},
                    references=request.options.reference,
                    table=SidecarTable(request.sidecars),
                ),
                place.fs,
            )


def _external_lists(request: DedupRequest, duplicates: Duplicates) -> Iterator[Skipped]:
    """The lists of other places that name what goes."""
    others = [
        ExternalList(place.fs, item.entry.path, item.content)
        for place in request.places
        for item in lists_of(place.items)
        if item.content is not None
    ]
    for place in request.places:
        leaving = {decision.duplicate.path for decision in duplicates.decisions if decision.duplicate.fs == place.fs}
        lists = [*(one for one in others if one.fs != place.fs), *request.external_lists]
        if leaving and lists:
            library = Library(Root(place.fs), {item.entry.path for item in place.items})
            yield from report_external_lists(lists, place.fs, library, leaving, "are duplicates that go")


def quarantine_of(decision: Decision, *, several: bool) -> Move:
    """What takes a duplicate away. `several`: name the location of the one that stays as well."""
    goes, stays = decision.duplicate, decision.kept
    entry, twin = goes.item.entry, stays.item.entry
    kept = display_name(stays.ref, "" if several else stays.fs)
    expect = Expect(
        hash=entry.hashes,
        mtime=entry.mtime_ns,
        kept=KeptCopy(stays.fs, stays.path, twin.size, twin.hashes, twin.mtime_ns, decision.tier, stays.ref.id),
    )
    return Move(Verb.QUARANTINE, goes.ref, name_in_quarantine(goes.ref), entry.size, expect, reason_of(decision, kept), kept)


def reason_of(decision: Decision, kept: str) -> str:
    """Why a file goes, in words: tier, the file that stays, the criterion that decided between them."""
    lossy = decision.kept.track.lossless and decision.duplicate.track.lossless is False
    what = "lossy copy of the lossless" if lossy else f"{decision.tier.words} as"
    return f"{decision.tier} {what} {kept}, which stays for: {decision.criterion}"


def _skipped(items: Iterable[Item]) -> Iterable[Skipped]:
    for item in sorted(items, key=lambda item: item.entry.path):
        if item.reading is not None and item.reading.status is Status.UNREADABLE:
            yield Skipped(item.entry.path, "unreadable", item.reading.reason or "its tags could not be read")
        elif item.skipped_because is not None and item.reading is not None:
            yield Skipped(item.entry.path, "left-alone", item.skipped_because)
