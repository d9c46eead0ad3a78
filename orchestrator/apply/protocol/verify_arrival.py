"""Look at what arrived, compare it with the sources as they are now, and move damaged copies of ours out of the way.

What lies under a staged name is ours. At a destination, only the object of an upload that succeeded is: what another program put
there is neither moved nor called damaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.apply.journal.records import Stage, VerifyMode
from orchestrator.apply.local_disk import disk_state
from orchestrator.apply.own_paths import damaged_copy_of
from orchestrator.apply.protocol.batches import (
    expect_sources_gone,
    in_parallel,
    look_at_destinations,
    look_at_sources,
    look_at_staged_copies,
)
from orchestrator.apply.protocol.both_ends import content_to_write
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file, unchanged
from orchestrator.apply.protocol.move_file import move_file
from orchestrator.apply.protocol.next_action import Action
from orchestrator.apply.protocol.own_uploads import is_our_upload
from orchestrator.apply.protocol.routes import COPIES, Route, is_copied_by_bucket
from orchestrator.apply.protocol.same_bytes import Match, compare, holds
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, is_one_object, still_open, without_error
from orchestrator.apply.protocol.twins import tell_twins_apart
from orchestrator.errors import CorruptTransferError, ExitCode, OrchestratorError, RemoteError, TransientError
from orchestrator.paths import is_ours
from orchestrator.records import Entry
from orchestrator.storage.protocol import Naming, Storage

_CHANGED = "the source has changed since the plan was made"


def verify_arrivals(sent: Sequence[Task], run_id: str, mode: VerifyMode, shared: SharedLooks, *, concurrency: int) -> None:
    """Set an error on each task whose file did not arrive whole, and the verdict where the source changed in the meantime.

    A listing that stands for the looks shows the sources, too: see `delete_sources`.
    """
    arrived = [task for task in sent if task.error is None or _may_have_arrived(task)]
    reported = {task.operation.id: task.error for task in arrived}
    for task in arrived:
        task.error = task.at_staged = task.at_target = None
        task.arrived = False
    _look_at_arrivals(arrived, shared, concurrency=concurrency)
    looked_at = still_open(arrived)
    for task in looked_at:
        if task.route is Route.RENAME:
            _verify_rename(task)
        elif task.in_place:
            _expect_new_content(task, reported[task.operation.id])
    expect_sources_gone([task for task in looked_at if task.route is Route.REMOVE], concurrency=concurrency)
    copies = [task for task in still_open(looked_at) if task.route in COPIES]
    for task in _with_changed_source(copies, concurrency=concurrency):
        _refuse_torn_copy(task, run_id)
    by_size: list[Task] = []
    in_parallel(
        [task for task in still_open(looked_at) if task.route in COPIES or task.route is Route.WRITE],
        lambda task: _verify_copy(task, reported[task.operation.id], run_id, mode, by_size),
        workers=concurrency,
    )
    for task in _changed_on_server([task for task in still_open(by_size) if not task.source.capabilities.local], concurrency):
        _refuse_torn_copy(task, run_id)


def _may_have_arrived(task: Task) -> bool:
    """Whether rclone found the copy damaged: the proof is a comparison."""
    return isinstance(task.error, CorruptTransferError) and task.route is not Route.RENAME


def _expect_new_content(task: Task, reported: OrchestratorError | None) -> None:
    """Set an error if an upload did not replace the old content. Size and time alone show that only after an error.

    Where the source has no hash, the new content may be the old one.
    """
    there = task.at_target
    same = None if there is None else same_content_by_hash(task.old_content, there)
    differs = same_content_by_hash(expected(task.operation), task.old_content) is False
    if (same is True and differs) or (reported is not None and task.is_old_content(there)):
        task.error = reported or _not_there(task)


def _look_at_arrivals(tasks: Sequence[Task], shared: SharedLooks, *, concurrency: int) -> None:
    """The sources come last: what replaces one after that, and before it is deleted, is lost in a bucket."""
    moved = [task for task in tasks if task.route is Route.TRANSFER]
    shared.look([task for task in moved if is_ours(task.dst)], _target_of)
    for task in tasks:
        task.at_target = task.listed_target
    look_at_staged_copies([task for task in tasks if task.staged is not None], concurrency=concurrency)
    _look_at_unseen([task for task in tasks if task.route is not Route.TRANSFER or is_ours(task.dst)], concurrency=concurrency)
    shared.look(moved, _unseen_ends)
    for task in moved:
        task.at_target = task.at_target or task.listed_target
    _look_at_unseen([task for task in moved if not is_ours(task.dst)], concurrency=concurrency)


def _target_of(task: Task) -> Iterable[tuple[Storage, str]]:
    yield task.target, task.dst


def _unseen_ends(task: Task) -> Iterable[tuple[Storage, str]]:
    yield task.source, task.src
    if task.at_target is None:
        yield task.target, task.dst


def _look_at_unseen(tasks: Sequence[Task], *, concurrency: int) -> None:
    unseen = [task for task in tasks if task.staged is None and task.route is not Route.REMOVE and task.at_target is None]
    tell_twins_apart([task for task in unseen if task.may_share_name])
    look_at_destinations([task for task in unseen if not task.may_share_name], concurrency=concurrency)


def _with_changed_source(tasks: Sequence[Task], *, concurrency: int) -> list[Task]:
    """Those whose source on a disk is not as it was before it was sent. On a vanished one an error is set."""
    local = [task for task in tasks if task.source.capabilities.local]
    before = {task.operation.id: task.at_source for task in local}
    spelled_differently = [task for task in local if task.on_disk is None]
    look_at_sources(spelled_differently, concurrency=concurrency)
    changed = [task for task in without_error(spelled_differently) if _is_changed(task, before[task.operation.id])]
    for task in local:
        if task.on_disk is not None:
            now = disk_state(task.source, task.src)
            if now is None:
                task.error = TransientError(f"{task.name}: vanished while it was copied", path=task.name)
            elif now != task.on_disk:
                changed.append(task)
    return changed


def _changed_on_server(tasks: Sequence[Task], concurrency: int) -> list[Task]:
    """Those whose source is not as it was before it was sent, and whose copy no hash proves to be whole."""
    before = {task.operation.id: task.at_source for task in tasks}
    look_at_sources(tasks, concurrency=concurrency)
    changed = []
    for task in without_error(tasks):
        if task.at_source is None:  # it was sent whole before it vanished, otherwise rclone had failed
            task.at_source = before[task.operation.id]
        elif _is_changed(task, before[task.operation.id]):
            changed.append(task)
    return changed


def _is_changed(task: Task, before: Entry | None) -> bool:
    now = task.at_source
    return now is None or before is None or not unchanged(before, now, task.source.capabilities.mtime_precision_ns)


def take_back_uploads(tasks: Iterable[Task], run_id: str) -> None:
    """Move uploads away that are not what was to be sent. Then the old content gets its name back, and the next look decides."""
    for task in tasks:
        became = "is gone" if task.at_target is None else f"was not uploaded whole and {_move_away(task, run_id)}"
        task.error = TransientError(f"{task.name}: its new content at {task.dst} {became}", path=task.name)


def _refuse_torn_copy(task: Task, run_id: str) -> None:
    message = f"{task.name}: changed while it was copied"
    try:
        ours = not task.in_place or task.at_target is None or is_our_upload(task)
    except OrchestratorError as error:
        task.error = error
        return
    if task.unnamed or task.at_target is None:
        message += f"; nothing was put at {task.dst}"
    elif not ours:
        message += f"; {task.dst} has changed as well, and stays"
    else:
        message += f"; the copy may hold parts of both, and {_move_away(task, run_id)}"
    task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)


def _verify_rename(task: Task) -> None:
    there, was = task.at_target, task.at_source
    if there is None or was is None:
        task.error = _not_there(task)
    elif same_file(was, there, task.target.capabilities.mtime_precision_ns):
        return
    elif same_content_by_hash(was, there) is False and _is_renamed_file(task, there):
        message = f"{task.name}: changed just before it was moved; it is at {task.dst}"
        task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)  # not DONE: what is known of the old content is not true of it
    elif same_content_by_hash(was, there) is False:
        message = f"{task.dst}: differs from the file that was moved there from {task.src}"
        task.error = CorruptTransferError(message, path=task.dst)
    else:
        # Some servers give a renamed file a new time. Then the proof is that the source was there before and is gone now.
        expect_sources_gone([task], concurrency=1)


def _is_renamed_file(task: Task, there: Entry) -> bool:
    """Whether its id shows that this is the file that was renamed, with another content.

    A duplicate that is none any more needs more than a message.
    """
    return there.id is not None and there.id == task.source_id and not task.operation.expect.kept


def _verify_copy(task: Task, reported: OrchestratorError | None, run_id: str, mode: VerifyMode, by_size: list[Task]) -> None:
    """`reported`: rclone itself found the copy damaged. Those that only their sizes could compare are added to `by_size`."""
    there, was = task.copy, task.at_source
    if there is None or was is None:
        task.error = reported or _not_there(task)
        task.damaged_copies += reported is not None
        return
    try:
        full = mode == "full" or reported is not None
        if _is_whole(task, was, there, by_size, read_if_needed=full):
            return
        if is_copied_by_bucket(task.source, task.target) or (task.in_place and not is_our_upload(task)):
            _settle_different(task, was, there, run_id)
            return
    except OrchestratorError as error:
        task.error = error
        return
    task.damaged_copies += 1
    if reported is not None and not _is_ours(task):
        task.error = reported
        return
    message = f"{task.dst}: the copy arrived damaged and {_move_away(task, run_id)}; the source is unchanged"
    task.error = CorruptTransferError(message, path=task.dst)


def _is_whole(task: Task, was: Entry, there: Entry, by_size: list[Task], *, read_if_needed: bool) -> bool:
    """Whether a copy holds what it should, as far as that can be found out. Raises the storages' errors."""
    if task.route is Route.WRITE:
        return holds(task.target, there, content_to_write(task))
    match = compare(task.source, was, task.target, there, read_if_needed=read_if_needed)
    if match is Match.SAME_SIZE and not is_copied_by_bucket(task.source, task.target):
        by_size.append(task)
    return match is not Match.DIFFERENT


