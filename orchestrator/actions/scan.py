"""Scan a location: bring the catalogue up to date, report what could not be read, and list the files for the planners."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import msgspec

from orchestrator.actions.locations import check_folder, check_not_ours, check_root, reaching
from orchestrator.actions.reading_bill import bill_of_scan
from orchestrator.actions.session import Session
from orchestrator.catalogue import update
from orchestrator.catalogue.external_playlists import read_lists
from orchestrator.catalogue.last_scan import find_last_scan
from orchestrator.catalogue.other_names import second_names, with_other_names_marked
from orchestrator.catalogue.selection import LEFT_OUT_BY_GLOBS, Selection
from orchestrator.catalogue.update import ScanResult
from orchestrator.config.options.scan import ScanOptions
from orchestrator.config.setting_syntax import parse_duration, parse_encoding
from orchestrator.deadline import StopOrDeadline
from orchestrator.errors import (
    AccessDeniedError,
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
from orchestrator.paths import common_directory, join_location, parent_of
from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.music.doubtful_texts import with_texts
from orchestrator.plan.music.positions import with_positions
from orchestrator.records import Capabilities, Item
from orchestrator.report.reporter import duration_text
from orchestrator.storage.protocol import Storage
from orchestrator.tags.formats import is_audio
from orchestrator.wording import counted

MOST_NAMED = 10
"""A request each: for so many locations inside one, a scan says whether they have something in quarantine."""


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
        _report_changes(session, location, result)
    return ScanReport(worst([code, shared, ExitCode.SOME_FAILED if result.unreadable else ExitCode.DONE]), location, result)


def _report_changes(session: Session, location: Location, result: ScanResult) -> None:
    found = result.difference
    session.reporter.document(
        "scan",
        f"{counted(result.audio_seen, 'music file')} of {result.files_seen}: {found.added} new, {found.changed} changed, "
        f"{found.renamed} renamed, {found.gone} gone" + (f"; {len(result.suspect)} suspect" if result.suspect else ""),
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


def report_scan(session: Session, location: Location, result: ScanResult, *, suspects: bool = True) -> ExitCode:
    """Report suspect files, and files that could not be read. Unreadable files and shared names are left to the planners."""
    for path, why in result.suspect if suspects else ():
        session.reporter.finding("suspect", why, path)
    for path in result.vanished:
        hidden = ", or it is in a folder that shares its name with another one" if result.folders_may_hide else ""
        session.problems.report("vanished", f"was listed, but was gone when it was read{hidden}", path)
    for path, reason in result.failures:
        session.problems.report("failed", reason, path, location=location.fs)
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
    if not result.audio_seen:
        session.reporter.note("no music found")
    failed = (*result.vanished, *result.failures, *result.difference.listed_twice, *result.unreachable)
    session.summary.ops_skipped += len(failed)
    return ExitCode.SOME_FAILED if failed else closed


def report_closed(session: Session, location: Location, result: ScanResult) -> ExitCode:
    """Report the folders that may not be listed. What is in them stays as it is."""
    for path, reason in result.closed:
        session.problems.report(
            "closed",
            f"skipped, because it may not be listed ({reason}); fix its permissions, or accept that with `--exclude '/{path}/'`",
            path,
            location=location.fs,
        )
    session.summary.ops_skipped += len(result.closed)
    return ExitCode.SOME_FAILED if result.closed else ExitCode.DONE


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


def items_of(session: Session, location: Location, result: ScanResult) -> list[Item]:
    """The files of a location, as the planners take them."""
    items = []
    for item in session.catalogue.entries(location.fs, result.selection):
        # Music that the storage failed to deliver is neither untagged nor a companion of other music.
        unread = item.reading is None and item.skipped_because is None and is_audio(item.entry.path)
        items.append(msgspec.structs.replace(item, skipped_because="it could not be read") if unread else item)
    kind, shown_below = session.shown_as(location)
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
