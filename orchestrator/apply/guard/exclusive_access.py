"""Keep other runs away while one changes files: locks on the directories of local disks, markers on remotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from orchestrator.apply.guard.lock import locked_directories
from orchestrator.apply.guard.marker import Markers
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.local_disk import local_path
from orchestrator.plan.model import Operation, changed_locations
from orchestrator.storage.protocol import Storage


@contextmanager
def exclusive_access(
    operations: Sequence[Operation], storages: Mapping[str, Storage], journal: Journal, *, marker: bool, ignore_marker: bool
) -> Iterator[Markers]:
    """Lock the local directories that the operations change; gives the markers for the remotes, checked but not yet written.

    Raises LockedError when another run is in progress on one of them. Without `marker` remotes get none; with `ignore_marker`
    those of other runs do not count.
    """
    changed = changed_locations(operations)
    directories = {fs: local_path(storage, "") for fs, storage in storages.items() if fs in changed}
    with locked_directories(directory for directory in directories.values() if directory is not None):
        remote = [storages[fs] for fs, directory in directories.items() if directory is None]
        is_ours = lambda run_id: any(run.id == run_id for run in journal.runs())  # noqa: E731 - only asked if there is a marker
        markers = Markers(remote if marker else (), is_ours=is_ours)
        if not ignore_marker:
            markers.check()
        yield markers
