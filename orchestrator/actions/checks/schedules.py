"""What starts the jobs of the config: whether it is installed, switched on and up to date, and whether jobs meet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from orchestrator.actions.job_check import job_problems
from orchestrator.actions.job_status import statuses
from orchestrator.actions.schedule import InstalledState, installed_states
from orchestrator.actions.schedule_install import YOUR_CRONTAB, why_not_started
from orchestrator.actions.session import Session
from orchestrator.config.calendar import parse_calendars
from orchestrator.config.jobs import Job, as_job
from orchestrator.errors import ExitCode
from orchestrator.report.finding import Finding
from orchestrator.report.heard_warnings import HeardWarnings


def check_schedules(session: Session) -> Iterator[Finding]:
    """Check the jobs, and what is installed to start them."""
    jobs = {name: as_job(job) for name, job in session.config.jobs.items()}
    before, heard = session.reporter, HeardWarnings(session.reporter)
    session.reporter = heard
    try:
        states = installed_states(session)
    finally:
        session.reporter = before
    for state in states:
        yield from _of_file(state, jobs)
    for warning in heard.warnings:
        yield Finding("schedule", ok=False, message=warning)
    if job_problems(session.loaded_config):
        return  # they were reported, and keep the jobs from being read
    started = {state.file.mark.job for state in states}
    for name, job in jobs.items():
        if job.at and name not in started:
            yield Finding(
                f"job {name}",
                ok=True,
                message="has a time, but nothing that `schedule` has installed starts it",
                remedy=f"`music-orchestrator schedule {name} --install`, unless something of yours starts it",
            )
    yield from _at_once(jobs)
    for status in statuses(session, jobs) if jobs else ():
        if status.overdue:
            yield Finding(
                f"job {status.job}",
                ok=False,
                message="is overdue: it did not start when it was to",
                remedy="`music-orchestrator status` shows its times; see the log of cron or of its timer",
                code=ExitCode.SOME_FAILED,
            )


def _of_file(state: InstalledState, jobs: dict[str, Job]) -> Iterator[Finding]:
    one, job = state.file, state.file.mark.job
    where = str(one.path or YOUR_CRONTAB)
    install = f"`music-orchestrator schedule {job} --{one.form} --install` writes it again"
    check = f"schedule {job}"
    if job not in jobs:
        remedy = f"`music-orchestrator schedule {job} --remove`, or give the config this job again"
        yield Finding(
            check, ok=False, message=f"{where} starts {job}, which is not in the config", remedy=remedy, code=ExitCode.USAGE
        )
        return
    if state.state == "ok" and not state.missing:
        yield Finding(check, ok=True, message=where)
    elif state.state == "edited":
        yield Finding(
            check, ok=False, message=f"{where} was edited by hand: it is not compared", remedy=f"{install}, with --force"
        )
    elif state.missing:
        missing = ", ".join(map(str, state.missing))
        yield Finding(check, ok=False, message=f"{missing} is missing beside {where}", remedy=install, code=ExitCode.SOME_FAILED)
    else:
        why = state.state.removeprefix("useless: ") if state.state.startswith("useless") else "does not fit the config of now"
        yield Finding(check, ok=False, message=f"{where}: outdated, as it {why}", remedy=install, code=ExitCode.SOME_FAILED)
    if (stopped := why_not_started(one)) is not None:
        why, remedy = stopped
        yield Finding(check, ok=False, message=why, remedy=remedy, code=ExitCode.SOME_FAILED)


def _at_once(jobs: dict[str, Job]) -> Iterator[Finding]:
    """Jobs that start at the same time: one of them has to wait."""
    times = {name: {*parse_calendars(job.at, name)} for name, job in jobs.items()}
    for one, other in combinations(times, 2):
        if times[one] & times[other] and not (jobs[one].wait and jobs[other].wait):
            yield Finding(
                f"jobs {one}",
                ok=False,
                message=f"{one} and {other} start at the same time: only one can run, and the other waits for it or ends with 8",
                remedy="give them different times, or make them one job with more steps",
            )
