"""Report what a scan has found, and what it could not read or list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from orchestrator.actions.locations import reaching
from orchestrator.actions.session import Session
from orchestrator.catalogue.update import ScanResult
from orchestrator.errors import (
    AccessDeniedError,
    ExitCode,
    worst,
)
from orchestrator.location import Location
from orchestrator.paths import join_location, parent_of
from orchestrator.rclone.ranges import HAS_QUOTE, NOT_UTF8, has_quote
from orchestrator.wording import counted

MOST_NAMED = 10
"""A request each: for so many locations inside one, a scan says whether they have something in quarantine."""


def report_changes(session: Session, location: Location, result: ScanResult) -> None:
    """Report what is new, changed, renamed and gone."""
    found = result.difference
    session.reporter.document(
        "scan",
        f"{counted(result.audio_seen, 'music file')} of {result.files_seen:,}: {found.added:,} new, {found.changed:,} changed, "
        f"{found.renamed:,} renamed, {found.gone:,} gone" + (f"; {len(result.suspect):,} suspect" if result.suspect else ""),
        {
            "location": location.fs,
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
            "foreign_folders": len(result.foreign_folders),
            "estimate": session.summary.estimate,
        },
    )


def report_foreign_folders(session: Session, location: Location, result: ScanResult) -> None:
    """Report how much of other programs was skipped, once for each location."""
    found = [
        *([counted(len(result.foreign_folders), "folder")] if result.foreign_folders else []),
        *([counted(result.thrown_away, "file")] if result.thrown_away else []),
    ]
    if location.fs in session.foreign_folders:
        return
    session.foreign_folders[location.fs] = len(result.foreign_folders)
    session.summary.foreign_folders += len(result.foreign_folders)
    if found:
        such = f", such as {result.foreign_folders[0]}" if result.foreign_folders else ""
        session.reporter.note(
            f"{location.typed}: skipped {' and '.join(found)} of other programs (recycle bins, old versions, thumbnails){such}"
        )


def report_quarantines_inside(session: Session, location: Location, found: Sequence[str]) -> None:
    """Name the quarantines of the locations inside this one, whose OWN_DIRECTORY are `found`: commands here leave them alone."""
    for own in found[:MOST_NAMED]:
        holds: set[str] = set()
        with reaching(session, location), suppress(AccessDeniedError):  # it may be that of another user
            holds = {"quarantine/", "trash/"} & {*(session.storage(location).entries(own) or ())}
        if holds:
            inner = join_location(location.fs, parent_of(own))
            session.reporter.note(
                f"{inner} has a quarantine of its own, which this command does not touch: "
                f"`music-orchestrator quarantine list {inner}` shows it"
            )
    if len(found) > MOST_NAMED:
        more = counted(len(found) - MOST_NAMED, "more folder")
        session.reporter.note(f"{location.typed}: {more} may have a quarantine as well")


def report_scan(
    session: Session, location: Location, result: ScanResult, *, suspects: bool = True, music: bool = True
) -> ExitCode:
    """Report suspect files, and files that could not be read. Unreadable files and shared names are left to the planners.

    `music`: whether the command is about music, so that none is worth a word.
    """
    for path, why in result.suspect if suspects else ():
        session.reporter.finding("suspect", why, path)
    for path in filter(has_quote, result.vanished):
        session.problems.report("unsupported-name", HAS_QUOTE, path, location=location.fs)
    for path in (one for one in result.vanished if not has_quote(one)):
        hidden = ", or it is in a folder that shares its name with another one" if result.folders_may_hide else ""
        session.problems.report(
            "vanished", f"was listed, but was gone when it was read{hidden}", path, location=location.fs, stands=False
        )
    for path, reason in result.failures:
        session.problems.report("unsupported-name" if reason == NOT_UTF8 else "failed", reason, path, location=location.fs)
    for path in result.difference.listed_twice:
        why = "listed more than once, and nothing tells the files apart"
        session.problems.report("duplicate-name", why, path, location=location.fs)
    for path, problem in result.unreachable:
        session.problems.report(
            "unsupported-name",
            f"skipped, because its name cannot be requested ({problem}); rename it with a tool of the provider",
            path,
            location=location.fs,
        )
    closed = worst([report_closed(session, location, result), report_undecryptable(session, location, result.undecryptable)])
    for path in result.rclone_debris:
        session.reporter.note(f"{path}: an unfinished transfer of rclone; skipped")
    if result.links_left_out:
        session.reporter.note(f"{location.typed}: {counted(result.links_left_out, 'link')} not followed")
    if music and not result.audio_seen:
        session.reporter.note(f"{location.typed}: no music found")
    failed = (*result.vanished, *result.failures, *result.difference.listed_twice, *result.unreachable)
    session.summary.ops_skipped += len(failed)
    return ExitCode.SOME_FAILED if failed else closed


def report_closed(session: Session, location: Location, result: ScanResult) -> ExitCode:
    """Report the folders that may not be listed. What is in them stays as it is."""
    for path, reason in result.closed:
        session.problems.report(
            "closed",
            f"skipped, because it {_cannot(reason)}, or accept that with `--exclude '/{path}/'`",
            path,
            location=location.fs,
        )
    session.summary.ops_skipped += len(result.closed)
    return ExitCode.SOME_FAILED if result.closed else ExitCode.DONE


def _cannot(reason: str) -> str:
    if HAS_QUOTE in reason:
        return f"cannot be listed ({reason}); rename it"
    return f"may not be listed ({reason}); fix its permissions"


def report_undecryptable(session: Session, location: Location, left_out: Sequence[str]) -> ExitCode:
    """Report the names that a crypt cannot decrypt: an error, unless the config allows them."""
    if not left_out:
        return ExitCode.DONE
    found = f"{location.typed} holds {counted(len(left_out), 'name')} that cannot be decrypted, such as {left_out[0]}; skipped"
    crypts = [name for place in session.places_of(location.fs) for name in place.crypts]
    if all(name.lower() in session.rclone.allow_undecryptable for name in crypts):
        session.reporter.note(found)
        return ExitCode.DONE
    remedy = f"remove what is not encrypted, or set `remotes: {{{crypts[0]}: {{allow_undecryptable: true}}}}`"
    session.problems.report("undecryptable", f"{found}. Another password encrypted it, or none: {remedy}", location=location.fs)
    session.summary.ops_skipped += len(left_out)
    return ExitCode.SOME_FAILED


def report_shared_names(session: Session, location: Location, result: ScanResult) -> ExitCode:
    """Report names that several files have: a finding where ids tell the files apart, otherwise an error."""
    for path, number in result.sharing_names.items():
        if path in result.indistinguishable:
            session.problems.report(
                "duplicate-name", f"{number} files have this name: rename them first", path, location=location.fs
            )
        else:
            session.reporter.finding("duplicate-name", f"{number} files have this name; their ids tell them apart", path)
    session.summary.ops_skipped += len(result.indistinguishable)
    return ExitCode.SOME_FAILED if result.indistinguishable else ExitCode.DONE
