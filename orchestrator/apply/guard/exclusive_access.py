"""What keeps other runs away while one is at work: locks on places of this disk, markers on remotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from orchestrator.apply.guard.lock import locked_places
from orchestrator.apply.guard.marker import Markers
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.local_disk import local_path
from orchestrator.plan.model import Operation, Verb
from orchestrator.storage.protocol import Storage


@contextmanager
def guarded(
    operations: Sequence[Operation], storages: Mapping[str, Storage], journal: Journal, *, marker: bool, ignore_marker: bool
) -> Iterator[Markers]:
    """Lock the places that the operations change, and give the markers of the others, checked and not yet written.

    Raises LockedError when another run is at work on one of them. Without `marker` remotes get none; with `ignore_marker` those
    of others do not count.
    """
    changed = {operation.dst.fs for operation in operations}
    changed |= {operation.src.fs for operation in operations if operation.verb not in {Verb.COPY, Verb.REWRITE}}
    directories = {fs: local_path(storage, "") for fs, storage in storages.items() if fs in changed}
    with locked_places(directory for directory in directories.values() if directory is not None):
        remote = [storages[fs] for fs, directory in directories.items() if directory is None]
        known = lambda run_id: any(run.id == run_id for run in journal.runs())  # noqa: E731 - asked only where a marker lies
        markers = Markers(remote if marker else (), is_ours=known)
        if not ignore_marker:
            markers.check()
        yield markers
