"""Scan a location: bring the catalogue up to date, and list the files for the planners."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import msgspec

from orchestrator.actions.locations import all_buckets, check_folder, check_not_ours, check_root, reaching
from orchestrator.actions.reading_bill import bill_of_scan
from orchestrator.actions.scan_reports import (
    report_changes,
    report_closed,
    report_foreign_folders,
    report_quarantines_inside,
    report_scan,
    report_shared_names,
    report_undecryptable,
)
from orchestrator.actions.session import Session
from orchestrator.catalogue import update
from orchestrator.catalogue.external_playlists import read_lists
from orchestrator.catalogue.last_scan import find_last_scan
from orchestrator.catalogue.other_names import second_names, with_other_names_marked
from orchestrator.catalogue.selection import LEFT_OUT_BY_GLOBS, Selection
from orchestrator.catalogue.unfinished_downloads import with_downloads_skipped
from orchestrator.catalogue.update import ScanResult
from orchestrator.config.options.scan import ScanOptions
from orchestrator.config.setting_syntax import parse_duration, parse_encoding
from orchestrator.deadline import StopOrDeadline
from orchestrator.errors import (
    ExitCode,
    InterruptedRunError,
    NotFoundError,
    PartialListingError,
    SafetyLimitError,
    UndecryptableError,
    UsageError,
    worst,
)
from orchestrator.foreign_folders import ALL_BUT_LITTER, HiddenFolders, opens_folders
from orchestrator.location import Location
from orchestrator.paths import common_directory
from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.music.doubtful_texts import with_texts
from orchestrator.plan.music.positions import with_positions
from orchestrator.records import Capabilities, Item
from orchestrator.report.reporter import duration_text
from orchestrator.storage.protocol import Storage
from orchestrator.tags.formats import is_audio
from orchestrator.wording import counted


class ScanSettings(NamedTuple):
    """Which files of a location are scanned, and how."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    settle_s: float = 0.0
    """Files that changed less than this many seconds ago are skipped."""
    reading: str | None = None
    """What reading tags should save; None: as the config or the provider's profile says."""


def _selection(session: Session, settings: ScanSettings) -> Selection:
    """The files that the options and the config select together. Raises UsageError for an invalid pattern."""
    config = session.config
    restricts = any(not opens_folders(glob) for glob in config.include)
    return Selection(
        include=settings.include,
        exclude=(*settings.exclude, *config.exclude),
        settle_ns=int(settings.settle_s * 1e9),
        now_ns=time.time_ns(),
        always_include=tuple(config.include) if restricts else (),
    )


def covered_files(session: Session, settings: ScanSettings) -> Callable[[str], bool]:
    """Whether a scan looks at the file with a path, as far as patterns say."""
    return _selection(session, settings).compiled().covers


def hidden_folders(session: Session, settings: ScanSettings) -> HiddenFolders:
    """The folders of other programs, but for those that the options or the config open."""
    return HiddenFolders((*settings.include, *session.config.include))


class ScanReport(msgspec.Struct, frozen=True):
    """What the command `scan` came to."""

    exit_code: ExitCode
    location: Location
    scan: ScanResult


def scan(options: ScanOptions, session: Session) -> ScanReport:
    """Bring the catalogue of a location up to date, and report what changed. Raises what `scan_location` raises."""
    if options.location is None:
        raise UsageError("scan: the argument LOCATION is missing")
    (location,) = session.locations(options.location)
    if (all_of_them := all_buckets(session, location)) is not None:
        session.reporter.note(all_of_them)
    settings = ScanSettings(options.include, options.exclude, parse_duration(options.settle), options.reading)
    work = partial(_scan_and_report, session, location, settings, allow_emptied=options.allow_empty)
    return session.problems.looking_for("scan", [location.fs], covered_files(session, settings), work)


