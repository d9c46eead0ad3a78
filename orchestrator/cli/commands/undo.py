"""`undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.runs import UndoOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("undo", UndoOptions)
def undo_command(session: Session, options: UndoOptions) -> int:
    """Undo RUN: plan the reverse of what it did, show the plan, ask, and carry it out."""
    from orchestrator.actions.runs import undo  # noqa: PLC0415 - imported when the command runs

    return undo(options, session).exit_code
