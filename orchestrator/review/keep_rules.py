"""Which keys of the config make a run that nobody watches decide about duplicates as a person has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from orchestrator.paths import join_location
from orchestrator.plan.planners.dedup.candidates import Candidate
from orchestrator.plan.planners.dedup.choices import NO_CHOICES
from orchestrator.plan.planners.dedup.settings import DEFAULT_KEEP, DedupSettings
from orchestrator.review.duplicate_groups import DuplicateGroups
from orchestrator.review.folders import folders_of

_MOST_RULES = 3
"""More would hardly be rules."""
_MOST_FOLDERS = 12
"""How many folders are tried, those of most decisions first: each try is a search."""
_FIRST_LOOK = 300
"""Decided groups on which each rule is tried first."""
_SPECIAL = str.maketrans({"[": "[[]", "*": "[*]", "?": "[?]"})


class Rules(NamedTuple):
    """Keys for the config, and how well they say what was decided."""

    settings: dict[str, Any]
    """Dotted key -> value; none if no rule says any of it."""
    alike: int
    """Decided groups that come out in the same way by these rules."""
    unlike: int
    """Decided groups that do not."""
    others: int
    """Groups that were not decided, and come out otherwise by these rules."""


class _Try(NamedTuple):
    """What some options come to, beside the decisions."""

    options: DedupSettings
    alike: int
    others: int

    @property
    def worth(self) -> tuple[int, int]:
        """The best has most."""
        return self.alike - self.others, -self.others


def rules_of(groups: DuplicateGroups) -> Rules:
    """The rules that say most of what was decided, and little else. Each is tried by the search that plans."""
    wanted = {number: groups.outcome(number) for number in range(len(groups.groups))}
    best = _tried(groups, groups.options, wanted)
    for _ in range(_MOST_RULES):
        if best.alike == len(groups.decisions):
            break
        some = _alike(groups, best.options, wanted)
        promising = (options for options in _further(groups, best.options) if _alike(groups, options, wanted) > some)
        tries = [_tried(groups, options, wanted) for options in promising]
        better = max(tries, key=lambda one: one.worth, default=best)
        if better.worth <= best.worth:
            break
        best = better
    return Rules(_settings(groups.options, best.options), best.alike, len(groups.decisions) - best.alike, best.others)


def _alike(groups: DuplicateGroups, options: DedupSettings, wanted: dict[int, frozenset[int]]) -> int:
    """How many of some decided groups come out as decided: a first look, because a search in all groups takes long."""
    step = len(groups.decisions) // _FIRST_LOOK + 1
    numbers = sorted(groups.decisions.made)[::step]
    decided = groups.found.decide(options, NO_CHOICES, groups.together_with(numbers))
    leaving = {id(one.duplicate): one for one in decided.decisions}
    return sum(groups.outcome(number, leaving) == wanted[number] for number in numbers)


def _tried(groups: DuplicateGroups, options: DedupSettings, wanted: dict[int, frozenset[int]]) -> _Try:
    decided = groups.found.decide(options, NO_CHOICES, groups.found.groups)
    leaving = {id(one.duplicate): one for one in decided.decisions}
    alike = others = 0
    for number, outcome in wanted.items():
        same = groups.outcome(number, leaving) == outcome
        if number in groups.decisions:
            alike += same
        else:
            others += not same
    return _Try(options, alike, others)


def _further(groups: DuplicateGroups, options: DedupSettings) -> Iterator[DedupSettings]:
    """Options with one more rule."""
    keep = options.keep or DEFAULT_KEEP
    if not options.same_format_only:
        yield replace(options, same_format_only=True)
    for fs, folder in _folders(groups):
        word = f"path:{folder.translate(_SPECIAL)}/*" if folder else f"location:{fs}"
        if word not in keep:
            yield replace(options, keep=put_in_front([word], keep))
        location = join_location(fs, folder)
        if folder and location not in options.reference:
            yield replace(options, reference=(*options.reference, location))
    for word in keep:
        if word not in ("reference", "shortest_path"):  # the one is first anyway, and after the other nothing counts
            yield replace(options, keep=put_in_front([word], keep))


def put_in_front(words: Sequence[str], keep: Sequence[str]) -> tuple[str, ...]:
    """Criteria with some before all others, except for `reference` where that is the first."""
    first = tuple(one for one in keep[:1] if one == "reference")
    return (*first, *words, *(one for one in keep[len(first) :] if one not in words))


def moved_to_front(before: Sequence[str], after: Sequence[str]) -> Sequence[str]:
    """The words that `put_in_front` has put before others."""
    start = int(tuple(after[:1]) == ("reference",))
    return next(words for end in range(start, len(after) + 1) if put_in_front(words := after[start:end], before) == tuple(after))


def _folders(groups: DuplicateGroups) -> Iterator[tuple[str, str]]:
    """The folders of the files that a person has kept, those of most groups first; of equal ones the inner one."""
    several = len({member.fs for group in groups.groups for member in group}) > 1
    found: Counter[tuple[str, str]] = Counter()
    for number, chosen in groups.decisions.made.items():
        kept: list[Candidate] = [one for one in groups.groups[number] if one.ref in chosen.kept or one.ref in chosen.left]
        found.update({(one.fs, folder) for one in kept for folder in folders_of(one.path, root=several)})
    ranked = sorted(found, key=lambda one: (-found[one], -len(one[1]), one))
    yield from (one for one in ranked[:_MOST_FOLDERS] if one[1] or several)


def _settings(before: DedupSettings, after: DedupSettings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if after.keep != before.keep:
        found["dedup.keep"] = list(after.keep)
    if after.reference != before.reference:
        found["dedup.reference"] = list(after.reference)
    if after.same_format_only != before.same_format_only:
        found["dedup.same_format_only"] = after.same_format_only
    return found
