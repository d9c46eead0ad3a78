"""The verdict on a task for which nothing more can be done, and its message."""

from __future__ import annotations

import msgspec

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.protocol.empty_folders import is_folder_at_destination
from orchestrator.apply.protocol.missing_files import find_elsewhere, take_back_from_trash
from orchestrator.apply.protocol.next_action import Action
from orchestrator.apply.protocol.request_budget import LOOK
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task, is_final
from orchestrator.errors import (
    AccessDeniedError,
    DestinationExistsError,
    ExitCode,
    IntegrityError,
    MisplacedError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    TransientError,
)
from orchestrator.paths import without_path
from orchestrator.storage.local_path import local_path, why_not_deletable
from orchestrator.storage.protocol import Naming

_SKIPPED_BECAUSE = {
    Action.SKIP_SOURCE_GONE: "the source is gone",
    Action.SKIP_SOURCE_CHANGED: "the source has changed since the plan was made",
    Action.SKIP_DESTINATION_EXISTS: "the destination {dst} already exists",
    Action.SKIP_DESTINATION_GONE: "{dst}, which it was to replace, is gone",
    Action.SKIP_DESTINATION_CHANGED: "{dst} has changed since the plan was made",
}


def conclude(task: Task, action: Action, earlier: OrchestratorError | None) -> None:
    """Set the verdict if the next action, or the error of the try before it, leaves nothing to do.

    Sets an error instead where another look may give a different answer.
    """
    last = not task.affords(LOOK)
    if action in _SKIPPED_BECAUSE:
        _skip(task, action)
    elif action is Action.DONE:  # the kept copy may still have to be looked at
        if task.vanished:
            message = f"{task.name}: another program moved or deleted it while it was copied; the copy is at {task.dst}"
            task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)
    elif isinstance(earlier, DestinationExistsError) and task.at_target and not (task.in_place or _got_its_name(task, action)):
        # Even a file of equal content is not ours: the remote said that it was there before.
        _skip(task, Action.SKIP_DESTINATION_EXISTS)
    elif action is Action.CONFLICT:
        message = f"{task.name}: a different file is at the destination {task.dst}; both files were left as they are"
        if last:
            task.skip(message)
        else:  # it may be an incomplete copy that the server is still writing, after a lost connection
            task.error = TransientError(message, path=task.name)
    elif action is Action.LOST:
        if last or isinstance(earlier, NotFoundError | MisplacedError):
            _lost(task, earlier)
        else:
            task.error = TransientError(f"{task.name}: neither at its source nor at its destination", path=task.name)
    elif earlier is not None and _is_final(earlier, action, task):
        _fail(task, earlier)


def conclude_failed_look(task: Task) -> None:
    """Set the verdict on a task that could not be looked at, or compared, if another look would only fail again."""
    error = task.error
    if error is None or task.verdict is not None or not is_final(error):
        return
    where = f"it may be at {task.src}, at {task.dst}, or at both" if task.begun else "it was not changed"
    remedy = "fix the cause (missing rights, a name that is too long), or exclude the file with --exclude"
    message = f"{task.name}: cannot be looked at: {without_path(error.message, task.name)}; {where}; {remedy}"
    task.settle(Stage.FAILED, _code_of(error), message)


def give_up(task: Task) -> None:
    """Set the verdict on a task that has spent its requests, and whose last error will not pass."""
    error = task.error
    if error is not None and task.verdict is None and task.hopeless_after(error):
        _fail(task, error)


def _skip(task: Task, action: Action) -> None:
    hidden = ", or it is in a folder that shares its name with another one"
    may_hide = action is Action.SKIP_SOURCE_GONE and task.source.capabilities.duplicate_names
    # In a bucket, the source may have changed before it was copied.
    copied = action is Action.SKIP_SOURCE_CHANGED and _may_have_copied(task)
    more = hidden if may_hide else f"; what is at {task.dst} may be a copy of it" if copied else ""
    task.skip(f"{task.name}: {_SKIPPED_BECAUSE[action].format(dst=task.dst)}{more}")


