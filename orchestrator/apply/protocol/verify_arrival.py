"""Look at what arrived at the destinations, compare it with the sources, and move damaged copies of ours out of the way."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.journal.records import VerifyMode
from orchestrator.apply.own_paths import damaged_copy_of
from orchestrator.apply.protocol.batches import expect_sources_gone, in_parallel, look_at_destinations
from orchestrator.apply.protocol.both_ends import content_to_write
from orchestrator.apply.protocol.fingerprint import same_content_by_hash, same_file
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.same_bytes import Match, compare, holds
from orchestrator.apply.protocol.task import Task, without_error
from orchestrator.errors import CorruptTransferError, OrchestratorError, RemoteError, TransientError


def verify_arrivals(sent: Sequence[Task], run_id: str, mode: VerifyMode, *, concurrency: int) -> None:
    """Set an error on each task whose file did not arrive whole."""
    arrived = [
        task
        for task in sent
        if task.error is None or (isinstance(task.error, CorruptTransferError) and task.route is not Route.RENAME)
    ]
    reported = {task.operation.id: task.error for task in arrived}
    for task in arrived:
        task.error = None
    look_at_destinations([task for task in arrived if task.route is not Route.REMOVE], concurrency=concurrency)
    looked_at = without_error(arrived)
    for task in looked_at:
        if task.route is Route.RENAME:
            _verify_rename(task)
    expect_sources_gone([task for task in looked_at if task.route is Route.REMOVE], concurrency=concurrency)
    in_parallel(
        [task for task in looked_at if task.route in {Route.COPY, Route.TRANSFER, Route.WRITE}],
        lambda task: _verify_copy(task, reported[task.operation.id], run_id, mode),
        workers=concurrency,
    )


def _verify_rename(task: Task) -> None:
    there, was = task.at_target, task.at_source
    if there is None or was is None:
        task.error = _not_there(task)
    elif same_file(was, there, task.target.capabilities.mtime_precision_ns):
        return
    elif same_content_by_hash(was, there) is False:
        message = f"{task.dst}: differs from the file that was moved there from {task.src}"
        task.error = CorruptTransferError(message, path=task.dst)
    else:
        # Some servers give a renamed file a new time. Then the proof is that the source was there before and is gone now.
        expect_sources_gone([task], concurrency=1)


def _verify_copy(task: Task, reported: OrchestratorError | None, run_id: str, mode: VerifyMode) -> None:
    """`reported`: rclone itself found the copy damaged."""
    there, was = task.at_target, task.at_source
    if there is None or was is None:
        task.error = reported or _not_there(task)
        task.damaged_copies += reported is not None
        return
    try:
        if task.route is Route.WRITE:
            if holds(task.target, there, content_to_write(task)):
                return
        else:
            full = mode == "full" or reported is not None
            if compare(task.source, was, task.target, there, read_if_needed=full) is not Match.DIFFERENT:
                return
    except OrchestratorError as error:
        task.error = error
        return
    _move_damaged_copy_away(task, run_id)


def _move_damaged_copy_away(task: Task, run_id: str) -> None:
    task.damaged_copies += 1
    away = damaged_copy_of(run_id, task.attempt, task.dst)
    message = f"{task.dst}: the copy arrived damaged and was moved to {away}; the source is unchanged"
    try:
        task.target.move(task.dst, away)
    except RemoteError as error:
        message = f"{task.dst}: the copy arrived damaged and could not be moved away ({error.message}); the source is unchanged"
    task.error = CorruptTransferError(message, path=task.dst)


def _not_there(task: Task) -> TransientError:
    return TransientError(f"{task.dst}: not there, although the remote reported success", path=task.dst)
