"""`stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.completion import complete_location
from orchestrator.cli.framework import command
from orchestrator.cli.options import reading_option

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("stats")
@click.argument("location", shell_complete=complete_location)
@click.option("--include", metavar="GLOB", multiple=True, help="Only files that match. May be given several times.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="No files that match. May be given several times.")
@reading_option
@click.option("--no-scan", is_flag=True, help="Go by the catalogue alone: nothing is listed, no remote is asked.")
@click.option("--no-duplicates", is_flag=True, help="Do not look for duplicates: less memory on a large library.")
def stats_command(session: Session, *, location: str, no_duplicates: bool, **wishes: Any) -> int:
    """Say what LOCATION holds and what it lacks. Changes nothing there.

    Formats and qualities, missing tags, incomplete albums, damaged files and duplicates, by artist and by decade. Brings the
    catalogue up to date first, as `scan` does.
    """
    from orchestrator.actions import scan  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.actions.dedup import dedup_options  # noqa: PLC0415
    from orchestrator.plan.music.statistics import collect  # noqa: PLC0415
    from orchestrator.plan.planners.dedup.candidates import candidates_of  # noqa: PLC0415
    from orchestrator.plan.planners.dedup.search import find_duplicates  # noqa: PLC0415
    from orchestrator.records import Item  # noqa: PLC0415
    from orchestrator.report.statistics_view import show  # noqa: PLC0415

    (place,) = session.places(location)
    result, _ = scan.look(session, place, scan.Wishes(**wishes))
    code = scan.report_scan(session, result, suspects=False)  # a table of their own names them
    session.reporter.stage("counting")
    items = (Item(one.entry, one.reading, one.skipped_because) for one in session.catalogue.entries(place.fs, result.selection))
    if no_duplicates:
        show(collect(items), place.fs, session.reporter)
        return code
    known = list(items)
    found = find_duplicates(candidates_of(place.fs, known), dedup_options(session, None, (), same_format_only=False))
    show(collect(known, {one.duplicate.path: str(one.tier) for one in found.decisions}), place.fs, session.reporter)
    return code
