"""`status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.status import StatusOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("status", StatusOptions)
def status_command(session: Session, options: StatusOptions) -> int:
    """Show how each job last ended, how long ago that was, and when it starts next.

    Ends with 3 if a job is overdue: it has not begun within two hours (and its `wait`) of a time in its `at`. With -q it
    prints only that.
    """
    from orchestrator.actions.job_status import status  # noqa: PLC0415 - imported when the command runs

    return status(options, session).exit_code
