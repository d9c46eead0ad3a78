"""`queue`: what waits for a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.queue import QueueDropOptions, QueueFlushOptions, QueueListOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("queue", default="list")
def queue_command() -> None:
    """Syncs that wait for a remote. Without a subcommand, lists them."""


@command("list", QueueListOptions, parent=queue_command, title="queue list")
def list_command(session: Session, _options: QueueListOptions) -> int:
    """List the syncs that wait because a remote could not be reached, or that stopped half-way."""
    from orchestrator.actions.queue import list_queue  # noqa: PLC0415 - imported when the command runs

    list_queue(session)
    return ExitCode.DONE


@command("flush", QueueFlushOptions, parent=queue_command, title="queue flush")
def flush_command(session: Session, options: QueueFlushOptions) -> int:
    """Sync all that waits, from what is there now.

    From cron: music-orchestrator queue flush --due --yes -q
    """
    from orchestrator.actions.queue import flush  # noqa: PLC0415 - imported when the command runs

    return flush(options, session)


@command("drop", QueueDropOptions, parent=queue_command, title="queue drop")
def drop_command(session: Session, options: QueueDropOptions) -> int:
    """Forget what waits for a pair of locations. Changes no files."""
    from orchestrator.actions.queue import drop  # noqa: PLC0415 - imported when the command runs

    drop(options, session)
    return ExitCode.DONE
