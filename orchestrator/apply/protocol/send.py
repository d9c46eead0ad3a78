"""Send the changing requests: rename, copy, write, delete for good. Each is recorded as an intent before it is sent."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, Stage
from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import forget_folders, in_parallel, note_error, send_batches
from orchestrator.apply.protocol.both_ends import content_to_write
from orchestrator.apply.protocol.make_way import keep_old_contents
from orchestrator.apply.protocol.request_budget import CHANGE
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task, still_open
from orchestrator.errors import OrchestratorError
from orchestrator.storage.protocol import Call, CopyCall, DeleteCall, MoveCall, Storage


def send(tasks: Sequence[Task], run_id: str, journal: Journal, *, concurrency: int) -> None:
    """Record the intents, durably, then send one changing request for each task."""
    for task in tasks:
        task.attempt += 1
        task.requests_spent += CHANGE
        task.verified = None
    journal.append(run_id, [Record(task.operation.id, Stage.INTENT, task.attempt) for task in tasks])

    keep_old_contents([task for task in tasks if task.in_place], concurrency=concurrency)
    _remove_incomplete_copies(tasks, concurrency=concurrency)
    forget_folders(task.source for task in tasks if task.route is Route.REMOVE)  # reading the kept copies may have taken long

    def request(task: Task) -> tuple[Storage, Call]:
        trash = trash_of(run_id, task.attempt)
        other = None if task.source is task.target else task.source
        match task.route:
            case Route.RENAME:
                return task.target, MoveCall(task.src, task.dst, trash, other, task.object_id)
            case Route.REMOVE:
                return task.source, DeleteCall(task.src, seen=True)
            case _:  # TRANSFER and COPY; WRITE is sent below
                if task.in_place:
                    return task.target, CopyCall(task.src, task.dst, "", other, task.is_old_content)
                staged = task.staged
                return task.target, CopyCall(task.src, staged or task.dst, "" if staged else trash, other)

    send_batches(
        [task for task in still_open(tasks) if task.route is not Route.WRITE], request, note_error, concurrency=concurrency
    )
    in_parallel([task for task in tasks if task.route is Route.WRITE], _write, workers=concurrency)


def _remove_incomplete_copies(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Delete what an earlier try left under a staged name."""
    send_batches(
        [task for task in tasks if task.unnamed],
        lambda task: (task.target, DeleteCall(task.staged or task.own_name_at_target, seen=True)),
        note_error,
        concurrency=concurrency,
    )


def _write(task: Task) -> None:
    try:
        task.target.write(task.dst, content_to_write(task))
    except OrchestratorError as error:
        task.error = error
