"""Delete the source of a verified copy, after one more look at it: the only place that deletes a file of the library.

Where the storage can rename, the source is renamed to our trash, compared there, and then deleted. So a file that replaces the
source after the last look is not deleted: it gets its name back. Nor is a source deleted with which its copy vanishes: a link
that the server follows shows one file under both names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.local_disk import disk_state
from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import (
    forget_folders,
    look_at_destinations,
    look_at_leaving_sources,
    look_at_sources,
    note_error,
    send_batches,
    send_one,
)
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file, unchanged
from orchestrator.apply.protocol.request_budget import DELETE, LOOK
from orchestrator.apply.protocol.same_bytes import Match, compare
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, is_one_object, still_open, without_error
from orchestrator.errors import ExitCode, OrchestratorError, PermanentError, TransientError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, DeleteCall, GiveCall, MoveCall, Storage


def delete_sources(tasks: Sequence[Task], shared: SharedLooks, *, concurrency: int) -> None:
    """Delete the sources that have not changed since they were copied; the journal must already say VERIFIED.

    Where a listing has just shown sources, after they were copied, it is the last look at them.
    """
    leaving = [task for task in tasks if task.leaving is not None]
    present = [task for task in tasks if task.leaving is None]
    seen = {task.operation.id: task.at_source for task in present}
    _look_once_more(present, shared, concurrency=concurrency)
    for task in without_error(present):
        _check_unchanged(task, seen[task.operation.id])
    unchanged = still_open(present)
    for task in unchanged:
        task.delete_sent = True
        task.requests_spent += DELETE
    _move_to_trash([task for task in unchanged if task.leaves_by_trash], concurrency=concurrency)
    for task in (*leaving, *still_open(unchanged)):
        if task.leaving is not None:
            _check_leaving(task)
    _check_copies_are_there([task for task in still_open(unchanged) if task.leaving is not None], concurrency=concurrency)

    def request(task: Task) -> tuple[Storage, Call]:
        return task.source, DeleteCall(task.src if task.leaving is None else task.own_name_at_source, seen=True)

    to_delete = still_open((*leaving, *unchanged))
    send_batches(to_delete, request, note_error, concurrency=concurrency)
    for task in to_delete:
        if task.leaving is not None and isinstance(task.error, PermanentError):
            _give_back_name(task)  # it may be renamed, but not deleted


def _look_once_more(tasks: Sequence[Task], shared: SharedLooks, *, concurrency: int) -> None:
    forget_folders(task.source for task in tasks)
    for task in tasks:
        task.at_source = task.listed_source if task.listed is not None and shared.is_current(task.listed) else None
    look_at_sources([task for task in tasks if task.at_source is None], concurrency=concurrency)


def bring_back_sources(tasks: Iterable[Task]) -> None:
    """Give sources whose copies are gone or have changed their names back. Then the next look decides again."""
    for task in tasks:
        refused = _give_back_name(task)
        if refused is not None:
            task.error = refused
        else:
            task.error = TransientError(f"{task.name}: its copy at {task.dst} is gone or has changed", path=task.name)
            task.verified = None


def _check_unchanged(task: Task, before: Entry | None) -> None:
    now = task.at_source
    if now is None or before is None:
        task.vanished = not task.delete_sent
        task.error = TransientError(f"{task.name}: vanished while it was copied", path=task.name)
    elif not unchanged(before, now, task.source.capabilities.mtime_precision_ns) or _changed_on_disk(task):
        _keep_changed(task)
    elif is_one_object(task):
        message = f"{task.src} and {task.dst} are the same object: nothing was deleted"
        task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)


def _changed_on_disk(task: Task) -> bool:
    return task.on_disk is not None and disk_state(task.source, task.src) != task.on_disk


def _move_to_trash(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Where that is refused, the source is deleted under its own name."""
    for task in tasks:
        task.requests_spent += LOOK
    send_batches(
        tasks,
        lambda task: (task.source, MoveCall(task.src, task.own_name_at_source, trash_of(task.run_id, task.attempt), begun=True)),
        note_error,
        concurrency=concurrency,
    )
    look_at_leaving_sources(without_error(tasks), concurrency=concurrency)
    for task in tasks:
        if isinstance(task.error, PermanentError):
            task.error = None
        elif task.error is None and task.leaving is None:
            task.error = TransientError(f"{task.name}: not in our trash, although the remote reported success", path=task.name)


def _check_leaving(task: Task) -> None:
    """Give a file that is not the one that was copied its name back."""
    moved, was = task.leaving, task.at_source or expected(task.operation)
    if moved is None:
        return
    try:
        if _is_same(task, was, moved):
            return
    except OrchestratorError as error:
        task.error = error
        return
    refused = _give_back_name(task)
    _keep_changed(task, f"; it is kept as {task.own_name_at_source} ({refused.message})" if refused is not None else "")


def _give_back_name(task: Task) -> OrchestratorError | None:
    """Take a source out of our trash; the error if its name is taken, or cannot be given."""
    result = send_one(task.source, GiveCall(task.own_name_at_source, task.src, trash_of(task.run_id, task.attempt)))
    return result if isinstance(result, OrchestratorError) else None


def _is_same(task: Task, was: Entry, moved: Entry) -> bool:
    """Raises the storages' errors."""
    now = disk_state(task.source, task.own_name_at_source)
    if task.on_disk is not None and now is not None:
        before = task.on_disk  # a rename changes the change time, too
        return (now.inode, now.size, now.mtime_ns) == (before.inode, before.size, before.mtime_ns)
    if unchanged(was, moved, task.source.capabilities.mtime_precision_ns):
        return True
    if same_content_by_hash(was, moved) is False or task.at_target is None:
        return False
    # Some servers give a renamed file a new time. Then only its content shows what it is.
    return compare(task.source, moved, task.target, task.at_target, read_if_needed=True) is Match.SAME


def _check_copies_are_there(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Give sources their names back whose copies have gone with them, or were replaced.

    On disks, the ids of the files have shown already that they are two.
    """
    remote = [task for task in tasks if not (task.source.capabilities.local and task.target.capabilities.local)]
    forget_folders(task.target for task in remote)
    look_at_destinations(remote, concurrency=concurrency)
    for task in without_error(remote):
        there, verified = task.at_target, task.verified
        if there is not None and (verified is None or same_file(verified, there, task.target.capabilities.mtime_precision_ns)):
            continue
        refused = _give_back_name(task)
        message = f"{task.name}: its copy at {task.dst} vanished or changed when it left: it may be the same file by another name"
        where = "nothing was deleted" if refused is None else f"it is kept as {task.own_name_at_source} ({refused.message})"
        task.settle(Stage.FAILED, ExitCode.INTEGRITY, f"{message}: {where}")


def _keep_changed(task: Task, kept: str = "") -> None:
    message = f"{task.name}: changed while it was copied, so it stays; the copy is at {task.dst}{kept}"
    task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)
