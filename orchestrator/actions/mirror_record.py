"""What `organize --mirror` makes alike, recorded as `sync` records it: a later sync of target and mirror is no first meeting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from orchestrator.actions.common_states import disk_look, open_common_state
from orchestrator.actions.place_ids import place_ids
from orchestrator.actions.session import Session
from orchestrator.actions.sync_record import SyncRecord, begin_pair
from orchestrator.common_state.store import Pair
from orchestrator.errors import IntegrityError, RemoteError, SafetyLimitError, UsageError
from orchestrator.location import Location
from orchestrator.plan.build import with_option
from orchestrator.plan.model import MIRRORED, Mirrored, Plan
from orchestrator.plan.planners.sync.evidence import unchanged
from orchestrator.plan.planners.sync.records import CHANGED_SINCE, SIDES, File, Inode, Link, Row
from orchestrator.records import Entry

Look = Callable[[str], Inode | None]


def with_mirrored(plan: Plan) -> Plan:
    """A plan whose file says what its copies make alike.

    What is alike already is left out: until the plan is carried out, it may change.
    """
    copied = [one for one in plan.mirrored if one.changes]
    if not copied:
        return plan
    return with_option(plan, MIRRORED, msgspec.json.decode(msgspec.json.encode(copied)))


def saved_mirrored(plan: Plan) -> Sequence[Mirrored]:
    """What the file of a plan says of its copies. Raises IntegrityError."""
    try:
        return msgspec.convert(plan.header.options.get(MIRRORED, ()), tuple[Mirrored, ...])
    except msgspec.ValidationError as error:
        raise IntegrityError("the plan does not say what its mirrors will have: make it again with `plan`") from error


def begin_mirrors(session: Session, plan: Plan, mirrored: Sequence[Mirrored]) -> None:
    """Before the first change: record what target and mirrors have alike already, and what is expected to be.

    What cannot be recorded is a warning, because it stops no run: the next sync compares these files, as a first one does, or
    stops if a place has lost its id.
    """
    by_mirror: dict[str, list[Mirrored]] = defaultdict(list)
    for one in mirrored:
        by_mirror[one.mirror.fs].append(one)
    for fs, files in by_mirror.items():
        target, mirror = session.locations(plan.header.target, fs)
        what = f"what {target.typed} and {mirror.typed} have in common is not recorded as in sync"
        try:
            _begin(session, plan, (target, mirror), files)
        except SafetyLimitError:
            session.reporter.warning(f"{what}: one of them was synced before, and now has no id (is the disk mounted?)")
        except (RemoteError, UsageError) as error:
            if session.stop.is_set():
                raise
            session.reporter.warning(f"{what}: {error.message}")


def _begin(session: Session, plan: Plan, locations: tuple[Location, Location], files: Sequence[Mirrored]) -> None:
    ids = place_ids(session, locations, resync=False)
    rows: Sequence[Row] = ()
    if ids[0] is not None and ids[1] is not None:
        with open_common_state(session) as state:
            rows = state.rows(Pair((ids[0], ids[1]), (locations[0].fs, locations[1].fs))).rows
    known = {(row.files[0].path, row.files[1].path): row for row in rows}
    planned_ns = int(datetime.fromisoformat(plan.header.created).timestamp() * 1e9)
    looks = [disk_look(session.storage(location)) for location in locations]
    links = [_link(one, looks, planned_ns) for one in files]
    links = [link for link in links if link.changes or not _is_known(link, known.get(link.paths or ("", "")))]
    if links:
        begin_pair(session, plan, locations, SyncRecord(ids=ids, state="", links=tuple(links)))


def _link(one: Mirrored, looks: Sequence[Look], planned_ns: int) -> Link:
    entries = one.target_entry, one.mirror_entry
    first, second = (
        None if entry is None else _file(entry, look, planned_ns) for entry, look in zip(entries, looks, strict=True)
    )
    return Link(None, (one.target.path, one.mirror.path), (first, second), one.changes)


def _file(entry: Entry, look: Look, planned_ns: int) -> File:
    """A file that was listed for the plan. One that was changed since is read by the next sync."""
    inode = look(entry.path)
    if inode is not None and inode.ctime_ns is not None and inode.ctime_ns >= planned_ns:
        inode = msgspec.structs.replace(inode, ctime_ns=CHANGED_SINCE)
    return File(entry, inode)


def _is_known(link: Link, row: Row | None) -> bool:
    """Whether the last sync, or the last copy, has recorded both files as they are now."""
    if row is None or row.moved_away_from is not None:
        return False
    return all((file := link.files[side]) is not None and unchanged(file, row.files[side]) for side in SIDES)
