"""What must hold of a plan before its first change: sound paths, known verbs, a storage for each location, space enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.apply.own_paths import check_path
from orchestrator.apply.protocol.decide import Route
from orchestrator.apply.protocol.schedule import Schedule
from orchestrator.apply.protocol.task import route_of
from orchestrator.errors import IntegrityError, NotFoundError, SafetyLimitError, UsageError
from orchestrator.plan.model import Operation, Plan, Verb, is_temporary
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage


def locations(operations: Sequence[Operation]) -> list[str]:
    """The locations that a plan's operations touch or look at, sorted."""
    looked_at = {operation.expect.kept.fs for operation in operations if operation.expect.kept}
    return sorted({ref.fs for operation in operations for ref in (operation.src, operation.dst)} | looked_at)


def check_plan(plan: Plan, storages: Mapping[str, Storage]) -> None:
    """Raise IntegrityError for a plan that is not sound, UsageError for one that cannot be carried out here."""
    destinations = set()
    for operation in plan.operations:
        check_path(operation.src.path)
        check_path(operation.dst.path)
        if operation.verb is Verb.REWRITE and (operation.written() is None or not is_temporary(operation.dst.path)):
            raise IntegrityError(f"{operation.src.path}: the plan does not say what to write", path=operation.src.path)
        _check_ids(operation, storages)
        if operation.src == operation.dst and operation.verb in {Verb.MOVE, Verb.COPY}:
            raise IntegrityError(f"{operation.src.path}: the plan moves it onto itself", path=operation.src.path)
        away = operation.verb in {Verb.QUARANTINE, Verb.DELETE}
        target = (not away, Ref(operation.dst.fs, operation.dst.path) if away else operation.dst)
        if target in destinations:
            raise IntegrityError(f"{operation.dst.path}: the plan puts two files there", path=operation.dst.path)
        destinations.add(target)
    for fs in locations(plan.operations):
        if fs not in storages:
            raise UsageError(f"the plan needs the location {fs!r}, which is not open")
    Schedule(plan.operations)


def _check_ids(operation: Operation, storages: Mapping[str, Storage]) -> None:
    """Only a rename on a remote where files share names can go by id. Raises UsageError."""
    if not (operation.src.object_id or operation.dst.object_id):
        return
    source, target = storages.get(operation.src.fs), storages.get(operation.dst.fs)
    if source is None or target is None:
        return  # said below
    able = source.capabilities.by_id and target.capabilities.by_id
    if not able or operation.verb is Verb.COPY or route_of(operation, source, target, operation.dst) is not Route.RENAME:
        raise UsageError(f"{operation.src.path}: the plan knows it by an id, and {operation.src.fs} cannot move files by id")


def check_space(operations: Sequence[Operation], storages: Mapping[str, Storage]) -> None:
    """Raise SafetyLimitError where a target says beforehand that it has too little space for what comes to it."""
    needed: dict[str, int] = {}
    for operation in operations:
        source, target = storages[operation.src.fs], storages[operation.dst.fs]
        # What stays on one storage takes no more space at its end, nor does a rename between two places of one disk.
        stays = operation.verb not in {Verb.COPY, Verb.REWRITE} and (
            source is target or route_of(operation, source, target, operation.dst) is Route.RENAME
        )
        if not stays:
            needed[operation.dst.fs] = needed.get(operation.dst.fs, 0) + (operation.size or 0)
    for fs, size in needed.items():
        if not storages[fs].capabilities.quota:
            continue
        try:
            quota = storages[fs].quota()
        except NotFoundError:
            # A target that is not there yet: the run would make it anyway.
            storages[fs].make_directory("")
            quota = storages[fs].quota()
        if quota is not None and quota.free is not None and quota.free < size:
            raise SafetyLimitError(f"{fs}: {size} bytes are to come, but only {quota.free} are free: make space there first")
