"""What a plan of `sync` means for the common state: written before its run begins, also where the plan comes from a file."""

from __future__ import annotations

import msgspec

from orchestrator.actions.common_states import open_common_state
from orchestrator.actions.place_ids import PlaceIds, check_no_copy, check_two_places, id_of
from orchestrator.actions.session import Session
from orchestrator.actions.sync_counts import count_up, found_restored
from orchestrator.apply.guard.place_id import write_place_id
from orchestrator.common_state.store import Pair
from orchestrator.errors import IntegrityError, StalePlanError
from orchestrator.location import Location
from orchestrator.plan.build import with_option
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.sync.each_way import done_each_way, planned_each_way
from orchestrator.plan.planners.sync.records import FolderPair, Link

_KEY = "common_state"
_AGAIN = "make the plan again with `sync --plan`"


class SyncRecord(msgspec.Struct, frozen=True, kw_only=True):
    """It stands in the header of a plan file, beside the options of the sync."""

    ids: PlaceIds
    """Of the two places; None for one that had none yet."""
    state: str
    """The digest of the common state that the plan was made from."""
    links: tuple[Link, ...]
    empty_folders: tuple[FolderPair, ...] | None = None
    """The folders without files that both sides have then; None if they are not known, and what was recorded stays."""
    resync: bool = False
    """The common state is forgotten first."""


def with_record(plan: Plan, record: SyncRecord) -> Plan:
    """A plan that can be written to a file, and carried out later."""
    encoded = msgspec.json.decode(msgspec.json.encode(record))
    return with_option(plan, "sync", {**plan.header.options["sync"], _KEY: encoded})


def saved_record(plan: Plan) -> SyncRecord | None:
    """That of a plan from a file; None if it is not a plan of `sync`. Raises IntegrityError."""
    sync = plan.header.options.get("sync")
    if not isinstance(sync, dict):
        return None
    try:
        return msgspec.convert(sync.get(_KEY), SyncRecord)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"the plan does not say what the sync knows of both sides: {_AGAIN}") from error


def moves_files(plan: Plan) -> bool:
    """Whether files are deleted at the source: then no copy is verified by its size alone."""
    sync = plan.header.options.get("sync")
    return isinstance(sync, dict) and bool(sync.get("delete_after"))


def check_saved_record(session: Session, plan: Plan, record: SyncRecord) -> None:
    """Raise StalePlanError if another sync of these places has ended since the plan was made, or these are other places.

    UsageError if one is a copy of a place.
    """
    locations = session.locations(plan.header.source, plan.header.target)
    now = [id_of(session, location) for location in locations]
    for location, before, found in zip(locations, record.ids, now, strict=True):
        if before is not None and found != before:
            raise StalePlanError(f"{location.typed} is not the folder of the plan any more (is the disk mounted?): {_AGAIN}")
        check_no_copy(session, location, found)
    if now[0] is None or now[1] is None or record.resync:
        return
    pair = Pair((now[0], now[1]), (locations[0].fs, locations[1].fs))
    with open_common_state(session) as state:
        if state.digest(pair) != record.state:
            raise StalePlanError(f"these locations were synced after the plan was made: {_AGAIN}")
    if record.state and (restored := found_restored(session, locations, pair)):
        raise StalePlanError(f"{restored}: {_AGAIN}")


def begin_sync(session: Session, plan: Plan, record: SyncRecord) -> None:
    """Before the first change of a sync: see `begin_pair`."""
    a, b = session.locations(plan.header.source, plan.header.target)
    begin_pair(session, plan, (a, b), record)


def begin_pair(session: Session, plan: Plan, locations: tuple[Location, Location], record: SyncRecord) -> None:
    """Give each place its id, record what is alike already, and what is expected to be.

    Raises UsageError where both turn out to be one place.
    """
    first = record.ids[0] or id_of(session, locations[0]) or write_place_id(session.storage(locations[0]))
    second = record.ids[1] or id_of(session, locations[1])
    check_two_places(locations[0], locations[1], (first, second))
    pair = Pair((first, second or write_place_id(session.storage(locations[1]))), (locations[0].fs, locations[1].fs))
    if record.links or plan.operations:
        count_up(session, locations, pair)
    with open_common_state(session) as state:
        state.remember_places(pair)
        if record.resync:
            state.forget(pair)
        state.record(pair, [link for link in record.links if not link.changes], session.journal.newest())
        if record.empty_folders is not None:
            state.remember_empty_folders(pair, record.empty_folders)
        state.expect(plan.header.plan_id, pair, [link for link in record.links if link.changes])


def count_each_way(session: Session, plan: Plan | None) -> None:
    """Fill in what the summary says of each side after a dry run, or where nothing was carried out."""
    if plan is not None and "sync" in plan.header.options and not session.summary.each_way:
        session.summary.each_way = planned_each_way(plan.header) if session.options.dry_run else done_each_way(plan.header, ())
