"""`show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.plan_files import ShowOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("show", ShowOptions)
def show_command(session: Session, options: ShowOptions) -> int:
    """Show the summary and all changes of a plan file."""
    from orchestrator.actions.show import show  # noqa: PLC0415 - imported when the command runs

    show(options, session)
    return ExitCode.DONE
