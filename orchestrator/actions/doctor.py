"""Check what the program needs on this machine, and say how to fix what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from orchestrator.actions.config_check import config_problems
from orchestrator.actions.job_check import job_problems
from orchestrator.actions.location_check import all_well, inspect_all
from orchestrator.actions.remote_check import needs_rclone, remote_problems
from orchestrator.actions.session import CATALOGUE_FILE, Session
from orchestrator.config.problems import refuse
from orchestrator.errors import AccessDeniedError, AuthError, ConfigError, ExitCode, LockedError, OrchestratorError, worst
from orchestrator.location import CLOUD_REMOTE, Location
from orchestrator.report.location_view import state_text
from orchestrator.report.reporter import Column

LITTLE_SPACE = 100 * 1024 * 1024
"""Bytes: with less, the journal and the catalogue may not fit."""

WITHIN_S = 30.0
"""How long the locations may take to answer, all together."""

CLOCK_S = 60.0
"""Seconds: S3 refuses requests at 15 minutes, and a sync that compares times is wrong about files edited in between."""

_COLUMNS = (Column("check", "check"), Column("ok", "ok"), Column("message", "finding"), Column("remedy", "remedy"))


class Finding(NamedTuple):
    """The result of one check."""

    check: str
    ok: bool
    message: str
    remedy: str = ""
    code: ExitCode = ExitCode.DONE


class DoctorResult(msgspec.Struct, frozen=True):
    """All findings, and the worst of their exit codes."""

    exit_code: ExitCode
    findings: tuple[Finding, ...]


def doctor(session: Session) -> DoctorResult:
    """Check the config, the rclone binary, the remotes and the state directory, and report every finding."""
    findings: list[Finding] = []
    for check in (_config, _rclone, _remotes, _locations, _state, _catalogue, _runs):
        # One cause may make several checks fail: it is reported once.
        reported = {one.message for one in findings if not one.ok}
        findings += [one for one in _run(check, session) if one.ok or one.message not in reported]
    rows = [{"check": one.check, "ok": one.ok, "message": one.message, "remedy": one.remedy or None} for one in findings]
    session.reporter.table("check", _COLUMNS, rows, empty="")
    failed = [one for one in findings if one.code != ExitCode.DONE]
    for one in failed:
        session.reporter.error("doctor", f"{one.check}: {one.message}{'; ' + one.remedy if one.remedy else ''}")
    return DoctorResult(worst(one.code for one in failed), tuple(findings))


Check = Callable[[Session], Iterator[Finding]]


def _run(check: Check, session: Session) -> list[Finding]:
    """The findings of one check; an error that stops it is a finding, too."""
    findings: list[Finding] = []
    try:
        for finding in check(session):
            findings.append(finding)  # noqa: PERF402 - the findings before an error are kept
    except OrchestratorError as error:
        name, more = check.__name__.strip("_"), error.more if isinstance(error, ConfigError) else ()
        findings += [Finding(name, ok=False, message=one.message, code=one.exit_code) for one in (error, *more)]
    return findings


def _config(session: Session) -> Iterator[Finding]:
    loaded = session.loaded_config
    refuse([*config_problems(loaded), *job_problems(loaded)])
    yield Finding("config", ok=True, message=str(loaded.path) if loaded.exists else f"{loaded.path}: no file, all defaults")


def _rclone(session: Session) -> Iterator[Finding]:
    binary = session.binary
    yield Finding("rclone", ok=True, message=f"{binary.version} ({binary.path})")


def _remotes(session: Session) -> Iterator[Finding]:
    known = session.remotes
    yield Finding(
        "remotes", ok=True, message=", ".join(f"{name}: ({kind})" for name, kind in sorted(known.items())) or "none configured"
    )
    if others := sorted(known.keys() - _contacted(session)):
        yield Finding(
            "other remotes",
            ok=True,
            message=f"not contacted, because the config does not name them: {', '.join(f'{name}:' for name in others)}",
            remedy=f"`music-orchestrator remotes check {others[0]}:` tries one",
        )
    for name, host in sorted(session.rclone.hosts_without_tls().items()):
        yield Finding(
            f"remote {name}",
            ok=False,
            message=f"is at http://{host}, without TLS: others on the way can read and change the files",
            remedy=f"give {name} an address with https://, if its server has one",
        )
    if needs_rclone(session.config):
        for problem in remote_problems(session.loaded_config, known, session.rclone.backends):
            yield Finding("config", ok=False, message=problem.message, code=ExitCode.USAGE)


def _locations(session: Session) -> Iterator[Finding]:
    """Try each location and remote that the config names; one that does not answer does not hold up the others."""
    wanted: dict[str, Location] = {}
    for check, text in _named_by_config(session).items():
        try:
            (location,) = session.locations(text)
        except OrchestratorError as error:
            yield Finding(check, ok=False, message=error.message, code=error.exit_code)
        else:
            if all(location.fs != other.fs for other in wanted.values()):
                wanted[check] = location
    for check, found in inspect_all(session, wanted, WITHIN_S).items() if wanted else ():
        yield _of_location(check, wanted[check], found)


def _named_by_config(session: Session) -> dict[str, str]:
    """The name of each check -> its location. A remote of which a location is checked needs no check of its own."""
    config = session.config
    named = {f"location {name}": name for name in config.locations}
    if config.cloud is not None:
        named["cloud"] = f"{CLOUD_REMOTE}:"
    used = {text.partition(":")[0] for text in config.locations.values()}
    schemes = (getattr(config.schemes, scheme) for scheme in config.schemes.__struct_fields__)
    remotes = [*config.remotes, *(remote.rstrip(":") for remote in schemes if remote is not None)]
    return named | {f"remote {name}": f"{name}:" for name in remotes if name not in used and name in session.remotes}


def _contacted(session: Session) -> set[str]:
    """The remotes that `_locations` tries."""
    named = _named_by_config(session).values()
    return {session.config.locations.get(text, text).partition(":")[0] for text in named}


def _of_location(check: str, location: Location, found: dict[str, Any] | Exception) -> Finding:
    if isinstance(found, AuthError) and isinstance(found.__cause__, AccessDeniedError) and not location.path.strip("/"):
        # Credentials for one bucket may not list all of them.
        remedy = f"`music-orchestrator remotes check {location.fs}FOLDER` checks a folder or bucket"
        return Finding(check, ok=True, message=f"{location.fs} may not be listed as a whole", remedy=remedy)
    if isinstance(found, OrchestratorError):
        return Finding(check, ok=False, message=found.message, code=found.exit_code)
    if isinstance(found, Exception):
        raise found
    message, ahead_s = f"{location.fs} {state_text(found)}", found["clock_s"] or 0.0
    if not all_well(found):
        remedy = "" if found["readable"] and found["not_deletable"] is None else "grant these rights"
        return Finding(check, ok=False, message=message, remedy=remedy, code=ExitCode.SOME_FAILED)
    if abs(ahead_s) > CLOCK_S:
        return Finding(check, ok=False, message=message, remedy="set the clock that is wrong", code=ExitCode.SOME_FAILED)
    return Finding(check, ok=True, message=message)


def _state(session: Session) -> Iterator[Finding]:
    state = session.state
    yield Finding("state", ok=True, message=str(state))
    for file in sorted(state.iterdir()):
        if file.is_file() and file.stat().st_mode & 0o077:
            yield Finding(
                "permissions",
                ok=False,
                message=f"others can read {file}",
                remedy=f"chmod 600 {file}",
                code=ExitCode.SOME_FAILED,
            )
    free = shutil.disk_usage(state).free
    if free < LITTLE_SPACE:
        yield Finding(
            "space",
            ok=False,
            message=f"only {free // 1024 // 1024} MiB are free for the catalogue and the journal",
            remedy="free some space, or choose another --state-dir",
            code=ExitCode.SAFETY_LIMIT,
        )


def _catalogue(session: Session) -> Iterator[Finding]:
    if (session.state / CATALOGUE_FILE).exists():
        session.catalogue.check()
        yield Finding("catalogue", ok=True, message="ok")


def _runs(session: Session) -> Iterator[Finding]:
    unfinished = session.journal.unfinished()
    number = len(session.journal.runs())
    yield Finding("journal", ok=True, message=f"{number} run{'' if number == 1 else 's'}")
    if _is_running(session):
        yield Finding("lock", ok=True, message="a run is in progress")
        return
    for run in unfinished:
        yield Finding(
            "unfinished run",
            ok=False,
            message=f"{run.described} was interrupted",
            remedy=f"music-orchestrator resume {run.id}",
            code=ExitCode.SOME_FAILED,
        )


def _is_running(session: Session) -> bool:
    try:
        with session.lock("doctor"):
            return False
    except LockedError:
        return True
