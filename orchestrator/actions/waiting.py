"""What waits in the queue, as the actions use it: put there what a remote that is away has stopped, and forget what was done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec

from orchestrator.actions.session import Session
from orchestrator.apply.journal.records import Run
from orchestrator.config.location_text import is_path
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import OrchestratorError
from orchestrator.location import Location
from orchestrator.plan.planners.sync.records import Direction
from orchestrator.sync_queue.store import Intention, Kind, Queue, Waiting, pair_names
from orchestrator.user_paths import user_path

QUEUE_FILE = "queue.sqlite3"
_KEPT = ("max_delete", "max_cost", "max_transfer", "bandwidth", "transfers")
"""Common options that say how to carry out what was wanted."""
_NOT_KEPT = {"a", "b", "plan_file"}
"""Options of `sync` that are kept elsewhere, or are about one run."""
_KEPT_PATHS = ("config", "rclone", "rclone_config")


_ARROWS = {"a-to-b": "->", "b-to-a": "<-", "both": "<->"}


def name_of(a: str, b: str, direction: str) -> str:
    """A pair as messages call it: `/srv/music <-> gdrive:Music`."""
    return f"{a} {_ARROWS[direction]} {b}"


def name_of_intention(intention: Intention) -> str:
    """The same, of what waits."""
    return name_of(intention.a, intention.b, intention.direction)


def open_queue(session: Session) -> Queue:
    """The queue; warns if it was damaged and a new one was begun. Raises UsageError."""
    queue = Queue(session.state / QUEUE_FILE)
    if queue.moved_aside is not None:
        session.reporter.warning(
            f"the queue is damaged and was moved to {queue.moved_aside}: what waited in it is not tried again; run those syncs"
        )
    return queue


def identities_of_pair(session: Session, a: str, b: str) -> tuple[str, str]:
    """Which folders two locations (in canonical form) really are. Sends no requests."""
    one, other = ("+".join(sorted(session.identities_of(fs))) for fs in (a, b))
    return one, other


def names_of_pair(session: Session, a: str, b: str) -> frozenset[str]:
    """All that two locations (in canonical form) are called, which is the same in either order. Sends no requests."""
    from orchestrator.actions.common_states import open_common_state  # noqa: PLC0415 - loads what reads tags

    names = [(a, b), identities_of_pair(session, a, b)]
    with open_common_state(session) as state:
        ids = state.id_at(a), state.id_at(b)
    if ids[0] is not None and ids[1] is not None:
        names.append((ids[0], ids[1]))
    return pair_names(*names)


def intention_to_sync(
    session: Session, locations: tuple[Location, Location], direction: Direction, options: SyncOptions, kind: Kind = "sync"
) -> Intention:
    """What a sync wants, with the options that were given."""
    a, b = locations
    fields = msgspec.structs.fields(SyncOptions)
    given = {field.name: getattr(options, field.name) for field in fields if field.name not in _NOT_KEPT}
    given |= {name: bool(given[name]) for name in ("to_cloud", "to_local")}  # B may be their value
    changed = {field.name: given[field.name] for field in fields if field.name in given and given[field.name] != field.default}
    common = {name: value for name in (*_KEPT, *_KEPT_PATHS) if (value := getattr(session.options, name)) is not None}
    common |= {name: str(user_path(common[name]).absolute()) for name in _KEPT_PATHS if name in common}
    if changed.get("conflict") == "ask":  # nobody may be there when it is tried again
        del changed["conflict"]
    return Intention(_typed(a), _typed(b), direction, names_of_pair(session, a.fs, b.fs), changed, common, kind)


def intention_to_mirror(session: Session, source: Location, mirror: Location) -> Intention:
    """What `organize --mirror` wants: to copy from the source to the mirror, and delete nothing there."""
    to_local = mirror.local and not source.local
    options = SyncOptions(a=source.typed, b=mirror.typed, to_local=to_local, to_cloud=not to_local)
    return intention_to_sync(session, (source, mirror), Direction.A_TO_B, options, "mirror")


def put(session: Session, intention: Intention, reason: str) -> None:
    """Queue it and say so; an error of the queue is a warning, because another one is already on its way to the user."""
    with _errors_reported(session, "could not be queued"), open_queue(session) as queue:
        row = queue.put(intention, reason, time.time())
        session.summary.queued += 1
        session.reporter.note(
            f"queued {intention.a} and {intention.b}: `music-orchestrator queue flush` tries again, "
            f"with --due not before {local_time(row.next_try)}"
        )


def interrupted_syncs(session: Session) -> list[Run]:
    """The syncs that stopped half-way: they stand in the journal."""
    return [run for run in session.journal.unfinished() if "sync" in run.header.options]


def all_waiting(session: Session, queue: Queue) -> list[Waiting]:
    """What is in the queue, but for pairs whose sync was begun: that is finished first."""
    begun = [names_of_pair(session, run.source, run.target) for run in interrupted_syncs(session)]
    return [row for row in queue.rows() if not any(row.intention.names & names for names in begun)]


def anything_due(session: Session) -> bool:
    """Whether `queue flush --due` has anything to do."""
    if interrupted_syncs(session):
        return True
    if not (session.state / QUEUE_FILE).exists():
        return False
    now = time.time()
    with open_queue(session) as queue:
        return any(row.due(now) for row in all_waiting(session, queue))


def local_time(seconds: float) -> str:
    """A time for people and programs, with its distance from UTC."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")


def forget(session: Session, names: frozenset[str]) -> None:
    """Take a pair out of the queue; an error of the queue is a warning."""
    if (session.state / QUEUE_FILE).exists():
        with _errors_reported(session, "could not be taken out of the queue"), open_queue(session) as queue:
            gone = [row for row in queue.rows() if row.intention.names & names]
            queue.drop_pair(names)
            for row in gone:
                session.problems.succeeded(name_of_intention(row.intention))


@contextmanager
def _errors_reported(session: Session, what: str) -> Iterator[None]:
    try:
        yield
    except OrchestratorError as error:  # the sync itself is done or has its own error
        session.reporter.warning(f"the sync {what}: {error.message}")


def _typed(location: Location) -> str:
    """What to type for it in another folder, and as another user."""
    return location.fs if is_path(location.typed) else location.typed
