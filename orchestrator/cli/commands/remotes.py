"""`remotes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.remotes import RemotesCheckOptions, RemotesListOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("remotes", default="list")
def remotes_command() -> None:
    """Show the remotes of the rclone config and of this program's config. Without a subcommand, lists them."""


@command("list", RemotesListOptions, parent=remotes_command, title="remotes")
def list_command(session: Session, _options: RemotesListOptions) -> int:
    """List all remotes with their types."""
    from orchestrator.actions.remotes import list_remotes  # noqa: PLC0415 - imported when the command runs

    list_remotes(session)
    return ExitCode.DONE


@command("check", RemotesCheckOptions, parent=remotes_command, title="remotes check")
def check_command(session: Session, options: RemotesCheckOptions) -> int:
    """Connect to REMOTE (a remote or a location), try it with a file that is deleted again, and show what it can do."""
    from orchestrator.actions.location_check import all_well  # noqa: PLC0415 - imported when the command runs
    from orchestrator.actions.remotes import check_remote  # noqa: PLC0415

    return ExitCode.DONE if all_well(check_remote(options, session)) else ExitCode.SOME_FAILED
