"""The ids of the two places of a sync: that none has lost its id, and that no two places have one."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.actions.common_states import open_common_state
from orchestrator.actions.locations import one_folder, reaching
from orchestrator.actions.session import Session
from orchestrator.apply.guard.place_id import leads_to_the_same, place_id
from orchestrator.errors import RemoteError, SafetyLimitError, UsageError
from orchestrator.location import Location

PlaceIds = tuple[str | None, str | None]
_REMEDY = "delete .music-orchestrator/place-id in the copy: its next sync is then a first one, which deletes nothing"


def place_ids(session: Session, locations: Sequence[Location], *, resync: bool) -> PlaceIds:
    """The ids of two places; None for one that was never synced.

    Raises SafetyLimitError where a place has lost its id, and UsageError where another place has the same one.
    """
    ids: list[str | None] = []
    for location in locations:
        found, before = id_of(session, location), _last_id(session, location)
        if found is None and before is not None and not resync:
            raise _lost(
                location, "Nothing was changed; if its content was really replaced, --resync starts over and deletes nothing"
            )
        if found is not None and before is not None and found != before:
            session.reporter.warning(
                f"{location.typed} is another folder than at the last sync: this sync is like a first one, unless "
                "both have been synced before"
            )
        ids.append(found)
    check_two_places(locations[0], locations[1], (ids[0], ids[1]))
    for location, found in zip(locations, ids, strict=True):
        check_no_copy(session, location, found)
    return ids[0], ids[1]


def check_mirror(session: Session, mirror: Location, target: Location) -> None:
    """Raise SafetyLimitError where a mirror has lost its id: a folder where a disk is to be mounted would be filled."""
    if _last_id(session, mirror) is not None and id_of(session, mirror) is None:
        remedy = (
            f"if its content was really replaced, `music-orchestrator sync {target.typed} {mirror.typed} --resync` starts over"
        )
        raise _lost(mirror, f"Nothing is copied to this mirror; {remedy}")


def _lost(location: Location, consequence: str) -> SafetyLimitError:
    return SafetyLimitError(f"{location.typed} was synced before, and now has no id: is the disk mounted? {consequence}")


def _last_id(session: Session, location: Location) -> str | None:
    with open_common_state(session) as state:
        return state.id_at(location.fs)


def check_two_places(a: Location, b: Location, ids: PlaceIds) -> None:
    """Raise UsageError for one place under two names that nothing else has shown to be one, or a copy with its id."""
    if ids[0] is not None and ids[0] == ids[1]:
        raise UsageError(
            f"{a.typed} and {b.typed} have the same place-id: they are one folder under two names, or one was copied with its "
            f".music-orchestrator/; then {_REMEDY}"
        )


def check_no_copy(session: Session, location: Location, identity: str | None) -> None:
    """Raise UsageError if the place that was last synced with this id, under another name, is still there beside this one.

    What is known of the one is not true of the other: their differences would count as edits and deletions. One place under two
    names is no copy; where neither the names nor the disk tell, a file is written through the one and looked for in the other.
    """
    with open_common_state(session) as state:
        last = None if identity is None else state.last_name_of(identity)
    if identity is None or last is None or last == location.fs:
        return
    try:
        (before,) = session.locations(last)
        if session.path_below(location, before) == "" or one_folder(location, before):
            return
        storage, earlier = session.storage(location), session.storage(before)
        if place_id(earlier) != identity:
            return  # it was moved from there
        only_disks = location.local and before.local
        if session.options.dry_run and not only_disks:
            session.reporter.warning(f"{location.typed} and {last} have the same place-id: if one is a copy, {_REMEDY}")
            return
        if not only_disks and leads_to_the_same(storage, earlier):
            return
    except (RemoteError, UsageError) as error:
        session.reporter.note(f"{location.typed} was synced as {last} before, which cannot be reached now ({error.message})")
        return
    raise UsageError(
        f"{location.typed} and {last} have the same place-id, so one was copied with its .music-orchestrator/: nothing was "
        f"changed; {_REMEDY}"
    )


def id_of(session: Session, location: Location) -> str | None:
    """The id of the place at a location; None if it has none yet."""
    with reaching(session, location):
        return place_id(session.storage(location))
