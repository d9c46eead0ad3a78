"""`dedup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.dedup import DedupOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("dedup", DedupOptions)
def dedup_command(session: Session, options: DedupOptions) -> int:
    """Find duplicates in one or several LOCATIONs, by content, audio and tags.

    By default, it only reports them. With --dedup quarantine, each duplicate moves to the quarantine of its location after the
    copy that is kept has been checked again; `undo` brings it back. With --review, you decide first. A complete album is never
    broken up.
    """
    from orchestrator.actions.dedup import dedup  # noqa: PLC0415 - imported when the command runs

    return dedup(options, session).exit_code
