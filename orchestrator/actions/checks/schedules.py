"""What starts the jobs of the config: whether it is installed, switched on and up to date, and whether jobs meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from orchestrator.actions.job_check import job_problems
from orchestrator.actions.job_status import statuses
from orchestrator.actions.schedule import USELESS, InstalledState, installed_states
from orchestrator.actions.schedule_install import NOTHING_INSTALLED, YOUR_CRONTAB, how_to_install, why_not_started
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
    together: dict[tuple[str, str], list[InstalledState]] = {}
    for state in states:
        together.setdefault((state.file.mark.job, state.file.form), []).append(state)
    for (name, _), of_job in together.items():
        yield from _of_job(name, of_job, exists=name in jobs)
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
                message=f"has a time, but {NOTHING_INSTALLED}",
                remedy=how_to_install(name),
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


def _of_job(job: str, states: Sequence[InstalledState], *, exists: bool) -> Iterator[Finding]:
    """What is installed for a job. Each cause is reported once, whatever number of files it concerns."""
    check, form = f"schedule {job}", states[0].file.form
    shown = [str(one.file.path or YOUR_CRONTAB) for one in states]
    if not exists:
        remedy = f"`music-orchestrator schedule {job} --remove`, or give the config this job again"
        message = f"{', '.join(shown)}: starts {job}, which is not in the config"
        yield Finding(check, ok=False, message=message, remedy=remedy, code=ExitCode.USAGE)
        return
    install = f"`music-orchestrator schedule {job} --{form} --install`"
    by_state: dict[str, list[str]] = {}
    for one, where in zip(states, shown, strict=True):
        by_state.setdefault(one.state, []).append(where)
    for state, files in by_state.items():
        where = ", ".join(files)
        if state == "ok":
            yield Finding(check, ok=True, message=where)
        elif state == "edited":
            yield Finding(check, ok=False, message=f"{where} was edited by hand", remedy=f"{install} --force writes it again")
        elif state.startswith(USELESS):
            why = state.removeprefix(USELESS)
            yield Finding(check, ok=False, message=f"{where} is useless: {why}", code=ExitCode.SOME_FAILED)
        else:
            message, remedy = f"{where} does not fit the config any more", f"{install} writes it again"
            yield Finding(check, ok=False, message=message, remedy=remedy, code=ExitCode.SOME_FAILED)
    if missing := ", ".join(dict.fromkeys(str(path) for one in states for path in one.missing)):
        message = f"{missing} is missing beside {', '.join(shown)}"
        yield Finding(check, ok=False, message=message, remedy=f"{install} writes it again", code=ExitCode.SOME_FAILED)
    for stopped in dict.fromkeys(why_not_started(one.file) for one in states):
        if stopped is not None:
            yield Finding(check, ok=False, message=stopped[0], remedy=stopped[1], code=ExitCode.SOME_FAILED)


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
