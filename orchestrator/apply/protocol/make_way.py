"""Replace the content of a file: its old content goes to the trash of the run, and comes back if the new one does not arrive.

Where an upload replaces a content at once (`Capabilities.replaces_in_place`), the server first copies the old one to the trash.
Elsewhere, a verified copy waits under a name of ours; the old content is moved to the trash just before the copy gets its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.apply.protocol.batches import (
    look_at_destinations,
    look_at_replaced,
    note_error,
    send_batches,
)
from orchestrator.apply.protocol.fingerprint import same_content_by_hash, same_file, unchanged
from orchestrator.apply.protocol.request_budget import CHANGE, KEEP_OLD, LOOK, PUT_BACK
from orchestrator.apply.protocol.task import Task, still_open
from orchestrator.errors import TransientError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, GiveCall, MoveCall, Storage


def make_way(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Move the old content of each file to the trash, and prove that it is there; a verdict where it is not what was planned."""
    waiting = [task for task in still_open(tasks) if task.replaces and task.unnamed]
    for task in waiting:
        task.requests_spent += LOOK
    look_at_destinations(waiting, concurrency=concurrency)
    look_at_replaced(still_open(waiting), concurrency=concurrency)
    moving: list[Task] = []
    for task in still_open(waiting):
        if task.is_old_content(task.at_target):
            moving.append(task)
        elif task.at_target is not None:
            task.skip(f"{task.name}: {task.dst} has changed since the plan was made")
        elif task.in_trash is None:
            task.skip(f"{task.name}: {task.dst}, which it was to replace, is gone")
    _move(moving, concurrency=concurrency)


def _move(tasks: Sequence[Task], *, concurrency: int) -> None:
    for task in tasks:
        task.requests_spent += CHANGE
    _copy([task for task in tasks if not task.target.capabilities.move and task.in_trash is None], concurrency=concurrency)
    send_batches(still_open(tasks), _to_trash, note_error, concurrency=concurrency)
    look_at_destinations(still_open(tasks), concurrency=concurrency)
    look_at_replaced(still_open(tasks), concurrency=concurrency)
    for task in still_open(tasks):
        if task.at_target is not None or task.in_trash is None:
            message = f"{task.dst}: not moved to the trash, although the remote reported success"
            task.error = TransientError(message, path=task.dst)
        elif not _is_what_was_seen(task):
            task.skip(f"{task.name}: {task.dst} has changed since the plan was made")  # and it gets its name back


def _copy(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Where the server cannot rename: copy the old content to the trash, and look at both once more before it is deleted."""
    before = {task.operation.id: task.at_target for task in tasks}
    send_batches(tasks, lambda task: (task.target, CopyCall(task.dst, task.old_name, "")), note_error, concurrency=concurrency)
    look_at_replaced(still_open(tasks), concurrency=concurrency)
    look_at_destinations(still_open(tasks), concurrency=concurrency)
    for task in still_open(tasks):
        if task.in_trash is None:
            message = f"{task.dst}: not copied to the trash, although the remote reported success"
            task.error = TransientError(message, path=task.dst)
        elif not task.keeps_old_content or not _is_unchanged(task, before[task.operation.id]):
            task.skip(f"{task.name}: {task.dst} has changed since the plan was made")


def _is_unchanged(task: Task, was: Entry | None) -> bool:
    now = task.at_target
    return was is not None and now is not None and unchanged(was, now, task.target.capabilities.mtime_precision_ns)


def _is_what_was_seen(task: Task) -> bool:
    """Whether the look before the move saw the file that was moved. Only disks are sure to keep its time."""
    if task.in_trash is None or not task.keeps_old_content:
        return False
    return not task.target.capabilities.local or same_file(task.old_content, task.in_trash, 1)


def _to_trash(task: Task) -> tuple[Storage, Call]:
    if task.in_trash is not None:
        return task.target, DeleteCall(task.dst, seen=True)  # the second half of a move that was cut short
    return task.target, MoveCall(task.dst, task.old_name, task.trash)


def keep_old_contents(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Before a content is replaced in place: copy the old one to the trash, and look at it; a verdict where it has changed."""
    missing = [task for task in still_open(tasks) if task.in_trash is None]
    for task in missing:
        task.requests_spent += KEEP_OLD
    send_batches(missing, lambda task: (task.target, CopyCall(task.dst, task.old_name, "")), note_error, concurrency=concurrency)
    look_at_replaced(still_open(missing), concurrency=concurrency)
    for task in still_open(missing):
        if task.in_trash is None:
            message = f"{task.dst}: not copied to the trash, although the remote reported success"
            task.error = TransientError(message, path=task.dst)
        elif not task.keeps_old_content:
            task.skip(f"{task.name}: {task.dst} has changed since the plan was made")


def put_back(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Where the new content did not come after all, give the old one its name back.

    Where contents are replaced in place, this is done after each try: a failed upload may have deleted the file.
    """
    failed = [task for task in tasks if _may_be_away(task)]
    stopped_by = {task.operation.id: task.error for task in failed}
    for task in failed:
        task.error = None
        task.requests_spent += PUT_BACK
    look_at_replaced(failed, concurrency=concurrency)
    look_at_destinations([task for task in failed if task.in_trash is not None], concurrency=concurrency)
    _leave_trash([task for task in failed if task.error is None and task.in_trash is not None], concurrency=concurrency)
    for task in failed:
        if task.error is not None or task.in_trash is not None:
            task.add_to_verdict(f"the old content of {task.dst} is kept as {task.old_name}")
        task.error = stopped_by[task.operation.id] if task.verdict is None else task.error


def _leave_trash(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Give old contents their free names back, and delete copies that are no longer needed."""
    send_batches(
        [task for task in tasks if task.at_target is None],
        lambda task: (task.target, GiveCall(task.old_name, task.dst, task.trash)),
        _note_done,
        concurrency=concurrency,
    )
    send_batches(
        [task for task in tasks if task.verdict is not None and _is_there_twice(task)],
        lambda task: (task.target, DeleteCall(task.old_name, seen=True)),
        _note_done,
        concurrency=concurrency,
    )


def _may_be_away(task: Task) -> bool:
    """Whether the old content may be without its name, and no further step of this try will change that."""
    if not (task.replaces and task.begun) or task.succeeded:
        return False
    return task.verdict is not None or (task.in_place and task.error is not None and task.in_trash is not None)


def _is_there_twice(task: Task) -> bool:
    """Whether what was copied to the trash is still under its name, too."""
    there, kept = task.at_target, task.in_trash
    if not task.in_place or there is None or kept is None:
        return False
    return same_content_by_hash(kept, there) is True or (task.keeps_old_content and task.is_old_content(there))


def _note_done(task: Task, outcome: CallResult) -> None:
    note_error(task, outcome)
    if task.error is None:
        task.in_trash = None
