"""Look at source and destination of each task, and decide from both what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.protocol.batches import look_at_destinations, look_at_sources
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.next_action import Action, Found, next_action
from orchestrator.apply.protocol.request_budget import LOOK
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.same_bytes import Match, compare, holds
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import IntegrityError, NotFoundError, OrchestratorError, TransientError


def look_at_both_ends(tasks: Sequence[Task], *, concurrency: int) -> None:
    """Update what lies at both ends of each task; a failed look becomes the task's error."""
    for task in tasks:
        task.requests_spent += LOOK
        task.at_source = task.at_target = None
    look_at_sources(tasks, concurrency=concurrency)
    look_at_destinations(
        [t for t in tasks if t.error is None and t.route is not Route.REMOVE and (t.begun or not t.trust_listing)],
        concurrency=concurrency,
    )


def decide(task: Task) -> Action:
    """The next action of a task that was just looked at. May read files to compare them, and set the task's error."""
    source = _at_source(task)
    try:
        target = _at_destination(task, source) if task.begun else (Found.OTHER if task.at_target else Found.NOTHING)
    except NotFoundError as error:
        task.error = TransientError(error.message, path=error.path)  # it vanished between two looks: look again
        return Action.LOST
    except OrchestratorError as error:
        task.error = error
        return Action.LOST
    action = next_action(task.route, source, target, begun=task.begun, verified=task.verified is not None)
    if task.route is Route.RENAME and action in {Action.VERIFY, Action.DELETE_SOURCE}:
        task.route = Route.TRANSFER  # the rename was a copy, and the delete of its source is missing
    return action


def content_to_write(task: Task) -> bytes:
    """The content that the plan holds for this task."""
    content = task.operation.content_bytes()
    if content is None:  # `check_plan` refuses such plans
        raise IntegrityError(f"{task.name}: the plan does not say what to write", path=task.name)
    return content


def _at_source(task: Task) -> Found:
    if task.at_source is None:
        return Found.NOTHING
    if task.object_id not in {None, task.at_source.id}:
        return Found.OTHER  # a different file has this name now
    precision = task.source.capabilities.mtime_precision_ns
    return Found.EXPECTED if same_file(expected(task.operation), task.at_source, precision) else Found.OTHER


def _at_destination(task: Task, source: Found) -> Found:
    """Whether the destination of a task that was begun holds our file or a different one."""
    there = task.at_target
    if there is None:
        return Found.NOTHING
    if task.route is Route.WRITE:
        ours = holds(task.target, there, content_to_write(task))
    elif task.object_id is not None:
        ours = there.id == task.object_id  # an object has one path only
    elif task.verified is not None:
        ours = same_file(task.verified, there, task.target.capabilities.mtime_precision_ns)
    elif task.at_source is not None and source is Found.EXPECTED:
        # Both files are there. Equal sizes are not enough to delete one of them: read both if there is no other way.
        ours = compare(task.source, task.at_source, task.target, there, read_if_needed=True) is Match.SAME
    elif task.route is Route.RENAME:
        ours = same_file(expected(task.operation), there, task.target.capabilities.mtime_precision_ns)
    else:
        ours = same_content_by_hash(expected(task.operation), there) is True
    return Found.EXPECTED if ours else Found.OTHER