def settle_taken_away(task: Task, action: Action) -> None:
    """Set the verdict on a copy that got its name and has gone from there: another program has moved or deleted it.

    Of a copy whose source stays, nothing is left to do: the final check finds out where it is. A source to be deleted stays.
    """
    if not (task.was_named and action is Action.SEND):
        return
    if task.route is Route.COPY and task.verified is not None:
        task.settle(Stage.DONE, entry=msgspec.structs.replace(task.verified, path=task.dst))
    else:
        message = f"{task.name}: was put at {task.dst}, and is gone from there: another program has moved or deleted it"
        task.settle(Stage.FAILED, ExitCode.SOME_FAILED, f"{message}; the source was kept")


def _may_have_copied(task: Task) -> bool:
    return task.begun and task.route is Route.TRANSFER and task.staged is None and task.at_target is not None


def _got_its_name(task: Task, action: Action) -> bool:
    """Whether the copy is at its destination although the remote refused: it had done so before, and the answer was lost."""
    if task.naming is Naming.UPLOAD:
        return action is Action.VERIFY
    return task.staged is not None and task.at_staged is None and task.arrived


def _is_final(earlier: OrchestratorError, action: Action, task: Task) -> bool:
    """Whether another try would only fail again."""
    if action is Action.VERIFY:  # the file did arrive
        return isinstance(earlier, IntegrityError)
    return task.hopeless_after(earlier)


def _fail(task: Task, error: OrchestratorError) -> None:
    if isinstance(error, DestinationExistsError | PermanentError) and is_folder_at_destination(task):
        task.skip(f"{task.name}: a folder that is not empty is at the destination {task.dst}: rename one of the two")
    elif isinstance(error, NotFoundError | DestinationExistsError):
        task.skip(f"{task.name}: {without_path(error.message, task.name)}")
    elif leaves_copy(task):
        settle_left_copy(task, error)
    else:
        task.write_refused = isinstance(error, AccessDeniedError)
        task.settle(Stage.FAILED, _code_of(error), f"{task.name}: {_reason(task, error)}")


def _reason(task: Task, error: OrchestratorError) -> str:
    """Why a change was refused; on a disk also what forbids it."""
    said = without_path(error.message, task.name)
    file = local_path(task.source, task.src) if isinstance(error, AccessDeniedError) else None
    why = why_not_deletable(file) if file is not None and task.route is not Route.TRANSFER else None
    return f"{said}: {why}" if why else said


def leaves_copy(task: Task) -> bool:
    """Whether only the delete of the source is missing."""
    return task.verified is not None and task.arrived and task.at_source is not None and task.route is Route.TRANSFER


def settle_left_copy(task: Task, error: OrchestratorError) -> None:
    """Set the verdict on a move whose source cannot be deleted, in the form that `orchestrator.apply.left_copies` finds."""
    task.delete_refused = isinstance(error, PermanentError)
    message = f"{task.name}: copied to {task.dst}; the source could not be deleted: {without_path(error.message, task.name)}"
    task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message, task.at_target)


def _code_of(error: OrchestratorError) -> ExitCode:
    """The exit code of one failed file: only damage has a code of its own."""
    return ExitCode.INTEGRITY if error.exit_code is ExitCode.INTEGRITY else ExitCode.SOME_FAILED


def _lost(task: Task, earlier: OrchestratorError | None) -> None:
    caught = take_back_from_trash(task)
    if caught is not None:
        task.settle(Stage.FAILED, ExitCode.INTEGRITY, f"{task.name}: {caught}")
        return
    found = find_elsewhere(task)
    if found:
        message = f"{task.name}: not there and not at {task.dst}; the same content is at {', '.join(found)}"
    elif isinstance(earlier, MisplacedError):
        message = f"{task.name}: {earlier.message}"
    elif isinstance(earlier, NotFoundError) and task.attempt == 1:
        task.skip(f"{task.name}: the source vanished before it could be moved")
        return
    elif task.at_target is not None:
        message = f"{task.name}: gone from {task.src}, and a different file has replaced it at {task.dst}"
    else:
        message = f"{task.name}: not there, not at {task.dst}, and not in the trash; search for it before you do anything else"
    task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)
