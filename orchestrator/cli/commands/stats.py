"""`stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.scan import StatsOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("stats", StatsOptions)
def stats_command(session: Session, options: StatsOptions) -> int:
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

    (place,) = session.places(options.location)
    wishes = scan.Wishes(include=options.include, exclude=options.exclude, reading=options.reading, no_scan=options.no_scan)
    result, _ = scan.look(session, place, wishes)
    code = scan.report_scan(session, result, suspects=False)  # a table of their own names them
    session.reporter.stage("counting")
    items = (Item(one.entry, one.reading, one.skipped_because) for one in session.catalogue.entries(place.fs, result.selection))
    if options.no_duplicates:
        show(collect(items), place.fs, session.reporter)
        return code
    known = list(items)
    found = find_duplicates(candidates_of(place.fs, known), dedup_options(session, None, (), same_format_only=False))
    show(collect(known, {one.duplicate.path: str(one.tier) for one in found.decisions}), place.fs, session.reporter)
    return code
