"""Which files should be read at their end before they are compared, because they may be cut short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.records import ACTING, Tier
from orchestrator.plan.planners.dedup.tiers import Tiers


def ends_to_check(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The FLAC files whose end was not read yet, among files that are the same but differ in codec or in bytes of sound.

    The head of a FLAC describes the original sound even if the file was cut. For other formats, reading the tags shows a cut.
    """
    eligible = [candidate for candidate in candidates if candidate.eligible]
    tiers = Tiers(eligible)
    found: dict[int, Candidate] = {}
    for tier in ACTING:
        if tier is Tier.BYTES:
            continue
        sharing: dict[int, list[Candidate]] = defaultdict(list)
        labels = tiers.labels[tier]
        for candidate in eligible:
            if id(candidate) in labels:
                sharing[labels[id(candidate)]].append(candidate)
        for members in sharing.values():
            if len({(member.track.codec, member.track.bitrate) for member in members}) > 1:
                found |= {id(member): member for member in members if _may_be_cut(member)}
    return list(found.values())


def _may_be_cut(candidate: Candidate) -> bool:
    return candidate.track.codec == "flac" and candidate.path.lower().endswith(".flac") and not candidate.reading.whole
