"""`stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.completion import complete_location
from orchestrator.cli.framework import command
from orchestrator.cli.options import reading_option

if TYPE_CHECKING:
    from orchestrator.cli.session import Session


@command("stats")
@click.argument("location", shell_complete=complete_location)
@click.option("--include", metavar="GLOB", multiple=True, help="Only files that match. May be given several times.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="No files that match. May be given several times.")
@reading_option
def stats_command(
    session: Session, *, location: str, include: tuple[str, ...], exclude: tuple[str, ...], reading: str | None
) -> int:
    """Say what LOCATION holds and what it lacks. Changes nothing there.

    Formats and qualities, missing tags, incomplete albums and damaged files, by artist and by decade. Brings the catalogue up to
    date first, as `scan` does.
    """
    from orchestrator.cli import scanning  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.plan.request import Item  # noqa: PLC0415
    from orchestrator.plan.statistics import collect  # noqa: PLC0415
    from orchestrator.report.statistics_view import show  # noqa: PLC0415

    (place,) = session.places(location)
    result = scanning.scan_place(session, place, scanning.Wishes(include=include, exclude=exclude, reading=reading))
    code = scanning.report_scan(session, result, suspects=False)  # a table of their own names them
    known = session.catalogue.entries(place.fs, result.selection)
    items = (Item(one.entry, one.reading) for one in known if one.left_alone is None)
    show(collect(items), place.fs, session.reporter)
    return code
