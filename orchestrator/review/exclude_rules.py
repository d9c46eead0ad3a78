"""Which patterns of `exclude` leave files alone as a person has done, and what else they change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from orchestrator.paths import parents_of
from orchestrator.plan.model import Plan
from orchestrator.records import Ref
from orchestrator.review.albums import AlbumsReview, made_of

_MOST_PATTERNS = 20
"""More would hardly be rules."""


class ExcludeRules(NamedTuple):
    """Patterns, and what they come to."""

    patterns: Sequence[str]
    """Empty if there is nothing to say, or too much."""
    alike: int = 0
    """How many of the files left stay with them."""
    others: int = 0
    """How many other files come out otherwise, because what is excluded is no track of its album."""


def exclude_rules(review: AlbumsReview, known: Iterable[Ref], plan_excluding: Callable[[Sequence[str]], Plan]) -> ExcludeRules:
    """The outermost folders of which every file is left, and single files, as patterns that are tried once.

    `known` is all that lies in the location, whether or not it changes. `plan_excluding` makes the plan with such
    patterns.
    """
    review.settle()
    patterns = patterns_of(review.left, known)
    if not patterns or len(patterns) > _MOST_PATTERNS:
        return ExcludeRules(())
    decided, tried = review.now.changes, made_of(plan_excluding(patterns)).changes
    goals = ({ref: (step.verb, step.dst) for ref, step in changes.items()} for changes in (decided, tried))
    one, other = goals
    others = sum(one.get(ref) != other.get(ref) for ref in {*one, *other} if ref not in review.left)
    return ExcludeRules(patterns, len(review.left - tried.keys()), others)


def patterns_of(left: frozenset[Ref], known: Iterable[Ref]) -> list[str]:
    """Patterns for the files left that match no other known file, as every command obeys them.

    There is none for a file that shares its name with one of these.
    """
    other_paths = {ref.path for ref in known if ref not in left}
    others = Counter(folder for path in other_paths for folder in parents_of(path))
    found = set()
    for path in {ref.path for ref in left} - other_paths:
        whole = [folder for folder in parents_of(path) if not others[folder]]
        found.add(f"/{_literal(whole[-1])}/" if whole else f"/{_literal(path)}")
    return sorted(found)


def _literal(path: str) -> str:
    """A pattern that matches this path and no other."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)
