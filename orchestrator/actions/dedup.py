"""What `dedup` and `organize --dedup` share: the way from locations and options to duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from orchestrator.actions.session import Session
from orchestrator.errors import ExitCode, UsageError, worst
from orchestrator.location import Location

if TYPE_CHECKING:
    from orchestrator.actions.scan import Wishes
    from orchestrator.plan.model import Plan
    from orchestrator.plan.planners.dedup.options import DedupOptions
    from orchestrator.plan.planners.dedup.planner import DedupLocation
    from orchestrator.plan.planners.dedup.records import Duplicates
    from orchestrator.plan.planners.organize.request import OrganizeRequest
    from orchestrator.records import Capabilities, Entry, Item
    from orchestrator.track import Reading


class DedupQuestion:
    """What one command asks about duplicates: the places, each once, and the options over the config."""

    def __init__(
        self,
        session: Session,
        locations: Sequence[str],
        wishes: Wishes,
        *,
        keep: str | None,
        references: Sequence[str],
        same_format_only: bool,
    ) -> None:
        """Raises UsageError for a location or a criterion that cannot be."""
        self.session = session
        self.wishes = wishes
        named = session.places(*locations, *(references or session.config.dedup.reference))
        self.searched = _once(session, named[: len(locations)])
        self.references = _once(session, named[len(locations) :])
        for place in self.searched:
            for reference in self.references:
                if session.path_below(place, reference) is not None:
                    raise UsageError(
                        f"{place.typed} lies under the reference {reference.typed}: nothing there could ever go; "
                        "leave it out of the locations, references are looked at as well"
                    )
        prefixes = [_prefix(session, reference, self.searched) for reference in self.references]
        self.options = dedup_options(session, keep, prefixes, same_format_only=same_format_only)

    @property
    def places(self) -> list[Location]:
        """Every location that is scanned: references elsewhere as well."""
        elsewhere = [one for one in self.references if not any(self.session.path_below(one, place) for place in self.searched)]
        return [*self.searched, *elsewhere]


def dedup_options(session: Session, keep: str | None, references: Sequence[str], *, same_format_only: bool) -> DedupOptions:
    """The planner's options: the command line over the config. Raises UsageError for a word that is no criterion."""
    from orchestrator.plan.planners.dedup.options import DedupOptions  # noqa: PLC0415 - heavy

    words = _keep(session, keep)
    return DedupOptions(
        keep=tuple(_resolved(session, word) for word in words),
        reference=tuple(references),
        same_format_only=same_format_only or session.config.dedup.same_format_only,
    )


def _keep(session: Session, keep: str | None) -> Sequence[str]:
    """The criteria of the command line, else of the config. Raises UsageError for a word that is none."""
    from orchestrator.plan.planners.dedup.keep_order import check_keep, keep_words  # noqa: PLC0415 - heavy

    words = keep_words(keep) if keep else session.config.dedup.keep
    check_keep(words, "--keep" if keep else session.loaded_config.named("dedup", "keep"))
    return words


class OrganizeDedup(NamedTuple):
    """What `organize` does about duplicates."""

    options: DedupOptions
    acts: bool
    """They go into quarantine; else they are only told."""


def organize_dedup(session: Session, wishes: Wishes, source: Location, target: Location) -> OrganizeDedup | None:
    """What the command line, over the config, wants done about duplicates; None for nothing. Raises UsageError."""
    action = wishes.dedup or session.config.dedup.action
    if action == "off":
        _keep(session, wishes.keep)  # a wrong word is wrong, used or not
        return None
    # References elsewhere have no part in it: `organize` looks at its source and target alone.
    named = session.places(*(wishes.reference or session.config.dedup.reference))
    references = [_prefix(session, reference, [source, target]) for reference in named]
    options = dedup_options(session, wishes.keep, references, same_format_only=wishes.same_format_only)
    return OrganizeDedup(options, action == "quarantine")


def tell_duplicates(session: Session, request: OrganizeRequest, options: DedupOptions) -> None:
    """Report the duplicates of what `organize` looks at."""
    from orchestrator.plan.planners.organize.duplicates import duplicates_of  # noqa: PLC0415 - only when wanted

    show_duplicates(session, duplicates_of(request, options), goes=False)


def show_duplicates(session: Session, found: Duplicates, *, goes: bool) -> None:
    """Report duplicates, unless there are none and nobody wants to hear it. `goes`: a plan that follows lists what goes."""
    from orchestrator.report.duplicates_view import report_duplicates  # noqa: PLC0415 - only when wanted

    options = session.options
    if found.decisions or options.json or not options.quiet:
        everything = bool(options.verbose or options.json)
        report_duplicates(session.reporter, found, everything=everything, goes=goes and not options.json)


def find(asked: DedupQuestion) -> tuple[Duplicates, Plan, ExitCode]:
    """Scan, search, plan; report what could not be looked at."""
    import orchestrator  # noqa: PLC0415 - only when a command runs
    from orchestrator.actions.organize import now_text, report_skipped  # noqa: PLC0415
    from orchestrator.actions.scan import outside_lists  # noqa: PLC0415
    from orchestrator.plan.planners.dedup.planner import DedupRequest, duplicates_of, plan_of  # noqa: PLC0415

    session = asked.session
    scanned = [_scanned(asked, place) for place in asked.places]
    known = [(place, one.items, one.capabilities) for place, (one, _) in zip(asked.places, scanned, strict=True)]
    seen, ends = with_ends_seen(session, asked.wishes, known)
    session.reporter.stage("searching")
    request = DedupRequest(
        places=[msgspec.structs.replace(one, items=items) for (one, _), items in zip(scanned, seen, strict=True)],
        options=asked.options,
        tool_version=orchestrator.__version__,
        created=now_text(),
        config_sha256=session.loaded_config.sha256,
        sidecars=tuple(session.config.sidecars),
        external_lists=outside_lists(session, asked.wishes),
    )
    found = duplicates_of(request)
    plan = plan_of(request, found)
    return found, plan, worst([ends, *(code for _, code in scanned), report_skipped(session, plan)])


