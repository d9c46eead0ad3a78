"""Let a person decide which files `organize` leaves where they are, and say which patterns decide in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from orchestrator.actions.change import Planned
from orchestrator.actions.reviewing import appended, reviewed, save_in_config
from orchestrator.actions.session import Session
from orchestrator.catalogue.selection import EXCLUDED
from orchestrator.globs import compile_globs
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest, source_names
from orchestrator.records import Ref
from orchestrator.review.albums import AlbumsReview
from orchestrator.review.exclude_rules import exclude_rules
from orchestrator.wording import counted


def review_albums(
    session: Session, request: OrganizeRequest, first: Planned, plan_leaving: Callable[[frozenset[Ref]], Planned]
) -> Planned | None:
    """Show where files go, and plan again with those that are left; None to change nothing.

    `request` is that of the first plan.
    """
    review = AlbumsReview(request, first.plan, lambda left: plan_organize(replace(request, left=left)))
    if not len(review):  # only mirrors change, or another target
        return plan_leaving(frozenset())
    return reviewed(session, review, lambda: plan_leaving(review.left), lambda: _save_rules(session, request, review))


def plan_excluding(request: OrganizeRequest, patterns: Sequence[str]) -> Plan:
    """The plan of a run with these patterns of `exclude`."""
    excluded = compile_globs(patterns)
    items = [
        replace(item, skipped_because=EXCLUDED)
        if item.skipped_because is None and excluded is not None and excluded.search(item.entry.path)
        else item
        for item in request.items
    ]
    return plan_organize(replace(request, items=items))


def known_files(request: OrganizeRequest) -> list[Ref]:
    """All files of the source; a folder that is not listed counts as one."""
    names, fs = source_names(request), request.source_fs
    unlisted = [Ref(fs, f"{folder}/") for folder in (*request.foreign_folders, *request.kept_spellings)]
    return [*(names.ref(fs, item.entry) for item in (*request.items, *request.litter)), *unlisted]


def _save_rules(session: Session, request: OrganizeRequest, review: AlbumsReview) -> None:
    """Say which patterns of `exclude` decide as the person has done, and write them if the person agrees."""
    note = session.reporter.note
    session.reporter.stage("looking for rules")
    rules = exclude_rules(review, known_files(request), lambda patterns: plan_excluding(request, patterns))
    if not review.left:
        note("nothing was decided, so there is nothing to save")
    elif not rules.alike:
        note("no rule says what was decided: it holds for this run alone, or as a plan file")
    else:
        note(f"these patterns keep {rules.alike} of {counted(len(review.left), 'file')} where they are, as you did:")
        for pattern in rules.patterns:
            note(f"  {pattern}")
        note("every command then skips what matches, in every location")
        if rules.others:
            note(f"{counted(rules.others, 'other file')} would go elsewhere, or stay: what is excluded is no track of its album")
    save_in_config(session, {"exclude": appended(rules.patterns)} if rules.alike else {})
