"""Delete the source of a verified copy, after one more look at it: the only place that deletes a file of the library."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.protocol.batches import look_at_sources, note_error, send_batches
from orchestrator.apply.protocol.fingerprint import same_file
from orchestrator.apply.protocol.request_budget import DELETE
from orchestrator.apply.protocol.task import Task, is_one_object, still_open, without_error
from orchestrator.errors import ExitCode, TransientError
from orchestrator.storage.protocol import DeleteCall


def delete_sources(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Delete the sources that have not changed since they were copied; the journal must already say VERIFIED."""
    seen = {task.operation.id: task.at_source for task in tasks}
    look_at_sources(tasks, concurrency=concurrency)
    for task in without_error(tasks):
        before, now = seen[task.operation.id], task.at_source
        if now is None or before is None:
            task.error = TransientError(f"{task.name}: vanished while it was copied", path=task.name)
        elif not same_file(before, now, task.source.capabilities.mtime_precision_ns):
            message = f"{task.name}: changed while it was copied; the copy at {task.dst} holds the earlier content"
            task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)
        elif is_one_object(task):
            message = f"{task.src} and {task.dst} are the same object: nothing was deleted"
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)
    unchanged = still_open(tasks)
    for task in unchanged:
        task.requests_spent += DELETE
    send_batches(unchanged, lambda task: (task.source, DeleteCall(task.src, seen=True)), note_error, concurrency=concurrency)
