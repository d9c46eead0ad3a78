"""Whether one side of a sync, or the record of its syncs, is as of an earlier time: restored from a backup or a snapshot.

What such a side lacks would count as deleted there, and its old files as edits: a sync would put the other side back as well.
Each sync that changes something gives both sides a new number, on disks only: on a remote, that would take requests each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from orchestrator.actions.common_states import open_common_state
from orchestrator.actions.locations import reaching
from orchestrator.actions.session import Session
from orchestrator.apply.guard.sync_count import read_count, write_count
from orchestrator.common_state.store import Pair, SyncCount
from orchestrator.errors import RemoteError
from orchestrator.location import Location


def found_restored(session: Session, locations: Sequence[Location], pair: Pair) -> str | None:
    """What was restored since the last sync of a pair, in words; None if both sides and the record are as it left them."""
    for location, place in zip(locations, pair.ids, strict=True):
        with open_common_state(session) as state:
            count = state.count(pair, place)
        storage = session.storage(location)
        if count is None or not storage.capabilities.local:
            continue
        with reaching(session, location):
            found = read_count(storage, count.name)
        if found < count.written:
            return f"{location.typed} is as it was before the last sync (restored from a backup or a snapshot?)"
        if found > count.last:
            return f"the state directory is older than the last sync of {location.typed} (restored from a backup?)"
    return None


def count_up(session: Session, locations: Sequence[Location], pair: Pair) -> None:
    """Before the first change of a sync: give its disks the next number. One that cannot be written keeps what it has."""
    for location, place in zip(locations, pair.ids, strict=True):
        storage = session.storage(location)
        if not storage.capabilities.local:
            continue
        with open_common_state(session) as state:
            before = state.count(pair, place) or SyncCount(secrets.token_hex(8), 0, 0)
            try:
                found = read_count(storage, before.name)
                number = max(before.last, found) + 1
                state.remember_count(pair, place, SyncCount(before.name, min(before.written, found), number))
                write_count(storage, before.name, number)
            except RemoteError:  # a disk that is only read
                if session.stop.is_set():
                    raise
                continue
            state.remember_count(pair, place, SyncCount(before.name, number, number))
