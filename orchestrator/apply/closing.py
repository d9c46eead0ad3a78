"""The end of a run in which every operation has its verdict: a last look, then tidying. All of it may be done twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.apply.directories.emptied import remove_emptied
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Problem
from orchestrator.apply.own_paths import place
from orchestrator.apply.protocol.last_proof import outcome_of, verify_outcome
from orchestrator.apply.run_debris import report_trash, sweep_partials
from orchestrator.errors import ExitCode, RemoteError
from orchestrator.plan.model import Plan
from orchestrator.progress import Progress
from orchestrator.storage.protocol import Storage


def finish(
    journal: Journal,
    run_id: str,
    plan: Plan,
    storages: Mapping[str, Storage],
    *,
    progress: Progress,
    sweep: bool,
    again: Callable[[Callable[[], list[Problem]]], list[Problem]],
) -> list[Problem]:
    """Verify, remove emptied directories, report the trash; with `sweep` also remove what cut copies of ours have left.

    `again` repeats it while the error may pass.
    An error of a remote is a problem; the run is then not finished.
    """
    facts = journal.facts(run_id, lambda operation: place(operation, run_id))
    if not facts:
        return []
    outcome = outcome_of(facts)
    progress.stage("verifying", len(outcome.there) + len(outcome.gone))

    def look_and_tidy() -> list[Problem]:
        problems = verify_outcome(outcome, storages, listed=plan.header.counts.get("files"))
        if sweep:
            sweep_partials(facts, storages)
        remove_emptied(outcome, storages, run_id)
        return problems + report_trash(run_id, facts, storages)

    try:
        problems = again(look_and_tidy)
    except RemoteError as error:
        code = ExitCode.UNREACHABLE if error.exit_code is ExitCode.SOME_FAILED else error.exit_code
        return [Problem(error.path, code, f"all is moved, but the last check did not come through: {error.message}")]
    progress.advance(len(outcome.there) + len(outcome.gone))
    return problems
