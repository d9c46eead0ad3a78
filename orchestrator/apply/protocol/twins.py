"""Where two files can have one name, find out whether a file of ours shares its name, and move ours out of the way if so.

A copy goes to a name of ours, a file that was renamed back to where it came from. The other file keeps the name.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import send_one
from orchestrator.apply.protocol.fingerprint import expected, same_file
from orchestrator.apply.protocol.same_bytes import Match, compare
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import ExitCode, OrchestratorError, PermanentError, RemoteError
from orchestrator.records import Entry
from orchestrator.storage.protocol import MoveCall, Naming, Storage


def tell_twins_apart(tasks: Sequence[Task]) -> None:
    """Look at the destinations of the copies and renames that may share their name with another file.

    Ours is moved away, and its task is settled. What cannot be told apart is left as it is, and reported: that is possible only
    where a kill or an older version of this program left it.
    """
    by_target: dict[str, tuple[Storage, list[Task]]] = {}
    for task in tasks:
        if task.may_share_name or (task.naming is Naming.TWINS and task.object_id is None):
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
    files = [entry for entry in found if not entry.path.endswith("/")]
    known = _known_id(task)
    ours = [entry for entry in files if entry.id == known]
    task.at_target = next(iter([*ours, *files]), None)
    if len(found) < 2 or task.unnamed:
        return
    if task.may_share_name and not ours:
        ours = _renamed_before(task, files) if known is None else []  # a rename keeps the id
        if not ours:
            return
    try:
        ours = ours or [entry for entry in files if _may_be_ours(task, entry)]
    except OrchestratorError as error:
        task.error = error
        return
    if _are_equal(ours):
        _move_out_of_the_way(task, ours[-1], beside_folder=len(files) < 2)
    else:
        message = f"{task.name}: {len(found)} files are now called {task.dst}, and which of them is ours is unknown; all stay"
        task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)


def _known_id(task: Task) -> str | None:
    if task.may_share_name:
        return task.source_id
    return None if task.verified is None else task.verified.id


def _renamed_before(task: Task, files: Sequence[Entry]) -> list[Entry]:
    """What an earlier start of the run may have renamed."""
    was, precision = expected(task.operation), task.target.capabilities.mtime_precision_ns
    return [entry for entry in files if same_file(was, entry, precision)]


def _are_equal(files: Sequence[Entry]) -> bool:
    """Whether there is one, or whichever is taken has the same content."""
    return len({(entry.size, *entry.hashes.values()) for entry in files}) == 1


def _may_be_ours(task: Task, entry: Entry) -> bool:
    was = task.at_source or expected(task.operation)
    return compare(task.source, was, task.target, entry, read_if_needed=False) is not Match.DIFFERENT


def _move_out_of_the_way(task: Task, ours: Entry, *, beside_folder: bool) -> None:
    away = (task.source, task.src) if task.may_share_name else (task.target, task.own_name_at_target)
    outcome = send_one(away[0], MoveCall(task.dst, away[1], trash_of(task.run_id, task.attempt), id=ours.id, begun=True))
    if isinstance(outcome, OrchestratorError):
        task.error = outcome
        return
    task.at_target = None
    if beside_folder:  # which may be empty
        task.error = PermanentError(f"{task.dst}: is a directory not a file", path=task.dst)
    else:
        task.skip(f"{task.name}: the destination {task.dst} already exists")
