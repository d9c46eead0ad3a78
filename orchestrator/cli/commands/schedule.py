"""`schedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.schedule import ScheduleOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("schedule", ScheduleOptions)
def schedule_command(session: Session, options: ScheduleOptions) -> int:
    """Start a job by itself: print or install a systemd timer, a line for cron, or a list for launchd.

    Without --systemd, --cron or --launchd, prints all that fit this machine; --install then takes the first of them.
    """
    from orchestrator.actions.schedule import schedule  # noqa: PLC0415 - imported when the command runs

    return schedule(options, session).exit_code
