"""What a job needs where nobody is logged in: folders to write into, programs, variables and credentials."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrator.actions.job_check import locations_in
from orchestrator.actions.session import Session
from orchestrator.config.calendar import Calendar
from orchestrator.config.jobs import Job
from orchestrator.config.references import Reference
from orchestrator.errors import AuthError, UsageError
from orchestrator.location import CLOUD_REMOTE, Location, resolve
from orchestrator.paths import is_local
from orchestrator.schedules.records import NAME, Schedule
from orchestrator.state import SYSTEM_DIRECTORY, chosen_directory
from orchestrator.user_paths import user_path

WAIT = "1h"
"""How long a job waits for another one to end, unless it says so itself: nobody is there to start it again."""
_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_OF_THE_LOGIN = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP", "SHELL", "TZ"})
"""Variables that a service has too, or does not need."""
_TOO_WIDE = frozenset({"/", "/etc", "/usr", "/var", "/home", "/root"})


class _Reached(NamedTuple):
    """Where the locations of a job are."""

    folders: tuple[str, ...]
    """On this machine."""
    remotes: frozenset[str] | None
    """The remotes that they are on and that these lead to, in lower case; None: they could not be found out."""


def schedule_of(session: Session, name: str, job: Job, calendars: Sequence[Calendar], at: Sequence[str]) -> Schedule:
    """The schedule of a job; what the user must do himself is noted. Raises UsageError for a location that cannot be."""
    home, system = str(Path("~").expanduser()), os.geteuid() == 0
    if system and (user := _user_behind_sudo(home)):
        session.reporter.warning(
            f"{name} would run as root with the config and home of {user}: use `sudo -H`, or go without sudo"
        )
    reached = _reached(session, job)
    references = [*_references(session, reached.remotes), *_of_notify(session, job)]
    config_file = _rclone_config_file(session)
    given_state = session.options.state_dir or session.config.state_dir
    state = chosen_directory(given_state, {})
    in_var = system and state.parent == SYSTEM_DIRECTORY.parent
    made = state.name if in_var else NAME if system and not given_state and not state.exists() else None
    writable = [*reached.folders, *_files_written(session, job), *_folder_of(config_file, home, session)]
    if made is None:
        writable.append(str(state))
    for folder in reached.folders:
        if not Path(folder).is_dir():
            why = ", because its service cannot make it" if system else ""
            session.reporter.warning(f"{folder} does not exist: make it before {name} starts{why}")
    return Schedule(
        job=name,
        command=(*_program(), *_arguments(session, name, job, config_file, home)),
        calendars=tuple(calendars),
        given=tuple(at),
        path=tuple(_path(session, references)),
        home=home,
        system=system,
        writable=tuple(dict.fromkeys(writable)),
        locations=reached.folders,
        credentials=tuple(dict.fromkeys(one.credential for one in references if one.credential is not None)),
        state_directory=made,
        variables=_variables(session, references),
    )


def _reached(session: Session, job: Job) -> _Reached:
    folders: list[str] = []
    remotes: set[str] = set()
    texts = [text for step in job.steps for options in step.commands.values() for _, text in locations_in(options)]
    complete = True
    for text in dict.fromkeys(texts):
        try:
            location = resolve(text, session.config, lambda: session.remotes)
            folders += _folders(session, location)
            if location.remote is not None:
                remotes |= session.rclone.wrapped_by(location.remote) | {location.remote.lower()}
        except AuthError as error:
            complete = False
            session.reporter.warning(
                f"{error.message}, so the folders of this machine that {text} leads to are unknown: add them by hand"
            )
    return _Reached(tuple(dict.fromkeys(folders)), frozenset(remotes) if complete else None)


def _folders(session: Session, location: Location) -> Iterator[str]:
    """The folders of this machine that a location is, perhaps behind an alias, crypt, union or combine."""
    places = session.places_of(location.fs)
    if any(place.encrypted for place in places):  # a name inside cannot always be encrypted here
        places = session.places_of(f"{location.remote}:")
    for place in places:
        if is_local(place.fs) and not place.read_only:
            yield place.fs
    if location.local:
        yield location.fs  # the way there may lead over links


def _references(session: Session, remotes: frozenset[str] | None) -> Iterator[Reference]:
    """Where the secrets come from that the job needs."""
    config = session.config
    if config.rclone_config_password is not None:
        yield config.rclone_config_password
    for name, settings in config.remotes.items():
        if remotes is None or name.lower() in remotes:
            yield from settings.secrets.values()
    if config.cloud is not None and (remotes is None or CLOUD_REMOTE in remotes):
        yield from config.cloud.secrets.values()
        if config.cloud.credentials_env is not None:
            yield Reference(env=config.cloud.credentials_env)


def _of_notify(session: Session, job: Job) -> Iterator[Reference]:
    notify = job.notify if job.notify is not None else session.config.notify
    yield from (one for one in (*notify.urls, notify.healthcheck) if isinstance(one, Reference))


def _user_behind_sudo(home: str) -> str | None:
    """The user whose home root uses, because some sudo keep HOME: a service would make files of root among his."""
    user = os.environ.get("SUDO_USER")
    try:
        return user if user and user != "root" and pwd.getpwnam(user).pw_dir == home else None
    except KeyError:
        return None


def _program() -> tuple[str, ...]:
    script = Path(sysconfig.get_path("scripts")) / NAME
    return (str(script),) if script.is_file() else (sys.executable, "-m", "orchestrator")


def _arguments(session: Session, name: str, job: Job, config_file: Path, home: str) -> Iterator[str]:
    options = session.options
    yield from ("run", "--quiet")
    if job.wait is None:
        yield from ("--wait", WAIT)
    if session.loaded_config.exists:
        yield from ("--config", str(session.loaded_config.path.absolute()))
    if options.state_dir or os.environ.get("MUSIC_ORCHESTRATOR_STATE_DIR"):
        yield from ("--state-dir", str(user_path(options.state_dir or session.config.state_dir or "").absolute()))
    if options.rclone or os.environ.get("MUSIC_ORCHESTRATOR_RCLONE"):
        yield from ("--rclone", str(session.binary.path))
    of_the_config = session.config.rclone_config and not (options.rclone_config or _overridden(session, "rclone_config"))
    if config_file.is_file() and config_file != Path(home) / ".config/rclone/rclone.conf" and not of_the_config:
        yield from ("--rclone-config", str(config_file))
    for option, value in (("bandwidth", options.bandwidth), ("transfers", options.transfers)):
        if value is not None:
            yield from (f"--{option}", str(value))
    if options.log_file is not None:
        yield from ("--log-file", str(session.log_file))
    yield from ("--", name) if name.startswith("-") else (name,)


def _rclone_config_file(session: Session) -> Path:
    from orchestrator.rclone.config_password import config_file_of, is_encrypted  # noqa: PLC0415 - only with rclone
    from orchestrator.rclone.environment import child_environment  # noqa: PLC0415 - as above

    file = session.rclone_config or config_file_of(session.binary, child_environment(os.environ))
    if is_encrypted(file) and session.config.rclone_config_password is None:
        session.reporter.warning(
            f"{file} is encrypted, and nobody is there to type its password: give the config `rclone_config_password`, such as "
            "{credential: rclone}"
        )
    return file


def _folder_of(config_file: Path, home: str, session: Session) -> Iterator[str]:
    """The folder of rclone.conf, if it is there: rclone writes a new file there, and gives it the name of the old one."""
    if not config_file.is_file():
        return
    folder = os.path.realpath(config_file.resolve().parent)
    if folder == os.path.realpath(home) or folder in _TOO_WIDE:
        session.reporter.warning(
            f"{config_file}: a service should not write into all of {folder}, so rclone cannot store refreshed tokens there; "
            "move the file to a folder of its own, and name it with `rclone_config`"
        )
    else:
        yield folder


def _files_written(session: Session, job: Job) -> Iterator[str]:
    """The folders of the files that the job writes besides."""
    if session.log_file is not None:
        yield str(session.log_file.parent)
    manifests = [step.verify.manifest for step in job.steps if step.verify is not None]
    for file in (job.html, session.config.prometheus, *manifests):
        if file is not None:
            yield str(user_path(file).absolute().parent)


def _path(session: Session, references: Iterable[Reference]) -> Iterator[str]:
    """The folders with the programs that the job starts."""
    from orchestrator.rclone.config_password import VARIABLE  # noqa: PLC0415 - only with rclone

    programs = [_program()[0], str(session.binary.path)]
    commands = [*(one.command[0] for one in references if one.command), *os.environ.get(VARIABLE, "").split(" ")[:1]]
    programs += [found for one in commands if one and (found := shutil.which(user_path(one))) is not None]
    yield from dict.fromkeys([*(str(Path(one).absolute().parent) for one in programs), *_PATH])


def _variables(session: Session, references: Iterable[Reference]) -> str | None:
    """The file with the variables that the job needs; None if it needs none. Names them, and never a value."""
    from orchestrator.rclone.environment import child_environment  # noqa: PLC0415 - only with rclone

    of_rclone = {name for name in child_environment(os.environ) if name in os.environ} - _OF_THE_LOGIN - {"RCLONE_CONFIG"}
    told = {"state_dir", "rclone", "rclone_config"}  # the command has them
    ours = {name for key, name in session.loaded_config.variables.items() if key[0] not in told}
    named = {one.env for one in references if one.env is not None}
    needed = sorted(
        name for name in of_rclone | ours | named if not name.startswith(("LC_", "XDG_", "DBUS_")) and name != "RCLONE_CONFIG_DIR"
    )
    if not needed:
        return None
    file = str(session.loaded_config.path.absolute().with_name("environment"))
    session.reporter.warning(
        f"a job that starts by itself has no variables of your shell: write {', '.join(needed)} into {file} (NAME='value', "
        "chmod 600)"
    )
    return file


def _overridden(session: Session, key: str) -> bool:
    return (key,) in session.loaded_config.variables or bool(os.environ.get("RCLONE_CONFIG"))


def calendars_of(job: Job, name: str, at: Sequence[str]) -> tuple[Calendar, ...]:
    """When the job starts: as --at says, otherwise the job. Raises UsageError if neither does."""
    from orchestrator.config.calendar import parse_calendars  # noqa: PLC0415 - beside its use

    found = parse_calendars(at) if at else parse_calendars(job.at, f"jobs.{name}.at")
    if not found:
        raise UsageError(f"when does {name} start? Give the job `at: 02:30` in the config, or add --at 02:30")
    return found
