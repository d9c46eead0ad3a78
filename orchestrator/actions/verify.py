"""Prove that one location holds the contents of another one. Nothing is changed at either."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.actions.locations import check_not_ours, check_shared, reaching
from orchestrator.actions.reading_for_proof import (
    Sides,
    compare,
    compare_in_spite_of_hashes,
    compare_small_companions,
    hear,
    read_copies,
    read_lists,
)
from orchestrator.actions.scan import ScanSettings, hidden_folders, scan_location
from orchestrator.actions.scan_reports import report_closed, report_scan, report_undecryptable
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import local_time
from orchestrator.apply.quarantine import quarantined_files
from orchestrator.atomic_file import check_replaceable
from orchestrator.catalogue.kept_reads import KeptReads
from orchestrator.catalogue.selection import CLOSED
from orchestrator.catalogue.update import ScanResult
from orchestrator.config.options.verify import VerifyOptions
from orchestrator.errors import AccessDeniedError, ExitCode, UsageError, worst
from orchestrator.location import Location, path_below
from orchestrator.paths import is_clutter, remote_of, split_path
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.report.verify_view import show_verification, totals
from orchestrator.same_contents.manifest import line_of, write_manifest
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Known, Reason, differ, same_hashes
from orchestrator.storage.wrappers.listed_ahead import ListedAhead
from orchestrator.user_paths import user_path
from orchestrator.wording import counted


class VerifyResult(msgspec.Struct, frozen=True):
    """What `verify` came to."""

    exit_code: ExitCode
    """3 when something is not proved, or a part of the source could not be looked at."""
    totals: dict[str, Any]
    """As in the object `verify` of `--json`."""
    files: list[dict[str, Any]]
    """Each file of the source, as in the manifest."""


def verify(options: VerifyOptions, session: Session) -> VerifyResult:
    """List both locations, look for the contents of each file of the source, and report what was not found.

    Raises UsageError if the two locations prove nothing, or if the manifest cannot be written; otherwise what scanning raises,
    SafetyLimitError also before reading exceeds a limit, and when the time is up. What was read is then kept for the next call.
    """
    source, target = session.locations(options.source, options.target)
    inside = _check(session, source, target)
    manifest = _manifest(options, source)
    found, result, at_target, clutter = _listed(session, source, target, inside, options)
    code = report_scan(session, source, result, suspects=False, music=False)
    reads = _kept_reads(session, source, target, found, restart=options.restart)
    sides = Sides(session, source, target, found, reads)
    compare(sides, download=False)
    if options.full:
        compare(sides, download=True)
        compare_in_spite_of_hashes(sides)
    else:
        compare_small_companions(sides)
    hear(sides)
    if options.full:
        read_copies(sides)
    read_lists(sides)
    found.settle()
    if found.unproven:
        _look_into_quarantine(session, target, found)
        # What is not shown of the target may be the reason.
        report_closed(session, target, at_target)
        report_undecryptable(session, target, at_target.undecryptable)
    fields = {"source": source.fs, "target": target.fs, "full": options.full, **totals(found)}
    fields["clutter"] = clutter
    fields["manifest"] = None if manifest is None else str(manifest)
    for location, files in ((source, found.source), (target, found.target)):
        for file in files:
            file.read_before = reads.taken.get((location.fs, file.path))
    if manifest is not None:
        write_manifest(manifest, source.fs, target.fs, found, reads.span)
    if all(file.failure is None for file in (*found.source, *found.target)):
        reads.forget()
    said = session.options
    show_verification(
        found, fields, session.reporter, everything=bool(said.verbose or said.json), quiet=bool(said.quiet and not said.json)
    )
    session.summary.ops_skipped += len(found.unproven)
    code = worst([code, ExitCode.SOME_FAILED if found.unproven else ExitCode.DONE])
    return VerifyResult(code, fields, [line_of(file) for file in found.source])


def _kept_reads(session: Session, source: Location, target: Location, found: Matching, *, restart: bool) -> KeptReads:
    """What a verify of these locations has read that did not come to its end."""
    reads = KeptReads(session.catalogue, f"verify\n{source.fs}\n{target.fs}")
    reads.state(source.fs, (file.entry for file in found.source))
    reads.state(target.fs, (file.entry for file in found.target))
    if restart:
        reads.forget()
    number, since = reads.open()
    if number:
        session.reporter.note(
            f"going on with a verify that did not come to its end: {counted(number, 'read')} since {local_time(since)} "
            f"{'counts' if number == 1 else 'count'}, unless the file has changed; --restart reads everything again"
        )
    return reads


def _check(session: Session, source: Location, target: Location) -> str | None:
    """Where the source lies in the target, None if it is not in there. Raises UsageError for locations that prove nothing."""
    for location in (source, target):
        check_not_ours(session, location)
    below = session.path_below(target, source)
    if below == "":
        raise UsageError(f"{source.typed} and {target.typed} are the same location: that proves nothing")
    if below is not None:
        raise UsageError(f"the target {target.typed} lies inside the source {source.typed}: its files would prove themselves")
    check_shared(session, [source, target])
    return session.path_below(source, target)


def _manifest(options: VerifyOptions, source: Location) -> Path | None:
    """The file of the manifest. Raises UsageError, before any work, if it cannot be written or would be a file of the source."""
    if options.manifest is None:
        return None
    file = user_path(options.manifest).absolute()
    if not os.access(file.parent, os.W_OK | os.X_OK) or not file.parent.is_dir() or file.is_dir():
        raise UsageError(f"--manifest {options.manifest}: this file cannot be written: name one in an existing folder")
    try:
        check_replaceable(file, "manifest")
    except OSError as error:
        raise UsageError(f"--manifest {options.manifest}: {error.strerror}") from error
    if source.local and path_below(os.path.realpath(file.parent), os.path.realpath(source.fs)) is not None:
        raise UsageError(f"--manifest {options.manifest} lies in the source, where the next `verify` would miss it in the target")
    return file


def _listed(
    session: Session, source: Location, target: Location, inside: str | None, options: VerifyOptions
) -> tuple[Matching, ScanResult, ScanResult, int]:
    """List both, at the same time unless they share a remote or are both disks; the number is that of clutter."""
    settings = ScanSettings(options.include, options.exclude)
    theirs = ListedAhead(session.storage(target), hidden_folders(session, ScanSettings()))
    with nullcontext() if remote_of(source.fs) == remote_of(target.fs) else theirs.running():
        result = scan_location(session, source, settings, listed=session.storage(source))
        at_target = scan_location(session, target, ScanSettings(), listed=theirs)
    left_out = clutter = 0
    wanted: list[Entry] = []
    for item in session.catalogue.entries(source.fs, result.selection):
        if item.skipped_because is not None:
            left_out += 1
        elif is_clutter(item.entry.path):
            clutter += 1
        else:
            wanted.append(item.entry)
    own = f"{inside}/" if inside else None
    known = (
        item.entry
        for item in session.catalogue.entries(target.fs, at_target.selection)
        if item.skipped_because != CLOSED and not (own and item.entry.path.startswith(own))
    )
    if left_out:
        session.reporter.note(f"{source.typed}: {counted(left_out, 'file')} left out by --include, --exclude or the config")
    if clutter:
        session.reporter.note(f"{source.typed}: {counted(clutter, 'clutter file')} (.DS_Store, Thumbs.db ...) not looked for")
    _note_own_directory(session, source)
    return Matching(wanted, known), result, at_target, clutter


def _note_own_directory(session: Session, source: Location) -> None:
    """Say that the source has a quarantine: what is in there is not looked for."""
    holds: set[str] = set()
    with reaching(session, source), suppress(AccessDeniedError):
        holds = {"quarantine/", "trash/"} & {*(session.storage(source).entries(OWN_DIRECTORY) or ())}
    if holds:
        session.reporter.note(
            f"{source.typed} has a quarantine, whose files are not looked for: "
            f"`music-orchestrator quarantine list {source.typed}` shows them"
        )


def _look_into_quarantine(session: Session, target: Location, found: Matching) -> None:
    """Say of missing files that the quarantine of the target has them. That proves nothing, because it may be emptied."""
    missing = [file for file in found.unproven if file.reason is Reason.MISSING and file.entry.size]
    if not missing:
        return
    with reaching(session, target):
        aside: dict[int | None, list[Known]] = {}
        for quarantined in quarantined_files(session.storage(target)):
            aside.setdefault(quarantined.entry.size, []).append(Known(quarantined.entry))
    for file in missing:
        name = split_path(file.path)[1]
        for one in aside.get(file.entry.size, ()):
            if same_hashes(file, one) or (not differ(file, one) and split_path(one.path)[1] == name):
                file.reason, file.twin = Reason.QUARANTINED, one
                file.why = "only the quarantine or trash of the target has it: `quarantine restore` moves it back"
                break
