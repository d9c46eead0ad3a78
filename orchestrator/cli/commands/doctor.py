"""`doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.doctor import DoctorOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("doctor", DoctorOptions)
def doctor_command(session: Session, _options: DoctorOptions) -> int:
    """Check this machine, the config, rclone, locations, state and schedules, and say how to fix problems."""
    from orchestrator.actions.doctor import doctor  # noqa: PLC0415 - imported when the command runs

    return doctor(session).exit_code
