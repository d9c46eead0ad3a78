"""Look at all ends of each task - source, staged copy, destination - and decide from them what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.apply.local_disk import disk_state
from orchestrator.apply.protocol.batches import (
    forget_folders,
    look_at_destinations,
    look_at_leaving_sources,
    look_at_replaced,
    look_at_sources,
    look_at_staged_copies,
)
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.next_action import Action, Found, next_action, next_action_in_place
from orchestrator.apply.protocol.own_uploads import is_our_upload
from orchestrator.apply.protocol.request_budget import LOOK
from orchestrator.apply.protocol.routes import COPIES, Route, is_copied_by_bucket
from orchestrator.apply.protocol.same_bytes import Match, compare, holds
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, is_one_file, without_error
from orchestrator.errors import IntegrityError, NotFoundError, OrchestratorError, TransientError
from orchestrator.records import Entry
from orchestrator.storage.local_path import local_path
from orchestrator.storage.protocol import Storage


def look_at_all_ends(tasks: Sequence[Task], shared: SharedLooks, *, concurrency: int) -> None:
    """Update what lies at the ends of each task; a failed look becomes the task's error.

    Of a task that is new, the listing that the plan was made from may stand for that, or one that stands for many looks.
    """
    for task in tasks:
        task.requests_spent += LOOK
        task.at_source = task.at_staged = task.at_target = task.leaving = task.in_trash = None
        task.arrived = False
        task.listed = None
    forget_folders(storage for task in tasks for storage in (task.source, task.target))
    ask_how_names_are_given(tasks)
    for task in tasks:
        task.on_disk = disk_state(task.source, task.src) if task.route in COPIES else None
    _look_at_sources_and_destinations(tasks, shared, concurrency=concurrency)
    begun = [task for task in tasks if task.begun and task.route in COPIES]
    look_at_staged_copies(without_error(begun), concurrency=concurrency)
    look_at_replaced([task for task in without_error(begun) if task.replaces], concurrency=concurrency)
    look_at_leaving_sources(
        [task for task in without_error(begun) if task.verified is not None and task.leaves_by_trash], concurrency=concurrency
    )


def _look_at_sources_and_destinations(tasks: Sequence[Task], shared: SharedLooks, *, concurrency: int) -> None:
    """Those that no listing shows."""
    shared.look([task for task in without_error(tasks) if not task.begun], _unknown_ends)
    for task in tasks:
        task.at_source = expected(task.operation) if _is_source_known(task) else task.listed_source
        task.at_target = task.listed_target
    look_at_sources([task for task in without_error(tasks) if task.at_source is None], concurrency=concurrency)
    look_at_destinations(
        [t for t in without_error(tasks) if t.route is not Route.REMOVE and not _is_destination_known(t)], concurrency=concurrency
    )
    for task in tasks:
        task.listed = None


def _unknown_ends(task: Task) -> Iterator[tuple[Storage, str]]:
    """Those that a listing can show. If a server treats two Unicode forms as one name, only a look shows that one is free."""
    if not _is_source_known(task):
        yield task.source, task.src
    if not task.trust_listing and task.dst.isascii():
        yield task.target, task.dst


def _is_source_known(task: Task) -> bool:
    return task.trust_source and not task.begun


def _is_destination_known(task: Task) -> bool:
    if task.listed_target is not None or (task.listed is not None and task.listed.free):
        return True
    return task.trust_listing and not task.begun


def ask_how_names_are_given(tasks: Sequence[Task]) -> None:
    """Ask the target of each copy, before it is first looked at."""
    failed: dict[str, OrchestratorError] = {}
    for task in tasks:
        if task.route not in COPIES or task.in_place or task.naming is not None or is_copied_by_bucket(task.source, task.target):
            continue
        try:
            if task.target.fs not in failed:
                task.naming = task.target.naming()
        except OrchestratorError as error:
            failed[task.target.fs] = error
        task.error = failed.get(task.target.fs)


def decide(task: Task) -> Action:
    """The next action of a task that was just looked at. May read files to compare them, and set the task's error."""
    source = _at_source(task)
    try:
        if task.in_place:
            return _decide_in_place(task, source)
        staged = None if task.staged is None else _at_staged_name(task, source)
        target = _at_destination(task, source) if task.begun else (Found.OTHER if task.at_target else Found.NOTHING)
    except NotFoundError as error:
        task.error = TransientError(error.message, path=error.path)  # it vanished between two looks: look again
        return Action.LOST
    except OrchestratorError as error:
        task.error = error
        return Action.LOST
    action = next_action(task.route, source, staged, target, begun=task.begun, verified=task.verified is not None)
    if task.route is Route.RENAME and action in {Action.VERIFY, Action.DELETE_SOURCE}:
        task.route = Route.TRANSFER  # the rename was a copy, and the delete of its source is missing
    task.arrived = target is Found.EXPECTED
    return action


