"""Undo a run: what the journal says it did, except what was undone already, goes to the undo planner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Run
from orchestrator.apply.left_copies import left_copies
from orchestrator.apply.own_paths import deletes_for_good, replaced_of
from orchestrator.paths import is_ours
from orchestrator.plan.model import LEAVING_THE_SOURCE, CompletedOperation, Expect, Plan, Verb, is_temporary
from orchestrator.plan.planners.quarantine import is_restore
from orchestrator.plan.planners.undo import plan_undo
from orchestrator.records import Entry, Ref

Missing = Callable[[Collection[CompletedOperation]], Collection[Ref]]
"""Where of these files nothing, or another file, is now."""


def undo_plan(journal: Journal, run_id: str, *, tool_version: str, created: str, missing: Missing = lambda _: ()) -> Plan:
    """The plan that undoes `run_id`, empty if that was done already. Apply it with `undoes=run_id`.

    `missing` is asked about the files in the trash and the quarantine in whose places others are now: a person may have emptied
    these folders by hand. The caller first finishes a run that was interrupted. Raises UsageError for an unknown run,
    IntegrityError for a damaged journal.
    """
    run = journal.run(run_id)
    completed = _with_whole_moves(_with_replaced(journal.completed(run_id), run_id))
    left = _not_copied_back(journal, run_id, _not_undone(journal, run_id, completed))
    left += [one.completed for one in left_copies(journal) if run_id in one.runs]
    deleted = _deleted_since(journal, run_id, {one.destination for one in left})
    stood_in_for = [one for one in _stood_in_for(left) if one.destination not in deleted]
    deleted |= dict.fromkeys(missing(stood_in_for) if stood_in_for else (), "")
    return plan_undo(left, run.header, run_id=run_id, tool_version=tool_version, created=created, deleted=deleted)


def moved_on_by(journal: Journal, run_id: str, plan: Plan) -> dict[str, int]:
    """Runs after `run_id`, oldest first -> how many files they have moved from where the plan that undoes it expects them."""
    expected = {one.src for one in plan.operations}
    moved_by: dict[Ref, str] = {}
    for run in _since(journal, run_id):
        for one in journal.completed(run.id):
            if one.operation.src in expected and one.operation.verb not in LEAVING_THE_SOURCE:
                moved_by[one.operation.src] = run.id
            moved_by.pop(one.destination, None)
    counts = Counter(moved_by.values())
    return {run.id: counts[run.id] for run in _since(journal, run_id) if counts[run.id]}


def _with_replaced(completed: Sequence[CompletedOperation], run_id: str) -> list[CompletedOperation]:
    """With the old contents of replaced files, as if the run had deleted them, or had moved them to its trash: they are there."""
    found = [*completed]
    moves = {
        one.destination: index
        for index, one in enumerate(found)
        if one.operation.verb is Verb.MOVE and not one.operation.finishes_move
    }
    for one in completed:
        dst, old = one.operation.dst, one.operation.expect.replaced
        if old is msgspec.UNSET:
            continue
        now = Ref(dst.fs, replaced_of(run_id, dst.path))
        entry = Entry(now.path, old.size, old.mtime, old.hash)
        if dst in moves:
            found[moves[dst]] = msgspec.structs.replace(found[moves[dst]], destination=now, entry=entry)
        else:
            expect = Expect(old.hash, old.mtime)
            deletion = msgspec.structs.replace(one.operation, verb=Verb.DELETE, src=dst, size=old.size, expect=expect)
            found.append(CompletedOperation(deletion, now, entry))
    return found


def _with_whole_moves(completed: Sequence[CompletedOperation]) -> list[CompletedOperation]:
    """With each copy, or replacement, after which only the source was deleted, as one move together with that."""
    finished = {one.destination for one in completed if one.operation.finishes_move}
    brought = {one.destination: one.operation for one in completed if one.operation.verb in {Verb.COPY, Verb.REPLACE}}
    brought = {destination: operation for destination, operation in brought.items() if destination in finished}
    found = []
    for one in completed:
        operation = one.operation
        if one.destination in brought and operation.finishes_move:
            replaced = brought[one.destination].expect.replaced
            expect = msgspec.structs.replace(operation.expect, kept=msgspec.UNSET, replaced=replaced)
            found.append(msgspec.structs.replace(one, operation=msgspec.structs.replace(operation, expect=expect)))
        elif one.destination not in brought or operation.verb not in {Verb.COPY, Verb.REPLACE}:
            found.append(one)
    return found


def _deleted_since(journal: Journal, run_id: str, files: Collection[Ref]) -> dict[Ref, str]:
    """Those of `files` that a run after `run_id` deleted for good, wherever others had moved them -> that run."""
    put_at = {file: file for file in files}
    deleted: dict[Ref, str] = {}
    for run in _since(journal, run_id):
        for one in journal.completed(run.id):
            file = None if one.operation.verb in LEAVING_THE_SOURCE else put_at.pop(one.operation.src, None)
            if deletes_for_good(one.operation):
                if file is not None:
                    deleted[file] = run.id
                continue
            if one.destination in files:
                file = one.destination
                deleted.pop(file, None)
            if file is not None:
                put_at[one.destination] = file
    return deleted


def _stood_in_for(left: Collection[CompletedOperation]) -> list[CompletedOperation]:
    """Files in the trash or the quarantine: where they were, or were to be, the run has put others, which undo takes away."""
    put = {one.destination for one in left}
    there = [one for one in left if one.entry is not None and is_ours(one.destination.path)]
    return [one for one in there if not put.isdisjoint((one.operation.src, one.operation.dst))]


def _since(journal: Journal, run_id: str) -> list[Run]:
    """The runs after `run_id`, oldest first."""
    runs = journal.runs()
    return runs[[run.id for run in runs].index(run_id) + 1 :]


def _not_undone(journal: Journal, run_id: str, completed: list[CompletedOperation]) -> list[CompletedOperation]:
    """Those whose files no undo and no `quarantine restore` has moved back since, or that were moved away again after it.

    Files that another run has moved on are still included: the undo reports them as missing.
    """
    moved_on = {one.operation.src for one in completed}
    put_at = {
        one.destination: one.destination
        for one in completed
        if not (is_temporary(one.destination.path) and one.destination in moved_on)
    }
    """Where a file is now -> where the run put it."""
    undone: set[Ref] = set()
    back_and_forth = {run_id}
    """The run, what undid it, what undid that, and so on: undoing an undo of another run does not undo this one."""
    for run in _since(journal, run_id):
        if run.undoes in back_and_forth:
            back_and_forth.add(run.id)
        moves_back = run.id in back_and_forth or is_restore(run.header)
        for one in journal.completed(run.id):
            put = None if one.operation.verb in LEAVING_THE_SOURCE else put_at.pop(one.operation.src, None)
            put_at.pop(one.destination, None)  # a different file is there now
            if put is None:
                continue
            put_at[one.destination] = put
            if one.destination == put:
                undone.discard(put)
            elif one.operation.src == put and moves_back:
                undone.add(put)
    # If the second half of a rename was undone, so was the first: the file is not at its temporary name.
    undone |= {one.operation.src for one in completed if one.destination in undone and is_temporary(one.operation.src.path)}
    return [one for one in completed if one.destination not in undone or one.operation.finishes_move]


def _not_copied_back(journal: Journal, run_id: str, completed: list[CompletedOperation]) -> list[CompletedOperation]:
    """Without those whose file was at its destination before, and of which an undo has made the source again."""
    if not any(one.operation.finishes_move for one in completed):
        return completed
    undoing = [run.id for run in journal.runs() if run.undoes == run_id]
    again = {one.destination for run in undoing for one in journal.completed(run) if one.operation.verb is Verb.COPY}
    return [one for one in completed if not (one.operation.finishes_move and one.operation.src in again)]
