"""Save plans, runs, jobs and statistics as web pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator.actions.job_check import locations_in
from orchestrator.actions.job_results import StepResult
from orchestrator.actions.problems import REMEDIES, concerns, left_by, standing
from orchestrator.actions.run_results import undone_by
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import local_time
from orchestrator.apply.journal.records import OperationState, Run, Stage
from orchestrator.config.jobs import Job
from orchestrator.job_history.store import JobRun
from orchestrator.known_problems.store import StandingProblem
from orchestrator.plan.model import Plan
from orchestrator.plan.music.statistics import Statistics
from orchestrator.report.html.changes import Result
from orchestrator.report.html.document import Left
from orchestrator.report.html.job_page import JobFacts, job_document
from orchestrator.report.html.page import write_page
from orchestrator.report.html.plan_page import plan_document
from orchestrator.report.html.run_page import RunFacts, run_document
from orchestrator.report.html.statistics_page import statistics_document
from orchestrator.report.reporter import duration_text
from orchestrator.wording import size_text

_STATES: Mapping[Stage, Result] = {
    Stage.INTENT: Result("half-way"),
    Stage.VERIFIED: Result("half-way"),
    Stage.DONE: Result("done"),
}


def save_plan_page(session: Session, plan: Plan, file: Path) -> None:
    """Save the page of a plan. Raises UsageError if it cannot be written."""
    left = [Left(plan.header.source, one.path, one.code, one.reason) for one in plan.skipped]
    write_page(plan_document(plan, left or problems_in(session, plan.header.locations), REMEDIES), file)
    session.reporter.note(f"written to {file}")


def save_run_page(session: Session, run: Run, facts: Mapping[str, Any], costs: Iterable[Mapping[str, Any]], file: Path) -> None:
    """Save the page of a run. `facts` and `costs`: the rows that a terminal shows of it. Raises as `save_plan_page`."""
    known = run_facts(session, run, facts, costs)
    write_page(run_document(known, [*map(_as_left, left_by(session, run))], REMEDIES), file)
    session.reporter.note(f"written to {file}")


def save_statistics_page(session: Session, statistics: Statistics, location: str, file: Path) -> None:
    """Save the page of a library. Raises as `save_plan_page`."""
    write_page(statistics_document(statistics, location, made_by()), file)
    session.reporter.note(f"written to {file}")


def save_job_page(
    session: Session, job: Job, run: JobRun, file: Path, *, steps: Sequence[StepResult], errors: Sequence[str], error_count: int
) -> None:
    """Save the page of a job that has ended. `errors`: the first of `error_count`. Raises as `save_plan_page`."""
    locations = [
        session.named(text)[0].fs for step in job.steps for one in step.commands.values() for _, text in locations_in(one)
    ]
    known = JobFacts(
        name=run.job,
        facts=[
            ("began", local_time(run.began)),
            ("ended", local_time(run.ended or run.began)),
            ("took", duration_text(run.duration_s)),
            ("sent and received", size_text(run.bytes_moved)),
        ],
        exit_code=run.exit_code or 0,
        steps=[_step_row(step) for step in steps],
        runs=[run_facts(session, session.journal.run(identity)) for identity in run.runs],
        errors=errors,
        error_count=error_count,
        made_by=made_by(),
    )
    write_page(job_document(known, problems_in(session, [*dict.fromkeys(locations)]), REMEDIES), file)


def run_facts(
    session: Session, run: Run, facts: Mapping[str, Any] | None = None, costs: Iterable[Mapping[str, Any]] = ()
) -> RunFacts:
    """What a page says of a run."""
    states = session.journal.states(run.id)
    undoing = undone_by(session.journal.runs()).get(run.id)
    return RunFacts(
        id=run.id,
        command=run.command,
        plan=session.journal.plan(run.id),
        results={operation: _result(state) for operation, state in states.items()},
        facts=[(key.replace("_", " "), str(value)) for key, value in (facts or {}).items() if value not in (None, "")],
        ended=not run.state.unfinished,
        undone_by=None if undoing is None else undoing.id,
        costs=[_cost_row(row) for row in costs],
    )


def problems_in(session: Session, locations: Sequence[str]) -> list[Left]:
    """The problems that are known in these locations."""
    found = [one for one in standing(session) if any(concerns(one, location) for location in locations)]
    return [*map(_as_left, found)]


def _as_left(problem: StandingProblem) -> Left:
    return Left(problem.location, problem.path, problem.code, problem.reason)


def made_by() -> str:
    """The last line of a page."""
    return f"Made by music-orchestrator {orchestrator.__version__}."


def _result(state: OperationState) -> Result:
    if state.stage in _STATES:
        return _STATES[state.stage]
    return Result("failed" if state.stage is Stage.FAILED else "skipped", state.message)


def _step_row(step: StepResult) -> tuple[str, ...]:
    ended = "not started" if step.exit_code is None else str(int(step.exit_code))
    return str(step.number), step.command.replace("_", " "), ended, step.run or "", duration_text(step.duration_s)


def _cost_row(row: Mapping[str, Any]) -> tuple[str, str, str]:
    def text(value: Any) -> str:
        return "" if value is None else size_text(value) if row["what"] == "bytes" else f"{value:,.0f}"

    return str(row["what"]), text(row["estimated"]), text(row["counted"])
