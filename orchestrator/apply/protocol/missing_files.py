"""A file that is at neither end of its operation: take it back from the trash of the rename, or search for it.

It may be in trash, quarantine, at temporary names, or at names of rclone's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import IntEnum

import msgspec

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


class Evidence(IntEnum):
    """What says that a file is one that was elsewhere, the best first. Only an id proves it: others may be older."""

    ID = 0
    CONTENT = 1
    SIZE_AND_TIME = 2


_SAYING = {
    Evidence.ID: "it",
    Evidence.CONTENT: "the same content",
    Evidence.SIZE_AND_TIME: "a file of the same size and time",
}


class Found(msgspec.Struct, frozen=True):
    """Where a missing file may be."""

    path: str
    evidence: Evidence

    def __str__(self) -> str:
        return f"{_SAYING[self.evidence]} is at {self.path}"


def find_moved(
    storage: Storage, missing: Mapping[Ref, Entry | None], known: Collection[str]
) -> tuple[dict[Ref, Found], RemoteError | None]:
    """Where other programs may have moved files that are not where they were seen, and the error that ended the search early.

    `known`: the paths of other files that the run knows. One listing answers for all of them.
    """
    by_size: dict[int, list[tuple[Ref, Entry]]] = {}
    for ref, was in missing.items():
        if was is not None and was.size:
            by_size.setdefault(was.size, []).append((ref, was))
    found: dict[Evidence, dict[Ref, str]] = {evidence: {} for evidence in Evidence}
    precision = storage.capabilities.mtime_precision_ns
    error = None
    try:
        for entry in storage.list("") if by_size else ():
            wanted = by_size.get(entry.size or 0, ()) if entry.path not in known else ()
            like = {ref: evidence for ref, was in wanted if (evidence := _evidence(was, entry, precision)) is not None}
            # One file stands for one missing file at most: what has the id or the content of one is not another.
            best = min(like.values(), default=None)
            for ref in [ref for ref, evidence in like.items() if evidence is best and ref not in found[evidence]][:1]:
                found[like[ref]][ref] = entry.path
    except RemoteError as ended:
        error = ended
    best_last = sorted(Evidence, reverse=True)
    return {ref: Found(path, evidence) for evidence in best_last for ref, path in found[evidence].items()}, error


def _evidence(was: Entry, now: Entry, precision_ns: int | None) -> Evidence | None:
    """Why this may be the file; None if nothing says so."""
    if was.id is not None and was.id == now.id:
        return Evidence.ID
    by_hash = same_content_by_hash(was, now)
    if by_hash is not None:
        return Evidence.CONTENT if by_hash else None
    has_times = None not in {precision_ns, was.mtime_ns, now.mtime_ns}
    return Evidence.SIZE_AND_TIME if has_times and same_file(was, now, precision_ns) else None


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
