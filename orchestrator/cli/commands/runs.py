"""`runs`: the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.runs import RunsAbandonOptions, RunsListOptions, RunsShowOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("runs", default="list")
def runs_command() -> None:
    """Show past runs. Without a subcommand, lists them."""


@command("list", RunsListOptions, parent=runs_command, title="runs")
def list_command(session: Session, _options: RunsListOptions) -> int:
    """List all runs, newest first."""
    from orchestrator.actions.runs import list_runs  # noqa: PLC0415 - imported when the command runs

    list_runs(session)
    return ExitCode.DONE


@command("show", RunsShowOptions, parent=runs_command, title="runs show")
def show_command(session: Session, options: RunsShowOptions) -> int:
    """Show one run with all its operations and their results."""
    from orchestrator.actions.runs import show_run  # noqa: PLC0415 - imported when the command runs

    show_run(options, session)
    return ExitCode.DONE


@command("abandon", RunsAbandonOptions, parent=runs_command, title="runs abandon")
def abandon_command(session: Session, options: RunsAbandonOptions) -> int:
    """Give up an interrupted run that cannot be finished. Changes no files.

    Reports what is half-way. `undo` can take back what the run did.
    """
    from orchestrator.actions.runs import abandon  # noqa: PLC0415 - imported when the command runs

    return abandon(options, session)
