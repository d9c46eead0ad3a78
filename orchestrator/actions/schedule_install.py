"""Install and remove what starts a job by itself."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from orchestrator.actions.session import Session
from orchestrator.config.options.schedule import ScheduleOptions
from orchestrator.errors import ExitCode, UsageError
from orchestrator.schedules import files, user_crontab
from orchestrator.schedules.cron_daemon import cron_is_missing
from orchestrator.schedules.records import Form, ScheduleFile

YOUR_CRONTAB = "your crontab"
"""What people read in place of a path."""
NO_CRON = "no cron runs on this machine, so nothing starts what is in its crontabs"
_START_CRON = "start it (`systemctl enable --now cron`, on other systems crond), or use `schedule --systemd`"
LINGERING = Path("/var/lib/systemd/linger")
"""Has a file for each user whose services run while he is not logged in."""


class ScheduleResult(msgspec.Struct, frozen=True):
    """The files that were printed, written, found or removed."""

    exit_code: ExitCode
    files: tuple[ScheduleFile, ...] = ()


def folders(*, system: bool) -> dict[Form, Path]:
    """Where the files of the machine, or of this user, belong."""
    return files.folders(str(Path("~").expanduser()), os.environ.get("XDG_CONFIG_HOME"), system=system)


def installed() -> Iterator[files.Installed]:
    """What is installed for the machine, or for this user."""
    places = folders(system=os.geteuid() == 0)
    yield from files.installed(places)
    if "cron" not in places and shutil.which("crontab"):
        with contextlib.suppress(UsageError):  # a crontab that may not be read has no lines of ours
            for block in user_crontab.blocks(_read_crontab()):
                yield files.Installed("cron", None, block.text, block.mark)


def install(made: Sequence[ScheduleFile], options: ScheduleOptions, session: Session) -> ScheduleResult:
    """Write files, and switch on what they start. Raises UsageError for one that is not ours or was edited."""
    job = options.job or ""
    to_write = dict(files.to_write(made, force=options.force))
    lines = _change_of_crontab(job, "".join(file.text for file in made if file.path is None), options)
    changed = [file for file in made if (lines.changes if file.path is None else file.path in to_write)]
    if session.options.dry_run:
        for file in changed:
            session.reporter.note(f"would write {file.path or YOUR_CRONTAB}")
        return ScheduleResult(ExitCode.DONE, tuple(made))
    _warn_of_others(job, made, session)
    if session.options.state_dir or session.config.state_dir:
        session.state  # noqa: B018 - makes it: a service cannot make what is not below /var/lib
    files.write(to_write.items())
    lines.write()
    for file in made:
        said = "written" if file in changed else "unchanged"
        session.reporter.document("schedule-file", f"{said}: {file.path or YOUR_CRONTAB}", fields(file))
    failed = [failure for file in made if (failure := _switch(file, session, on=True))]
    return ScheduleResult(ExitCode.SOME_FAILED if failed else ExitCode.DONE, tuple(made))


def remove(mine: Sequence[files.Installed], options: ScheduleOptions, session: Session) -> ScheduleResult:
    """Switch off and remove these files of a job. Raises UsageError for one that was edited."""
    job = options.job or ""
    for one in mine:
        if not options.force and one.path is not None:
            files.refuse_others(one.path, one.mark)
    lines = _change_of_crontab(job, "", options) if any(one.path is None for one in mine) else _CrontabChange("", "")
    found = tuple(ScheduleFile(form=one.form, path=one.path, text=one.text, unit=_unit(one)) for one in mine)
    if session.options.dry_run:
        for file in found:
            session.reporter.note(f"would remove {_shown(job, file)}")
        return ScheduleResult(ExitCode.DONE, found)
    failed = [failure for file in found if (failure := _switch(file, session, on=False))]
    files.remove(one.path for one in mine)
    lines.write()
    for file in found:
        session.reporter.document("schedule-file", f"removed: {_shown(job, file)}", fields(file) | {"text": None})
    return ScheduleResult(ExitCode.SOME_FAILED if failed else ExitCode.DONE, found)


def fields(file: ScheduleFile) -> dict[str, str | None]:
    """A file for programs."""
    return {"form": file.form, "path": str(file.path) if file.path is not None else None, "text": file.text}


class _CrontabChange(NamedTuple):
    """What the crontab of the user is, and what it is to be."""

    before: str
    after: str

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def write(self) -> None:
        if self.changes:
            from orchestrator.rclone.service_manager import write_crontab  # noqa: PLC0415 - only where it is used

            write_crontab(self.after, self.before)


def _change_of_crontab(job: str, wanted: str, options: ScheduleOptions) -> _CrontabChange:
    """Give a job these lines, or take them away. Without any, --install does not look at the crontab."""
    if options.install and not wanted:
        return _CrontabChange("", "")
    before = _read_crontab()
    return _CrontabChange(before, user_crontab.with_job(before, job, wanted, force=options.force))


def _read_crontab() -> str:
    from orchestrator.rclone.service_manager import read_crontab  # noqa: PLC0415 - only where it is used

    return read_crontab()


def _warn_of_others(job: str, made: Sequence[ScheduleFile], session: Session) -> None:
    """Warn of what else starts the job, of a cron that does not run, and of services that stop when their user logs out."""
    forms = {file.form for file in made}
    for one in installed():
        if one.mark.job == job and one.form not in forms:
            session.reporter.warning(f"{job} is started by {one.form}, too ({one.path or YOUR_CRONTAB})")
    if "cron" in forms and cron_is_missing():
        session.reporter.warning(f"{NO_CRON}: {_START_CRON}")
    if os.geteuid() != 0 and "systemd" in forms:
        user = pwd.getpwuid(os.getuid()).pw_name
        if not (LINGERING / user).exists():
            session.reporter.warning(
                f"your services run only while you are logged in; `loginctl enable-linger {user}` lets them run always"
            )


def _shown(job: str, file: ScheduleFile) -> str:
    return str(file.path) if file.path is not None else f"{job} from {YOUR_CRONTAB}"


def why_not_started(one: files.Installed) -> tuple[str, str] | None:
    """Why this timer, or these lines of a crontab, start nothing, and what to do; None if they do, or nobody knows."""
    unit = _unit(one)
    if one.form == "cron":
        return (NO_CRON, _START_CRON) if cron_is_missing() else None
    if one.form != "systemd" or unit is None or shutil.which("systemctl") is None:
        return None
    from orchestrator.rclone.service_manager import failure_of  # noqa: PLC0415 - only where it is used

    systemctl = ["systemctl"] if os.geteuid() == 0 else ["systemctl", "--user"]
    remedy = f"`{shlex.join([*systemctl, 'enable', '--now', unit])}`"
    if failure_of([*systemctl, "is-enabled", unit]) in {"disabled", "masked", "masked-runtime"}:
        return f"{unit} is not switched on", remedy
    if failure_of([*systemctl, "is-active", unit]) in {"inactive", "failed"}:
        return f"{unit} does not run", remedy
    return None


NOTHING_INSTALLED = "nothing that `schedule` has installed starts it"


def how_to_install(job: str) -> str:
    """What a person may do about a job that nothing of ours starts."""
    return f"`music-orchestrator schedule {job} --install`, unless something of yours starts it"


def why_nothing_starts(job: str) -> tuple[str, str] | None:
    """Why nothing that is installed starts a job, and what to do; None if something does, or nobody knows."""
    starters = [one for one in installed() if one.mark.job == job and (one.form != "systemd" or _unit(one) is not None)]
    if not starters:
        return NOTHING_INSTALLED, how_to_install(job)
    reasons = [why_not_started(one) for one in starters]
    return None if None in reasons else reasons[0]


def _unit(one: files.Installed) -> str | None:
    if one.path is None:
        return None
    if one.form == "launchd":
        return one.path.stem
    return one.path.name if one.path.suffix == ".timer" else None


def _switch(file: ScheduleFile, session: Session, *, on: bool) -> str | None:
    """Switch a timer or a list on or off; why this failed, which is reported too."""
    from orchestrator.rclone.service_manager import failure_of  # noqa: PLC0415 - only to install and remove

    commands = list(_commands(file, on=on))
    for number, command in enumerate(commands):
        failure = failure_of(command)
        if failure is not None and not (on and "bootout" in command):  # a list that launchd does not know yet
            done = "switched on" if on else "switched off"
            left = " && ".join(map(shlex.join, commands[number:]))
            session.reporter.error("schedule", f"could not be {done}: {failure}; run: {left}", str(file.path))
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
