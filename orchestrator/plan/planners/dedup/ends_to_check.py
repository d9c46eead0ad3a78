"""Whose end should be read before other files are quarantined in their favour."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.plan.music.cut import may_be_cut
from orchestrator.plan.music.lost_end import flawed
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.reasons_to_keep import LOST_END, SHORTER
from orchestrator.plan.planners.dedup.records import ACTING, Duplicates, Tier


def ends_to_check(found: Duplicates) -> list[Candidate]:
    """The kept copies whose end was not read yet, and the duplicates whose end would decide which of the two is better.

    The head of a file describes the original sound even if the file was cut, or if its end never arrived. Files with the same
    bytes (T0) need no look.
    """
    wanted = {id(one): one for one in _in_doubt(found) if one.reading.end is None and not one.shares_name}
    return list(wanted.values())


def _in_doubt(found: Duplicates) -> Iterator[Candidate]:
    for one in found.decisions:
        if one.tier is Tier.BYTES:
            continue
        yield one.kept
        if flawed(one.kept.reading.end) or may_be_cut(one.duplicate.reading, one.kept.reading):
            yield one.duplicate
    for alike in found.alike:
        if alike.tier in ACTING and (SHORTER in alike.why or LOST_END in alike.why):
            yield from alike.files
