"""Organize a library: scan it, plan where each file goes, and move or copy the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

import orchestrator
from orchestrator.actions.change import ChangeResult, Planned, change, code_of_skipped, created_now, preview, report_skipped
from orchestrator.actions.compare_with_target import plan_compared
from orchestrator.actions.config_check import check_layouts
from orchestrator.actions.duplicates import (
    hash_equal_sizes,
    keep_criteria,
    references_of,
    search_options,
    search_with_ends,
    show_duplicates,
)
from orchestrator.actions.known_plans import organize_plan
from orchestrator.actions.locations import check_exists, check_target, source_and_target
from orchestrator.actions.mirror_record import with_mirrored
from orchestrator.actions.mirrors import Mirrors
from orchestrator.actions.plan_files import check_output_file
from orchestrator.actions.playlist_entries import existing_elsewhere
from orchestrator.actions.reviewing import need_review
from orchestrator.actions.scan import ScanSettings, covered_files, items_of, latest_scan, read_external_lists, target_items
from orchestrator.actions.scan_reports import report_scan
from orchestrator.actions.session import Session
from orchestrator.apply.left_copies import left_copies, without_left_copies
from orchestrator.config.options.organize import OrganizeChoices, OrganizeOptions, PlanOptions
from orchestrator.config.setting_syntax import parse_duration
from orchestrator.errors import ExitCode, UsageError, worst
from orchestrator.foreign_folders import opened_by
from orchestrator.location import Location
from orchestrator.paths import check_directory
from orchestrator.plan.build import with_option
from orchestrator.plan.file_names.pattern import parse_names_as_tags
from orchestrator.plan.layout.templates import compile_layout
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.dedup.planner import DedupLocation
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.plan.planners.organize.duplicates import duplicates_of
from orchestrator.plan.planners.organize.request import OrganizeRequest, OrganizeSettings
from orchestrator.profiles import load_profile
from orchestrator.records import Item, Ref
from orchestrator.wording import counted


def organize(options: OrganizeOptions, session: Session) -> ChangeResult:
    """Put a library in order, in place or at another location. Raises UsageError for options that cannot be used.

    Also raises what `change` and scanning raise.
    """
    if options.review:
        need_review(session, "--review")
    plan_file = check_output_file(options.plan_file, "plan")
    source, target = source_and_target(session, options.source, options.target)
    check_exists(source)
    session.need_consent("organize")
    if target != source and not session.options.dry_run:
        check_target(target)
    mirrors = Mirrors(session, options, source, target)
    work = _Work(session, options, (source, target), mirrors, saved=plan_file is not None, review=options.review)
    touching = (source.fs, target.fs, *(mirror.fs for mirror in mirrors.locations))
    result = _looking_for_problems(
        session,
        options,
        touching,
        lambda: change(
            session,
            work.plan,
            command="organize",
            touching=touching,
            fresh=True,
            verify_full=options.verify == "full",
            plan_file=plan_file,
            review=work.review if options.review else None,
            before=mirrors.begin,
        ),
    )
    done = None if session.options.dry_run or result.exit_code is not ExitCode.DONE else result.plan
    if done is not None and (result.run is not None or not done.operations):
        mirrors.forget_full(done)
    return result


def plan(options: PlanOptions, session: Session) -> ChangeResult:
    """Make the plan that `organize` would make, show it, and write it to `output`, if given. Nothing is changed."""
    plan_file = check_output_file(options.output, "plan")
    source, target = source_and_target(session, options.source, options.target)
    mirrors = Mirrors(session, options, source, target)
    if mirrors.locations and options.no_scan:
        raise UsageError("--mirror needs a listing of the mirror: leave out --no-scan")
    work = _Work(session, options, (source, target), mirrors, no_scan=options.no_scan, saved=plan_file is not None)
    result = _looking_for_problems(
        session,
        options,
        (source.fs, target.fs, *(mirror.fs for mirror in mirrors.locations)),
        lambda: preview(session, work.plan, plan_file=plan_file),
    )
    if plan_file is None:
        return result
    session.reporter.note(f"plan written to {plan_file}; `music-orchestrator apply {plan_file}` carries it out")
    # What was skipped is named; the plan was written, so `plan && apply` goes on.
    code = ExitCode.DONE if result.exit_code is ExitCode.SOME_FAILED else result.exit_code
    return msgspec.structs.replace(result, exit_code=code)


def _looking_for_problems(
    session: Session, options: OrganizeChoices, locations: Sequence[str], work: Callable[[], ChangeResult]
) -> ChangeResult:
    covers = covered_files(session, ScanSettings(options.include, options.exclude))
    return session.problems.looking_for("organize", locations, covers, work)


class _Work:
    """One command: it plans once, and again with what a review has decided."""

    def __init__(
        self,
        session: Session,
        options: OrganizeChoices,
        locations: tuple[Location, Location],
        mirrors: Mirrors,
        *,
        no_scan: bool = False,
        saved: bool = False,
        review: bool = False,
    ) -> None:
        """`locations`: source and target. `saved`: the plan goes to a file. `review`: what is skipped is reported after it."""
        self._session = session
        self._options = options
        self._source, self._target = locations
        self._mirrors = mirrors
        self._no_scan = no_scan
        self._saved = saved
        self._review = review
        self._action = "off"
        self._search: DedupSettings | None = None

    def plan(self) -> Planned:
        """Scan, plan, and report what could not be read."""
        self._request, self._reached, self._so_far = self._scanned()
        return self._planned(report=not self._review)

    def review(self, first: Planned) -> Planned | None:
        """Let a person decide; None to change nothing."""
        from orchestrator.actions.reviewing_albums import review_albums  # noqa: PLC0415 - few runs are reviewed

        again = []

        def plan_leaving(left: frozenset[Ref]) -> Planned:
            self._request = msgspec.structs.replace(self._request, left=left)
            again.append(self._planned(report=True))
            return again[-1]

        result = review_albums(self._session, self._request, first, plan_leaving)
        if not again:
            report_skipped(self._session, first.plan)
        return result

    def _scanned(self) -> tuple[OrganizeRequest, list[Location], ExitCode]:
        """What is to be planned, the mirrors that could be listed, and how the run ends after what could not be read."""
        session, options, source, target, no_scan = self._session, self._options, self._source, self._target, self._no_scan
        in_place = source.fs == target.fs
        planner_options = _planner_options(session, options, in_place=in_place)
        self._action, search = _search(session, options, source, target)
        self._search = search
        if self._action == "quarantine":
            planner_options = msgspec.structs.replace(planner_options, dedup=search)
        settings = ScanSettings(options.include, options.exclude, parse_duration(options.settle), options.reading)
        result, capabilities = latest_scan(session, source, settings, no_scan=no_scan)
        at_target: Sequence[Item] = []
        target_capabilities = capabilities
        closed = ExitCode.DONE
        if not in_place:
            at_target, target_capabilities, closed = target_items(
                session, target, reading=options.reading, exclude=options.exclude, no_scan=no_scan
            )
        listed, at_mirrors = self._mirrors.list()
        lists = [] if no_scan else read_external_lists(session, options.playlists)
        items: Sequence[Item] = items_of(session, source, result)
        shown = without_left_copies(left_copies(session.journal), {target.fs: at_target} | {source.fs: items})
        items, at_target = shown[source.fs], at_target if in_place else shown[target.fs]
        request = OrganizeRequest(
            source_fs=source.fs,
            target_fs=target.fs,
            items=items,
            target_items=at_target,
            mirrors=listed,
            foreign_folders=result.foreign_folders,
            source_capabilities=capabilities,
            target_capabilities=target_capabilities,
            target_has_buckets=load_profile(target_capabilities.remote_type).has_buckets,
            external_lists=lists,
            elsewhere=existing_elsewhere([(source.fs, items), (target.fs, at_target)], lists),
            options=planner_options,
            tool_version=orchestrator.__version__,
            created=created_now(),
            config_sha256=session.loaded_config.sha256,
        )
        ends = ExitCode.DONE
        if search is not None and not no_scan:
            request, ends = _compared(session, options, request, search, (source, target))
        reached = [mirror for mirror in self._mirrors.locations if mirror.fs in {one.fs for one in listed}]
        return request, reached, worst([ends, closed, at_mirrors, report_scan(session, source, result)])

    def _planned(self, *, report: bool) -> Planned:
        """The plan of the request; with `report`, also say what is skipped, unless there is something to do first."""
        session, source = self._session, self._source
        session.reporter.stage("planning")
        if self._no_scan:
            made = organize_plan(self._request, session.state)
        else:
            self._request, made, compared = plan_compared(
                session, self._request, source, self._target, self._options, mirrors=self._reached
            )
            self._so_far = worst([self._so_far, compared])
        if not report and made.operations:
            return Planned(made, worst([self._so_far, code_of_skipped(made)]))
        if self._action == "report" and self._search is not None:
            show_duplicates(session, duplicates_of(self._request, self._search), source.fs, plan_follows=False)
            made = with_option(made, "duplicates_reported", True)
        _offer_names(session, made)
        made = with_mirrored(made) if self._saved else made
        return Planned(made, worst([self._so_far, report_skipped(session, made)]))


def _compared(
    session: Session,
    options: OrganizeChoices,
    request: OrganizeRequest,
    search: DedupSettings,
    locations: tuple[Location, Location],
) -> tuple[OrganizeRequest, ExitCode]:
    """The request with what has to be known about its files before some are quarantined as duplicates: hashes and ends."""
    sides = [
        DedupLocation(fs=request.source_fs, items=request.items, capabilities=request.source_capabilities),
        DedupLocation(fs=request.target_fs, items=request.target_items, capabilities=request.target_capabilities),
    ]

    def with_sides(sides: Sequence[DedupLocation]) -> OrganizeRequest:
        return msgspec.structs.replace(request, items=sides[0].items, target_items=sides[1].items)

    sides, hashes = hash_equal_sizes(session, sides, locations, checksum=options.checksum)
    sides, _, ends = search_with_ends(
        session, sides, locations, lambda sides: duplicates_of(with_sides(sides), search), reading=options.reading
    )
    return with_sides(sides), worst([hashes, ends])


def _search(session: Session, options: OrganizeChoices, source: Location, target: Location) -> tuple[str, DedupSettings | None]:
    """What to do about duplicates ("off", "report", "quarantine"), and how to find them. Raises UsageError."""
    action = options.dedup or session.config.dedup.action
    if action == "off":
        keep_criteria(session, options.keep)  # an unknown criterion is an error even when it is not used
        return action, None
    # Only the source and the target are searched: references elsewhere have no effect.
    references = references_of(session, options.reference)
    search = search_options(session, options.keep, references, [source, target], same_format_only=options.same_format_only)
    return action, search


def _planner_options(session: Session, options: OrganizeChoices, *, in_place: bool) -> OrganizeSettings:
    """The planner's options: those given, otherwise those of the config. A given layout replaces all rules of the config."""
    config = session.config
    rules = () if options.layout else tuple(config.layouts)
    layout = options.layout or config.layout
    untagged = options.untagged or config.untagged
    if untagged is not None:
        check_directory(untagged, "--untagged" if options.untagged else session.loaded_config.label("untagged"))
    leftovers = options.leftovers or config.leftovers
    if leftovers is not None:
        check_directory(leftovers, "--leftovers" if options.leftovers else session.loaded_config.label("leftovers"))
    # A wrong template is found before anything is listed; one in the config is reported with its file and line.
    if not options.layout:
        check_layouts(session.loaded_config)
    compile_layout(layout, rules)
    return OrganizeSettings(
        layout=layout,
        layouts=rules,
        copy=options.copies(in_place=in_place),
        cloud_only=options.cloud_only,
        opened=opened_by((*options.include, *config.include)),
        untagged=untagged,
        leftovers=leftovers,
        names_as_tags=_names_as_tags(session, options),
        various_artists=tuple(config.various_artists),
        sidecars=tuple(config.sidecars),
        names=config.names,
        replace=config.replace,
    )


def _names_as_tags(session: Session, options: OrganizeChoices) -> tuple[str, ...] | None:
    """The patterns for names: those given, otherwise those of the config; None if neither says anything. Raises UsageError."""
    if options.names_as_tags:
        return parse_names_as_tags(options.names_as_tags)
    chosen = session.config.names_as_tags
    return parse_names_as_tags(chosen, session.loaded_config.label("names_as_tags")) if chosen else None


def _offer_names(session: Session, made: Plan) -> None:
    """Say how many files without usable tags have names that tell what is missing."""
    if not made.named_like:
        return
    fit = sum(number for _, number in made.named_like)
    untagged = sum(one.code == "untagged" for one in made.skipped) or fit
    (pattern, _), others = made.named_like[0], len(made.named_like) - 1
    more = f" or in {counted(others, 'other way')}" if others else ""
    have, are = "has" if untagged == 1 else "have", "is" if fit == 1 else "are"
    session.reporter.note(
        f"{counted(untagged, 'file')} {have} no usable tags; {fit} of them {are} named like {pattern}{more}: "
        "--names-as-tags auto",
        in_plan=True,
    )
