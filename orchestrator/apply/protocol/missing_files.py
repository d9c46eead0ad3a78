"""Search for a file that is at neither end of its operation: in trash, quarantine, temporary names, and rclone's own names."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import RemoteError, UsageError
from orchestrator.paths import is_half_renamed, split_path
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import Storage


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
