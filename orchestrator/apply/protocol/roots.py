"""The folders that a run works in, on disks of this machine: whether each is still the one in which the run began.

After a disk is unmounted, an empty folder is where it was: every file would count as gone, and copies would fill the disk below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from orchestrator.apply.journal.records import OperationState, Stage
from orchestrator.errors import OutageError, RemoteError
from orchestrator.plan.model import Plan, Verb
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.local_path import local_root, status_on_disk
from orchestrator.storage.protocol import Storage

_FIRST = 20
"""So many of the files that a run has put somewhere show whether its disk is there."""
_NONE = (-1, -1)
"""The device and the number of no folder."""


class Roots:
    """The folders of one run."""

    def __init__(
        self, storages: Mapping[str, Storage], plan: Plan, states: Mapping[str, OperationState], mounts: Mapping[str, str]
    ) -> None:
        """`states`: those of the operations of a run that is resumed. `mounts`: where the disks were mounted when it began."""
        self._storages = {fs: storage for fs, storage in storages.items() if storage.capabilities.local}
        self._known: dict[str, tuple[int, int]] = {}
        done = {identity for identity, state in states.items() if state.stage is Stage.DONE}
        filled = defaultdict[str, list[str]](list)
        for one in plan.operations:
            if one.id in done and one.verb in {Verb.MOVE, Verb.COPY}:
                filled[one.dst.fs].append(one.dst.path)
        for fs in filled.keys() & self._storages.keys():
            storage = self._storages[fs]
            elsewhere = mounts.get(fs) not in {None, _mount_point(storage)}
            if _is_empty(storage) or (elsewhere and _lacks_most(storage, filled[fs][:_FIRST])):
                self._known[fs] = _NONE
        self.replaced(self._storages)

    def replaced(self, locations: Iterable[str]) -> dict[str, OutageError]:
        """Those that are another folder now, or gone; a folder that the run has made counts from then on."""
        found: dict[str, OutageError] = {}
        for fs in locations:
            storage = self._storages.get(fs)
            if storage is None:
                continue
            status = status_on_disk(storage, "")
            now = None if status is None else (status.st_dev, status.st_ino)
            before = self._known.get(fs) or now
            if now is not None and before is not None and now != before and now[0] == before[0] and not _is_empty(storage):
                before = now  # FUSE may give one folder other numbers (`rclone mount` does, below its root)
            if before is not None:
                self._known[fs] = before
            if now != before:
                found[fs] = OutageError("the folder is not the one in which the run began: is the disk mounted?")
        return found


def mount_points(storages: Mapping[str, Storage]) -> dict[str, str]:
    """Location -> where its disk is mounted, for those on disks of this machine."""
    return {fs: _mount_point(storage) for fs, storage in storages.items() if storage.capabilities.local}


def _mount_point(storage: Storage) -> str:
    path = Path(local_root(storage) or "/").resolve()
    return str(next(folder for folder in (path, *path.parents) if folder.is_mount()))


def _lacks_most(storage: Storage, paths: Collection[str]) -> bool:
    """Whether at least half of the files are not there: what was being sent when the disk went lies in the folder below it."""
    return 2 * sum(status_on_disk(storage, path) is None for path in paths) >= len(paths)


def _is_empty(storage: Storage) -> bool:
    """Whether nothing is in the folder, but for what is ours (a marker may have been put there), or there is no folder."""
    try:
        return {*(storage.entries("") or ())} <= {f"{OWN_DIRECTORY}/"}
    except RemoteError:  # the windows will meet the same error and handle it
        return False
