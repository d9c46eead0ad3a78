"""The temporary names of a plan, made those of one run: another machine may carry out an equal plan for the same target. Pure."""

from __future__ import annotations

import re

import msgspec

from orchestrator.apply.own_paths import staging_of
from orchestrator.paths import name_of
from orchestrator.plan.model import TEMPORARY, Operation, Plan, operation_id
from orchestrator.records import Ref

_OF_A_PLAN = re.compile(re.escape(TEMPORARY) + "/[^/]+")


def with_names_of_run(plan: Plan, run_id: str) -> Plan:
    """The plan with `TEMPORARY/<run>/<id>` in place of each `TEMPORARY/<id>` that one of its operations puts a file at.

    A temporary name at which an earlier run left a file stays as it is. An operation whose path changes gets the id that belongs
    to it.
    """
    names = {
        operation.dst: Ref(operation.dst.fs, f"{staging_of(run_id)}/{name_of(operation.dst.path)}")
        for operation in plan.operations
        if _OF_A_PLAN.fullmatch(operation.dst.path)
    }
    if not names:
        return plan
    ids: dict[str, str] = {}
    renamed: list[Operation] = []
    for operation in plan.operations:
        src, dst = names.get(operation.src, operation.src), names.get(operation.dst, operation.dst)
        ids[operation.id] = operation_id(operation.verb, src, dst)
        renamed.append(msgspec.structs.replace(operation, id=ids[operation.id], src=src, dst=dst))
    operations = (msgspec.structs.replace(one, depends=tuple(ids.get(other, other) for other in one.depends)) for one in renamed)
    return msgspec.structs.replace(plan, operations=tuple(operations))
