"""Find duplicates, and quarantine or delete them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

import orchestrator
from orchestrator.actions.change import Planned, change, code_of_skipped, created_now, report_skipped
from orchestrator.actions.config_check import check_layouts
from orchestrator.actions.duplicates import (
    check_references,
    hash_equal_sizes,
    layout_of,
    search_options,
    search_with_ends,
    show_duplicates,
)
from orchestrator.actions.locations import check_location, check_shared
from orchestrator.actions.plan_files import check_output_file, write_plan_file
from orchestrator.actions.playlist_entries import existing_elsewhere
from orchestrator.actions.reviewing import need_review, reviewed
from orchestrator.actions.reviewing_duplicates import report_other_outcomes, save_keep_rules
from orchestrator.actions.scan import ScanSettings, covered_files, items_of, read_external_lists, scan_location
from orchestrator.actions.scan_reports import report_scan, report_shared_names
from orchestrator.actions.session import Session
from orchestrator.apply.left_copies import left_copies, without_left_copies
from orchestrator.config.options.dedup import DedupOptions
from orchestrator.config.setting_syntax import parse_duration
from orchestrator.errors import ExitCode, UsageError, worst
from orchestrator.foreign_folders import HiddenFolders, opened_by
from orchestrator.location import Location
from orchestrator.plan.build import with_option
from orchestrator.plan.model import Plan, Verb
from orchestrator.plan.planners.dedup import planner
from orchestrator.plan.planners.dedup.choices import NO_CHOICES
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest
from orchestrator.plan.planners.dedup.records import Duplicates
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.quarantine import deletable, plan_deleting_duplicates
from orchestrator.review.duplicate_groups import DuplicateGroups
from orchestrator.review.duplicates import DuplicatesReview
from orchestrator.wording import counted


class DedupResult(msgspec.Struct, frozen=True):
    """What `dedup` came to."""

    exit_code: ExitCode
    duplicates: Duplicates | None = None
    """None when an interrupted run could not be finished, so nothing was searched."""
    plan: Plan | None = None
    run: str | None = None
    """The id of the run, for `undo`; None when nothing was changed."""


class DedupQuestion(NamedTuple):
    """Where to search, and how."""

    searched: Sequence[Location]
    """Where duplicates may be removed. None lies inside another."""
    references: Sequence[Location]
    """Where nothing is removed, outside of `searched`."""
    settings: ScanSettings
    options: DedupSettings
    checksum: bool
    """Download files of equal size to compare them."""

    @property
    def locations(self) -> list[Location]:
        """All that is scanned."""
        return [*self.searched, *self.references]


def dedup(options: DedupOptions, session: Session) -> DedupResult:
    """Report duplicates; with `quarantine` or `delete`, also quarantine them, and delete what was quarantined.

    Raises UsageError for locations and criteria that cannot be used, and what `change` raises.
    """
    if options.delete and options.dedup == "report":
        raise UsageError("--delete cannot be combined with --dedup report, which only reports")
    if options.review:
        if options.dedup == "report":
            raise UsageError("--review cannot be combined with --dedup report, which only reports")
        need_review(session, "--review")
    removing = options.delete or options.review or options.dedup == "quarantine"
    plan_file = check_output_file(options.plan_file, "plan")
    question = _question(session, options)
    if removing:
        session.need_consent("dedup")
    work = partial(_quarantine if removing else _report, session, options, question, plan_file)
    return session.problems.looking_for(
        "dedup", [one.fs for one in question.locations], covered_files(session, question.settings), work
    )


def _report(session: Session, _options: DedupOptions, question: DedupQuestion, plan_file: Path | None) -> DedupResult:
    search = _search(session, question)
    found, planned = search.plan()
    show_duplicates(session, found, question.locations[0].fs, plan_follows=False)
    if plan_file is not None:
        write_plan_file(planned.plan, plan_file)
    return DedupResult(planned.exit_code, found, planned.plan)


def _quarantine(session: Session, options: DedupOptions, question: DedupQuestion, plan_file: Path | None) -> DedupResult:
    searches: list[_Search] = []
    finds: list[Duplicates] = []

    def make_plan(*, again: bool = False) -> Planned:
        if not again:
            searches.append(_search(session, question))
        found, planned = searches[-1].plan(review_follows=options.review and not again)
        finds.append(found)
        if again or not options.review:
            show_duplicates(session, found, question.locations[0].fs, plan_follows=True)
        return _noting_deletion(planned) if options.delete else planned

    def review(first: Planned) -> Planned | None:
        groups = searches[-1].groups()

        def plan_again() -> Planned:
            searches[-1].choices = groups.choices
            planned = make_plan(again=True)
            report_other_outcomes(session, groups, finds[-1])
            return planned

        result = reviewed(session, DuplicatesReview(groups), plan_again, partial(save_keep_rules, session, groups))
        if len(finds) == 1:  # it was not planned again
            report_skipped(session, first.plan)
        return result

    result = change(
        session,
        make_plan,
        command="dedup",
        touching=[location.fs for location in question.locations],
        question=_ask_to_delete if options.delete else _ask_to_quarantine,
        shown_over_limit=True,
        fresh=True,
        verify_full=options.verify == "full",
        plan_file=plan_file,
        review=review if options.review else None,
        afterwards=partial(_delete_quarantined, session) if options.delete else None,
    )
    return DedupResult(result.exit_code, finds[-1] if finds else None, result.plan, result.run)


def _question(session: Session, options: DedupOptions) -> DedupQuestion:
    """Raises UsageError for a location or a criterion that cannot be used."""
    check_layouts(session.loaded_config)  # the layout says which files are in place
    typed = options.reference or session.config.dedup.reference
    given = session.locations(*options.locations, *typed)
    include = (*options.include, *session.config.include)
    hidden = HiddenFolders(include)
    searched = _outermost(session, given[: len(options.locations)], hidden)
    references = _outermost(session, given[len(options.locations) :], hidden)
    check_references(session, searched, references)
    check_shared(session, [*searched, *references])
    return DedupQuestion(
        searched=searched,
        references=[one for one in references if not any(session.path_below(one, other) for other in searched)],
        settings=ScanSettings(options.include, options.exclude, parse_duration(options.settle), options.reading),
        options=search_options(
            session,
            options.keep,
            references,
            searched,
            precedence=given[: len(options.locations)],
            opened=opened_by(include),
            same_format_only=options.same_format_only,
        ),
        checksum=options.checksum,
    )


def _outermost(session: Session, given: Sequence[Location], hidden: HiddenFolders) -> list[Location]:
    """Each location once, without those that lie inside another one."""
    chosen: list[Location] = []
    for location in given:
        check_location(session, location)
        outer = next((other for other in given if session.path_below(location, other)), None)
        if outer is None:
            if not any(session.path_below(location, other) == "" for other in chosen):
                chosen.append(location)
        elif hidden.folder_of(f"{session.path_below(location, outer)}/_") is None:
            session.reporter.note(f"{location.typed} lies inside {outer.typed} and is searched with it")
        else:
            session.reporter.warning(
                f"{location.typed} is not searched: it lies in a folder of another program inside {outer.typed}. Name it alone"
            )
    return chosen


class _Search:
    """A search among scanned files, which can be planned again with other choices."""

    def __init__(self, session: Session, question: DedupQuestion, request: DedupRequest, so_far: ExitCode) -> None:
        self._session = session
        self._question = question
        self._request = request
        self._so_far = so_far
        self.choices = NO_CHOICES

    def plan(self, *, review_follows: bool = False) -> tuple[Duplicates, Planned]:
        """Search, with a look at the ends of files where needed, and plan the quarantine of the duplicates.

        `review_follows`: what is skipped is not reported yet.
        """
        session, question = self._session, self._question
        request = msgspec.structs.replace(self._request, choices=self.choices)

        def search(sides: Sequence[DedupLocation]) -> Duplicates:
            session.reporter.stage("searching")
            return planner.duplicates_of(msgspec.structs.replace(request, locations=sides))

        sides, found, ends = search_with_ends(
            session, request.locations, question.locations, search, reading=question.settings.reading
        )
        self._request = msgspec.structs.replace(request, locations=sides)
        self._so_far = worst([self._so_far, ends])
        plan = planner.plan_of(self._request, found)
        skipped = code_of_skipped(plan) if review_follows and plan.operations else report_skipped(session, plan)
        return found, Planned(plan, worst([self._so_far, skipped]))

    def groups(self) -> DuplicateGroups:
        """What was found, for a review."""
        return DuplicateGroups(planner.same_files_of(self._request), self._request.options)


def _search(session: Session, question: DedupQuestion) -> _Search:
    """Scan all locations."""
    scanned = [_scan(session, question, location) for location in question.locations]
    shown = without_left_copies(left_copies(session.journal), {side.fs: side.items for side, _ in scanned})
    scanned_sides = [msgspec.structs.replace(side, items=shown[side.fs]) for side, _ in scanned]
    hashed, hashes = hash_equal_sizes(session, scanned_sides, question.locations, checksum=question.checksum)
    external = read_external_lists(session)
    request = DedupRequest(
        locations=hashed,
        options=question.options,
        tool_version=orchestrator.__version__,
        created=created_now(),
        config_sha256=session.loaded_config.sha256,
        sidecars=tuple(session.config.sidecars),
        layout=layout_of(session),
        external_lists=external,
        elsewhere=existing_elsewhere([(side.fs, side.items) for side in hashed], external),
    )
    return _Search(session, question, request, worst([hashes, *(code for _, code in scanned)]))


def _scan(session: Session, question: DedupQuestion, location: Location) -> tuple[DedupLocation, ExitCode]:
    # A reference is searched as a whole: --include and --exclude choose among the files that may be removed.
    settings = question.settings if location in question.searched else ScanSettings(reading=question.settings.reading)
    result = scan_location(session, location, settings)
    code = worst([report_scan(session, location, result), report_shared_names(session, location, result)])
    capabilities = session.storage(location).capabilities
    return DedupLocation(fs=location.fs, items=items_of(session, location, result), capabilities=capabilities), code


def _noting_deletion(planned: Planned) -> Planned:
    """The same, and its header has `delete`: most of what the plan quarantines is then deleted."""
    return msgspec.structs.replace(planned, plan=with_option(planned.plan, "delete", True))


def _ask_to_quarantine(plan: Plan) -> str:
    return f"Quarantine {counted(_number_of_duplicates(plan), 'duplicate')}?"


def _ask_to_delete(plan: Plan) -> str:
    duplicates, deleted = _number_of_duplicates(plan), sum(map(deletable, plan.operations))
    all_of_them = "it" if duplicates == 1 else "them"
    some = all_of_them if deleted == duplicates else f"{deleted} of them (those with the same bytes or the same audio)"
    return f"Quarantine {counted(duplicates, 'duplicate')}, then delete {some} for good? This cannot be undone."


def _number_of_duplicates(plan: Plan) -> int:
    return sum(1 for operation in plan.operations if operation.expect.kept)


def _delete_quarantined(session: Session, run_id: str) -> ExitCode:
    """Delete the duplicates that a run has quarantined, each after another check of the copy that is kept."""
    from orchestrator.actions.execution import carry_out  # noqa: PLC0415 - slow to import, and a report does not need it

    completed = session.journal.completed(run_id)
    for one in completed:
        kept = one.operation.expect.kept
        if one.operation.verb is Verb.QUARANTINE and kept and not deletable(one.operation):
            why = f"stays in the quarantine: it does not hold the same bytes or audio as {kept.path}"
            session.reporter.finding("not-deleted", why, one.operation.src.path)
    plan = plan_deleting_duplicates(
        completed,
        session.journal.run(run_id).header,
        tool_version=orchestrator.__version__,
        created=created_now(),
    )
    session.summary.ops_planned += len(plan.operations)
    return carry_out(session, plan, command="dedup").exit_code if plan.operations else ExitCode.DONE
