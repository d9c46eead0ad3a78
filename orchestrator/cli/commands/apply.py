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

    Before each change, both its source and its destination are checked: what is no longer as the plan expects is skipped and
    reported.
    """
    from orchestrator.actions.apply import apply  # noqa: PLC0415 - imported when the command runs

    return apply(options, session).exit_code
