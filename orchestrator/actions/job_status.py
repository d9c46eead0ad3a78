"""`status`: how each job last ended, how long ago that was, when it starts next, and whether it is overdue."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from orchestrator.actions.broken_ways import broken_ways
from orchestrator.actions.jobs import HOW_TO_WRITE_ONE, chosen_jobs
from orchestrator.actions.schedule import installed_times
from orchestrator.actions.schedule_install import why_nothing_starts
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import local_time
from orchestrator.apply.guard.lock import holder_of
from orchestrator.config.calendar import parse_calendars
from orchestrator.config.jobs import Job
from orchestrator.config.options.status import StatusOptions
from orchestrator.config.setting_syntax import parse_duration
from orchestrator.config.start_times import last_start, next_start
from orchestrator.errors import MEANINGS, ExitCode
from orchestrator.job_history.store import JobRun
from orchestrator.report.reporter import Column, age_text, duration_text

TOLERANCE_S = 7200.0
"""How late a job may begin: timers have random delays, and wait an hour for other runs. docs/monitoring.md names it."""
_EARLY_S = 60.0
"""A job that begins so much before its time counts as begun in time: clocks are set."""
_SHOWN = 20
"""So many runs of a job are shown if it was asked for by name."""


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where one job stands."""

    job: str
    last: JobRun | None
    """Its last run, which may be under way."""
    result: str
    """never, under way, killed, done, failed."""
    last_success: float | None
    next_start: float | None
    """None: nothing says when the job starts."""
    due: float | None
    """The last time at which it was to start, and should have begun by now; None if there was none since it is known."""
    overdue: bool
    in_time: bool
    """Whether it began when it was last due: something starts it."""


class StatusResult(msgspec.Struct, frozen=True):
    """Where the jobs stand: 3 if one is overdue."""

    exit_code: ExitCode
    jobs: tuple[JobStatus, ...]


def status(options: StatusOptions, session: Session) -> StatusResult:
    """Report where these jobs, or all, stand. Raises UsageError for an unknown job, ConfigError for an `at` with a mistake."""
    now = time.time()
    jobs = chosen_jobs(session, options.jobs) if options.jobs or session.config.jobs else {}
    found = statuses(session, jobs)
    overdue = [one for one in found if one.overdue]
    if not session.options.quiet or session.options.json:
        _show(found, options.jobs, session, now)
    for one in overdue:
        began = f"it last began at {_local(one.last.began)}" if one.last is not None else "it has never begun"
        session.reporter.warning(f"{one.job} is overdue: it was to start at {_local(one.due)}, and {began}")
    return StatusResult(ExitCode.SOME_FAILED if overdue else ExitCode.DONE, tuple(found))


def _show(found: Sequence[JobStatus], named: Sequence[str], session: Session, now: float) -> None:
    """The jobs, what does not start or cannot be reported, and the last runs of those that were named."""
    idle = {one.job: why for one in found if one.next_start and not one.in_time and (why := why_nothing_starts(one.job))}
    rows = [_row(one, now, started=None if one.next_start is None else one.job not in idle) for one in found]
    session.reporter.table("job", _COLUMNS, rows, empty=f"the config has no jobs; {HOW_TO_WRITE_ONE}")
    for job, (reason, remedy) in idle.items() if not session.options.json else ():
        session.reporter.note(f"{job}: {reason}; {remedy}")
    broken = [
        {"label": one.label, "reason": one.reason, "since": local_time(one.since), "age_s": max(0, round(now - one.since))}
        for one in broken_ways(session)
    ]
    session.reporter.table("broken-report", _BROKEN_COLUMNS, broken, empty="")
    under_way = holder_of(session.state) is not None
    for name in named:
        rows = [_run_row(run, under_way=under_way) for run in session.job_history.last(name, _SHOWN)]
        session.reporter.table("job-run", _RUN_COLUMNS, rows, empty="", title=name)


def statuses(session: Session, jobs: Mapping[str, Job]) -> list[JobStatus]:
    """Where these jobs stand. Raises ConfigError for an `at` with a mistake."""
    if not jobs:
        return []
    now = time.time()
    session.job_history.correct_times(now)
    under_way = holder_of(session.state) is not None
    times = installed_times()
    return [_status(session, name, job, times.get(name) or job.at, now, under_way=under_way) for name, job in jobs.items()]


