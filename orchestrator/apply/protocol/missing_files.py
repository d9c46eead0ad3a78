"""A file that is at neither end of its operation: take it back from the trash of the rename, or search for it.

It may be in trash, quarantine, at temporary names, or at names of rclone's.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import send_one
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import OrchestratorError, RemoteError, UsageError
from orchestrator.paths import is_half_renamed, split_path
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import CallResult, MoveCall, Storage


def take_back_from_trash(task: Task) -> str | None:
    """Undo a rename that moved its own source out of the way; says so, or None if it did not.

    A link that the server follows shows the source at the destination as well. rclone then takes it for another file there.
    """
    if task.route is not Route.RENAME:
        return None
    wanted, precision = expected(task.operation), task.target.capabilities.mtime_precision_ns
    for attempt in range(task.attempt, 0, -1):
        caught = f"{trash_of(task.run_id, attempt)}/{task.dst}"
        try:
            there = task.target.stat(caught)
            if there is None or not same_file(wanted, there, precision):
                continue
            other = None if task.source is task.target else task.target
            back: CallResult = send_one(task.source, MoveCall(caught, task.src, trash_of(task.run_id, attempt + 1), other))
        except RemoteError as error:
            back = error
        message = f"{task.dst} is the same file under another name, so it was moved to {caught}"
        if isinstance(back, OrchestratorError):
            return f"{message}; it could not be moved back ({back.message}): `quarantine restore` brings it back"
        return f"{message} and back: nothing was changed"
    return None


def find_elsewhere(task: Task) -> list[str]:
    """The files of the task's two storages that hold its content, as `fs/path`."""
    wanted = expected(task.operation)
    found: dict[str, None] = {}
    for storage, path in ((task.source, task.src), (task.target, task.dst)):
        for entry in _candidates(storage, path):
            same = same_content_by_hash(wanted, entry)
            if same is None and storage is task.source:
                same = same_file(wanted, entry, storage.capabilities.mtime_precision_ns)
            if same:
                found[f"{storage.fs.rstrip('/')}/{entry.path}"] = None
    return [*found]


def _candidates(storage: Storage, path: str) -> Iterator[Entry]:
    yield from _listed(storage, OWN_DIRECTORY)
    directory, name = split_path(path)
    for entry in _listed(storage, directory):
        other_directory, other = split_path(entry.path)
        if other_directory == directory and other.startswith(name) and is_half_renamed(other):
            yield entry


def _listed(storage: Storage, prefix: str) -> Iterator[Entry]:
    try:
        yield from storage.list(prefix)
    except (RemoteError, UsageError):
        return  # the caller reports the missing file in any case
