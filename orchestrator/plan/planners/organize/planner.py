"""The organize planner: two listings and their tags in, a plan out. The order of the inputs makes no difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from orchestrator.errors import UsageError
from orchestrator.garbage_collection import no_garbage_collection
from orchestrator.plan.build import build_plan
from orchestrator.plan.companions.playlist_updates import PlaylistUpdates
from orchestrator.plan.companions.sorting import is_music
from orchestrator.plan.estimate import passes_through
from orchestrator.plan.model import MIRRORS, Operation, Plan, Respelled, Verb
from orchestrator.plan.ordering import order
from orchestrator.plan.planners.organize.destinations import Destinations
from orchestrator.plan.planners.organize.locations import SourceAndTarget
from orchestrator.plan.planners.organize.mirrors import plan_mirrors
from orchestrator.plan.planners.organize.moves import OrganizeMoves
from orchestrator.plan.planners.organize.placement import Placement
from orchestrator.plan.planners.organize.request import LEFT, OrganizeRequest, source_names
from orchestrator.plan.planners.organize.respelled import only_in_form, respelled_directories
from orchestrator.records import Capabilities, Item
from orchestrator.wording import counted


def plan_organize(request: OrganizeRequest) -> Plan:
    """The plan that brings every file with usable tags to where the layout wants it, and its companions with it.

    Raises UsageError for a layout that cannot work, and if `cloud_only` forbids an operation.
    """
    with no_garbage_collection():
        return _plan(request)


def _plan(request: OrganizeRequest) -> Plan:
    request = _with_left(request)
    source, target = request.source_fs, request.target_fs
    locations = SourceAndTarget(request)
    placement = Placement(request, locations)
    playlists = PlaylistUpdates(
        source,
        request.items,
        target,
        request.target_items,
        below=locations.below,
        copies=request.options.copy,
        external_lists=request.external_lists,
        elsewhere=request.elsewhere,
    )
    destinations = Destinations(request, locations, placement, playlists)
    made = OrganizeMoves(request, locations, placement, destinations, playlists)
    operations = order(made.moves, case_insensitive=request.target_capabilities.case_insensitive)
    mirrored = plan_mirrors(request, destinations.claims, operations, locations.below)
    operations = mirrored.around(operations)
    capabilities = {source: request.source_capabilities, target: request.target_capabilities}
    capabilities |= {mirror.fs: mirror.capabilities for mirror in request.mirrors}
    if request.options.cloud_only:
        _check_cloud_only(operations, capabilities)
    skipped = placement.files.skipped
    without_file = playlists.without_file()
    plan = build_plan(
        operations,
        source=source,
        target=target,
        locations=[mirror.fs for mirror in request.mirrors],
        options=_options(request, placement),
        capabilities=capabilities,
        counts=_counts(request, placement, made, destinations) | without_file.counts | mirrored.counts,
        skipped=[*(skipped[path] for path in sorted(skipped)), *without_file.lists, *mirrored.skipped],
        tool_version=request.tool_version,
        created=request.created,
        config_sha256=request.config_sha256,
    )
    pairs = (*destinations.undecided, *destinations.not_compared)
    undecided = tuple((ours.entry.path, theirs.entry.path) for ours, theirs in pairs)
    respelled = _respelled(request, locations, made)
    named_like = tuple(placement.names_as_tags.unasked)
    return msgspec.structs.replace(
        plan,
        undecided=undecided,
        undecided_at_mirrors=tuple(mirrored.undecided),
        mirrored=tuple(mirrored.mirrored),
        full_mirrors=frozenset(mirrored.full),
        respelled=respelled,
        litter=made.litter,
        suspect=tuple(placement.files.suspect),
        named_like=named_like,
    )


def _with_left(request: OrganizeRequest) -> OrganizeRequest:
    """The request in which what beside music is left has the reason. Music gets it when it has been placed with its album."""
    if not request.left:
        return request
    names = source_names(request)

    def is_left(item: Item) -> bool:
        return names.ref(request.source_fs, item.entry) in request.left

    items = [
        msgspec.structs.replace(item, skipped_because=LEFT) if is_left(item) and not is_music(item) else item
        for item in request.items
    ]
    litter = [item for item in request.litter if not is_left(item)]
    return msgspec.structs.replace(request, items=items, litter=litter)


def _options(request: OrganizeRequest, placement: Placement) -> dict[str, Any]:
    """For the header of the plan."""
    options: dict[str, Any] = msgspec.to_builtins(request.options) | {"rules": msgspec.to_builtins(placement.layout.rules)}
    return options | ({MIRRORS: [mirror.fs for mirror in request.mirrors]} if request.mirrors else {})


def _respelled(request: OrganizeRequest, locations: SourceAndTarget, made: OrganizeMoves) -> tuple[Respelled, ...]:
    """Only moves inside the target can change a spelling: a copy, or what comes from elsewhere, takes the one that is there.

    Keys of objects differ in case, but a server that keeps them on a disk may take both Unicode forms for one: one look shows it.
    """
    if locations.below is None or request.options.copy:
        return ()
    positions = [locations.position(item) for item in request.items]
    arriving = (move.dst.path for move in made.moves if move.verb is not Verb.QUARANTINE and move.dst.fs == request.target_fs)
    found = respelled_directories([*positions, *(item.entry.path for item in request.target_items)], arriving)
    return found if request.target_capabilities.empty_directories else tuple(only_in_form(found))[:1]


def _counts(request: OrganizeRequest, placement: Placement, made: OrganizeMoves, destinations: Destinations) -> dict[str, int]:
    files = placement.files
    counts = {"files": len(request.items), "music": files.music_files, "in_place": made.music_in_place}
    albums = [album for album in placement.albums if not album.singletons]
    of_music = [album for album in albums if not album.songs[0].kind]
    found = {
        "at_target": made.at_target,
        "alike_at_target": made.alike_at_target,
        "suspect": len(files.suspect),
        "artist_inferred": sum(bool(song.inferred_from) for song in files.songs),
        "numbered": made.numbered,
        "copies": sum(album.is_copy for album in albums),
        "discs_by_folder": sum(song.track is not song.tags for song in files.songs),
        "kept_together": placement.kept_together,
        "albums_of_one_track": sum(len(album.songs) == 1 for album in of_music),
        "without_number": sum(song.track.track is None and not song.titled_by_name for album in of_music for song in album.songs),
        "tags_from_cue_sheet": sum(bool(song.cue) for song in files.songs),
        "folders_left": len(made.folders_left),
        "beside_staying": destinations.beside_staying({move.src.path for move in made.moves if move.src.fs == request.source_fs}),
        **_counts_of_names(placement),
    }
    return counts | {name: number for name, number in found.items() if number}


def _counts_of_names(placement: Placement) -> dict[str, int]:
    songs = placement.files.songs
    return {
        "title_from_name": sum(song.titled_by_name and bool(song.track.title) for song in songs),
        "from_names": sum(bool(song.from_name) for song in songs),
        "names_fit": sum(number for _, number in placement.names_as_tags.unasked),
    }


def _check_cloud_only(operations: Iterable[Operation], capabilities: Mapping[str, Capabilities]) -> None:
    passing = [operation for operation in operations if passes_through(operation, capabilities)]
    if passing:
        first = ", ".join(f"{operation.verb} {operation.src.path} -> {operation.dst.path}" for operation in passing[:3])
        raise UsageError(
            f"--cloud-only: {counted(len(passing), 'operation')} would transfer content through this machine, first: {first}"
        )
