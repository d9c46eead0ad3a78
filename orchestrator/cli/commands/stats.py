"""`stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.scan import StatsOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("stats", StatsOptions)
def stats_command(session: Session, options: StatsOptions) -> int:
    """Show what LOCATION contains and what is missing or damaged.

    Shows formats, qualities, missing tags, incomplete albums, damaged files and duplicates, also by artist and decade. Brings
    the catalogue up to date first, like `scan`; changes nothing in LOCATION.
    """
    from orchestrator.actions.stats import stats  # noqa: PLC0415 - imported when the command runs

    return stats(options, session).exit_code
