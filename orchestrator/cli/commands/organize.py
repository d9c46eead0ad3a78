"""`organize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.organize import OrganizeOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("organize", OrganizeOptions)
def organize_command(session: Session, options: OrganizeOptions) -> int:
    """Organize a music library, in place or into another location.

    Reads the tags of SOURCE, plans the destination of each file, shows the plan, asks, and carries it out. TARGET is SOURCE by
    default. No music is deleted or overwritten, and `undo` reverses the run. With --review, you decide first which files stay.
    """
    from orchestrator.actions.organize import organize  # noqa: PLC0415 - imported when the command runs

    return organize(options, session).exit_code
