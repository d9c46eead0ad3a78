"""The undo planner: from what a run brought through to the plan that takes it back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from orchestrator.errors import IntegrityError
from orchestrator.paths import parent_of
from orchestrator.plan.build import build_plan
from orchestrator.plan.model import Expect, Header, Operation, Plan, Skipped, Verb, is_temporary
from orchestrator.plan.ordering import Move, order
from orchestrator.plan.shared_names import quarantine_move
from orchestrator.records import Capabilities, Entry, Ref

_NOTHING: Mapping[Ref, str] = {}


class CompletedOperation(Protocol):
    """One operation that came through, as the journal remembers it."""

    @property
    def operation(self) -> Operation:
        """What was carried out."""

    @property
    def now(self) -> Ref:
        """Where the file was put: for a quarantine the place inside it."""

    @property
    def entry(self) -> Entry | None:
        """The file as it was seen there; None for one that was removed for good."""


def plan_undo(
    done: Iterable[CompletedOperation],
    header: Header,
    *,
    run_id: str,
    tool_version: str,
    created: str,
    deleted: Mapping[Ref, str] = _NOTHING,
) -> Plan:
    """The plan that gives every file of the run its old place and name.

    `header` is that of the plan which the run carried out. A move goes back, through a temporary name where it must; what
    was copied or written goes to quarantine; what was quarantined comes home. What was deleted for good, by the run itself or by
    a later one (`deleted`: where it lay -> that run), is listed as skipped.
    """
    moves: list[Move] = []
    skipped: list[Skipped] = []
    fetching = not header.options.keys().isdisjoint({"undo", "quarantine"})
    for operation, origin, fact in _collapsed(list(done), fetching=fetching):
        entry = fact.entry
        deleted_by = run_id if entry is None else deleted.get(fact.now)
        if entry is None or deleted_by is not None:
            skipped.append(Skipped(origin.path, "deleted", f"the run {deleted_by} deleted it for good: nothing brings it back"))
            continue
        if operation.verb in {Verb.COPY, Verb.REWRITE}:
            moves.append(quarantine_move(fact.now, entry, f"undo of run {run_id}"))
        else:
            expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns)
            group = parent_of(origin.path)
            moves.append(Move(Verb.MOVE, fact.now, origin, entry.size, expect, f"undo of run {run_id}", group))
    capabilities = {fs: msgspec.convert(known, Capabilities) for fs, known in header.capabilities.items()}
    respelling = any(capability.case_insensitive for capability in capabilities.values())
    operations = order(moves, case_insensitive=respelling)
    return build_plan(
        operations,
        source=header.source,
        target=header.target,
        locations=header.locations,
        options={"undo": run_id},
        capabilities=capabilities,
        skipped=sorted(skipped, key=lambda one: one.path),
        tool_version=tool_version,
        created=created,
        config_sha256=header.config_sha256,
    )


def _collapsed(done: Sequence[CompletedOperation], *, fetching: bool) -> list[tuple[Operation, Ref, CompletedOperation]]:
    """Each file's last operation, where the run took it from, and where it is; both halves of a rename become one.

    `fetching`: the run may have taken files from temporary names at which an earlier one had left them.
    """
    steps_aside = {fact.operation.dst: fact for fact in done if is_temporary(fact.operation.dst.path)}
    collapsed = []
    for fact in done:
        operation = fact.operation
        first = steps_aside.pop(operation.src, None)
        if first is not None:
            # The second half of a rewrite brought a file that was not there before the run.
            verb = Verb.REWRITE if first.operation.verb is Verb.REWRITE else operation.verb
            collapsed.append((msgspec.structs.replace(operation, verb=verb), first.operation.src, fact))
        elif is_temporary(operation.src.path) and not fetching:
            raise IntegrityError(f"the journal does not tell where {operation.src.path} came from", path=operation.dst.path)
        elif not is_temporary(operation.dst.path):
            collapsed.append((operation, operation.src, fact))
    collapsed += [(fact.operation, fact.operation.src, fact) for fact in steps_aside.values()]
    return collapsed
