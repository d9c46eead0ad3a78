"""Print, install, list and remove what starts a job by itself."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from orchestrator.actions.job_check import job_problems
from orchestrator.actions.jobs import chosen_jobs
from orchestrator.actions.schedule_needs import calendars_of, schedule_of
from orchestrator.actions.session import Session
from orchestrator.config.options.schedule import ScheduleOptions
from orchestrator.config.problems import refuse
from orchestrator.errors import ExitCode, OrchestratorError, UsageError
from orchestrator.report.reporter import Column
from orchestrator.schedules import crontab, files, launchd, systemd, user_crontab
from orchestrator.schedules.records import Form, Schedule, ScheduleFile

YOUR_CRONTAB = "your crontab"
"""What people read in place of a path."""
LINGERING = Path("/var/lib/systemd/linger")
"""Has a file for each user whose services run while he is not logged in."""

_COLUMNS = (Column("job", "job"), Column("form", "form"), Column("path", "file"), Column("state", "state"))


class ScheduleResult(msgspec.Struct, frozen=True):
    """The files that were printed, written, found or removed."""

    exit_code: ExitCode
    files: tuple[ScheduleFile, ...] = ()


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
        raise UsageError("name a job of the config, or add --list")
    if options.remove:
        return _remove(options.job, options, session)
    made = _made(options.job, options, session)
    if options.install:
        return _install(made, options, session)
    for number, file in enumerate(made):
        text = ("\n" if number else "") + file.text.removesuffix("\n")
        session.reporter.document("schedule-file", text, _fields(file))
    return ScheduleResult(ExitCode.DONE, made)


def _fields(file: ScheduleFile) -> dict[str, str | None]:
    """A file for programs."""
    return {"form": file.form, "path": str(file.path) if file.path is not None else None, "text": file.text}


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
    return {one.mark.job: one.mark.at for one in files.installed(_folders(system=os.geteuid() == 0)) if one.mark.at}


def _fitting() -> list[Form]:
    """The forms that this machine understands, the best first."""
    if sys.platform == "darwin":
        return ["launchd", "cron"]
    return ["systemd", "cron"] if shutil.which("systemctl") or not shutil.which("crontab") else ["cron", "systemd"]


def _folders(*, system: bool) -> dict[Form, Path]:
    return files.folders(str(Path("~").expanduser()), os.environ.get("XDG_CONFIG_HOME"), system=system)


_FORMS: dict[Form, Callable[[Schedule], Sequence[ScheduleFile]]] = {
    "systemd": lambda planned: systemd.units(planned, _folders(system=planned.system)["systemd"]),
    "cron": lambda planned: [crontab.crontab(planned, _folders(system=planned.system).get("cron"))],
    "launchd": lambda planned: [launchd.property_list(planned, _folders(system=planned.system)["launchd"])],
}


def _install(made: Sequence[ScheduleFile], options: ScheduleOptions, session: Session) -> ScheduleResult:
    job = options.job or ""
    changed: list[tuple[Path | None, str]] = [*files.to_write(made, force=options.force)]
    wanted = "".join(file.text for file in made if file.path is None)
    before = _crontab() if wanted else ""
    after = user_crontab.with_job(before, job, wanted, force=options.force) if wanted else ""
    if before != after:
        changed.append((None, wanted))
    if session.options.dry_run:
        for path, _ in changed:
            session.reporter.note(f"would write {path or YOUR_CRONTAB}")
        return ScheduleResult(ExitCode.DONE, tuple(made))
    for one in _installed():
        if one.mark.job == job and all(one.form != file.form for file in made):
            session.reporter.warning(f"{job} is started by {one.form}, too ({one.path or YOUR_CRONTAB})")
    if session.options.state_dir or session.config.state_dir:
        session.state  # noqa: B018 - makes it: a service cannot make what is not below /var/lib
    files.write((path, text) for path, text in changed if path is not None)
    if before != after:
        _write_crontab(after, before)
    for file in made:
        said = "written" if file.path in dict(changed) else "unchanged"
        session.reporter.document("schedule-file", f"{said}: {file.path or YOUR_CRONTAB}", _fields(file))
    failed = [failure for file in made if (failure := _switch(file, session, on=True))]
    _note_what_is_left(made, session)
    return ScheduleResult(ExitCode.SOME_FAILED if failed else ExitCode.DONE, tuple(made))


def _switch(file: ScheduleFile, session: Session, *, on: bool) -> str | None:
    """Switch a timer or a list on or off; why this failed, which is reported too."""
    from orchestrator.rclone.service_manager import failure_of  # noqa: PLC0415 - only to install and remove

    for command in _commands(file, on=on):
        failure = failure_of(command)
        if failure is not None and not (on and "bootout" in command):  # a list that launchd does not know yet
            done = "switched on" if on else "switched off"
            session.reporter.error("schedule", f"could not be {done}: {failure}; run: {shlex.join(command)}", str(file.path))
            return failure
    return None


def _commands(file: ScheduleFile, *, on: bool) -> Iterator[list[str]]:
    system = os.geteuid() == 0
    if file.form == "systemd" and file.unit is not None:
        systemctl = ["systemctl"] if system else ["systemctl", "--user"]
        if on:
            yield [*systemctl, "daemon-reload"]
            yield [*systemctl, "enable", "--now", file.unit]
        else:
            yield [*systemctl, "disable", "--now", file.unit]
    elif file.form == "launchd" and file.path is not None:
        domain = "system" if system else f"gui/{os.getuid()}"
        yield ["launchctl", "bootout", f"{domain}/{file.unit}"]
        if on:
            yield ["launchctl", "bootstrap", domain, str(file.path)]


def _note_what_is_left(made: Sequence[ScheduleFile], session: Session) -> None:
    if os.geteuid() != 0 and any(file.form == "systemd" for file in made):
        user = pwd.getpwuid(os.getuid()).pw_name
        if not (LINGERING / user).exists():
            session.reporter.warning(
                f"your services run only while you are logged in; `loginctl enable-linger {user}` lets them run always"
            )


def _remove(job: str, options: ScheduleOptions, session: Session) -> ScheduleResult:
    asked = [form for form in _FORMS if getattr(options, form)] or [*_FORMS]
    mine = [one for one in _installed() if one.mark.job == job and one.form in asked]
    if not mine:
        if job not in session.config.jobs:
            chosen_jobs(session, [job])
        session.reporter.note(f"nothing is installed for {job}")
        return ScheduleResult(ExitCode.DONE)
    for one in mine:
        if not options.force and one.path is not None:
            files.refuse_others(one.path, one.mark)
    in_crontab = any(one.path is None for one in mine)
    before = _crontab() if in_crontab else ""
    after = user_crontab.with_job(before, job, "", force=options.force) if in_crontab else ""
    found = tuple(ScheduleFile(form=one.form, path=one.path, text=one.text, unit=_unit(one)) for one in mine)
    if session.options.dry_run:
        for one in mine:
            session.reporter.note(f"would remove {one.path or YOUR_CRONTAB}")
        return ScheduleResult(ExitCode.DONE, found)
    failed = [failure for file in found if (failure := _switch(file, session, on=False))]
    files.remove(one.path for one in mine)
    if in_crontab:
        _write_crontab(after, before)
    for file in found:
        where = file.path or f"{job} from {YOUR_CRONTAB}"
        session.reporter.document("schedule-file", f"removed: {where}", _fields(file) | {"text": None})
    return ScheduleResult(ExitCode.SOME_FAILED if failed else ExitCode.DONE, found)


def _unit(one: files.Installed) -> str | None:
    if one.path is None:
        return None
    if one.form == "launchd":
        return one.path.stem
    return one.path.name if one.path.suffix == ".timer" else None


def _installed() -> Iterator[files.Installed]:
    """What is installed for the machine, or for this user."""
    folders = _folders(system=os.geteuid() == 0)
    yield from files.installed(folders)
    if "cron" not in folders and shutil.which("crontab"):
        for block in user_crontab.blocks(_crontab()):
            yield files.Installed("cron", None, block.text, block.mark)


def _crontab() -> str:
    from orchestrator.rclone.service_manager import read_crontab  # noqa: PLC0415 - only where it is used

    return read_crontab()


def _write_crontab(text: str, before: str) -> None:
    from orchestrator.rclone.service_manager import write_crontab  # noqa: PLC0415 - only where it is used

    write_crontab(text, before)


def _list(options: ScheduleOptions, session: Session) -> ScheduleResult:
    found = [one for one in _installed() if options.job is None or one.mark.job == options.job]
    made: dict[tuple[str, Form, tuple[str, ...]], dict[Path | None, str] | str] = {}
    for one in found:
        key = (one.mark.job, one.form, one.mark.at)
        if key not in made:
            asked = ScheduleOptions(job=one.mark.job, at=one.mark.at, **{one.form: True})
            try:
                made[key] = {file.path: file.text for file in _made(one.mark.job, asked, session)}
            except OrchestratorError as error:
                made[key] = error.message
    rows = [
        {
            "job": one.mark.job,
            "form": one.form,
            "path": str(one.path) if one.path is not None else None,
            "state": _state(one, made[one.mark.job, one.form, one.mark.at]),
        }
        for one in found
    ]
    session.reporter.table("schedule", _COLUMNS, rows, empty="nothing is installed")
    return ScheduleResult(ExitCode.DONE, tuple(ScheduleFile(form=one.form, path=one.path, text=one.text) for one in found))


def _state(one: files.Installed, wanted: dict[Path | None, str] | str) -> str:
    if not one.mark.intact:
        return "edited"
    if isinstance(wanted, str):
        return f"useless: {wanted}"
    return "ok" if wanted.get(one.path) == one.text else "outdated: --install writes it again"
