"""Steps that organize what a later step of the job clears of duplicates: the next run is to find nothing to do.

Names depend on the files beside them: with its copy there, an album is `Blue [old]`, and without it `Blue`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.actions.session import Session
from orchestrator.config.jobs import JobStep, PlacedStep
from orchestrator.config.options.dedup import DedupStep
from orchestrator.config.options.organize import OrganizeStep


def copying_no_duplicates(steps: Sequence[PlacedStep], session: Session) -> list[PlacedStep]:
    """The steps, but those that copy into a location that a later one searches leave out the duplicates it would quarantine.

    Otherwise each run copies them once more, because nothing at the target has their names any longer.
    """
    found = [*steps]
    for number, placed in enumerate(steps):
        step = placed.step.organize
        if step is None or step.dedup or session.config.dedup.action != "off" or not _copies_elsewhere(step, session):
            continue
        search = next((one for later in steps[number + 1 :] if (one := _search_of(later, step, session)) is not None), None)
        # A search of a part of the files says nothing about the others.
        if search is None or search.include or search.exclude:
            continue
        known = msgspec.structs.replace(
            step,
            dedup="quarantine",
            keep=step.keep or search.keep,
            reference=step.reference or search.reference,
            same_format_only=step.same_format_only or search.same_format_only,
            checksum=step.checksum or search.checksum,
            max_delete=search.max_delete if step.max_delete is None else step.max_delete,
        )
        found[number] = placed._replace(step=JobStep(organize=known))
    return found


def named_before(steps: Sequence[PlacedStep], index: int, session: Session) -> list[int]:
    """The indexes of the steps that organize in place, before the step at `index`, what that one clears of duplicates."""
    return [
        before
        for before, placed in enumerate(steps[:index])
        if (step := placed.step.organize) is not None
        and not step.copy
        and _in_place(step, session)
        and _search_of(steps[index], step, session) is not None
    ]


def _search_of(placed: PlacedStep, organized: OrganizeStep, session: Session) -> DedupStep | None:
    """The search of a step, if it takes duplicates out of the location that another step organizes."""
    search = placed.step.dedup
    if search is None or not (search.delete or search.dedup == "quarantine"):
        return None
    target, *searched = session.named(organized.target or organized.source, *search.locations)
    return search if any(session.overlap(target, one) for one in searched) else None


def _copies_elsewhere(step: OrganizeStep, session: Session) -> bool:
    return step.copies(in_place=False) and not _in_place(step, session)


def _in_place(step: OrganizeStep, session: Session) -> bool:
    if step.target is None:
        return True
    source, target = session.named(step.source, step.target)
    return session.path_below(target, source) == ""
