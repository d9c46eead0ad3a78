"""`runs`, `resume` and `undo`: what was done, what is left of it, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.cli.framework import command, group
from orchestrator.config.options.runs import ResumeOptions, RunsListOptions, RunsShowOptions, UndoOptions
from orchestrator.errors import ExitCode, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session
    from orchestrator.apply.journal.records import Run


@group("runs", default="list")
def runs_command() -> None:
    """Show what was done. Without a command: list."""


@command("list", RunsListOptions, parent=runs_command, title="runs")
def list_command(session: Session, _options: RunsListOptions) -> int:
    """List every run, the newest first."""
    from orchestrator.report.reporter import Column  # noqa: PLC0415 - the rooms are imported when a command runs

    columns = [
        Column("id", "run", whole=True),
        Column("command", "command", whole=True),
        Column("state", "state", whole=True),
        Column("ops_done", "done", right=True),
        Column("ops_planned", "of", right=True),
        Column("source", "where", text=_where),
    ]
    rows = [_row(run) for run in reversed(session.journal.runs())]
    session.reporter.table("run", columns, rows, empty="no runs yet")
    return ExitCode.DONE


@command("show", RunsShowOptions, parent=runs_command, title="runs show")
def show_command(session: Session, options: RunsShowOptions) -> int:
    """Show one run: each of its operations, and what became of it."""
    from orchestrator.report.reporter import Column  # noqa: PLC0415 - the rooms are imported when a command runs

    found = session.journal.run(options.run)
    session.summary.run = found.id
    states = session.journal.states(found.id)
    session.reporter.table(
        "run",
        [Column(key, key, whole=key == "id") for key in ("id", "when", "command", "state", "undoes", "source", "target")],
        [_row(found)],
        empty="",
    )
    rows = []
    for operation in session.journal.plan(found.id).operations:
        state = states.get(operation.id)
        rows.append(
            {
                "id": operation.id,
                "verb": str(operation.verb),
                "src": operation.src.path,
                "dst": operation.dst.path,
                "step": str(state.step) if state else "planned",
                "message": state.message if state else None,
            }
        )
    columns = [
        Column(key, title) for key, title in (("step", "step"), ("verb", "verb"), ("src", "from"), ("dst", "to"), ("message", ""))
    ]
    session.reporter.table("run-operation", columns, rows, empty="no operations")
    return ExitCode.DONE


@command("resume", ResumeOptions)
def resume_command(session: Session, options: ResumeOptions) -> int:
    """Finish what was interrupted: RUN, or the newest unfinished run."""
    from orchestrator.actions import change  # noqa: PLC0415 - the rooms are imported when a command runs

    session.need_consent()
    run = options.run
    if run is not None:
        session.journal.run(run)
    unfinished = [one for one in session.journal.unfinished() if run in (None, one.id)]
    if not unfinished:
        runs = session.journal.runs()
        session.summary.run = run or (runs[-1].id if runs else None)
        session.reporter.note("nothing to resume")
        return ExitCode.DONE
    chosen = unfinished[-1]
    session.summary.run = chosen.id
    if session.options.dry_run:
        return _dry_resume(session, chosen)
    if not session.agreed(f"Finish the run {chosen.id} ({chosen.command} {chosen.source})?"):
        session.reporter.note("nothing was changed")
        return ExitCode.DONE
    with session.lock():
        return change.resume_run(session, chosen.id)


@command("undo", UndoOptions)
def undo_command(session: Session, options: UndoOptions) -> int:
    """Take RUN back: plan the reverse of what it did, show it, ask, do it."""
    from orchestrator.actions import change, organize  # noqa: PLC0415 - the rooms are imported when a command runs

    session.need_consent()
    if session.options.dry_run:
        plan = organize.undo_plan(session, options.run)
        session.summary.ops_planned = len(plan.operations)
        session.reporter.plan(plan)
        return organize.dry_end(session, plan, organize.report_skipped(session, plan))
    found = session.journal.run(options.run)
    with session.lock():
        before = change.finish_unfinished(session, *session.places(found.source, found.target))
        if before not in change.GOES_ON:
            return before
        plan = organize.undo_plan(session, options.run)
        session.summary.ops_planned += len(plan.operations)
        skipped = organize.report_skipped(session, plan)
        if not plan.operations:
            session.reporter.note(f"nothing is left to take back of the run {found.id}")
            return worst([before, skipped])
        session.reporter.plan(plan)
        if not session.agreed(f"Make these {len(plan.operations)} changes?"):
            session.reporter.note("nothing was changed")
            return before
        return worst([before, skipped, change.carry_out(session, plan, undoes=found.id)])


def _dry_resume(session: Session, run: Run) -> int:
    states = session.journal.states(run.id)
    left = sum(
        1
        for operation in session.journal.plan(run.id).operations
        if operation.id not in states or not states[operation.id].step.verdict
    )
    session.reporter.note(f"the run {run.id} ({run.command} {run.source}) has {left} of {run.operations} operations left")
    return ExitCode.PENDING if left and session.options.exit_code else ExitCode.DONE


def _where(row: Mapping[str, Any]) -> str:
    source, target = str(row["source"]), str(row["target"])
    return source if source == target else f"{source} -> {target}"


def _row(run: Run) -> dict[str, Any]:
    done = run.summary
    return {
        "id": run.id,
        "when": datetime.fromtimestamp(run.created, UTC).astimezone().isoformat(sep=" ", timespec="seconds"),
        "command": run.command,
        "state": str(run.state),
        "undoes": run.undoes,
        "ops_done": done.done if done else None,
        "ops_failed": done.failed if done else None,
        "ops_skipped": done.skipped if done else None,
        "ops_planned": run.operations,
        "exit_code": done.exit_code if done else None,
        "source": run.source,
        "target": run.target,
    }
