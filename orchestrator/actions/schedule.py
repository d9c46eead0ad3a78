"""Print, install, list and remove what starts a job by itself."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrator.actions.job_check import job_problems
from orchestrator.actions.jobs import chosen_jobs, jobs_there
from orchestrator.actions.schedule_install import ScheduleResult, fields, folders, install, installed, remove
from orchestrator.actions.schedule_needs import calendars_of, schedule_of
from orchestrator.actions.session import Session
from orchestrator.config.options.schedule import ScheduleOptions
from orchestrator.config.problems import refuse
from orchestrator.errors import ExitCode, OrchestratorError, UsageError
from orchestrator.report.reporter import Column
from orchestrator.schedules import crontab, files, launchd, systemd
from orchestrator.schedules.records import Form, Schedule, ScheduleFile

USELESS = "useless: "
"""How the state of a file begins that the job of now could not have."""
_COLUMNS = (Column("job", "job"), Column("form", "form"), Column("path", "file"), Column("state", "state"))


def schedule(options: ScheduleOptions, session: Session) -> ScheduleResult:
    """Do what the options say: print unless they say otherwise.

    Raises UsageError for a job that does not exist or does not say when it starts, for what a form cannot express, and for a file
    that is not ours.
    """
    if [options.install, options.remove, options.list].count(True) > 1:
        raise UsageError("give one of --install, --remove and --list")
    if options.list:
        return _list(options, session)
    if options.job is None:
        raise UsageError(f"name a job, or add --list; {jobs_there(session)}")
    if options.remove:
        return _remove(options.job, options, session)
    made = _made(options.job, options, session)
    if options.install:
        return install(made, options, session)
    for number, file in enumerate(made):
        text = ("\n" if number else "") + file.text.removesuffix("\n")
        session.reporter.document("schedule-file", text, fields(file))
    return ScheduleResult(ExitCode.DONE, made)


def _made(job: str, options: ScheduleOptions, session: Session) -> tuple[ScheduleFile, ...]:
    """The files of a job in the forms that were asked for, or in all that fit."""
    settings = chosen_jobs(session, [job])[job]
    refuse(job_problems(session.loaded_config, [job]))
    planned = schedule_of(session, job, settings, calendars_of(settings, job, options.at), options.at)
    asked = [form for form in _FORMS if getattr(options, form)]
    if options.install and not asked:
        asked = [_fitting()[0]]
    made: list[ScheduleFile] = []
    for form in asked or _fitting():
        try:
            made += _FORMS[form](planned)
        except UsageError as error:
            if asked:
                raise
            session.reporter.warning(f"nothing for {form}: {error.message}")
    return tuple(made)


def installed_times() -> dict[str, tuple[str, ...]]:
    """The jobs that `--install` let start at other times than the config says -> these times."""
    return {one.mark.job: one.mark.at for one in files.installed(folders(system=os.geteuid() == 0)) if one.mark.at}


def _fitting() -> list[Form]:
    """The forms that this machine understands, the best first."""
    if sys.platform == "darwin":
        return ["launchd", "cron"]
    return ["systemd", "cron"] if shutil.which("systemctl") or not shutil.which("crontab") else ["cron", "systemd"]


_FORMS: dict[Form, Callable[[Schedule], Sequence[ScheduleFile]]] = {
    "systemd": lambda planned: systemd.units(planned, folders(system=planned.system)["systemd"]),
    "cron": lambda planned: [crontab.crontab(planned, folders(system=planned.system).get("cron"))],
    "launchd": lambda planned: [launchd.property_list(planned, folders(system=planned.system)["launchd"])],
}


def _remove(job: str, options: ScheduleOptions, session: Session) -> ScheduleResult:
    asked = [form for form in _FORMS if getattr(options, form)] or [*_FORMS]
    mine = [one for one in installed() if one.mark.job == job and one.form in asked]
    if mine:
        return remove(mine, options, session)
    if job not in session.config.jobs:
        chosen_jobs(session, [job])
    session.reporter.note(f"nothing is installed for {job}")
    return ScheduleResult(ExitCode.DONE)


class InstalledState(NamedTuple):
    """A file that is installed, and whether it is what `schedule` would write now."""

    file: files.Installed
    state: str
    """ok; or what is wrong, and what to do."""
    missing: tuple[Path, ...] = ()
    """Files that belong to it and are not there."""


def installed_states(session: Session, job: str | None = None) -> list[InstalledState]:
    """The files that are installed, for one job or all."""
    found = [one for one in installed() if job is None or one.mark.job == job]
    made: dict[tuple[str, Form, tuple[str, ...]], dict[Path | None, str] | str] = {}
    for one in found:
        key = (one.mark.job, one.form, one.mark.at)
        if key not in made:
            asked = ScheduleOptions(job=one.mark.job, at=one.mark.at, **{one.form: True})
            try:
                made[key] = {file.path: file.text for file in _made(one.mark.job, asked, session)}
            except OrchestratorError as error:
                made[key] = error.message
    return [_state(one, made[one.mark.job, one.form, one.mark.at]) for one in found]


def _list(options: ScheduleOptions, session: Session) -> ScheduleResult:
    found = installed_states(session, options.job)
    rows = [
        {
            "job": one.mark.job,
            "form": one.form,
            "path": str(one.path) if one.path is not None else None,
            "state": state,
        }
        for one, state, _ in found
    ]
    session.reporter.table("schedule", _COLUMNS, rows, empty="nothing is installed")
    return ScheduleResult(ExitCode.DONE, tuple(ScheduleFile(form=one.form, path=one.path, text=one.text) for one, _, _ in found))


def _state(one: files.Installed, wanted: dict[Path | None, str] | str) -> InstalledState:
    if not one.mark.intact:
        return InstalledState(one, "edited")
    if isinstance(wanted, str):
        return InstalledState(one, USELESS + wanted)
    missing = tuple(path for path in wanted if path is not None and not path.exists())
    return InstalledState(one, "ok" if wanted.get(one.path) == one.text else "outdated: --install writes it again", missing)
