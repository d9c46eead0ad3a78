"""Make two locations alike: list both, plan from what has changed since the last sync, carry it out, and record what is alike."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

import msgspec

import orchestrator
from orchestrator.actions.change import ChangeResult, Planned, agreed, change, code_of_skipped, created_now, report_skipped
from orchestrator.actions.common_states import open_common_state, settle_ended_runs
from orchestrator.actions.do_or_queue import do_or_queue
from orchestrator.actions.locations import check_folder, check_location, reaching
from orchestrator.actions.own_renames import own_renames
from orchestrator.actions.place_ids import PlaceIds, place_ids
from orchestrator.actions.plan_files import check_output_file
from orchestrator.actions.reviewing import need_review
from orchestrator.actions.reviewing_conflicts import Answers, review_conflicts
from orchestrator.actions.scan import ScanSettings, covered_files
from orchestrator.actions.session import Session
from orchestrator.actions.sync_counts import found_restored
from orchestrator.actions.sync_direction import Way, check_sides, sides_of, way_of
from orchestrator.actions.sync_record import SyncRecord, begin_sync, count_each_way, with_record
from orchestrator.actions.sync_sides import SideListing, list_both
from orchestrator.actions.waiting import intention_to_sync
from orchestrator.apply.directories.emptied import remove_if_empty
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.common_state.store import Pair
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import ExitCode, worst
from orchestrator.garbage_collection import no_garbage_collection
from orchestrator.location import Location
from orchestrator.plan.model import GONE_FOLDERS, Plan, Verb, folders_of
from orchestrator.plan.planners.sync.planner import plan_sync
from orchestrator.plan.planners.sync.records import (
    SIDES,
    Conflict,
    Direction,
    FolderPair,
    Policy,
    Questions,
    Row,
    Side,
    SideNumber,
    SyncRequest,
    SyncSettings,
    other,
)
from orchestrator.sync_queue.store import Kind
from orchestrator.wording import counted


def sync(options: SyncOptions, session: Session, kind: Kind = "sync") -> ChangeResult:
    """Carry the changes of each of two locations to the other. `kind`: what the queue calls it if a side cannot be reached.

    Raises UsageError for options that cannot be used, what `change` raises, and SafetyLimitError when a side has lost or changed
    too much.
    """
    plan_file = check_output_file(options.plan_file, "plan")
    locations = _locations(session, options)
    session.need_consent("sync")
    if options.conflict == "ask":
        need_review(session, "--conflict ask")
    way = way_of(options, session, locations)
    # A mirror is a copy, whatever the config says of syncs.
    work = _Sync(session, options, locations, way if kind == "sync" else way._replace(delete_after=False), kind=kind)

    def carry_over() -> ChangeResult:
        result = change(
            session,
            work.make_plan,
            command="sync",
            touching=[location.fs for location in locations],
            question=lambda plan: f"Sync {work.way}: make {'this change' if len(plan.operations) == 1 else 'these changes'}?",
            limited=False,  # the planner knows which deletions count
            fresh=True,
            plan_file=plan_file,
            verify_full=work.moves,
            review=work.review if options.conflict == "ask" else None,
            before=work.begin,
        )
        count_each_way(session, result.plan)
        return result

    covers = covered_files(session, ScanSettings(options.include, options.exclude))
    return session.problems.looking_for(
        "sync",
        [location.fs for location in locations],
        covers,
        lambda: do_or_queue(session, lambda: intention_to_sync(session, locations, way.direction, options, kind), carry_over),
    )


def _locations(session: Session, options: SyncOptions) -> tuple[Location, Location]:
    a, b = session.locations(*sides_of(options))
    for location in (a, b):
        check_location(session, location)
        check_folder(location)
    check_sides(session, a, b)
    return a, b


class _Sync:
    """One sync, from its listings to the record of what was alike already."""

    def __init__(
        self, session: Session, options: SyncOptions, locations: tuple[Location, Location], way: Way, *, kind: Kind
    ) -> None:
        self._is_mirror = kind == "mirror"
        """B may be missing then: it is made, as `organize --mirror` makes it."""
        self._session = session
        self._options = options
        self._locations = locations
        self._settings = SyncSettings(
            direction=way.direction,
            delete_after=way.delete_after,
            conflict=None if options.conflict in (None, "ask") else Policy(options.conflict),
            keep_names=options.keep_names,
            delete=options.delete,
            max_delete=session.max_delete,
        )
        self._resync = options.resync
        self._ids: PlaceIds = (None, None)
        self._state = ""
        """The digest of the common state."""
        self._empty_folders: Sequence[FolderPair] = ()
        self._record: SyncRecord | None = None
        self._listings: tuple[SideListing, SideListing]
        self._found: Sequence[Row] = ()
        """The common state."""
        self._listed = ExitCode.DONE
        self._conflicts: Sequence[Conflict] = ()
        self._answered = False

    @property
    def moves(self) -> bool:
        """Whether files are deleted at the source: then no copy is verified by its size alone."""
        return self._settings.delete_after

    @property
    def way(self) -> str:
        """The direction, in words."""
        a, b = (location.typed for location in self._locations)
        ways = {Direction.A_TO_B: f"from {a} to {b}", Direction.B_TO_A: f"from {b} to {a}", Direction.BOTH: "both ways"}
        return ways[self._settings.direction]

    def make_plan(self) -> Planned:
        """List both sides, read what has to be read, and plan."""
        session, options = self._session, self._options
        session.reporter.note(f"sync {self.way}")
        self._ids = place_ids(session, self._locations, resync=options.resync)
        a, b = self._locations
        self._listings = listings = (
            SideListing(session, a, options),
            SideListing(session, b, options, may_be_missing=self._is_mirror),
        )
        session.reporter.stage("listing", at=(a.fs, b.fs))
        with no_garbage_collection():
            listed = list_both(listings[0], listings[1])
            self._found = rows = self._rows(listings[0], listings[1])
        for side in SIDES:
            synced = [file for row in rows if not (file := row.files[side]).moved_away]
            listings[side].spare_hidden(synced)
            listed = worst([listed, listings[side].avoid_links(synced, listings[1 - side].files)])
            listings[side].notice_case(listings[1 - side].by_path.keys())
        self._listed = listed
        return self._planned()

    def review(self, first: Planned) -> Planned | None:
        """Let a person decide the conflicts, if there are any; None to change nothing."""
        if not self._conflicts:
            return first
        result = review_conflicts(self._session, self._conflicts, self._settings, self._locations, self._planned)
        if not self._answered:
            _report_skipped(self._session, first.plan)
        return result

    def _planned(self, answers: Answers | None = None) -> Planned:
        """The plan of what was listed, once all is read that has to be. With answers, a person has seen the conflicts."""
        session, options, listings = self._session, self._options, self._listings
        session.reporter.stage("planning")
        answered = False
        while True:
            sides = listings[0].side(), listings[1].side()
            made = plan_sync(
                SyncRequest(
                    sides=sides,
                    rows=self._found,
                    answers=answers or {},
                    reviewed=answers is not None,
                    empty_folders=self._empty_folders,
                    settings=self._settings,
                    now_ns=time.time_ns(),
                    answered=answered,
                    bytes_read=sum(listing.bytes_read for listing in listings),
                    tool_version=orchestrator.__version__,
                    created=created_now(),
                    config_sha256=session.loaded_config.sha256,
                )
            )
            if not isinstance(made, Questions):
                found = [listings[side].look_for(self._gone_from(side, made.plan)) for side in SIDES]
                if not any(found):
                    break
                answered = False
                continue
            # Not `or`: both sides are asked. What could not be read is not asked for again.
            news = [listings[side].answer(made, listings[1 - side]) for side in SIDES]
            answered = not any(news)
        self._record = SyncRecord(
            ids=self._ids, state=self._state, links=made.links, empty_folders=made.empty_folders, resync=self._resync
        )
        self._conflicts = made.conflicts
        plan = made.plan if options.plan_file is None and options.conflict != "ask" else with_record(made.plan, self._record)
        self._answered = answers is not None
        said = _nothing_to_do(plan, sides)
        if options.conflict == "ask" and made.conflicts and plan.operations and answers is None:
            return Planned(plan, worst([self._listed, code_of_skipped(plan)]), said)
        counts = plan.header.counts
        if unseen := counts.get("edits_unseen", 0):
            what = "keeps neither hashes nor times, so an edit that keeps the size may go unseen there"
            session.reporter.note(f"{counted(unseen, 'file')} on a server that {what}: --checksum reads them")
        if unlike := counts.get("not_compared", 0):
            what = "of equal size could not be compared (no hash in common, no equal times)"
            session.reporter.note(f"{counted(unlike, 'file')} {what}: --checksum compares them")
        return Planned(plan, worst([self._listed, _report_skipped(session, plan)]), said)

    def _gone_from(self, side: SideNumber, plan: Plan) -> list[str]:
        """The synced files that a side has no more, so that they are deleted on the other one."""
        there = other(side)
        deleted = {one.src.path for one in plan.operations if one.verb is Verb.DELETE and one.src.fs == self._locations[there].fs}
        rows = (row.files for row in self._found if row.files[there].path in deleted) if deleted else ()
        return [files[side].path for files in rows]

    def begin(self, plan: Plan) -> None:
        """Before the first change, or where there is none: see `begin_sync`."""
        if self._record is not None:
            begin_sync(self._session, plan, self._record)
        if not plan.operations:
            _remove_folders(self._session, folders_of(plan.header, GONE_FOLDERS))

    def _rows(self, a: SideListing, b: SideListing) -> Sequence[Row]:
        """The common state of the pair."""
        ids = self._ids
        if ids[0] is None or ids[1] is None or self._resync:
            return ()
        pair = Pair((ids[0], ids[1]), (self._locations[0].fs, self._locations[1].fs))
        if restored := found_restored(self._session, self._locations, pair):
            self._session.reporter.warning(f"{restored}: this sync is like a first one, which deletes nothing")
            self._resync = True
            return ()
        settle_ended_runs(self._session, pair)
        with open_common_state(self._session) as state:
            known = state.rows(pair, (a.by_path, b.by_path))
            self._empty_folders = state.empty_folders(pair)
            a.refused, b.refused = map(state.refused, ids)
        self._state = known.digest
        if known.damaged:
            self._session.reporter.warning(
                f"the record of {known.damaged} files that were in sync is damaged: they are compared as in a first sync"
            )
        for side, listing in zip(SIDES, (a, b), strict=True):
            if listing.lacks_any_of(row.files[side].path for row in known.rows):
                synced = {row.files[side].path: known.after_runs[row.number] for row in known.rows}
                listing.renamed = own_renames(self._session, self._locations[side], synced)
        return known.rows


def _remove_folders(session: Session, gone: Mapping[str, Collection[str]]) -> None:
    """Remove the empty folders that are gone on the other side where no file changes, and so no run removes them.

    Not where removing one also deletes what the listing missed: there, the next run moves them to its trash.
    """
    locations = session.locations(*gone)
    for location in [one for one in locations if not session.storage(one).capabilities.rmdir_is_recursive]:
        folders, obstacles = gone[location.fs], Obstacles(last_try=True)
        if agreed(
            session, f"Remove {counted(len(folders), 'empty folder')} of {location.typed} that the other side has removed?"
        ):
            with reaching(session, location):
                remove_if_empty(session.storage(location), folders, "", obstacles)
        for problem in obstacles.problems:
            session.reporter.warning(problem.message)


def _report_skipped(session: Session, plan: Plan) -> ExitCode:
    """As `report_skipped`, but people get one line for all files with other names, unless they ask for more."""
    others = [one for one in plan.skipped if one.code == "other-name"]
    if len(others) < 2 or session.options.verbose or session.options.json:
        return report_skipped(session, plan)
    rest = msgspec.structs.replace(plan, skipped=tuple(one for one in plan.skipped if one.code != "other-name"))
    report_skipped(session, rest)
    where = f"B ({plan.header.target})"
    what = f"{len(others):,} files have other names on {where}: --keep-names a or b says whose to use; -v lists them"
    session.problems.report("other-name", what, location=plan.header.source)
    session.summary.ops_skipped += len(others)
    return ExitCode.SOME_FAILED


def _nothing_to_do(plan: Plan, sides: Sequence[Side]) -> str:
    """What to say of a plan without operations: that both sides are alike only if all of both was compared."""
    counts = plan.header.counts
    left = sum(counts.get(name, 0) for name in ("only_at_source", "only_at_target", "changed_at_target", "renamed_at_target"))
    if left:
        return f"nothing to do (left as they are, because it goes one way: {counted(left, 'file')})"
    partial = any(side.left_out or side.waiting or side.unlisted for side in sides) or counts.get("kept_after_move")
    return "nothing to do" if plan.skipped or partial else "nothing to do: both sides are alike"