def _scan_and_report(session: Session, location: Location, settings: ScanSettings, *, allow_emptied: bool) -> ScanReport:
    result = scan_location(session, location, settings, allow_emptied=allow_emptied, alone=True)
    code = report_scan(session, location, result)
    for path, reason in result.unreadable:
        session.problems.report("unreadable", reason, path, location=location.fs)
    shared = report_shared_names(session, location, result)
    session.summary.ops_skipped += len(result.unreadable)
    found = result.difference
    if session.options.json or not session.options.quiet or any((found.added, found.changed, found.renamed, found.gone)):
        report_changes(session, location, result)
    return ScanReport(worst([code, shared, ExitCode.SOME_FAILED if result.unreadable else ExitCode.DONE]), location, result)


def scan_location(
    session: Session,
    location: Location,
    settings: ScanSettings,
    *,
    allow_emptied: bool = False,
    alone: bool = False,
    listed: Storage | None = None,
) -> ScanResult:
    """Bring the catalogue of one location up to date, without a report. `alone`: the command does nothing else.

    With `listed`, the storage of the location in a wrapper, only the list of files is brought up to date: no tags are read.

    Raises UsageError for a folder that is not there, or that is ours; SafetyLimitError for one that is now empty or has lost most
    of its music.
    """
    check_folder(location)
    check_not_ours(session, location)
    storage = listed or session.storage(location)
    try:
        with reaching(session, location):
            result = update.scan(
                storage,
                session.catalogue,
                _selection(session, settings),
                hidden=hidden_folders(session, settings),
                policy=session.reading_policy(location, settings.reading),
                progress=session.reporter,
                allow_emptied=allow_emptied,
                allow_gone=session.max_delete.allows if session.max_delete else None,
                on_expected=None if location.local or listed else partial(bill_of_scan, session, location, alone=alone),
                stop=StopOrDeadline(session.stop, session.deadline) if session.deadline is not None else session.stop,
                read=listed is None,
            )
    except InterruptedRunError:
        if session.stop.is_set() or session.deadline is None:
            raise
        kept = "the scan was stopped; what was read is kept, and the next scan continues"
        raise SafetyLimitError(f"{location.typed}: {session.deadline}: {kept}") from None
    except UndecryptableError:  # it is not empty
        raise
    except SafetyLimitError as error:
        remedy = f"If it was removed on purpose: music-orchestrator scan --allow-empty {location.typed}"
        raise SafetyLimitError(f"{error.message} {remedy}", path=error.path) from error
    session.summary.files_seen += result.files_seen
    session.summary.files_read += result.files_read
    session.summary.bytes_read += result.bytes_read
    session.own_directories[location.fs] = result.own_directories
    report_quarantines_inside(session, location, result.own_directories)
    report_foreign_folders(session, location, result)
    return result


def legacy_encoding(session: Session) -> str | None:
    """The encoding of doubtful texts that the config names. Raises UsageError for one that does not exist."""
    return parse_encoding(session.config.tags.legacy_encoding, session.loaded_config.label("tags", "legacy_encoding"))


def latest_scan(
    session: Session, location: Location, settings: ScanSettings, *, no_scan: bool = False
) -> tuple[ScanResult, Capabilities]:
    """What is at a location, and what its storage can do: from a scan now or, with `no_scan`, from the catalogue.

    Raises UsageError for a location that was never scanned, otherwise what `scan_location` raises.
    """
    legacy_encoding(session)  # a wrong one is found before anything is listed
    if not no_scan:
        return scan_location(session, location, settings), session.storage(location).capabilities
    selection = _selection(session, settings)
    found = find_last_scan(session.catalogue, location.fs, selection, hidden=hidden_folders(session, settings))
    if found is None:
        raise UsageError(
            f"{location.typed} has not been scanned yet: run `music-orchestrator scan {location.typed}`, or leave out --no-scan"
        )
    age = duration_text((selection.now_ns - found.scanned_ns) / 1e9)
    session.reporter.note(f"{location.typed}: using the catalogue of {age} ago; nothing was listed")
    if found.unread:
        session.reporter.warning(
            f"{location.typed}: skipped {counted(found.unread, 'file')} that no scan has read yet; `scan` reads what is missing"
        )
    session.summary.files_seen += found.result.files_seen
    return found.result, found.capabilities


