"""What the program reported about duplicates, in a form that can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from tests.truth.files import TIERS, PathDecision, TrueFile, TrueLibrary


class Outcome(NamedTuple):
    """One report. Paths are unique over all locations."""

    decisions: list[PathDecision]
    kept: list[frozenset[str]]
    """Files that are the same by an acting tier and are all kept for a reported reason."""
    alike: list[frozenset[str]]
    """Files that only look alike."""


class Likeness(NamedTuple):
    """The result for look-alikes, in pairs of kept files."""

    listed: int
    same_recording: int
    """Of these."""
    to_be_listed: int
    """Pairs of one recording with the same title and artist."""
    found: int
    """The pairs of these that are reported, as alike or as the same."""


def outcome_of(events: Iterable[Mapping[str, Any]]) -> Outcome:
    """From the JSON lines of `dedup`."""
    found = Outcome([], [], [])
    for event in events:
        if event["type"] == "duplicate":
            found.decisions.append(PathDecision(event["path"], event["kept_path"], event["tier"]))
        elif event["type"] == "alike":
            (found.kept if event["tier"] in TIERS else found.alike).append(frozenset(file["path"] for file in event["files"]))
    return found


def likeness_of(library: TrueLibrary, outcome: Outcome) -> Likeness:
    """How many look-alikes are true pairs: the reason why they are only reported."""
    gone = {decision.duplicate for decision in outcome.decisions}
    listed = {pair for paths in outcome.alike for pair in combinations(sorted(paths), 2)}
    named = listed | {pair for paths in outcome.kept for pair in combinations(sorted(paths), 2)}
    same = {pair for pair in listed if len({library.files[path].sound.recording for path in pair}) == 1}
    wanted = {
        (one.path, other.path)
        for group in library.groups()
        for one, other in combinations(sorted(group, key=lambda file: file.path), 2)
        if one.path not in gone and other.path not in gone and _share_a_title(one, other)
    }
    return Likeness(len(listed), len(same), len(wanted), len(wanted & named))


def _share_a_title(one: TrueFile, other: TrueFile) -> bool:
    if not (one.whole and other.whole and one.tags and other.tags) or one.cut_from or other.cut_from:
        return False
    first, second = (((*file.tags.title, ""), (*file.tags.artist, "")) for file in (one, other) if file.tags is not None)
    return all(first[0][:-1]) and bool(first[0][0] and first[1][0]) and first == second
