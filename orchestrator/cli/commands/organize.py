"""`organize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.organize import OrganizeOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("organize", OrganizeOptions)
def organize_command(session: Session, options: OrganizeOptions) -> int:
    """Put a music library in order, in place or in another location.

    Reads the tags of SOURCE, plans where each file goes, shows the plan, asks, and carries it out. TARGET is SOURCE by default.
    Nothing is deleted or overwritten, and `undo` reverses it.
    """
    from orchestrator.actions.organize import organize  # noqa: PLC0415 - imported when the command runs

    return organize(options, session).exit_code
