"""Where two files can have one name, find out whether a copy of ours shares its name, and move ours out of the way if so."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import send_one
from orchestrator.apply.protocol.fingerprint import expected
from orchestrator.apply.protocol.same_bytes import Match, compare
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import ExitCode, OrchestratorError, RemoteError
from orchestrator.records import Entry
from orchestrator.storage.protocol import MoveCall, Naming, Storage


def tell_twins_apart(tasks: Sequence[Task]) -> None:
    """Look at the destinations of the copies that may share their name with another file.

    A copy that does is moved to a name of ours, and its task is settled: the other file keeps the name. What cannot be told apart
    is left as it is, and reported: that is possible only where a kill or an older version of this program left it.
    """
    by_target: dict[str, tuple[Storage, list[Task]]] = {}
    for task in tasks:
        if task.naming is Naming.TWINS and task.object_id is None:
            by_target.setdefault(task.target.fs, (task.target, []))[1].append(task)
    for target, members in by_target.values():
        try:
            namesakes = target.namesakes([task.dst for task in members])
        except RemoteError as error:
            namesakes = dict.fromkeys((task.dst for task in members), error)
        for task in members:
            _judge(task, namesakes[task.dst])


def _judge(task: Task, found: Sequence[Entry] | OrchestratorError) -> None:
    if isinstance(found, OrchestratorError):
        task.error = found
        return
    known = task.verified.id if task.verified is not None else None
    ours = [entry for entry in found if entry.id == known]
    task.at_target = next(iter([*ours, *found]), None)
    if len(found) < 2 or task.unnamed:
        return
    try:
        ours = ours or [entry for entry in found if _may_be_ours(task, entry)]
    except OrchestratorError as error:
        task.error = error
        return
    if len(ours) == 1 or len({(entry.size, *entry.hashes.values()) for entry in ours}) == 1:
        _move_out_of_the_way(task, ours[-1])
    else:
        message = f"{task.name}: {len(found)} files are now called {task.dst}, and which of them is its copy is unknown; all stay"
        task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)


def _may_be_ours(task: Task, entry: Entry) -> bool:
    was = task.at_source or expected(task.operation)
    return compare(task.source, was, task.target, entry, read_if_needed=False) is not Match.DIFFERENT


def _move_out_of_the_way(task: Task, ours: Entry) -> None:
    move = MoveCall(task.dst, task.own_name_at_target, trash_of(task.run_id, task.attempt), id=ours.id, begun=True)
    outcome = send_one(task.target, move)
    if isinstance(outcome, OrchestratorError):
        task.error = outcome
    else:
        task.skip(f"{task.name}: the destination {task.dst} already exists")
