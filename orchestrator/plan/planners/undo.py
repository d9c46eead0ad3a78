"""The undo planner: from the completed operations of a run to the plan that reverses them. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from orchestrator.errors import IntegrityError
from orchestrator.paths import parent_of
from orchestrator.plan.build import build_plan
from orchestrator.plan.model import (
    LEAVING_THE_SOURCE,
    CompletedOperation,
    Expect,
    Header,
    Operation,
    Plan,
    Skipped,
    Verb,
    is_temporary,
)
from orchestrator.plan.ordering import Move, order
from orchestrator.plan.shared_names import quarantine_move
from orchestrator.records import OWN_DIRECTORY, Capabilities, Ref

_Collapsed = tuple[Operation, Ref, CompletedOperation]
"""A file's last operation, its path before the run, and its state now."""

_NOTHING: Mapping[Ref, str] = {}
_NO_LONGER = "the trash or quarantine of the run no longer holds"


def plan_undo(
    done: Iterable[CompletedOperation],
    header: Header,
    *,
    run_id: str,
    tool_version: str,
    created: str,
    deleted: Mapping[Ref, str] = _NOTHING,
) -> Plan:
    """The plan that returns every file of the run to its old path.

    `header` is that of the run's plan. Moved and quarantined files move back, through temporary names where needed; copies and
    written files are quarantined. Files that were deleted for good, by the run itself or by a later one (`deleted`: their
    path -> that run, or "" if no run did it), are reported as skipped, and what the run put in their places stays.
    """
    done = list(done)
    moves: list[Move] = []
    skipped: list[Skipped] = []
    fetching = not header.options.keys().isdisjoint({"undo", "quarantine"})
    collapsed = _collapsed(done, fetching=fetching)
    lost = {fact.destination: run_id for fact in done if fact.entry is None} | dict(deleted)
    gone = _gone(collapsed, lost)
    staying = _staying(collapsed, lost, gone)
    for operation, origin, fact in collapsed:
        entry = fact.entry
        if fact.destination in staying:
            by = gone[fact.destination] if fact.destination in gone else gone[origin]
            how = f"the run {by} deleted for good what was there before" if by else f"{_NO_LONGER} what was there before"
            reason = f"stays as it is: {how}"
            skipped.append(Skipped(fact.destination.path, "deleted", reason))
            continue
        if entry is None or fact.destination in lost:
            if operation.verb not in LEAVING_THE_SOURCE and origin not in staying:
                by = lost[fact.destination]
                how = f"the run {by} deleted it for good" if by else f"{_NO_LONGER} it"
                skipped.append(Skipped(origin.path, "deleted", f"{how}: it cannot be restored"))
            continue
        if operation.verb in LEAVING_THE_SOURCE:
            moves.append(quarantine_move(fact.destination, entry, f"undo of run {run_id}"))
        else:
            expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns)
            group = parent_of(origin.path)
            verb = Verb.COPY if operation.finishes_move else Verb.MOVE  # that file had been there before
            moves.append(Move(verb, fact.destination, origin, entry.size, expect, f"undo of run {run_id}", group))
    capabilities = {fs: msgspec.convert(known, Capabilities) for fs, known in header.capabilities.items()}
    respelling = any(capability.case_insensitive for capability in capabilities.values())
    operations = _copies_first(order(moves, case_insensitive=respelling))
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


def _gone(collapsed: Sequence[_Collapsed], lost: Mapping[Ref, str]) -> dict[Ref, str]:
    """The paths whose files cannot come back -> the run that deleted them. `lost`: where those files were then -> that run."""
    gone: dict[Ref, str] = {}
    for operation, origin, fact in collapsed:
        if fact.destination in lost and operation.verb not in LEAVING_THE_SOURCE:
            gone[origin] = gone[fact.operation.dst] = lost[fact.destination]
    return gone


def _staying(collapsed: Sequence[_Collapsed], lost: Container[Ref], gone: Container[Ref]) -> set[Ref]:
    """Where the files are that stay, because what was there before is gone."""
    present = [one for one in collapsed if one[2].destination not in lost]
    return {fact.destination for operation, origin, fact in present if _stands_in(operation, origin, fact.destination, gone)}


def _stands_in(operation: Operation, origin: Ref, now: Ref, gone: Container[Ref]) -> bool:
    """Whether an undo would only take a file from people's eyes: what was there before is gone."""
    if operation.verb in LEAVING_THE_SOURCE:
        return now in gone or origin in gone
    hidden_before = origin.path.startswith(f"{OWN_DIRECTORY}/")
    return now in gone and (hidden_before or operation.expect.replaced is not msgspec.UNSET)


def _copies_first(operations: Sequence[Operation]) -> list[Operation]:
    """A file is copied back before it leaves the place from which it is copied."""
    copies = {one.src: one.id for one in operations if one.verb is Verb.COPY}
    return [
        msgspec.structs.replace(one, depends=tuple(sorted({*one.depends, copies[one.src]})))
        if one.src in copies and one.verb is not Verb.COPY
        else one
        for one in operations
    ]


def _collapsed(done: Sequence[CompletedOperation], *, fetching: bool) -> list[_Collapsed]:
    """Each file's last operation, its path before the run, and its state now; the two steps of a rename become one.

    `fetching`: the run may have moved files from temporary names at which an earlier run had left them.
    """
    first_steps = {fact.operation.dst: fact for fact in done if is_temporary(fact.operation.dst.path)}
    collapsed = []
    for fact in done:
        operation = fact.operation
        first = first_steps.pop(operation.src, None)
        if first is not None:
            # The second step of a rewrite created a file that was not there before the run.
            verb = Verb.REWRITE if first.operation.verb is Verb.REWRITE else operation.verb
            collapsed.append((msgspec.structs.replace(operation, verb=verb), first.operation.src, fact))
        elif is_temporary(operation.src.path) and not fetching:
            raise IntegrityError(f"the journal does not say where {operation.src.path} came from", path=operation.dst.path)
        elif not is_temporary(operation.dst.path):
            collapsed.append((operation, operation.src, fact))
    collapsed += [(fact.operation, fact.operation.src, fact) for fact in first_steps.values()]
    return collapsed
