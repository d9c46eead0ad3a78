"""The common states of syncs, as the actions use them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

import msgspec

from orchestrator.actions.session import Session
from orchestrator.apply.guard.place_id import PLACE_ID_FILE
from orchestrator.apply.journal.records import RunState, Stage
from orchestrator.apply.results import FileChange
from orchestrator.catalogue.content_hashes import hash_type_beside
from orchestrator.common_state.recording import DiskLook
from orchestrator.common_state.store import CommonState, Pair
from orchestrator.errors import RemoteError
from orchestrator.plan.layout.names import names_for
from orchestrator.plan.model import CompletedOperation, Header, Operation, Verb, is_temporary, mirrors_of
from orchestrator.plan.planners.sync.each_way import done_each_way
from orchestrator.plan.planners.sync.records import CHANGED_SINCE, Inode
from orchestrator.rclone.classify import refuses_name
from orchestrator.records import Capabilities, Ref
from orchestrator.storage.local_path import has_change_times, look_at_disk
from orchestrator.storage.protocol import Storage

_PORTABLE = names_for("portable", Capabilities(), {})
STATE_FILE = "sync.sqlite3"


@contextmanager
def open_common_state(session: Session) -> Iterator[CommonState]:
    """The common states of all pairs; warns at the end if the record was damaged and a new one was begun."""
    with CommonState(session.state / STATE_FILE, checked=session.common_state_checked) as state:
        session.common_state_checked = True
        try:
            yield state
        finally:
            if state.moved_aside is not None:
                session.reporter.warning(
                    f"the record of what was in sync is damaged and was moved to {state.moved_aside}: the sync is as a first "
                    "one, which deletes nothing"
                )


class Arrivals:
    """The files that a run has put on disks of this machine, as they were when they had arrived."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._looks: dict[str, Callable[[str], Inode | None]] = {}
        self._seen: dict[Ref, Inode | None] = {}

    def note(self, changes: Iterable[FileChange]) -> None:
        """Look at the files of a window that has ended."""
        self._seen.update({one.dst: self._look(one.dst) for one in changes})

    def look(self, completed: Iterable[CompletedOperation], has_hashes: Callable[[str], bool]) -> DiskLook:
        """A function: file -> what a disk knows of it now; CHANGED_SINCE if it has changed since it arrived.

        The next sync reads such a file. Of what an earlier start has put there, the time in the journal tells. Where that is not
        known, the next sync reads it as well, unless nothing on the other side shows what it was (`has_hashes`: of a location).
        """
        done_at = {one.destination: one.at for one in completed}

        def is_as_it_arrived(ref: Ref, now: Inode) -> bool:
            at = done_at.get(ref)
            if at is None or now.ctime_ns is None:
                return True
            if at == 0:
                return not has_hashes(ref.fs)
            return now == self._seen[ref] if ref in self._seen else now.ctime_ns <= at * 1e9

        def look(ref: Ref) -> Inode | None:
            now = self._look(ref)
            if now is None or is_as_it_arrived(ref, now):
                return now
            return msgspec.structs.replace(now, ctime_ns=CHANGED_SINCE)

        return look

    def _look(self, ref: Ref) -> Inode | None:
        if ref.fs not in self._looks:
            self._looks[ref.fs] = disk_look(self._session.storages(ref.fs)[ref.fs])
        return self._looks[ref.fs](ref.path)


def settle_common_state(session: Session, run_id: str, arrivals: Arrivals, missing: Collection[Ref] = ()) -> None:
    """Record what a run has made alike, once it has ended: a sync, or copies to mirrors. Forget what an undo has taken back.

    `missing`: what it has put somewhere and did not find there at its end. A storage may have lost it, so the next sync must not
    take it for deleted.
    """
    plan = session.journal.plan(run_id)
    if (undone := plan.header.options.get("undo")) is not None:
        _forget_undone(session, run_id, undone)
    is_sync = "sync" in plan.header.options
    if is_sync:
        done = done_each_way(plan.header, [one.operation for one in session.journal.completed(run_id)])
        earlier = session.summary.each_way
        session.summary.each_way = {name: number + earlier.get(name, 0) for name, number in done.items()}
    if is_sync or mirrors_of(plan.header):
        _record_run(session, run_id, plan.header, arrivals, session.journal.newest(), missing=missing)


