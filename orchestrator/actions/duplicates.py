"""What `dedup`, `organize --dedup` and `stats` share: the options of the search, a look at doubtful files, and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec

from orchestrator.actions.reading_bill import bill_of_full_reads
from orchestrator.actions.session import Session
from orchestrator.catalogue.content_hashes import EqualSizes, HashedSide
from orchestrator.catalogue.file_ends import read_ends
from orchestrator.errors import ExitCode, UsageError
from orchestrator.location import Location
from orchestrator.plan.planners.dedup.ends_to_check import ends_to_check
from orchestrator.plan.planners.dedup.keep_order import check_keep, keep_words
from orchestrator.plan.planners.dedup.planner import DedupLocation
from orchestrator.plan.planners.dedup.records import Duplicates
from orchestrator.plan.planners.dedup.settings import DedupSettings, LayoutSettings
from orchestrator.records import Entry, Item, Ref
from orchestrator.report.duplicates_view import report_duplicates
from orchestrator.track import Reading
from orchestrator.wording import counted, size_text


def search_options(
    session: Session,
    keep: str | None = None,
    references: Sequence[Location] = (),
    searched: Iterable[Location] = (),
    *,
    precedence: Iterable[Location] = (),
    opened: tuple[str, ...] = (),
    same_format_only: bool = False,
) -> DedupSettings:
    """The planner's options: those given, otherwise those of the config. Raises UsageError for an unknown criterion.

    `precedence`: the locations as they were given, the first one first.
    """
    searched = list(searched)
    return DedupSettings(
        keep=tuple(_resolved(session, word) for word in keep_criteria(session, keep)),
        reference=tuple(_as_searched(session, reference, searched) for reference in references),
        precedence=tuple(dict.fromkeys(_as_searched(session, location, searched) for location in precedence)),
        opened=opened,
        same_format_only=same_format_only or session.config.dedup.same_format_only,
    )


def layout_of(session: Session) -> LayoutSettings:
    """The layout of the config, which says what is in place already."""
    config = session.config
    return LayoutSettings(layout=config.layout, layouts=tuple(config.layouts), names=config.names, replace=config.replace)


def keep_criteria(session: Session, keep: str | None) -> Sequence[str]:
    """The criteria given or, without any, those of the config. Raises UsageError for an unknown one."""
    words = keep_words(keep) if keep else session.config.dedup.keep
    check_keep(words, "--keep" if keep else session.loaded_config.label("dedup", "keep"))
    return words


def references_of(session: Session, given: Sequence[str]) -> list[Location]:
    """The locations whose files are never removed: those given or, without any, those of the config."""
    return session.locations(*(given or session.config.dedup.reference))


def hash_equal_sizes(
    session: Session, sides: Sequence[DedupLocation], locations: Sequence[Location], *, checksum: bool
) -> tuple[list[DedupLocation], ExitCode]:
    """Hash the files of equal size that have no hash yet: on disks always, on remotes with `checksum`, which downloads them.

    `sides` has the files of each of `locations`. A file that cannot be read is reported, and has no hash in this run.
    """
    storages = [session.storage(location) for location in locations]
    sizes = EqualSizes(
        [HashedSide(storage, side.items) for storage, side in zip(storages, sides, strict=True)],
        session.catalogue,
        download=checksum,
    )
    bill_of_full_reads(session, sizes.downloads(), "of equal size to compare them (--checksum)")
    hashed, code = hash_files(session, sizes)
    return [msgspec.structs.replace(side, items=items) for side, items in zip(sides, hashed, strict=True)], code


def with_known_hashes(session: Session, location: Location, items: Sequence[Item]) -> tuple[Sequence[Item], int]:
    """The files with the hashes that earlier runs have computed, and how many `hash_equal_sizes` would read. Reads none."""
    if not location.local:
        return items, 0
    sizes = EqualSizes([HashedSide(session.storage(location), items)], session.catalogue, download=False)
    return sizes.items()[0], len(sizes.waiting)


def hash_files(session: Session, sizes: EqualSizes) -> tuple[list[list[Item]], ExitCode]:
    """Compute the hashes that files of equal size lack; the files of each side with them. What cannot be read is reported."""
    failures = sizes.compute(session.reporter, session.stop)
    for one in failures:
        why = f"it could not be compared with files of its size: {one.error.message}"
        session.problems.report("failed", why, one.path, location=one.fs)
    session.summary.ops_skipped += len(failures)
    return sizes.items(), ExitCode.SOME_FAILED if failures else ExitCode.DONE


Search = Callable[[Sequence[DedupLocation]], Duplicates]
"""The search for duplicates among these files."""


def search_with_ends(
    session: Session, sides: Sequence[DedupLocation], locations: Sequence[Location], search: Search, *, reading: str | None
) -> tuple[list[DedupLocation], Duplicates, ExitCode]:
    """Search, and read the ends of the files that would be kept, until the end of each is known.

    `sides` has the files of each of `locations`. A file whose end cannot be read is reported, and counts as suspect in this run.
    """
    checked, code, asked = list(sides), ExitCode.DONE, set[Ref]()
    while True:
        found = search(checked)
        waiting = [one for one in ends_to_check(found) if one.ref not in asked]
        if not waiting:
            return checked, found, code
        asked |= {one.ref for one in waiting}
        ends: dict[str, Ends] = {}
        for location in dict.fromkeys(locations):  # a location that is given twice is read once
            entries = [one.item.entry for one in waiting if one.fs == location.fs]
            ends[location.fs], failed = read_file_ends(session, location, entries, reading) if entries else ({}, False)
            code = ExitCode.SOME_FAILED if failed else code
        checked = [
            msgspec.structs.replace(
                side, items=[_with_end(item, ends[side.fs].get((item.entry.path, item.entry.id))) for item in side.items]
            )
            for side in checked
        ]


Ends = dict[tuple[str, str | None], Reading | str]
"""Path and id of a file -> its new reading, or why there is none."""


def read_file_ends(session: Session, location: Location, entries: Iterable[Entry], reading: str | None) -> tuple[Ends, bool]:
    """Read the ends of these files; returns their new readings, and whether one of them failed. Reports what it finds."""
    found: Ends = {}
    failed = False
    outcomes = read_ends(
        session.storage(location),
        session.catalogue,
        list(entries),
        policy=session.reading_policy(location, reading),
        progress=session.reporter,
        stop=session.stop,
    )
    for outcome in outcomes:
        entry = outcome.unread.entry
        found[entry.path, entry.id] = outcome.reading or "its end could not be read"
        if outcome.reading is not None:
            session.summary.files_read += 1
            session.summary.bytes_read += outcome.reading.bytes_read
        if outcome.error is not None:
            session.problems.report("failed", outcome.error.message, entry.path, location=location.fs)
            session.summary.ops_skipped += 1
            failed = True
        elif outcome.reading is not None and outcome.reading.suspect is not None:
            session.reporter.finding("suspect", outcome.reading.suspect, entry.path)
    return found, failed


def _with_end(item: Item, end: Reading | str | None) -> Item:
    if end is None or item.reading is None:
        return item
    reading = msgspec.structs.replace(item.reading, suspect=end) if isinstance(end, str) else end
    return msgspec.structs.replace(item, reading=reading)


def show_duplicates(session: Session, found: Duplicates, location: str, *, plan_follows: bool) -> None:
    """Report duplicates; with --quiet and in `run`, only if there are some, and others than before.

    `location`: the first one that was searched. `plan_follows`: a plan is shown next and lists them.
    """
    options = session.options
    if found.decisions and not plan_follows:
        pairs = [(one.duplicate.ref, one.kept.ref) for one in found.decisions]
        details = sha256(msgspec.json.encode(pairs)).hexdigest()
        message = f"{counted(len(pairs), 'duplicate')}, {size_text(found.duplicate_bytes)}"
        if not session.problems.is_news("duplicates", message, location=location, details=details):
            return
    if found.decisions or options.json or not options.quiet:
        everything = bool(options.verbose or options.json)
        report_duplicates(session.reporter, found, everything=everything, in_plan=plan_follows and not options.json)


def check_references(session: Session, searched: Iterable[Location], references: Sequence[Location]) -> None:
    """Refuse to search a location inside a reference, where nothing may be removed. Raises UsageError."""
    for location in searched:
        for reference in references:
            if session.path_below(location, reference) is not None:
                raise UsageError(
                    f"{location.typed} lies inside the reference {reference.typed}, where nothing is ever removed: "
                    "leave it out of the locations; references are searched as well"
                )


def _as_searched(session: Session, given: Location, searched: Iterable[Location]) -> str:
    """A location in canonical form, written as a path of the searched location that it lies in, if any."""
    for location in searched:
        below = session.path_below(given, location)
        if below is not None:
            return location.fs + ("/" if below and not location.fs.endswith(("/", ":")) else "") + below
    return given.fs


def _resolved(session: Session, word: str) -> str:
    """`location:NAME` with the location in canonical form; other criteria as they are."""
    name, _, argument = word.partition(":")
    return f"location:{session.locations(argument)[0].fs}" if name == "location" else word
