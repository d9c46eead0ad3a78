"""`plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.organize import PlanOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("plan", PlanOptions)
def plan_command(session: Session, options: PlanOptions) -> int:
    """Plan what `organize` would do, and change nothing.

    `show` displays the written plan; `apply` carries it out after checking that nothing has changed. With --no-scan, you can try
    layouts for a large library in seconds, after one scan.
    """
    from orchestrator.actions.organize import plan  # noqa: PLC0415 - imported when the command runs

    return plan(options, session).exit_code
