"""Copies that a run made and verified, but whose sources it could not delete: the memory of them is the journal.

Such a copy is a FAILED operation with the entry of the copy. The next plan that moves the same file to the same place only
deletes the source, and an undo only deletes the copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import OperationState, Record, Stage
from orchestrator.apply.own_paths import destination_of
from orchestrator.apply.protocol.fingerprint import common_hashes, expected, same_content_by_hash
from orchestrator.errors import ExitCode
from orchestrator.plan.model import CompletedOperation, Operation, Plan, Verb
from orchestrator.records import Entry, Item, Ref


class LeftCopy(msgspec.Struct, frozen=True):
    """One of them. Its source is `operation.src`."""

    runs: tuple[str, ...]
    """The run that made it, then those that could not delete its source either."""
    operation: Operation
    destination: Ref
    entry: Entry
    """The copy, as seen at `destination`."""

    @property
    def completed(self) -> CompletedOperation:
        """As an operation that can be undone."""
        return CompletedOperation(self.operation, self.destination, self.entry)


def left_copies(journal: Journal) -> list[LeftCopy]:
    """Those of all runs, oldest first, without those that a later run has completed or undone."""
    found: dict[tuple[Ref, Ref], LeftCopy] = {}
    for run in journal.runs():
        if found:
            for done in journal.completed(run.id):
                found.pop((done.operation.src, done.destination), None)
                found.pop((done.destination, done.operation.src), None)
        if run.summary is None or not run.summary.failed:
            continue
        operations = {one.id: one for one in journal.plan(run.id).operations}
        for identity, state in journal.states(run.id).items():
            operation = operations[identity]
            destination = destination_of(operation, run.id)
            if state.stage is Stage.FAILED and state.entry is not None and (destination, operation.src) not in found:
                before = found.get((operation.src, destination))
                runs = (*(before.runs if before is not None else ()), run.id)
                found[operation.src, destination] = LeftCopy(runs, operation, destination, state.entry)
    return [*found.values()]


def take_over(journal: Journal, run_id: str, plan: Plan) -> dict[str, OperationState]:
    """The operations of a new run whose files are at their destinations, as if this run had sent them; recorded in the journal.

    Earlier runs have left them there, or the plan says so.

    So both files are compared again, by their hashes or in full, before one of them is deleted: a file may be rewritten without a
    change of its size and time.
    """
    copies = {(one.operation.src, one.destination): one for one in left_copies(journal)}
    if not copies and not any(operation.finishes_move for operation in plan.operations):
        return {}
    quarantined = {one.operation.id: one for one in copies.values() if one.operation.verb is Verb.QUARANTINE}
    records = []
    for operation in plan.operations:
        destination = destination_of(operation, run_id)
        again, back = copies.get((operation.src, destination)), copies.get((destination, operation.src))
        known_as = expected(again.operation) if again is not None else back.entry if back is not None else None
        if operation.finishes_move or (known_as is not None and _surely_same(expected(operation), known_as)):
            records.append(Record(operation.id, Stage.INTENT, 1))
        elif (known := quarantined.get(operation.id)) is not None:
            records.append(Record(operation.id, Stage.SKIPPED, 0, None, int(ExitCode.SOME_FAILED), _still_there(known)))
    journal.append(run_id, records)
    states = journal.states(run_id)
    return {record.operation: states[record.operation] for record in records}


def without_left_copies(copies: Iterable[LeftCopy], items: Mapping[str, Sequence[Item]]) -> dict[str, list[Item]]:
    """The files of some locations without copies whose sources are in them too, unchanged: they are not music of their own."""
    by_ref = {Ref(fs, item.entry.path): item for fs, listed in items.items() for item in listed}
    hidden = set()
    for one in copies:
        source, copy = by_ref.get(one.operation.src), by_ref.get(one.destination)
        if source is None or copy is None or source.skipped_because is not None:
            continue
        if _surely_same(source.entry, expected(one.operation)) and _surely_same(copy.entry, one.entry):
            hidden.add(one.destination)
    return {fs: [item for item in listed if Ref(fs, item.entry.path) not in hidden] for fs, listed in items.items()}


def _still_there(copy: LeftCopy) -> str:
    src = copy.operation.src.path
    return (
        f"{src}: was copied to {copy.destination.path}, but the source could not be deleted; "
        f"`music-orchestrator undo {copy.runs[-1]}` takes the copy back, once deleting is allowed"
    )


def _surely_same(one: Entry, other: Entry) -> bool:
    """Whether a hash, or size and modification time, show two looks at a path to be the same file."""
    if common_hashes(one.hashes, other.hashes):
        return same_content_by_hash(one, other) is True
    return one.size == other.size and one.mtime_ns is not None and one.mtime_ns == other.mtime_ns
