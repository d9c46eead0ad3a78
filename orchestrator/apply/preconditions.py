"""What is checked before the first change of a run: a sound plan, a storage for each location, enough space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.apply.journal.records import OperationState
from orchestrator.apply.protocol.routes import Route, route_of
from orchestrator.apply.protocol.schedule import Schedule
from orchestrator.errors import NotFoundError, SafetyLimitError, UsageError
from orchestrator.plan.model import LEAVING_THE_SOURCE, Operation, Plan, Verb, changed_locations, locations_of, mirrors_of
from orchestrator.plan.soundness import check_plan
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.local_path import local_path, why_not_writable
from orchestrator.storage.protocol import Storage

_NONE: Mapping[str, OperationState] = {}


def check_preconditions(plan: Plan, storages: Mapping[str, Storage]) -> None:
    """Raise IntegrityError for a plan that is not sound, UsageError for one that cannot be carried out with these storages."""
    check_plan(plan, own_directory=True)
    for fs in locations_of(plan.operations):
        if fs not in storages:
            raise UsageError(f"the plan needs the location {fs!r}, which is not open")
    for operation in plan.operations:
        _check_ids(operation, storages)
    Schedule(plan.operations)
    for fs in changed_locations(plan.operations):
        check_writable(storages[fs])


def check_writable(storage: Storage) -> None:
    """Raise UsageError for a folder of this machine that may not be written to: a read-only disk or snapshot, or no right.

    Our own folder must not be a link either: no name can be given from another disk, and inside the library it would be music.
    """
    root, own = local_path(storage, ""), local_path(storage, OWN_DIRECTORY)
    if root is None or own is None:
        return
    why = why_not_writable(root)
    if why is None and Path(own).is_symlink():
        why = f"{OWN_DIRECTORY} is a link there: replace it by a folder, with what it holds"
    if why is not None:
        raise UsageError(f"{storage.fs}: {why}")


def _check_ids(operation: Operation, storages: Mapping[str, Storage]) -> None:
    """Only a rename on a remote where files can share a name works by id. Raises UsageError."""
    if not (operation.src.object_id or operation.dst.object_id):
        return
    source, target = storages[operation.src.fs], storages[operation.dst.fs]
    supported = source.capabilities.by_id and target.capabilities.by_id
    copied = operation.verb in {Verb.COPY, Verb.REPLACE}
    if not supported or copied or route_of(operation, source, target, operation.dst) is not Route.RENAME:
        raise UsageError(f"{operation.src.path}: the plan refers to it by an id, but {operation.src.fs} cannot move files by id")


def check_space(plan: Plan, storages: Mapping[str, Storage], states: Mapping[str, OperationState] = _NONE) -> None:
    """Raise SafetyLimitError if a target reports too little space for what still goes there. Mirrors may be too small."""
    mirrors = mirrors_of(plan.header)
    left = [one for one in plan.operations if one.id not in states or not states[one.id].stage.is_verdict]
    for fs, size in _space_needed(left, storages).items():
        if fs in mirrors or not storages[fs].capabilities.quota:
            continue
        try:
            quota = storages[fs].quota()
        except NotFoundError:
            # The target does not exist yet: the run would make it anyway.
            storages[fs].make_directory("")
            quota = storages[fs].quota()
        if quota is not None and quota.free is not None and quota.free < size:
            raise SafetyLimitError(f"{fs}: needs {size} bytes, but only {quota.free} are free: free some space there first")


def _space_needed(operations: Sequence[Operation], storages: Mapping[str, Storage]) -> dict[str, int]:
    """Location -> bytes of the files that go there."""
    needed: dict[str, int] = {}
    for operation in operations:
        source, target = storages[operation.src.fs], storages[operation.dst.fs]
        # A move within one storage needs no more space in the end, nor does a rename between two locations on one disk.
        within = operation.verb not in LEAVING_THE_SOURCE and (
            source is target or route_of(operation, source, target, operation.dst) is Route.RENAME
        )
        if not (within or operation.finishes_move):
            needed[operation.dst.fs] = needed.get(operation.dst.fs, 0) + (operation.size or 0)
    return needed
