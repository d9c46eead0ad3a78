"""`scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.scan import ScanOptions
from orchestrator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("scan", ScanOptions)
def scan_command(session: Session, options: ScanOptions) -> int:
    """Bring the catalogue of LOCATION up to date: list it, and read the tags of what is new. Changes nothing there.

    With --explain, one file is read and every request for it shown; without LOCATION, PATH is a location of its own.
    """
    if options.explain:
        from orchestrator.actions.explain import (  # noqa: PLC0415 - the rooms are imported when a command runs
            explain as explain_files,
        )

        if options.include or options.exclude or options.settle or options.allow_empty:
            raise UsageError(
                "--explain reads the files that it names: --include, --exclude, --settle and --allow-empty do not go with it"
            )
        return explain_files(session, options.location, options.explain, options.reading)
    if options.location is None:
        raise UsageError("scan: the argument LOCATION is missing")
    from orchestrator.actions import scan  # noqa: PLC0415 - the rooms are imported when a command runs

    (place,) = session.places(options.location)
    result = scan.scan_place(
        session,
        place,
        scan.Wishes(include=options.include, exclude=options.exclude, settle=options.settle, reading=options.reading),
        allow_emptied=options.allow_empty,
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
