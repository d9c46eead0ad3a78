"""`sync` as a pure function: two listings and the last common state in, one plan out.

Each side is compared with its own part of the last common state; the sides are compared with each other only where there is none,
or where both have changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from orchestrator.garbage_collection import no_garbage_collection
from orchestrator.paths import case_key
from orchestrator.plan.build import build_plan
from orchestrator.plan.estimate import requests_at
from orchestrator.plan.model import Skipped
from orchestrator.plan.planners.sync.brakes import Entries, check_changes, check_deletions, check_listings, remedy_to_start_over
from orchestrator.plan.planners.sync.clashes import Clashes
from orchestrator.plan.planners.sync.conflicts import Judge, whole_hours
from orchestrator.plan.planners.sync.each_way import COUNTS
from orchestrator.plan.planners.sync.evidence import Comparison, differ
from orchestrator.plan.planners.sync.first_meeting import Met, meet
from orchestrator.plan.planners.sync.folder_spelling import FolderSpelling
from orchestrator.plan.planners.sync.folders import FolderRequest, empty_folders
from orchestrator.plan.planners.sync.matching import Now, SideState, edits_unseen, match_side
from orchestrator.plan.planners.sync.moved_away import MovedAway
from orchestrator.plan.planners.sync.operations import Work, work_for
from orchestrator.plan.planners.sync.reconcile import Basis, Reconciler, Wish
from orchestrator.plan.planners.sync.records import (
    SIDES,
    Conflict,
    File,
    Link,
    Questions,
    Row,
    Side,
    SideNumber,
    SyncPlan,
    SyncRequest,
    options_of,
)
from orchestrator.plan.planners.sync.scope import Scope
from orchestrator.plan.planners.sync.still import is_still

States = tuple[SideState, SideState]
Paths = tuple[list[str], list[str]]


def plan_sync(request: SyncRequest) -> SyncPlan | Questions:
    """The plan that carries the changes of each side to the other, or what must be read first to know them.

    Answer the questions in the files of the sides, and plan again. Raises SafetyLimitError when a side has lost or changed too
    much.
    """
    with no_garbage_collection():
        return _plan(request)


def _plan(request: SyncRequest) -> SyncPlan | Questions:
    scope = Scope(request.sides)
    if is_still(scope.sides, request.rows, request.settings):
        unedited = [side.files for side in scope.sides]
        return _sync_plan(request, scope, Work(), {"edits_unseen": _edits_unseen(scope.sides, unedited)})
    return _plan_changes(request, scope)


def _plan_changes(request: SyncRequest, scope: Scope) -> SyncPlan | Questions:
    comparison = Comparison(scope.sides, request.now_ns, answered=request.answered)
    states = (
        match_side(SIDES[0], scope.sides, request.rows, comparison),
        match_side(SIDES[1], scope.sides, request.rows, comparison),
    )
    if comparison.questions and not request.answered:
        return comparison.questions
    rows = {row.number: row for row in request.rows}
    hidden, resting = _taking_no_part(scope, rows, states)
    taking_part = {number: rows[number] for number in sorted(rows.keys() - hidden - resting)}
    check_listings(scope.sides, states, taking_part.values(), request.settings)
    judge = Judge(request.settings, comparison, clocks_differ=partial(_clocks_differ, states, comparison))
    moved_away = MovedAway(taking_part, states)
    entries = {number: (states[0].known.get(number), states[1].known.get(number)) for number in moved_away.other_rows}
    parted, met_again = _take_out_parted(entries, states)
    fixed = _fixed(scope, states, hidden | resting)
    first, second = (scope.unfrozen([*states[side].new, *moved_away.met_again[side], *met_again[side]]) for side in SIDES)
    known = [*_files(entries), *(wish.files for wish in moved_away.wishes)]
    met = meet((first, second), known, fixed, comparison, request.settings.name_giver)
    basis = Basis(
        scope.sides, request.settings, comparison, judge, FolderSpelling(scope.sides, rows, entries, met), request.answers
    )
    reconciler = Reconciler(basis)
    wishes = _wishes(rows, entries, met, reconciler, moved_away.wishes)
    if comparison.questions and not request.answered:
        return comparison.questions
    clashes = Clashes(basis)
    clashes.settle(wishes, fixed)
    _ask_before_sending(wishes, comparison)
    if comparison.questions and not request.answered:
        return comparison.questions
    changed = {wish.row.number for wish in wishes if wish.row is not None and wish.content is not None}
    start_over = remedy_to_start_over(rows.values())
    check_changes(scope.sides, entries, changed, request.settings, start_over=start_over)
    work = work_for(scope.sides, wishes, request.settings.emptied)
    check_deletions(scope.sides, [work.counts[f"{letter}_deleted"] for letter in "ab"], request.settings, start_over=start_over)

    unedited = [[now.file for now in state.known.values() if not now.edited] for state in states]
    links = [*moved_away.links, *work.links, *(Link(number, None) for number in sorted({*hidden, *parted, *_gone(entries)}))]
    return _sync_plan(
        request,
        scope,
        work,
        {
            **reconciler.counts,
            "edits_unseen": _edits_unseen(scope.sides, unedited),
            "kept_after_move": len(moved_away.wishes),
        },
        skipped=[*reconciler.skipped, *clashes.skipped],
        links=links,
        lost=_lost(rows, entries),
        conflicts=reconciler.conflicts,
    )


def _sync_plan(
    request: SyncRequest,
    scope: Scope,
    work: Work,
    counts: Mapping[str, int],
    *,
    skipped: Iterable[Skipped] = (),
    links: Iterable[Link] = (),
    lost: Collection[Row] = (),
    conflicts: Iterable[Conflict] = (),
) -> SyncPlan:
    """The plan of this work; `counts` and `skipped` are those that come to what the scope and the work say.

    `lost`: the rows of which a side has lost its file.
    """
    folders = empty_folders(
        FolderRequest(request.sides, work.operations, request.empty_folders, lost, request.settings, scope.is_frozen)
    )
    files = max(len(side.files) for side in scope.sides)
    total = Counter({"files": files, "not_carried": scope.not_carried, "kept_after_move": 0})
    total.update(_counts(request, work))
    total.update(counts)
    plan = build_plan(
        work.operations,
        source=request.sides[0].fs,
        target=request.sides[1].fs,
        options={**options_of(request.settings, reviewed=request.reviewed), **folders.options()},
        capabilities={side.fs: side.capabilities for side in request.sides},
        counts=total,
        skipped=sorted(dict.fromkeys([*scope.skipped, *skipped]), key=lambda one: (one.path, one.code, one.reason)),
        tool_version=request.tool_version,
        created=request.created,
        config_sha256=request.config_sha256,
    )
    return SyncPlan(plan, tuple(links), folders.common, tuple(sorted(conflicts, key=lambda one: one.paths)))


def _counts(request: SyncRequest, work: Work) -> Counter[str]:
    """What is done at each side, and what that asks of it."""
    asked = requests_at(work.operations, {side.fs: side.capabilities for side in request.sides})
    counts = Counter({f"requests_{letter}": asked[side.fs] for letter, side in zip("ab", request.sides, strict=True)})
    counts.update(dict.fromkeys(COUNTS, 0))
    counts.update(work.counts)
    counts["bytes_read"] = request.bytes_read
    return counts


def _taking_no_part(scope: Scope, rows: dict[int, Row], states: States) -> tuple[set[int], set[int]]:
    """The entries that leave the common state, and those that rest in it.

    An entry that filters hide on both sides leaves. One that they hide on one side, because it was renamed there, rests: its
    other file would seem new. So does one of which --delete-after has left one file only.
    """
    first, second = states
    seen = first.known.keys() | second.known.keys()
    moved_away = {number for number, row in rows.items() if row.moved_away_from is not None}
    hidden = (first.left_out | second.left_out) - seen - first.waiting - second.waiting - moved_away
    moved_there = {number for state in states for number, now in state.known.items() if scope.is_frozen(now.file.path)}
    frozen = {number for number, row in rows.items() if scope.has_frozen_path(row)}
    resting = first.waiting | second.waiting | moved_there | frozen | ((first.left_out | second.left_out) & (seen | moved_away))
    return hidden - resting, resting


def _edits_unseen(sides: tuple[Side, Side], unedited: Sequence[Sequence[File]]) -> int:
    """How many of the files of each side that look unchanged may have been edited all the same."""
    return sum(edits_unseen(side, files) for side, files in zip(sides, unedited, strict=True))


def _wishes(
    rows: Mapping[int, Row], entries: Entries, met: Iterable[Met], reconciler: Reconciler, others: Iterable[Wish]
) -> list[Wish]:
    """The wishes of all entries, by path; `others` are already made."""
    wishes = [wish for number, now in entries.items() if any(now) for wish in reconciler.wishes(rows[number], now)]
    wishes += others
    for files in met:
        first, second = (Now(file, moved=True, edited=True) if file else None for file in files)
        wishes += reconciler.wishes(None, (first, second))
    return sorted(wishes, key=_by_path)


def _take_out_parted(
    entries: dict[int, tuple[Now | None, Now | None]], states: States
) -> tuple[set[int], tuple[list[File], list[File]]]:
    """Take out the entries whose two files are to meet as new ones. Returns their rows, and the files of each side.

    Those that the common state takes for alike although they differ, and neither side has changed: it knows nothing of them. And
    those with two names, where a side now also has the name of the other, with the same content.
    """
    new = [{file.path: file for file in state.new} for state in states]
    parted: set[int] = set()
    files: tuple[list[File], list[File]] = ([], [])
    for number, (first, second) in [*entries.items()]:
        if first is None or second is None or first.edited or second.edited:
            continue
        one, two = first.file, second.file
        has_other_name = not (first.moved or second.moved) and case_key(one.path) != case_key(two.path)
        found = [(new[0].get(two.path), two), (new[1].get(one.path), one)] if has_other_name else []
        if differ(one, two) or any(file and not differ(file, beside) for file, beside in found):
            parted.add(number)
            del entries[number]
            files[0].append(one)
            files[1].append(two)
    return parted, files


def _gone(entries: Entries) -> set[int]:
    """The rows whose files are gone on both sides."""
    return {number for number, now in entries.items() if not any(now)}


def _lost(rows: Mapping[int, Row], entries: Entries) -> list[Row]:
    """The rows of which a side has lost its file."""
    return [rows[number] for number, now in entries.items() if not all(now)]


def _files(entries: Entries) -> list[Met]:
    def file(now: Now | None) -> File | None:
        return None if now is None else now.file

    return [(file(first), file(second)) for first, second in entries.values()]


def _ask_before_sending(wishes: Iterable[Wish], comparison: Comparison) -> None:
    for wish in wishes:
        if wish.content is not None:
            comparison.ask_before_sending(wish.content, wish.files[wish.content])


def _by_path(wish: Wish) -> tuple[str, SideNumber, bool, int]:
    return wish.claimant.path, wish.claim, wish.renamed, wish.row.number if wish.row else 0


def _fixed(scope: Scope, states: States, resting: set[int]) -> Paths:
    """The paths on each side of files that take no part."""
    fixed: Paths = ([], [])
    for side in SIDES:
        fixed[side].extend(file.path for file in (*scope.sides[side].left_out, *scope.sides[side].waiting))
        fixed[side].extend(now.file.path for number, now in states[side].known.items() if number in resting)
        fixed[side].extend(file.path for file in states[side].new if scope.is_frozen(file.path))
    return fixed


def _clocks_differ(states: States, comparison: Comparison) -> bool:
    """Whether the times of more than half of the unchanged files are whole hours apart, as in another time zone."""
    first, second = (state.known for state in states)
    pairs = [(first[row], second[row]) for row in first.keys() & second.keys()]
    times = [(one.file.entry.mtime_ns, two.file.entry.mtime_ns) for one, two in pairs if not (one.edited or two.edited)]
    known = [(one, two) for one, two in times if one is not None and two is not None]
    apart = sum(1 for one, two in known if whole_hours(two - one, comparison.tolerance_ns))
    return apart > len(known) / 2