def items_of(session: Session, location: Location, result: ScanResult) -> list[Item]:
    """The files of a location, as the planners take them."""
    items, failures = [], dict(result.failures)
    for item in session.catalogue.entries(location.fs, result.selection):
        # Music that the storage failed to deliver is neither untagged nor a companion of other music.
        unread = item.reading is None and item.skipped_because is None and is_audio(item.entry.path)
        why = failures.get(item.entry.path, "not read yet")
        items.append(msgspec.structs.replace(item, skipped_because=why) if unread else item)
    kind, shown_below = session.shown_as(location)
    items = with_downloads_skipped(items)
    items = with_other_names_marked(with_positions(with_texts(items, legacy_encoding(session))), kind, shown_below)
    if second := second_names(items):
        session.reporter.note(
            f"{location.typed}: {counted(len(second), 'file')} with a second name, such as {second[0][0]} (also {second[0][1]}): "
            "each counts as one file, and its second name is skipped"
        )
    wanted = result.selection.include
    if wanted and all(item.skipped_because in LEFT_OUT_BY_GLOBS for item in items):
        session.reporter.warning(f"{location.typed}: no file matches --include {' --include '.join(wanted)}")
    return items


def target_items(
    session: Session, target: Location, *, reading: str | None = None, exclude: Sequence[str] = (), no_scan: bool = False
) -> tuple[list[Item], Capabilities, ExitCode]:
    """The files of a target that is not the source; none when it does not exist yet. Raises UsageError for a missing bucket.

    The exit code is 3 when folders may not be listed there, except for those that `exclude` covers.
    """
    if no_scan:
        result, capabilities = latest_scan(session, target, ScanSettings(), no_scan=True)
        return items_of(session, target, result), capabilities, ExitCode.DONE
    with reaching(session, target):
        capabilities = session.storage(target).capabilities
    try:
        result = scan_location(session, target, ScanSettings(reading=reading), allow_emptied=True)
    except UsageError as error:
        # A remote without empty directories reports only a missing bucket, and we create none.
        if capabilities.empty_directories and isinstance(error.__cause__, NotFoundError):
            check_root(session, target)
            return [], capabilities, ExitCode.DONE
        raise
    excluded = Selection(exclude=tuple(exclude)).excludes
    result.closed = [(folder, reason) for folder, reason in result.closed if not excluded(folder)]
    code = worst([report_closed(session, target, result), report_undecryptable(session, target, result.undecryptable)])
    return items_of(session, target, result), capabilities, code


def litter_items(session: Session, location: Location, folders: Collection[str]) -> list[Item]:
    """The files in these folders of other programs, which scans skip. One listing, whatever their number."""
    wanted, hidden = {*folders}, hidden_folders(session, ScanSettings())
    above = common_directory(folders)
    found: list[Item] = []
    with reaching(session, location), suppress(PartialListingError, NotFoundError):  # what is not listed stays
        listed = session.storage(location).list(above, ALL_BUT_LITTER)
        found.extend(Item(one) for one in listed if not one.path.endswith("/") and hidden.folder_of(one.path) in wanted)
    return found


def read_external_lists(session: Session, typed: Sequence[str] = ()) -> list[ExternalList]:
    """The playlists and cue sheets of these locations and of those in the config; what cannot be read is reported.

    Raises UsageError for a folder that is not there.
    """
    found: list[ExternalList] = []
    for location in session.locations(*dict.fromkeys((*session.config.playlists, *typed))):
        with reaching(session, location):
            all_files = ScanSettings()
            exclude = _selection(session, all_files).exclude
            lists, unread = read_lists(session.storage(location), hidden_folders(session, all_files), exclude)
        found += lists
        for path, reason in unread:
            session.reporter.warning(f"{location.typed}: {path}: {reason}: cannot check whether its entries move")
    return found
