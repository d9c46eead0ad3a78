"""Send the changing requests: rename, copy, write, delete for good. Each is recorded as an intent before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

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
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, MoveCall, Storage


def send(
    tasks: Sequence[Task], run_id: str, journal: Journal, *, concurrency: int, check: Callable[[Sequence[Task]], None]
) -> None:
    """Record the intents, durably, then send one changing request for each task, and `check` all that was sent.

    Copies to a remote whose sources stay are checked while others are still on the line, so that it never waits for looks.
    `check` is then called from several threads, for one task each.
    """
    for task in tasks:
        task.attempt += 1
        task.requests_spent += CHANGE
        task.changes_sent += 1
        task.verified = None
    journal.append(run_id, [Record(task.operation.id, Stage.INTENT, task.attempt) for task in tasks])

    keep_old_contents([task for task in tasks if task.in_place], concurrency=concurrency)
    _remove_incomplete_copies(tasks, concurrency=concurrency)
    forget_folders(task.source for task in tasks if task.route is Route.REMOVE)  # reading the kept copies may have taken long

    checks = _Checks(check)

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
                    return task.target, CopyCall(task.src, task.dst, "", other, task.is_old_content, checks.when_ended(task))
                staged = task.staged
                to, aside = staged or task.dst, "" if staged else trash
                return task.target, CopyCall(task.src, to, aside, other, ended=checks.when_ended(task))

    send_batches(
        [task for task in still_open(tasks) if task.route is not Route.WRITE], request, checks.note_error, concurrency=concurrency
    )
    in_parallel([task for task in tasks if task.route is Route.WRITE], _write, workers=concurrency)
    checks.check_rest(tasks)


class _Checks:
    """Checks each task once: alone as soon as its copy has ended, otherwise together with the rest."""

    def __init__(self, check: Callable[[Sequence[Task]], None]) -> None:
        self._check = check
        self._checked: set[str] = set()

    def when_ended(self, task: Task) -> Callable[[CallResult], None] | None:
        """What to call with the result of a copy; None if it is to be checked with the rest."""
        return partial(self._check_alone, task) if _can_be_checked_alone(task) else None

    def note_error(self, task: Task, outcome: CallResult) -> None:
        """Keep the error of a request, if the task was not checked alone: the check may have found that the file did arrive."""
        if task.operation.id not in self._checked:
            note_error(task, outcome)

    def check_rest(self, tasks: Sequence[Task]) -> None:
        """Check those that were not checked alone."""
        self._check([task for task in tasks if task.operation.id not in self._checked and task.verdict is None])

    def _check_alone(self, task: Task, outcome: CallResult) -> None:
        note_error(task, outcome)
        self._checked.add(task.operation.id)
        self._check([task])


def _can_be_checked_alone(task: Task) -> bool:
    """Not where the source is deleted next, which needs a look right before, nor where one look costs less for many files."""
    ends = (task.source.capabilities, task.target.capabilities)
    return task.route is Route.COPY and not task.target.capabilities.local and not any(end.by_directory for end in ends)


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
