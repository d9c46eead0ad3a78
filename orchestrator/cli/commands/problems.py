"""`problems`: what could not be done, and still stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.problems import ProblemsIgnoreOptions, ProblemsListOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("problems", default="list")
def problems_command() -> None:
    """Problems that commands have reported and that still stand. Without a subcommand, lists them."""


@command("list", ProblemsListOptions, parent=problems_command, title="problems list")
def list_command(session: Session, options: ProblemsListOptions) -> int:
    """List the problems of LOCATION: since when, why, and what to do. Reads no file and contacts no remote."""
    from orchestrator.actions.problems import list_problems  # noqa: PLC0415 - imported when the command runs

    list_problems(options, session)
    return ExitCode.DONE


@command("ignore", ProblemsIgnoreOptions, parent=problems_command, title="problems ignore")
def ignore_command(session: Session, options: ProblemsIgnoreOptions) -> int:
    """Never report or count the problems of these files again. The files stay as they are.

    The config does the same with `ignore:`.
    """
    from orchestrator.actions.problems import ignore  # noqa: PLC0415 - imported when the command runs

    ignore(options, session)
    return ExitCode.DONE
