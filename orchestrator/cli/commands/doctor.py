"""`doctor`: what is wrong on this machine, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.cli.framework import command
from orchestrator.config.options.doctor import DoctorOptions
from orchestrator.errors import ExitCode, LockedError, OrchestratorError, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session

LITTLE_SPACE = 100 * 1024 * 1024
"""Bytes: below this the journal and the catalogue may not fit."""


class Finding(NamedTuple):
    """What one check came to."""

    check: str
    ok: bool
    message: str
    remedy: str = ""
    code: ExitCode = ExitCode.DONE


@command("doctor", DoctorOptions)
def doctor_command(session: Session, _options: DoctorOptions) -> int:
    """Check the rclone binary, the config, the remotes and the state directory; say how to mend what is wrong."""
    from orchestrator.report.reporter import Column  # noqa: PLC0415 - the rooms are imported when a command runs

    findings: list[Finding] = []
    for check in (_config, _rclone, _remotes, _state, _catalogue, _runs):
        # What stops one check may stop the next ones too: said once.
        said = {one.message for one in findings if not one.ok}
        findings += [one for one in _guarded(session, check) if one.ok or one.message not in said]
    rows = [{"check": one.check, "ok": one.ok, "message": one.message, "remedy": one.remedy or None} for one in findings]
    columns = [Column("check", "check"), Column("ok", "well"), Column("message", "finding"), Column("remedy", "remedy")]
    session.reporter.table("check", columns, rows, empty="")
    for one in findings:
        if one.code != ExitCode.DONE:
            session.reporter.error("doctor", f"{one.check}: {one.message}{'; ' + one.remedy if one.remedy else ''}")
    return worst(one.code for one in findings if one.code != ExitCode.DONE)


Check = Callable[["Session"], Iterator[Finding]]


def _guarded(session: Session, check: Check) -> list[Finding]:
    """One check that cannot be made is a finding, and the others go on."""
    findings: list[Finding] = []
    try:
        for finding in check(session):
            findings.append(finding)  # noqa: PERF402 - what was found before an error is kept
    except OrchestratorError as error:
        findings.append(Finding(check.__name__.strip("_"), ok=False, message=error.message, code=error.exit_code))
    return findings


def _config(session: Session) -> Iterator[Finding]:
    from orchestrator.actions.config_check import check_config  # noqa: PLC0415 - only when called

    loaded = session.loaded_config
    check_config(loaded)
    yield Finding("config", ok=True, message=str(loaded.path) if loaded.exists else f"{loaded.path}: not there, all defaults")


def _rclone(session: Session) -> Iterator[Finding]:
    binary = session.binary
    yield Finding("rclone", ok=True, message=f"{binary.version} ({binary.path})")


def _remotes(session: Session) -> Iterator[Finding]:
    session.places()
    known = session.remotes
    yield Finding(
        "remotes", ok=True, message=", ".join(f"{name}: ({kind})" for name, kind in sorted(known.items())) or "none configured"
    )
    for name, text in session.config.locations.items():
        try:
            session.places(name)
            yield Finding(f"location {name}", ok=True, message=text)
        except OrchestratorError as error:
            yield Finding(f"location {name}", ok=False, message=error.message, code=error.exit_code)
    for scheme in session.config.schemes.__struct_fields__:
        remote = getattr(session.config.schemes, scheme)
        if remote is not None and remote.rstrip(":") not in known:
            yield Finding(
                f"scheme {scheme}",
                ok=False,
                message=f"{remote} is no remote",
                remedy="`rclone config` makes one",
                code=ExitCode.USAGE,
            )


def _state(session: Session) -> Iterator[Finding]:
    state = session.state
    yield Finding("state", ok=True, message=str(state))
    for file in sorted(state.iterdir()):
        if file.is_file() and file.stat().st_mode & 0o077:
            yield Finding(
                "permissions",
                ok=False,
                message=f"{file} can be read by others",
                remedy=f"chmod 600 {file}",
                code=ExitCode.SOME_FAILED,
            )
    free = shutil.disk_usage(state).free
    if free < LITTLE_SPACE:
        yield Finding(
            "space",
            ok=False,
            message=f"only {free // 1024 // 1024} MiB are free for catalogue and journal",
            remedy="make room, or choose another --state-dir",
            code=ExitCode.SAFETY_LIMIT,
        )


def _catalogue(session: Session) -> Iterator[Finding]:
    from orchestrator.actions.session import CATALOGUE_FILE  # noqa: PLC0415 - it is loaded by now

    if (session.state / CATALOGUE_FILE).exists():
        session.catalogue.check()
        yield Finding("catalogue", ok=True, message="whole")


def _runs(session: Session) -> Iterator[Finding]:
    unfinished = session.journal.unfinished()
    yield Finding("journal", ok=True, message=f"{len(session.journal.runs())} runs")
    if _is_at_work(session):
        yield Finding("lock", ok=True, message="a run is at work")
        return
    for run in unfinished:
        yield Finding(
            "unfinished run",
            ok=False,
            message=f"{run.id} ({run.command} {run.source}) was interrupted",
            remedy=f"music-orchestrator resume {run.id}",
            code=ExitCode.SOME_FAILED,
        )


def _is_at_work(session: Session) -> bool:
    try:
        with session.lock():
            return False
    except LockedError:
        return True
