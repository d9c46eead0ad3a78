"""What waits in the queue, as the actions use it: put there what a remote that is away has stopped, and forget what was done."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.actions.common_states import open_common_state
from orchestrator.actions.session import Session
from orchestrator.config.location_text import is_path
from orchestrator.location import Location
from orchestrator.sync_queue.store import Intention, Queue, pair_names

QUEUE_FILE = "queue.sqlite3"
_KEPT = ("max_delete", "bandwidth", "transfers")
"""Common options that say how to carry out what was wanted."""
_KEPT_PATHS = ("config", "rclone", "rclone_config")


def open_queue(session: Session) -> Queue:
    """The queue; warns if it was damaged and a new one was begun. Raises UsageError."""
    queue = Queue(session.state / QUEUE_FILE)
    if queue.moved_aside is not None:
        session.reporter.warning(
            f"the queue is damaged and was moved to {queue.moved_aside}: what waited in it is not tried again; run those syncs"
        )
    return queue


def names_of_pair(session: Session, a: str, b: str) -> frozenset[str]:
    """All that two locations (in canonical form) are called, which is the same in either order. Sends no requests."""
    identities = ["+".join(sorted(session.identities_of(fs))) for fs in (a, b)]
    names = [(a, b), (identities[0], identities[1])]
    with open_common_state(session) as state:
        ids = state.id_at(a), state.id_at(b)
    if ids[0] is not None and ids[1] is not None:
        names.append((ids[0], ids[1]))
    return pair_names(*names)


def intention_to_sync(
    session: Session, locations: tuple[Location, Location], direction: str, options: dict[str, Any]
) -> Intention:
    """What a sync wants. `options`: those of SyncOptions that were given, without the locations."""
    a, b = locations
    given = {name: getattr(session.options, name) for name in (*_KEPT, *_KEPT_PATHS)}
    common = {name: value for name, value in given.items() if value is not None}
    common |= {name: str(Path(common[name]).expanduser().absolute()) for name in _KEPT_PATHS if name in common}
    return Intention(_typed(a), _typed(b), direction, names_of_pair(session, a.fs, b.fs), options, common)


def intention_to_mirror(session: Session, source: Location, mirror: Location) -> Intention:
    """What `organize --mirror` wants: to copy from the source to the mirror, and delete nothing there."""
    way = "to_local" if mirror.local and not source.local else "to_cloud"
    wanted = intention_to_sync(session, (source, mirror), "a-to-b", {way: True})
    return msgspec.structs.replace(wanted, kind="mirror")


def put(session: Session, intention: Intention, reason: str) -> None:
    """Queue it and say so. Raises what the database raises."""
    with open_queue(session) as queue:
        row = queue.put(intention, reason, time.time())
    session.summary.queued += 1
    next_try = datetime.fromtimestamp(row.next_try).astimezone().isoformat(sep=" ", timespec="minutes")
    session.reporter.note(
        f"queued {intention.a} and {intention.b}: `music-orchestrator queue flush` tries again, with --due from {next_try} on"
    )


def _typed(location: Location) -> str:
    """What to type for it in another folder, and as another user."""
    return location.fs if is_path(location.typed) else location.typed
