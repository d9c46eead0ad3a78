"""`scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.scan import ScanOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("scan", ScanOptions)
def scan_command(session: Session, options: ScanOptions) -> int:
    """Bring the catalogue of LOCATION up to date: list the files, and read the tags of new and changed ones.

    Changes nothing in LOCATION. With --explain, shows how files are read; without LOCATION, give PATH as a full location.
    """
    if options.explain:
        from orchestrator.actions.explain import explain  # noqa: PLC0415 - imported when the command runs

        return explain(options, session).exit_code
    from orchestrator.actions.scan import scan  # noqa: PLC0415 - imported when the command runs

    return scan(options, session).exit_code
