"""`resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.runs import ResumeOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("resume", ResumeOptions)
def resume_command(session: Session, options: ResumeOptions) -> int:
    """Finish an interrupted run: RUN, or the newest one."""
    from orchestrator.actions.runs import resume  # noqa: PLC0415 - imported when the command runs

    return resume(options, session).exit_code
