"""Replace the content of a file: its old content goes to the trash of the run just before the verified copy gets its name.

Between these two requests the old content is in the trash. If the name cannot be given after all, it gets its name back first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.apply.protocol.batches import (
    look_at_destinations,
    look_at_replaced,
    note_error,
    send_batches,
)
from orchestrator.apply.protocol.request_budget import CHANGE, LOOK
from orchestrator.apply.protocol.task import Task, still_open
from orchestrator.errors import TransientError
from orchestrator.storage.protocol import Call, CallResult, DeleteCall, GiveCall, MoveCall, Storage


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
    send_batches(tasks, _to_trash, note_error, concurrency=concurrency)
    look_at_destinations(still_open(tasks), concurrency=concurrency)
    look_at_replaced(still_open(tasks), concurrency=concurrency)
    for task in still_open(tasks):
        if task.at_target is not None or task.in_trash is None:
            message = f"{task.dst}: not moved to the trash, although the remote reported success"
            task.error = TransientError(message, path=task.dst)


def _to_trash(task: Task) -> tuple[Storage, Call]:
    if task.in_trash is not None:
        return task.target, DeleteCall(task.dst, seen=True)  # the second half of a move that was cut short
    return task.target, MoveCall(task.dst, task.old_name, task.trash)


def put_back(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Where the new content did not come after all, give the old one its name back."""
    failed = [task for task in tasks if task.replaces and task.begun and task.verdict is not None and not task.succeeded]
    for task in failed:
        task.error = None
    look_at_replaced(failed, concurrency=concurrency)
    look_at_destinations([task for task in failed if task.in_trash is not None], concurrency=concurrency)
    away = [task for task in failed if task.in_trash is not None or task.error is not None]
    send_batches(
        [task for task in away if task.error is None and task.at_target is None],
        lambda task: (task.target, GiveCall(task.old_name, task.dst, task.trash)),
        _note_put_back,
        concurrency=concurrency,
    )
    for task in away:
        if task.error is not None or task.at_target is not None or task.in_trash is not None:
            task.add_to_verdict(f"the old content of {task.dst} is kept as {task.old_name}")


def _note_put_back(task: Task, outcome: CallResult) -> None:
    note_error(task, outcome)
    if task.error is None:
        task.in_trash = None
