"""What the work of a plan is called while it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from orchestrator.apply.own_paths import deletes_for_good
from orchestrator.apply.protocol.routes import on_one_remote
from orchestrator.plan.model import Operation, Verb
from orchestrator.storage.protocol import Storage

_NAMES = {
    Verb.COPY: "copying",
    Verb.QUARANTINE: "quarantining",
    Verb.DELETE: "deleting",
    Verb.REWRITE: "rewriting",
    Verb.REPLACE: "replacing",
}


def name_of_work(operations: Sequence[Operation], storages: Mapping[str, Storage]) -> str:
    """Its most frequent kinds, at most two: "copying", "renaming and quarantining"."""
    kinds = Counter(_kind(operation, storages) for operation in operations)
    return " and ".join(name for name, _ in kinds.most_common(2)) or "changing"


def _kind(operation: Operation, storages: Mapping[str, Storage]) -> str:
    if deletes_for_good(operation):
        return _NAMES[Verb.DELETE]
    if operation.verb is not Verb.MOVE:
        return _NAMES[operation.verb]
    source, target = storages[operation.src.fs], storages[operation.dst.fs]
    return "renaming" if on_one_remote(source, target) and target.capabilities.move else "moving"
