"""`apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.plan_files import ApplyOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("apply", ApplyOptions)
def apply_command(session: Session, options: ApplyOptions) -> int:
    """Carry out exactly the plan in FILE.

    Before each change, its source and destination are checked: files that no longer match the plan are skipped and
    reported.
    """
    from orchestrator.actions.apply import apply  # noqa: PLC0415 - imported when the command runs

    return apply(options, session).exit_code
