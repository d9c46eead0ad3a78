"""Keep other runs away while one changes files: locks on the directories of local disks, markers at all locations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from orchestrator.apply.guard.lock import locked_directories
from orchestrator.apply.guard.marker import Markers
from orchestrator.apply.guard.surroundings import SurroundingsOf, alone
from orchestrator.apply.journal.journal import Journal
from orchestrator.errors import InterruptedRunError, RemoteError
from orchestrator.plan.model import Operation, changed_locations
from orchestrator.storage.protocol import Storage


@contextmanager
def exclusive_access(
    operations: Sequence[Operation],
    storages: Mapping[str, Storage],
    journal: Journal,
    *,
    marker: bool,
    ignore_marker: bool,
    surroundings_of: SurroundingsOf = alone,
) -> Iterator[Markers]:
    """Lock the local directories that the operations change; gives the markers for these locations, checked but not yet written.

    Raises LockedError when another run is in progress at one of them, around it, or in it, as far as `surroundings_of` knows.
    Raises UsageError when two of them turn out to be one folder. Without `marker` there are none; with `ignore_marker` those of
    other runs do not count.
    """
    changed = changed_locations(operations)
    for storage in storages.values():
        with suppress(RemoteError):  # the first request will meet it
            storage.forget_folders()
    surroundings = {fs: surroundings_of(storage) for fs, storage in storages.items()}
    with locked_directories(folder for fs in changed for folder in surroundings[fs].folders):
        is_ours = lambda run_id: any(run.id == run_id for run in journal.runs())  # noqa: E731 - only asked if there is a marker
        markers = Markers([one for fs, one in surroundings.items() if marker and fs in changed], is_ours=is_ours)
        if not ignore_marker:
            markers.check()
        try:
            if marker:
                markers.prove_apart(surroundings)
            yield markers
        except InterruptedRunError:
            raise  # at once: the markers become stale by themselves
        except BaseException:  # a Ctrl-C, too: a marker left behind would keep other machines out for ten minutes
            markers.end()
            raise
