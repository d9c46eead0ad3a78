"""Past runs: list and show them, finish an interrupted one, undo one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import orchestrator
from orchestrator.actions.change import ChangeResult, Planned, agreed, change, created_now, report_skipped
from orchestrator.actions.locations import reaching
from orchestrator.actions.problems import show_left_by
from orchestrator.actions.run_results import run_result, run_text, undone_by
from orchestrator.actions.session import Session
from orchestrator.apply.journal.records import Run, RunState, Stage
from orchestrator.apply.protocol.fingerprint import same_file
from orchestrator.apply.undo import moved_on_by, undo_plan
from orchestrator.config.options.runs import ResumeOptions, RunsAbandonOptions, RunsShowOptions, UndoOptions
from orchestrator.errors import AuthError, ExitCode, NotFoundError, RateLimitError, TransientError
from orchestrator.paths import without_path
from orchestrator.plan.model import CompletedOperation, is_temporary
from orchestrator.prices import REQUEST_KINDS
from orchestrator.records import Entry, Ref
from orchestrator.report.reporter import Column
from orchestrator.storage.protocol import StatCall
from orchestrator.user_paths import user_path
from orchestrator.wording import counted


def list_runs(session: Session) -> list[Run]:
    """List every run, the newest first."""
    runs = session.journal.runs()
    undone = undone_by(runs)
    runs.reverse()
    rows = [_row(run) for run in runs]
    results = {run.id: _result(session, run, undone) for run in runs}
    columns = [
        Column("id", "run", whole=True),
        Column("command", "command", whole=True),
        Column("state", "result", text=lambda row: results[row["id"]]),
        Column("source", "where", gives_way=True, text=_source_and_target),
    ]
    session.reporter.table("run", columns, rows, empty="no runs yet")
    return runs


def show_run(options: RunsShowOptions, session: Session) -> Run:
    """Show one run with each of its operations, or only what is left. Raises UsageError for an unknown or ambiguous run."""
    run = session.journal.find(options.run)
    session.summary.run = run.id
    states = session.journal.states(run.id)
    row = _row(run)
    result = _result(session, run, undone_by(session.journal.runs()))
    if options.html is not None:
        from orchestrator.actions.pages import save_run_page  # noqa: PLC0415 - slow to import

        save_run_page(session, run, {**row, "state": None, "result": result}, _cost_rows(run), user_path(options.html))
        return run
    session.reporter.document("run", run_text(run, row, result), row)
    if not options.left:
        _show_costs(session, run)
    rows = []
    for operation in session.journal.plan(run.id).operations:
        state = states.get(operation.id)
        if options.left and state is not None and state.stage is Stage.DONE:
            continue
        rows.append(
            {
                "id": operation.id,
                "verb": str(operation.verb),
                "src": operation.src.path,
                "dst": operation.dst.path,
                "step": str(state.stage) if state else "planned",
                "message": without_path(state.message, operation.src.path) if state and state.message else None,
            }
        )
    columns = (
        Column("step", "step", whole=True),
        Column("verb", "verb", whole=True),
        Column("src", "from", heading=True, text=lambda row: _without_temporary(row["src"])),
        Column("dst", "to", text=lambda row: _without_temporary(row["dst"])),
        Column("message", "", text=lambda row: row["message"] or ""),
    )
    empty = "" if options.left else "no operations"
    session.reporter.table("run-operation", columns, rows, empty=empty)
    if options.left and not show_left_by(session, run) and not rows:
        session.reporter.note("nothing was left, or it no longer stands")
    return run


def _without_temporary(path: str) -> str:
    return "(its temporary name)" if is_temporary(path) else path


def _result(session: Session, run: Run, undone: Mapping[str, Run]) -> str:
    done = run.summary.done if run.summary is not None else 0
    in_progress = False
    if run.state.unfinished:
        from orchestrator.apply.guard.lock import holder_of  # noqa: PLC0415 - few runs are unfinished

        done = sum(state.stage is Stage.DONE for state in session.journal.states(run.id).values())
        in_progress = run.state is RunState.RUNNING and holder_of(session.state) is not None
    return run_result(run, done=done, undone_by=undone.get(run.id), in_progress=in_progress)


def _cost_rows(run: Run) -> list[dict[str, Any]]:
    """What the plan expected of the remotes, and what was counted."""
    estimate, summary = run.header.estimate, run.summary
    counted = summary.requests if summary is not None else {}
    rows: list[dict[str, Any]] = [
        {"what": kind, "estimated": estimate.get(kind), "counted": counted.get(kind, 0) if counted else None}
        for kind in REQUEST_KINDS
        if estimate.get(kind) or counted.get(kind)
    ]
    if rows:
        rows.append({"what": "requests", "estimated": estimate.get("requests"), "counted": sum(counted.values()) or None})
        moved = summary.bytes_moved if summary is not None else None
        rows.append({"what": "bytes", "estimated": estimate.get("bytes"), "counted": moved})
    return rows


def _show_costs(session: Session, run: Run) -> None:
    titles = (("what", "to remotes"), ("estimated", "estimated"), ("counted", "counted"))
    columns = [Column(key, title, right=key != "what") for key, title in titles]
    session.reporter.table("run-cost", columns, _cost_rows(run), empty="", title="costs")


def resume(options: ResumeOptions, session: Session) -> ChangeResult:
    """Finish an interrupted run: the one given, otherwise the newest. Raises UsageError for an unknown or ambiguous run."""
    wanted = None if options.run is None else session.journal.find(options.run).id
    session.need_consent("resume")
    unfinished = [run for run in session.journal.unfinished() if wanted in (None, run.id)]
    if not unfinished:
        runs = session.journal.runs()
        session.summary.run = wanted or (runs[-1].id if runs else None)
        session.reporter.note("nothing to resume")
        return ChangeResult(ExitCode.DONE, run=session.summary.run)
    run = unfinished[-1]
    session.summary.run = run.id
    plan = session.journal.plan(run.id)
    if session.options.dry_run:
        return ChangeResult(_report_unfinished(session, run), plan)
    if not agreed(session, f"Finish run {run.described}?"):
        return ChangeResult(ExitCode.DONE, plan)
    from orchestrator.actions.execution import finish_run  # noqa: PLC0415 - slow to import, and `runs` does not need it

    with session.lock("resume"):
        return ChangeResult(finish_run(session, run.id).exit_code, plan, run.id)


def abandon(options: RunsAbandonOptions, session: Session) -> ExitCode:
    """Give up an interrupted run: 3 if something is half-way, which is reported.

    Raises UsageError for an unknown or ambiguous run.
    """
    run = session.journal.find(options.run)
    session.need_consent("runs abandon")
    session.summary.run = run.id
    if not run.state.unfinished:
        session.reporter.note(f"run {run.id} is over: there is nothing to give up")
        return ExitCode.DONE
    if session.options.dry_run:
        return _report_unfinished(session, run)
    if not agreed(session, f"Give up run {run.described}? `resume` cannot finish it afterwards."):
        return ExitCode.DONE
    from orchestrator.actions.execution import abandon_run  # noqa: PLC0415 - slow to import, and `runs` does not need it

    with session.lock("runs abandon"):
        result = abandon_run(session, run.id)
    then = "it had changed nothing" if result.exit_code == ExitCode.DONE else "what is half-way is named above"
    if result.done:
        then = f"`music-orchestrator undo {run.id}` takes back what it did"
    session.reporter.note(f"run {run.id} was given up; {then}")
    return result.exit_code


def undo(options: UndoOptions, session: Session) -> ChangeResult:
    """Plan the reverse of what a run did, show it, ask, and do it. Raises UsageError for an unknown or ambiguous run."""
    run = session.journal.find(options.run)
    session.need_consent("undo")
    if run.id != options.run:
        session.reporter.note(f"run {run.described}")

    def make_plan() -> Planned:
        plan = undo_plan(
            session.journal,
            run.id,
            tool_version=orchestrator.__version__,
            created=created_now(),
            missing=lambda files: _missing(session, files),
        )
        skipped = report_skipped(session, plan)
        for later, files in moved_on_by(session.journal, run.id, plan).items():
            described = session.journal.run(later).described
            moved = f"run {described} moved {counted(files, 'file')} on"
            session.reporter.warning(f"{moved} from where this run had put them, and they will be skipped: undo that run first")
        return Planned(plan, skipped, nothing_to_do=f"run {run.id}: {_nothing_to_undo(session, run)}")

    return change(session, make_plan, command="undo", touching=(run.source, run.target), limited=False, undoes=run.id)


def _nothing_to_undo(session: Session, run: Run) -> str:
    """Why there is nothing to undo of a run; of one that changed nothing, which earlier one can be undone instead."""
    if any(session.journal.completed(run.id)):
        return "nothing is left to undo"
    runs = session.journal.runs()
    undone, places = undone_by(runs), {run.source, run.target}
    for one in reversed(runs[: [one.id for one in runs].index(run.id)]):
        can_be_undone = one.id not in undone and one.command != "quarantine empty" and any(session.journal.completed(one.id))
        if can_be_undone and not places.isdisjoint({one.source, one.target}):
            return f"it changed nothing, so nothing was undone; `undo {one.id}` undoes the run before it: {one.described}"
    return "it changed nothing, so nothing was undone"


def _missing(session: Session, files: Collection[CompletedOperation]) -> set[Ref]:
    """Where of these files nothing, or another file, is now. Raises what `reaching` raises."""
    missing: set[Ref] = set()
    for location in session.locations(*sorted({one.destination.fs for one in files})):
        storage = session.storage(location)
        there = [one for one in files if one.destination.fs == location.fs]
        looks = [StatCall(one.destination.path, one.destination.object_id) for one in there]
        with reaching(session, location):
            precision_ns = storage.capabilities.mtime_precision_ns
            for one, now in zip(there, storage.batch(looks), strict=True):
                if isinstance(now, TransientError | RateLimitError | AuthError):
                    raise now
                # What cannot be looked at for another reason is tried: that fails in the same way, and is reported.
                changed = isinstance(now, Entry) and one.entry is not None and not same_file(one.entry, now, precision_ns)
                if now is None or isinstance(now, NotFoundError) or changed:
                    missing.add(one.destination)
    return missing


def _report_unfinished(session: Session, run: Run) -> ExitCode:
    """Report how much of a run is left; 10 with --exit-code when something is."""
    states = session.journal.states(run.id)
    operations = session.journal.plan(run.id).operations
    left = sum(1 for one in operations if one.id not in states or not states[one.id].stage.is_verdict)
    session.reporter.note(f"run {run.described}: {left:,} of {run.operations:,} changes are left to do")
    return ExitCode.PENDING if left and session.options.exit_code else ExitCode.DONE


def _source_and_target(row: Mapping[str, Any]) -> str:
    source, target = str(row["source"]), str(row["target"])
    return source if source == target else f"{source} -> {target}"


def _row(run: Run) -> dict[str, Any]:
    counts = run.summary
    return {
        "id": run.id,
        "when": datetime.fromtimestamp(run.created, UTC).astimezone().isoformat(sep=" ", timespec="seconds"),
        "command": run.command,
        "state": str(run.state),
        "undoes": run.undoes,
        "ops_done": counts.done if counts else None,
        "ops_failed": counts.failed if counts else None,
        "ops_skipped": counts.skipped if counts else None,
        "ops_planned": run.operations,
        "exit_code": counts.exit_code if counts else None,
        "source": run.source,
        "target": run.target,
    }
