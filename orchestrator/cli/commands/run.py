"""`run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.jobs import RunOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("run", RunOptions)
def run_command(session: Session, options: RunOptions) -> int:
    """Do jobs of the config, without asking: what cron calls.

    First finishes what was interrupted and syncs what waits in the queue, then does the steps of each job in order. A step that
    fails ends its job (unless it says `keep_going`), but no other job. From cron: music-orchestrator run -q
    """
    from orchestrator.actions.jobs import run  # noqa: PLC0415 - imported when the command runs

    return run(options, session).exit_code