def settle_ended_runs(session: Session, pair: Pair) -> None:
    """Record what runs of a pair have done that were killed after their end: nothing is left for `resume` to do there."""
    with open_common_state(session) as state:
        left = state.expected_plans(pair)
    for run in reversed(session.journal.runs()) if left else ():
        if run.header.plan_id in left and not run.state.unfinished:
            left -= {run.header.plan_id}
            if session.options.dry_run:
                session.reporter.note(
                    f"run {run.described} was killed before its result was recorded: without --dry-run, this command would "
                    "record it first, and only then plan"
                )
            else:
                _record_run(session, run.id, run.header, Arrivals(session), run.id)


def _record_run(
    session: Session, run_id: str, header: Header, arrivals: Arrivals, after_run: str, *, missing: Collection[Ref] = ()
) -> None:
    """Record what a run has done, if it is over. `after_run`: the newest run of those whose renames the record knows."""
    target = header.target
    other_side = header.source if "sync" in header.options else min(mirrors_of(header))

    def storage(fs: str) -> Storage:
        return session.storages(fs)[fs]

    def beside(fs: str) -> Storage:
        return storage(other_side if fs == target else target)

    def has_hashes(fs: str) -> bool:
        able = beside(fs).capabilities
        return able.local or bool(able.hashes)

    def read(ref: Ref) -> dict[str, str]:
        if session.stop.is_set():
            return {}
        here, there = storage(ref.fs), beside(ref.fs)
        try:
            digest = here.hash(ref.path, kind := hash_type_beside(here, there), download=True)
        except RemoteError:  # it went away just now: the next sync sees that, and compares it then
            return {}
        return {} if digest is None else {kind: digest}

    with open_common_state(session) as state:
        refused = _refused(session, run_id)
        state.remember_refused(one.dst for one in refused)
        if session.journal.run(run_id).state in {RunState.FINISHED, RunState.FAILED}:
            # Where a file was at a temporary name, in a ring, it is not known to be back under its own.
            renames = {one.dst for one in refused if one.src.fs == one.dst.fs and not is_temporary(one.src.path)}
            completed = [one for one in session.journal.completed(run_id) if one.destination not in missing]
            state.settle(
                header.plan_id,
                completed,
                arrivals.look(completed, has_hashes),
                read,
                after_run,
                refused=renames,
                # Otherwise times are those of uploads, and a rename is a copy.
                keeps_times=lambda fs: storage(fs).capabilities.own_mtime,
            )


def _refused(session: Session, run_id: str) -> list[Operation]:
    """The operations whose destinations were refused by their remotes because of their names."""
    states = session.journal.states(run_id)
    naming = [one for one in session.journal.plan(run_id).operations if one.verb in {Verb.MOVE, Verb.COPY} and one.id in states]
    failed = [(one, states[one.id].message or "", one.dst.path) for one in naming if states[one.id].stage is Stage.FAILED]
    return [one for one, message, path in failed if refuses_name(message, path, is_plain=_is_plain(path))]


def _is_plain(path: str) -> bool:
    """Whether every remote can have a file of this path."""
    return path.isascii() and all(_PORTABLE.directory(part) == part for part in path.split("/"))


def _forget_undone(session: Session, run_id: str, undone: str) -> None:
    """What an undo has taken back on one side is no change by the user, to be carried to the other one.

    Of a run that filled mirrors, only the files there, and those that the undo takes away elsewhere: what `organize` has renamed
    at the target, and an undo has renamed back, is carried as any other rename.
    """
    header = session.journal.run(undone).header
    is_sync, mirrors = "sync" in header.options, mirrors_of(header)
    if not (is_sync or mirrors):
        return
    operations = [one.operation for one in session.journal.completed(run_id)]
    taken_back = [one for one in operations if is_sync or one.verb is Verb.QUARANTINE or one.dst.fs in mirrors]
    with open_common_state(session) as state:
        state.forget_plan(header.plan_id)
        state.forget_files({ref for operation in taken_back for ref in (operation.src, operation.dst)})


def disk_look(storage: Storage) -> Callable[[str], Inode | None]:
    """A function: path -> what the disk of this machine knows of a file; None elsewhere, and where the path does not lead to it.

    Whether the disk has a time of change is tried now, on a file of ours.
    """
    status = look_at_disk(storage)
    if status is None:
        return lambda _: None
    tells_changes = has_change_times(storage, PLACE_ID_FILE)

    def look(path: str) -> Inode | None:
        found = status(path)
        return None if found is None else Inode(found.st_ino, found.st_ctime_ns if tells_changes else None, found.st_nlink)

    return look
