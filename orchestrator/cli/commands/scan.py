"""`scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.completion import complete_location
from orchestrator.cli.framework import command
from orchestrator.cli.options import reading_option
from orchestrator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("scan")
@click.argument("location", shell_complete=complete_location, required=False)
@click.option("--include", metavar="GLOB", multiple=True, help="Only files that match. May be given several times.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="No files that match. May be given several times.")
@click.option("--settle", metavar="TIME", help="Leave files alone that are younger, such as 5m.")
@reading_option
@click.option("--allow-empty", is_flag=True, help="Accept that all music that was there, or most, is gone.")
@click.option(
    "--explain",
    metavar="PATH",
    multiple=True,
    help="Scan nothing: read this file of LOCATION afresh, say what was asked for and why. May be given several times.",
)
def scan_command(
    session: Session,
    *,
    location: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    settle: str | None,
    reading: str | None,
    allow_empty: bool,
    explain: tuple[str, ...],
) -> int:
    """Bring the catalogue of LOCATION up to date: list it, and read the tags of what is new. Changes nothing there.

    With --explain, one file is read and every request for it shown; without LOCATION, PATH is a location of its own.
    """
    if explain:
        from orchestrator.actions.explain import (  # noqa: PLC0415 - the rooms are imported when a command runs
            explain as explain_files,
        )

        if include or exclude or settle or allow_empty:
            raise UsageError(
                "--explain reads the files that it names: --include, --exclude, --settle and --allow-empty do not go with it"
            )
        return explain_files(session, location, explain, reading)
    if location is None:
        raise UsageError("scan: the argument LOCATION is missing")
    from orchestrator.actions import scan  # noqa: PLC0415 - the rooms are imported when a command runs

    (place,) = session.places(location)
    result = scan.scan_place(
        session,
        place,
        scan.Wishes(include=include, exclude=exclude, settle=settle, reading=reading),
        allow_emptied=allow_empty,
    )
    code = scan.report_scan(session, result)
    for path, reason in result.unreadable:
        session.reporter.error("unreadable", reason, path)
    shared = scan.name_shared(session, result)
    session.summary.ops_skipped += len(result.unreadable)
    found = result.difference
    session.reporter.document(
        "scan",
        f"{result.audio_seen} music files of {result.files_seen}: {found.added} new, {found.changed} changed, "
        f"{found.renamed} renamed, {found.gone} gone" + (f"; {len(result.suspect)} suspect" if result.suspect else ""),
        {
            "location": place.fs,
            "files_seen": result.files_seen,
            "audio_seen": result.audio_seen,
            "files_read": result.files_read,
            "requests": result.requests,
            "bytes_read": result.bytes_read,
            "added": found.added,
            "changed": found.changed,
            "renamed": found.renamed,
            "gone": found.gone,
            "unreadable": len(result.unreadable),
            "suspect": len(result.suspect),
        },
    )
    return worst([code, shared, ExitCode.SOME_FAILED if result.unreadable else ExitCode.DONE])
