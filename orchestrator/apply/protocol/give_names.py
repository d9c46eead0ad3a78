"""Give verified copies their final names, look at them there, and give another file that lost its name to one its name back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import look_at_destinations, look_at_staged_copies, note_error, send_batches, send_one
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.move_file import moved
from orchestrator.apply.protocol.request_budget import GIVE
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task, still_open, without_error
from orchestrator.apply.protocol.twins import tell_twins_apart
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError, RemoteError, TransientError
from orchestrator.paths import is_ours
from orchestrator.storage.protocol import CallResult, GiveCall, MoveCall, Naming, Storage


def give_names(tasks: Sequence[Task], run_id: str, *, concurrency: int) -> None:
    """Give each staged copy its final name; the journal must already say VERIFIED.

    If its source is to be deleted, look at it under its name first. A taken name is an error: the other file keeps it.
    """
    staged = {task.operation.id: path for task in tasks if task.unnamed and (path := task.staged) is not None}
    given = [task for task in tasks if task.operation.id in staged]
    for task in given:
        task.requests_spent += GIVE
    send_batches(
        given,
        lambda task: (task.target, GiveCall(staged[task.operation.id], task.dst, trash_of(run_id, task.attempt))),
        note_error,
        concurrency=concurrency,
    )
    named = without_error(given)
    for task in named:
        task.was_named = True
        task.at_staged = None
        task.arrived = True
        task.at_target = task.verified and msgspec.structs.replace(task.verified, path=task.dst)
    tell_twins_apart([task for task in named if task.naming is Naming.TWINS])
    unsure = [task for task in still_open(named) if task.route is Route.TRANSFER or _may_get_another_time(task)]
    look_at_destinations([task for task in unsure if task.naming is not Naming.TWINS], concurrency=concurrency)
    for task in still_open(unsure):
        _verify(task, concurrency=concurrency)


def give_back_caught_names(tasks: Iterable[Task], run_id: str) -> None:
    """If giving a name, or a rename, moved another file to the trash, let the two change places again, and settle the task."""
    by_trash: dict[tuple[str, str], tuple[Storage, list[Task]]] = {}
    for task in tasks:
        if _may_have_caught(task):
            by_trash.setdefault((task.target.fs, trash_of(run_id, task.attempt)), (task.target, []))[1].append(task)
    for (_, trash), (target, members) in by_trash.items():
        try:
            caught = {entry.path for entry in target.list(trash)} if target.entries(trash) else set()
        except NotFoundError:
            caught = set()
        except RemoteError as error:
            for task in members:
                task.error = error  # not DONE before this is known
            continue
        for task in members:
            if f"{trash}/{task.dst}" in caught:
                _change_places(task, f"{trash}/{task.dst}", trash)


def _may_have_caught(task: Task) -> bool:
    """Whether the last request may have moved another file from the destination to our trash."""
    if task.route is Route.RENAME:
        can = task.target.capabilities
        refused = can.refuses_taken_names and (task.source is task.target or not can.local)
        return not (refused or can.by_id or is_ours(task.dst))
    return task.naming is Naming.CAUGHT and task.staged is not None


def _may_get_another_time(task: Task) -> bool:
    """Whether the final check would take a new time for a change: some servers give one to a renamed file."""
    known_by_hash = task.verified is not None and bool(task.verified.hashes)
    return task.target.capabilities.mtime_precision_ns is not None and not known_by_hash


def _verify(task: Task, *, concurrency: int) -> None:
    there, was = task.at_target, task.verified
    if there is None or was is None:
        task.error = TransientError(f"{task.dst}: not there, although the remote reported success", path=task.dst)
    elif same_file(was, there, task.target.capabilities.mtime_precision_ns):
        return
    elif same_content_by_hash(was, there) is False:
        message = f"{task.name}: was put at {task.dst}, and replaced there by a different file"
        task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)
    else:
        # It may have a new time. Then the proof is that the staged name is gone.
        look_at_staged_copies([task], concurrency=concurrency)
        if task.error is None and task.at_staged is not None:
            task.error = TransientError(f"{task.dst}: not given to its copy, although the remote reported success", path=task.dst)


def _change_places(task: Task, caught: str, trash: str) -> None:
    """Take our file back to where it was, and give the other one the name that it had."""
    renamed = task.route is Route.RENAME
    doing = "it was moved there" if renamed else "its copy got that name"
    message = f"{task.name}: another file appeared at {task.dst} while {doing}"
    result = _take_back(task, trash)
    if isinstance(result, OrchestratorError) and renamed:
        message += f"; it is kept as {caught}, because {task.src} could not get its file back ({result.message})"
        task.settle(Stage.DONE, ExitCode.INTEGRITY, message, task.at_target)
        return
    if not isinstance(result, OrchestratorError):
        result = send_one(task.target, GiveCall(caught, task.dst, trash))
    if isinstance(result, OrchestratorError):
        message += f"; it is kept as {caught} ({result.message})"
    else:
        message += "; it has its name back"
    task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)


def _take_back(task: Task, trash: str) -> CallResult:
    """Undo a rename, or give a copy its staged name again."""
    if task.route is not Route.RENAME:
        staged = task.staged or task.own_name_at_target
        if task.target.capabilities.move:
            return send_one(task.target, GiveCall(task.dst, staged, trash))
        return moved(task.target, task.dst, staged, "", was=task.at_target or expected(task.operation))
    other = None if task.source is task.target else task.target
    return send_one(task.source, MoveCall(task.dst, task.src, trash_of(task.run_id, task.attempt + 1), other))