def _decide_in_place(task: Task, source: Found) -> Action:
    there = Found.OLD if task.is_old_content(task.at_target) else _at_destination(task, source)
    if there is Found.OTHER and task.keeps_old_content and is_our_upload(task):
        there = Found.TORN
    in_trash = Found.NOTHING if task.in_trash is None else Found.EXPECTED if task.keeps_old_content else Found.OTHER
    task.arrived = there is Found.EXPECTED
    return next_action_in_place(source, there, in_trash, begun=task.begun)


def content_to_write(task: Task) -> bytes:
    """The content that the plan holds for this task."""
    content = task.operation.content_bytes()
    if content is None:  # `check_plan` refuses such plans
        raise IntegrityError(f"{task.name}: the plan does not say what to write", path=task.name)
    return content


def _at_source(task: Task) -> Found:
    if task.leaving is not None:
        return Found.LEAVING
    if task.at_source is None:
        return Found.NOTHING
    if task.object_id not in {None, task.at_source.id}:
        return Found.OTHER  # a different file has this name now
    precision = task.source.capabilities.mtime_precision_ns
    return Found.EXPECTED if same_file(expected(task.operation), task.at_source, precision) else Found.OTHER


def _at_staged_name(task: Task, source: Found) -> Found:
    """Whether the copy under the staged name is complete. It is ours in any case."""
    there = task.at_staged
    if there is None:
        return Found.NOTHING
    return Found.EXPECTED if _is_our_copy(task, there, source) else Found.OTHER


def _at_destination(task: Task, source: Found) -> Found:
    """Whether the destination of a task that was begun holds our file or a different one."""
    there = task.at_target
    if there is None or task.is_old_content(there):
        return Found.NOTHING  # the old content makes way
    if task.route is Route.WRITE:
        ours = holds(task.target, there, content_to_write(task))
    elif task.object_id is not None:
        ours = there.id == task.object_id  # an object has one path only
    elif task.may_share_name and task.at_source is not None:
        ours = there.id == task.at_source.id
    elif task.unnamed:
        ours = task.verified is not None and _is_staged_copy(task, there)
    else:
        ours = _is_our_copy(task, there, source)
    return Found.EXPECTED if ours else Found.OTHER


def _is_our_copy(task: Task, there: Entry, source: Found) -> bool:
    precision = task.target.capabilities.mtime_precision_ns
    if task.verified is not None and same_file(task.verified, there, precision):
        return True
    if task.at_source is not None and source is Found.EXPECTED:
        # Both files are there. Equal sizes are not enough to delete one of them: read both if there is no other way.
        return compare(task.source, task.at_source, task.target, there, read_if_needed=True) is Match.SAME
    if task.route is Route.RENAME:
        return same_file(expected(task.operation), there, precision)
    return same_content_by_hash(expected(task.operation), there) is True


def _is_staged_copy(task: Task, there: Entry) -> bool:
    """Whether the file at the destination is the staged copy as well: a run was killed while it gave the name by a link."""
    staged = task.at_staged
    if staged is None:
        return False
    one, other = local_path(task.target, staged.path), local_path(task.target, there.path)
    if one is not None and other is not None and is_one_file(one, other):
        return True
    return compare(task.target, staged, task.target, there, read_if_needed=True) is Match.SAME
