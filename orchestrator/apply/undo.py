"""Take a run back: what the journal says it did, less what was taken back already, to the undo planner."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.apply.journal import Journal
from orchestrator.apply.paths import place
from orchestrator.apply.records import Fact
from orchestrator.plan.model import Plan, Ref, Verb, is_temporary
from orchestrator.plan.undo import plan_undo


def undo_plan(journal: Journal, run_id: str, *, tool_version: str, created: str) -> Plan:
    """The plan that takes `run_id` back, empty when that was done. Apply it with `undoes=run_id`.

    A run that was interrupted is finished first, by the caller. Raises UsageError for an unknown run, IntegrityError for a
    damaged journal.
    """
    run = journal.run(run_id)
    left = _not_taken_back(journal, run_id, facts_of(journal, run_id))
    deleted = _deleted_since(journal, {fact.now for fact in left})
    return plan_undo(left, run.header, run_id=run_id, tool_version=tool_version, created=created, deleted=deleted)


def facts_of(journal: Journal, run_id: str) -> list[Fact]:
    """What came through in a run, and where each file was put, in the order in which it was done."""
    return journal.facts(run_id, lambda operation: place(operation, run_id))


def _deleted_since(journal: Journal, places: Collection[Ref]) -> dict[Ref, str]:
    """Which of these files a run has deleted for good, and which run that was."""
    deleting = (run for run in journal.runs() if run.header.counts.get(Verb.DELETE))
    return {
        fact.operation.src: run.id
        for run in deleting
        for fact in facts_of(journal, run.id)
        if fact.operation.verb is Verb.DELETE and fact.operation.src in places
    }


def _not_taken_back(journal: Journal, run_id: str, facts: list[Fact]) -> list[Fact]:
    runs = journal.runs()
    redone = {run.undoes for run in runs if run.summary is not None and run.summary.done}
    fetched: set[Ref] = set()
    for run in runs:
        if run.undoes == run_id and run.id not in redone:
            fetched |= {fact.operation.src for fact in facts_of(journal, run.id)}
    back = {fact.now for fact in facts if fact.now in fetched and not is_temporary(fact.now.path)}
    # With the second half of a rename goes the first: the file does not lie at its temporary name.
    back |= {fact.operation.src for fact in facts if fact.now in back and is_temporary(fact.operation.src.path)}
    return [fact for fact in facts if fact.now not in back]
