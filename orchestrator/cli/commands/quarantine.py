"""`quarantine`: list, restore or delete what runs have moved into the quarantine of a location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command, group
from orchestrator.config.options.quarantine import QuarantineEmptyOptions, QuarantineListOptions, QuarantineRestoreOptions
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@group("quarantine", default="list")
def quarantine_command() -> None:
    """List, restore or delete quarantined files. Without a subcommand, lists them."""


@command("list", QuarantineListOptions, parent=quarantine_command, title="quarantine list")
def list_command(session: Session, options: QuarantineListOptions) -> int:
    """List the files in the quarantine of LOCATION."""
    from orchestrator.actions.quarantine import list_quarantine  # noqa: PLC0415 - imported when the command runs

    list_quarantine(options, session)
    return ExitCode.DONE


@command("restore", QuarantineRestoreOptions, parent=quarantine_command, title="quarantine restore")
def restore_command(session: Session, options: QuarantineRestoreOptions) -> int:
    """Move quarantined files back, chosen by item or run from `quarantine list` (`last`: the newest run), or by original path."""
    from orchestrator.actions.quarantine import restore  # noqa: PLC0415 - imported when the command runs

    return restore(options, session).exit_code


@command("empty", QuarantineEmptyOptions, parent=quarantine_command, title="quarantine empty")
def empty_command(session: Session, options: QuarantineEmptyOptions) -> int:
    """Permanently delete the files in the quarantine of LOCATION."""
    from orchestrator.actions.quarantine import empty  # noqa: PLC0415 - imported when the command runs

    return empty(options, session).exit_code
