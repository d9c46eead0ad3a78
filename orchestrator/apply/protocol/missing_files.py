"""A file that is at neither end of its operation: take it back from the trash of the rename, or search for it.

It may be in trash, quarantine, at temporary names, or at names of rclone's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from orchestrator.apply.own_paths import trash_of
from orchestrator.apply.protocol.batches import send_one
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import OrchestratorError, RemoteError, UsageError
from orchestrator.paths import is_half_renamed, split_path
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
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


def find_moved(storage: Storage, missing: Mapping[Ref, Entry | None], known: Collection[str]) -> dict[Ref, str]:
    """Where other programs have moved files that are not where they were seen: file -> a sentence. Raises storages' errors.

    `known`: the paths of other files of the run. One listing answers for all of them.
    """
    by_size: dict[int, list[tuple[Ref, Entry]]] = {}
    for ref, was in missing.items():
        if was is not None and was.size:
            by_size.setdefault(was.size, []).append((ref, was))
    found: dict[Ref, str] = {}
    precision = storage.capabilities.mtime_precision_ns
    for entry in storage.list("") if by_size else ():
        wanted = by_size.get(entry.size or 0, [])
        if entry.path in known:
            continue
        for number, (ref, was) in enumerate(wanted):
            if (same := _what_is_same(was, entry, precision)) is not None:
                found[ref] = f"{same} is at {entry.path}"
                del wanted[number]
                break
    return found


def _what_is_same(was: Entry, now: Entry, precision_ns: int | None) -> str | None:
    """Why this may be the file: its id, a hash, or at least its own time; None if nothing says so."""
    if was.id is not None and was.id == now.id:
        return "it"
    by_hash = same_content_by_hash(was, now)
    if by_hash is not None:
        return "the same content" if by_hash else None
    has_times = None not in {precision_ns, was.mtime_ns, now.mtime_ns}
    return "a file of the same size and time" if has_times and same_file(was, now, precision_ns) else None


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
