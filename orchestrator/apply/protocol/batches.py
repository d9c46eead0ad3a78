"""Send the requests of many tasks together: one batch for each storage, and each outcome back to its task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from orchestrator.apply.protocol.task import Task
from orchestrator.errors import NotFoundError, OrchestratorError, RemoteError, TransientError
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, StatCall, Storage


def send_batches(
    tasks: Iterable[Task],
    call: Callable[[Task], tuple[Storage, Call]],
    note: Callable[[Task, CallResult], None],
    *,
    concurrency: int,
) -> None:
    """Send one call for each task, in one batch for each storage, and pass each outcome to `note`."""
    batches: dict[str, tuple[Storage, list[Task], list[Call]]] = {}
    for task in tasks:
        storage, request = call(task)
        _, members, requests = batches.setdefault(storage.fs, (storage, [], []))
        members.append(task)
        requests.append(request)
    for storage, members, requests in batches.values():
        outcomes: Iterable[CallResult]
        try:
            outcomes = storage.batch(requests, concurrency=concurrency)
        except RemoteError as error:
            outcomes = [error] * len(members)  # the whole batch failed: it is unknown how far it came
        for task, outcome in zip(members, outcomes, strict=True):
            note(task, outcome)


def send_one(storage: Storage, call: Call) -> CallResult:
    """Send one call alone; its error is its result."""
    try:
        (outcome,) = storage.batch([call])
    except RemoteError as error:
        return error
    return outcome


def in_parallel(tasks: Sequence[Task], work: Callable[[Task], None], *, workers: int) -> None:
    """Call `work` for each task, for up to `workers` tasks at a time."""
    if len(tasks) < 2:
        for task in tasks:
            work(task)
        return
    with ThreadPoolExecutor(max_workers=min(workers, len(tasks))) as pool:
        for _ in pool.map(work, tasks):
            pass


def forget_folders(storages: Iterable[Storage]) -> None:
    """Look up all folders again from here on: see `Storage.forget_folders`."""
    for storage in {storage.fs: storage for storage in storages}.values():
        with suppress(RemoteError):  # rclone has died: the next one remembers nothing
            storage.forget_folders()


def look_at_sources(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Ask for the file at each source."""
    send_batches(tasks, lambda task: (task.source, task.source_look), _note_source, concurrency=concurrency)


def look_at_destinations(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Ask for the file at each destination."""
    send_batches(tasks, lambda task: (task.target, task.target_look), _note_target, concurrency=concurrency)


def look_at_staged_copies(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Ask for the copy under each staged name."""
    staged = [(task, path) for task in tasks if (path := task.staged) is not None]
    paths = {task.operation.id: path for task, path in staged}
    send_batches(
        [task for task, _ in staged],
        lambda task: (task.target, StatCall(paths[task.operation.id])),
        _note_staged,
        concurrency=concurrency,
    )


def look_at_replaced(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Ask for the old content of each replaced file in our trash."""
    send_batches(tasks, lambda task: (task.target, StatCall(task.old_name)), _note_replaced, concurrency=concurrency)


def look_at_leaving_sources(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Ask for each source in our trash."""
    send_batches(tasks, lambda task: (task.source, StatCall(task.own_name_at_source)), _note_leaving, concurrency=concurrency)


def expect_sources_gone(tasks: Iterable[Task], *, concurrency: int) -> None:
    """Set an error on each task whose source is still there."""
    send_batches(tasks, lambda task: (task.source, task.source_look), _expect_gone, concurrency=concurrency)


def note_error(task: Task, outcome: CallResult) -> None:
    """Keep the error of a request."""
    if isinstance(outcome, OrchestratorError):
        task.error = outcome


def _note_source(task: Task, outcome: CallResult) -> None:
    task.at_source = _found(task, outcome)
    if task.at_source is not None:
        task.source_id = task.at_source.id


def _note_target(task: Task, outcome: CallResult) -> None:
    task.at_target = _found(task, outcome)


def _note_staged(task: Task, outcome: CallResult) -> None:
    task.at_staged = _found(task, outcome)


def _note_replaced(task: Task, outcome: CallResult) -> None:
    task.in_trash = _found(task, outcome)


def _note_leaving(task: Task, outcome: CallResult) -> None:
    task.leaving = _found(task, outcome)


def _expect_gone(task: Task, outcome: CallResult) -> None:
    if _found(task, outcome) is not None:
        task.error = TransientError(f"{task.name}: still there, although the remote reported success", path=task.name)


def _found(task: Task, outcome: CallResult) -> Entry | None:
    if isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
        task.error = outcome
    return outcome if isinstance(outcome, Entry) else None
