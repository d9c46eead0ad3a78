"""Which files are worth a closer look before a duplicate goes for one of them: nothing tells yet whether they are whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.records import ACTING, Tier
from orchestrator.plan.planners.dedup.tiers import Tiers


def ends_to_check(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The FLACs of which nobody saw the end, among files that are the same and differ in codec or in bytes of sound.

    A FLAC tells at its head what sound it held when it was made. Of other formats the reading itself shows what is missing.
    """
    acting = [candidate for candidate in candidates if candidate.takes_part]
    tiers = Tiers(acting)
    found: dict[int, Candidate] = {}
    for tier in ACTING:
        if tier is Tier.BYTES:
            continue
        sharing: dict[int, list[Candidate]] = defaultdict(list)
        labels = tiers.labels[tier]
        for candidate in acting:
            if id(candidate) in labels:
                sharing[labels[id(candidate)]].append(candidate)
        for members in sharing.values():
            if len({(member.track.codec, member.track.bitrate) for member in members}) > 1:
                found |= {id(member): member for member in members if _may_be_cut(member)}
    return list(found.values())


def _may_be_cut(candidate: Candidate) -> bool:
    return candidate.track.codec == "flac" and candidate.path.lower().endswith(".flac") and not candidate.reading.whole
