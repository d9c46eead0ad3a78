"""Take a run back: what the journal says it did, less what was taken back already, to the undo planner."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Fact
from orchestrator.apply.own_paths import place
from orchestrator.plan.model import Plan, Verb, is_temporary
from orchestrator.plan.planners.quarantine import is_restore
from orchestrator.plan.planners.undo import plan_undo
from orchestrator.records import Ref


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
    """Those that no undo and no `quarantine restore` has fetched since, or that were put there again after it.

    What another run has moved on is not taken back: it stays in the plan, and is named when it is not found.
    """
    onward = {fact.operation.src for fact in facts}
    lies = {fact.now: fact.now for fact in facts if not (is_temporary(fact.now.path) and fact.now in onward)}
    """Where a file lies -> where the run put it."""
    back: set[Ref] = set()
    runs = journal.runs()
    for run in runs[[run.id for run in runs].index(run_id) + 1 :]:
        fetching = run.undoes is not None or is_restore(run.header)
        for fact in facts_of(journal, run.id):
            put = None if fact.operation.verb in {Verb.COPY, Verb.REWRITE} else lies.pop(fact.operation.src, None)
            lies.pop(fact.now, None)  # another file lies there now
            if put is None:
                continue
            lies[fact.now] = put
            if fact.now == put:
                back.discard(put)
            elif fact.operation.src == put and fetching:
                back.add(put)
    # With the second half of a rename goes the first: the file does not lie at its temporary name.
    back |= {fact.operation.src for fact in facts if fact.now in back and is_temporary(fact.operation.src.path)}
    return [fact for fact in facts if fact.now not in back]
