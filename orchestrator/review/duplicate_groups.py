"""Groups of duplicates as a plan decides them, and as they come out with the choices of a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.choices import NO_CHOICES, Choices
from orchestrator.plan.planners.dedup.records import Decision
from orchestrator.plan.planners.dedup.search import SameFiles
from orchestrator.plan.planners.dedup.settings import DedupSettings
from orchestrator.records import Ref
from orchestrator.review.decisions import Decisions

Group = Sequence[Candidate]
Leaving = Mapping[int, Decision]
"""id (of Python) of each candidate that is quarantined -> the decision about it."""


class Chosen(NamedTuple):
    """What a person has decided about one group."""

    kept: frozenset[Ref] = frozenset()
    """Files to keep instead of the others."""
    left: frozenset[Ref] = frozenset()
    """Files that stay, while the criteria decide about the others."""


class Effect(NamedTuple):
    """What one step came to."""

    decided: frozenset[int]
    """The groups whose decision is another one than before."""
    changed: frozenset[int]
    """The groups that come out otherwise than before."""


class DuplicateGroups:
    """The groups of files that are the same, and what a person has decided about them.

    Each step decides the groups again by the search that makes the plan, so that what is shown is what would be planned, with
    all its rules: only copies of a kept file are quarantined, and no complete album loses a track.
    """

    def __init__(self, found: SameFiles, options: DedupSettings) -> None:
        self.found = found
        self.options = options
        clusters = _clusters(found.groups)
        self._cluster_of = {id(member): cluster for cluster in clusters for group in cluster for member in group}
        decided = found.decide(options, NO_CHOICES, found.groups)
        self.planned: Leaving = {id(one.duplicate): one for one in decided.decisions}
        self.leaving: dict[int, Decision] = dict(self.planned)
        """What would be quarantined now."""
        self._reasons = _by_file(decided.reasons)
        self.groups: list[Group] = sorted(found.groups, key=lambda group: not any(id(one) in self.planned for one in group))
        """Those in which all files are kept come last."""
        self.number_of = {id(member): number for number, group in enumerate(self.groups) for member in group}
        """id (of Python) of a candidate -> number of its group."""
        self.decisions: Decisions[Chosen] = Decisions()
        self._order = found.order(options)
        self.files = len(self.leaving)
        """How many files would be quarantined now."""
        self.size = sum(one.duplicate.size for one in self.leaving.values())
        """Their bytes."""

    @property
    def choices(self) -> Choices:
        """All decisions, for the planner."""
        return _choices(self.decisions.made.values())

    def best(self, members: Iterable[Candidate]) -> Candidate:
        """The one that the criteria prefer."""
        return min(members, key=self._order.rank)

    def step(self, decisions: Mapping[int, Chosen | None]) -> Effect:
        """Decide these groups; None: as planned."""
        return self._decide_again(self.decisions.make(decisions))

    def undo(self) -> Effect:
        """Take back the last step."""
        return self._decide_again(self.decisions.undo())

    def outcome(self, number: int, leaving: Leaving | None = None) -> frozenset[int]:
        """What is quarantined of a group: ids (of Python)."""
        found = self.leaving if leaving is None else leaving
        return frozenset(id(member) for member in self.groups[number] if id(member) in found)

    def why_kept(self, member: Candidate) -> str | None:
        """Why a file stays beside others of its group that stay, in words; None if nothing speaks against its quarantine."""
        return self._reasons.get(id(member))

    def together_with(self, numbers: Iterable[int]) -> list[Group]:
        """These groups, and all that have to be decided together with them."""
        clusters = {id(cluster): cluster for number in numbers for cluster in [self._cluster_of[id(self.groups[number][0])]]}
        return [group for cluster in clusters.values() for group in cluster]

    def _decide_again(self, decided: Collection[int]) -> Effect:
        """Search again wherever another decision may make a difference."""
        groups = self.together_with(decided)
        numbers = {self.number_of[id(group[0])] for group in groups}
        before = {number: self.outcome(number) for number in numbers}
        of_them = [chosen for number in numbers if (chosen := self.decisions.get(number)) is not None]
        again = self.found.decide(self.options, _choices(of_them), groups)
        members = {id(member) for group in groups for member in group}
        for one in members & self.leaving.keys():
            self._count(self.leaving.pop(one), -1)
        for one in members:
            self._reasons.pop(one, None)
        self._reasons |= _by_file(again.reasons)
        for decision in again.decisions:
            self.leaving[id(decision.duplicate)] = decision
            self._count(decision, 1)
        return Effect(frozenset(decided), frozenset(number for number in numbers if self.outcome(number) != before[number]))

    def _count(self, decision: Decision, sign: int) -> None:
        self.files += sign
        self.size += sign * decision.duplicate.size


def _by_file(reasons: Mapping[tuple[int, int], str]) -> dict[int, str]:
    """The first reason of each file."""
    found: dict[int, str] = {}
    for (one, _), why in reasons.items():
        found.setdefault(one, why)
    return found


def _choices(chosen: Iterable[Chosen]) -> Choices:
    kept: set[Ref] = set()
    left: set[Ref] = set()
    for one in chosen:
        kept |= one.kept
        left |= one.left
    return Choices(frozenset(kept), frozenset(left)) if kept or left else NO_CHOICES


def _clusters(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups that have to be decided together: those with tracks of one copy of an album, and so on."""
    cluster_of: dict[int, int] = {}
    clusters: dict[int, list[Group]] = defaultdict(list)
    for number, group in enumerate(groups):
        copies = {id(member.album_copy) for member in group if member.album_copy is not None}
        own, *others = sorted(
            {cluster_of[copy] for copy in copies if copy in cluster_of}, key=lambda one: -len(clusters[one])
        ) or [number]
        clusters[own].append(group)
        for other in others:
            moved = clusters.pop(other)
            clusters[own] += moved
            cluster_of |= {id(member.album_copy): own for one in moved for member in one if member.album_copy is not None}
        cluster_of |= dict.fromkeys(copies, own)
    return list(clusters.values())
