"""`sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.sync import SyncOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("sync", SyncOptions)
def sync_command(session: Session, options: SyncOptions) -> int:
    """Make the locations A and B alike: carry over what has changed on each since the last sync.

    Renames are carried over as renames. What is deleted or replaced goes to the trash of its location (except what
    --delete-after deletes at the source); `undo` brings it back. A first sync deletes nothing.
    """
    from orchestrator.actions.sync import sync  # noqa: PLC0415 - imported when the command runs

    return sync(options, session).exit_code