def _status(session: Session, name: str, job: Job, at: str | Sequence[str], now: float, *, under_way: bool) -> JobStatus:
    history = session.job_history
    calendars = parse_calendars(at, session.loaded_config.label("jobs", name, "at"))
    runs = history.last(name)
    since = history.known_since(name, [at] if isinstance(at, str) else at, now)
    late_s = TOLERANCE_S + parse_duration(job.wait)
    due = last_start(calendars, now - late_s)
    if due is not None and due < since:
        due = None
    starts = [start for start in (due, last_start(calendars, now)) if start is not None]
    return JobStatus(
        job=name,
        last=runs[0] if runs else None,
        result=result_of(runs[0] if runs else None, under_way=under_way),
        last_success=history.last_success(name),
        next_start=next_start(calendars, now),
        due=due,
        overdue=due is not None and not any(_begun(run, due) for run in runs),
        in_time=any(_begun(run, start) and run.began <= start + late_s for start in starts for run in runs),
    )


def _begun(run: JobRun, due: float) -> bool:
    """Whether the run is the one that was due. One that found the lock taken did nothing."""
    return run.began >= due - _EARLY_S and run.exit_code != ExitCode.LOCKED


def result_of(run: JobRun | None, *, under_way: bool) -> str:
    """One word for how a run ended."""
    if run is None:
        return "never"
    if run.killed or run.exit_code is None:
        return "under way" if under_way and not run.killed else "killed"
    return "done" if run.succeeded else "failed"


def _row(one: JobStatus, now: float, *, started: bool | None) -> dict[str, Any]:
    run = one.last
    return {
        "job": one.job,
        "result": one.result,
        "age_s": None if run is None else round(max(0.0, now - (run.ended or run.began)), 3),
        **(_run_fields(run) if run is not None else dict.fromkeys(_RUN_FIELDS)),
        "last_success": _time(one.last_success),
        "next_start": _time(one.next_start),
        "started": started,
        "due": _time(one.due),
        "overdue": one.overdue,
    }


_RUN_FIELDS = ("began", "ended", "exit_code", "duration_s", "changed", "failed", "skipped", "bytes_moved", "runs", "why")


def _run_fields(run: JobRun) -> dict[str, Any]:
    fields = {key: getattr(run, key) for key in _RUN_FIELDS}
    return fields | {"began": _time(run.began), "ended": _time(run.ended), "runs": list(run.runs)}


def _run_row(run: JobRun, *, under_way: bool) -> dict[str, Any]:
    return {"job": run.job, "result": result_of(run, under_way=under_way), **_run_fields(run)}


def _result_text(row: Any) -> str:
    """For people: "failed: 7, a safety limit would be passed"."""
    code = row["exit_code"]
    text = row["result"] if not code else f"{row['result']}: {code}, {MEANINGS[ExitCode(code)]}"
    return f"{text}; OVERDUE" if row.get("overdue") else text


def _next_text(row: Any) -> str:
    return "nothing installed" if row["started"] is False else _local_of(row["next_start"])


def _duration(row: Any) -> str:
    return "-" if row["ended"] is None else duration_text(row["duration_s"])


_COLUMNS = (
    Column("job", "job", whole=True),
    Column("began", "last start", whole=True, text=lambda row: _local_of(row["began"])),
    Column("age_s", "age", whole=True, text=lambda row: "-" if row["age_s"] is None else f"{age_text(row['age_s'])}"),
    Column("duration_s", "took", right=True, whole=True, text=_duration),
    Column("changed", "changes", right=True),
    Column("result", "result", text=_result_text),
    Column("next_start", "next start", whole=True, text=_next_text),
)


_RUN_COLUMNS = (
    Column("began", "start", whole=True, text=lambda row: _local_of(row["began"])),
    Column("duration_s", "took", right=True, whole=True, text=_duration),
    Column("changed", "changes", right=True),
    Column("failed", "failed", right=True),
    Column("skipped", "skipped", right=True),
    Column("result", "result", text=_result_text),
    Column("why", "why"),
)


_BROKEN_COLUMNS = (
    Column("label", "does not work", whole=True),
    Column("age_s", "for", whole=True, text=lambda row: age_text(row["age_s"])),
    Column("reason", "why"),
)


def _time(moment: float | None) -> str | None:
    return None if moment is None else local_time(moment)


def _local(moment: float | None) -> str:
    return "-" if moment is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _local_of(text: str | None) -> str:
    return "-" if text is None else _local(datetime.fromisoformat(text).timestamp())