def with_ends_seen(
    session: Session, wishes: Wishes, places: Sequence[tuple[Location, Sequence[Item], Capabilities]]
) -> tuple[list[list[Item]], ExitCode]:
    """What is known of each place once it was looked whether files for which others may go are whole.

    What could not be looked at counts as suspect for this once, and is named.
    """
    from orchestrator.catalogue.file_ends import read_ends  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.plan.planners.dedup.candidates import candidates_of  # noqa: PLC0415
    from orchestrator.plan.planners.dedup.ends_to_check import ends_to_check  # noqa: PLC0415

    doubts: dict[str, list[Entry]] = {}
    for one in ends_to_check(one for place, items, known in places for one in candidates_of(place.fs, items, known)):
        doubts.setdefault(one.fs, []).append(one.item.entry)
    code, found = ExitCode.DONE, []
    for place, items, _ in places:
        seen: dict[tuple[str, str | None], Reading | str] = {}
        if entries := doubts.pop(place.fs, None):  # a place that is named twice is looked at once
            for outcome in read_ends(
                session.storage(place),
                session.catalogue,
                entries,
                policy=session.policy(place, wishes.reading),
                progress=session.reporter,
                stop=session.stop,
            ):
                entry = outcome.unread.entry
                seen[entry.path, entry.id] = outcome.reading or "its end could not be looked at"
                session.summary.files_read += outcome.reading is not None
                session.summary.bytes_read += outcome.reading.bytes_read if outcome.reading is not None else 0
                if outcome.error is not None:
                    session.reporter.error("failed", outcome.error.message, entry.path)
                    session.summary.ops_skipped += 1
                    code = ExitCode.SOME_FAILED
                elif outcome.reading is not None and outcome.reading.suspect is not None:
                    session.reporter.finding("suspect", outcome.reading.suspect, entry.path)
        found.append([_with_end(item, seen.get((item.entry.path, item.entry.id))) for item in items])
    return found, code


def _with_end(item: Item, seen: Reading | str | None) -> Item:
    if seen is None or item.reading is None:
        return item
    reading = msgspec.structs.replace(item.reading, suspect=seen) if isinstance(seen, str) else seen
    return msgspec.structs.replace(item, reading=reading)


def delete_for_good(session: Session, run_id: str) -> ExitCode:
    """Delete what a run has put into quarantine as duplicates, each after its twin was verified once more."""
    import orchestrator  # noqa: PLC0415 - only when a command runs
    from orchestrator.actions.change import carry_out  # noqa: PLC0415
    from orchestrator.actions.organize import now_text  # noqa: PLC0415
    from orchestrator.apply.undo import facts_of  # noqa: PLC0415
    from orchestrator.plan.planners.quarantine import plan_deleting_duplicates  # noqa: PLC0415

    plan = plan_deleting_duplicates(
        facts_of(session.journal, run_id),
        session.journal.run(run_id).header,
        tool_version=orchestrator.__version__,
        created=now_text(),
    )
    session.summary.ops_planned += len(plan.operations)
    return carry_out(session, plan) if plan.operations else ExitCode.DONE


def _once(session: Session, found: Sequence[Location]) -> list[Location]:
    """Each place once: what lies in another one is looked at there."""
    from orchestrator.actions.scan import check_bucket  # noqa: PLC0415 - only when a command runs

    chosen: list[Location] = []
    for place in found:
        check_bucket(session, place)
        outer = next((other for other in found if session.path_below(place, other)), None)
        if outer is not None:
            session.reporter.note(f"{place.typed} lies in {outer.typed} and is looked at there")
        elif not any(session.path_below(place, other) == "" for other in chosen):
            chosen.append(place)
    return chosen


def _prefix(session: Session, reference: Location, places: Iterable[Location]) -> str:
    """A reference as the paths of the place that it lies in have it."""
    for place in places:
        below = session.path_below(reference, place)
        if below is not None:
            return place.fs + ("/" if below and not place.fs.endswith(("/", ":")) else "") + below
    return reference.fs


def _resolved(session: Session, word: str) -> str:
    """`location:NAME` with the location in canonical form."""
    name, _, argument = word.partition(":")
    return f"location:{session.places(argument)[0].fs}" if name == "location" else word


def _scanned(asked: DedupQuestion, place: Location) -> tuple[DedupLocation, ExitCode]:
    from orchestrator.actions.scan import (  # noqa: PLC0415 - only when a command runs
        Wishes,
        items_of,
        name_shared,
        report_scan,
        scan_place,
    )
    from orchestrator.plan.planners.dedup.planner import DedupLocation  # noqa: PLC0415

    # A reference elsewhere counts as a whole: the options choose among the files that may go.
    wishes = asked.wishes if place in asked.searched else Wishes(reading=asked.wishes.reading)
    result = scan_place(asked.session, place, wishes)
    code = report_scan(asked.session, result)
    shared = name_shared(asked.session, result)
    items: Any = items_of(asked.session, place, result)
    capabilities = asked.session.storage(place).capabilities
    return DedupLocation(fs=place.fs, items=items, capabilities=capabilities), worst([code, shared])