def _settle_different(task: Task, was: Entry, there: Entry, run_id: str) -> None:
    """Set the verdict on a copy that differs from its source: others have written to one of the two. Raises storages' errors.

    If the source was not looked at before it was copied, it may have changed before: then the copy holds what is there now.
    """
    message = f"{task.name}: was copied to {task.dst}, and a different file is there now; both stay"
    if task.trust_source and task.attempt == 1:
        now = task.listed_source or task.source.stat(task.src)
        if now is None:
            message = f"{task.name}: changed and vanished since it was listed; its copy, or another file, is at {task.dst}"
        elif not unchanged(was, now, task.source.capabilities.mtime_precision_ns):
            if same_content_by_hash(now, there) is True:
                _skip_changed(task, run_id)
                return
            message = f"{task.name}: {_CHANGED}; it stays, and so does what is at {task.dst}"
    task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)


def settle_copy_of_changed(task: Task, action: Action, run_id: str) -> None:
    """The same for a copy that nobody has looked at: its answer was lost, or the run was killed."""
    there, now = task.at_target, task.at_source
    sent = task.begun and task.verified is None and task.route is Route.TRANSFER and is_copied_by_bucket(task.source, task.target)
    if not sent or action is not Action.SKIP_SOURCE_CHANGED or there is None or now is None or is_one_object(task):
        return
    if same_content_by_hash(now, there) is True:
        _skip_changed(task, run_id)


def _skip_changed(task: Task, run_id: str) -> None:
    task.skip(f"{task.name}: {_CHANGED}; a copy of it {_move_away(task, run_id)}")


def _is_ours(task: Task) -> bool:
    """Whether what arrived is ours even if the copy failed: at a final name, it may be another program's file."""
    return task.unnamed or task.route is Route.WRITE or task.naming is Naming.REPLACES or task.in_place


def _move_away(task: Task, run_id: str) -> str:
    """Move a copy of ours to the quarantine; says what became of it."""
    own = task.unnamed or task.route is Route.WRITE
    there = (task.staged if task.unnamed else None) or task.dst
    away = damaged_copy_of(run_id, task.attempt, task.dst)
    try:
        move_file(task.target, there, away, "", was=task.copy or expected(task.operation))
    except RemoteError as error:
        return f"could not be moved away ({error.message})"
    task.at_staged = task.at_target = None
    task.moved_away = task.moved_away if own else away
    return f"was moved to {away}"


def _not_there(task: Task) -> TransientError:
    return TransientError(f"{task.staged or task.dst}: not there, although the remote reported success", path=task.dst)
