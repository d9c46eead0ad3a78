"""Check what the program needs on this machine, and say how to fix what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from orchestrator.actions.checks.machine import check_machine
from orchestrator.actions.checks.places import check_locations
from orchestrator.actions.checks.rclone_setup import check_rclone, check_remotes
from orchestrator.actions.checks.schedules import check_schedules
from orchestrator.actions.checks.settings import check_config, check_log, check_messages
from orchestrator.actions.checks.state import check_databases, check_queue, check_runs, check_state
from orchestrator.actions.session import Session
from orchestrator.errors import ConfigError, ExitCode, InterruptedRunError, OrchestratorError, worst
from orchestrator.report.finding import Finding
from orchestrator.report.reporter import unexpected_text
from orchestrator.wording import counted

_log = logging.getLogger(__name__)


class DoctorResult(msgspec.Struct, frozen=True):
    """All findings, and the worst of their exit codes."""

    exit_code: ExitCode
    findings: tuple[Finding, ...]


class _Check(NamedTuple):
    """A part of the set-up."""

    group: str
    """The heading of what it finds."""
    name: str
    """What an error that stops it is about."""
    run: Callable[[Session], Iterator[Finding]]


# The state directory comes before what opens the catalogue, which corrects the rights of its file.
_CHECKS = (
    _Check("Machine", "machine", check_machine),
    _Check("Config", "config", check_config),
    _Check("Config", "config", check_log),
    _Check("Config", "messages", check_messages),
    _Check("State", "state", check_state),
    _Check("State", "databases", check_databases),
    _Check("State", "runs", check_runs),
    _Check("State", "queue", check_queue),
    _Check("rclone", "rclone", check_rclone),
    _Check("rclone", "remotes", check_remotes),
    _Check("Locations", "locations", check_locations),
    _Check("Jobs", "schedule", check_schedules),
)


def doctor(session: Session) -> DoctorResult:
    """Check the machine, the config, rclone, the locations, the state directory and the schedules; report every finding.

    A problem sets the exit code, a warning does not. Only a file of ours is written at each location, and deleted again.
    """
    findings: list[Finding] = []
    for check in _CHECKS:
        for finding in _found_by(check, session):
            # One cause may make several checks fail: it is reported once.
            if not finding.ok and any(finding.message in (one.message, f"{one.message}; {one.remedy}") for one in findings):
                continue
            findings.append(finding)
            if not (finding.ok and session.options.quiet):
                session.reporter.check(finding)
    levels = [one.level for one in findings]
    if not session.options.quiet and not session.options.json:
        numbers = [counted(number, level) for level in ("problem", "warning") if (number := levels.count(level))]
        session.reporter.note(", ".join(numbers) or "no problems")
    return DoctorResult(worst(one.code for one in findings if one.level == "problem"), tuple(findings))


def _found_by(check: _Check, session: Session) -> Iterator[Finding]:
    """What a check finds; what stops it is a finding, too."""
    try:
        for finding in check.run(session):
            yield msgspec.structs.replace(finding, group=check.group)
    except InterruptedRunError:
        raise
    except OrchestratorError as error:
        if session.stop.is_set():
            raise
        for one in (error, *(error.more if isinstance(error, ConfigError) else ())):
            yield Finding(check.name, ok=False, message=one.message, code=one.exit_code, group=check.group)
    except Exception as error:  # a bug of ours: the other checks may find its cause
        _log.exception("unexpected")
        yield Finding(check.name, ok=False, message=unexpected_text(error), code=ExitCode.UNEXPECTED, group=check.group)
