"""Which tracks an album lacks, by the numbers of those that are there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.track import Track

MOST_TRACKS = 999
"""A total beyond this is no count of tracks but a damaged or hostile tag."""
MOST_UNCOUNTED = 99
"""Without a total, holes count up to this number: higher ones are "disc and track" (213) or years."""


class Missing(msgspec.Struct, frozen=True, gc=False):
    """What an album lacks."""

    tracks: int
    """How many numbered tracks; those of discs of which nothing is there are not known."""
    discs: tuple[int, ...]
    """Discs of which nothing is there."""
    words: str
    """All of it, for people: "3, 5-9", "disc 1: 4; disc 3"."""


def missing(tracks: Sequence[Track]) -> Missing | None:
    """What the album of these tracks lacks; None when nothing is known to be missing.

    A disc should have the numbers up to the total that most of its tracks state; where none does, up to the highest one. Numbers
    that run on from disc to disc are one row. A track without a number may be any of those that are missing.
    """
    discs: dict[int, list[Track]] = defaultdict(list)
    for track in tracks:
        discs[track.disc or 1].append(track)
    numbers = [number for group in discs.values() for number in {track.track for track in group} - {None}]
    runs_on = len(discs) > 1 and len(numbers) == len(set(numbers))
    holes = {0: _holes(tracks)} if runs_on else {disc: _holes(discs[disc]) for disc in sorted(discs)}
    tracks_missing = sum(map(len, holes.values()))
    if tracks_missing <= sum(1 for track in tracks if not track.track):
        holes, tracks_missing = {}, 0
    total = _most_stated(track.disc_total for track in tracks)
    absent = tuple(disc for disc in range(1, total + 1) if disc not in discs) if total <= MOST_UNCOUNTED else ()
    if not tracks_missing and not absent:
        return None
    named = not runs_on and (len(discs) > 1 or bool(absent))
    parts = [(f"disc {disc}: " if named else "") + _ranges(lacking) for disc, lacking in holes.items() if lacking]
    return Missing(tracks_missing, absent, "; ".join([*parts, *(f"disc {disc}" for disc in absent)]))


def _holes(tracks: Iterable[Track]) -> list[int]:
    """The numbers that one disc lacks, ascending."""
    there, totals = set(), []
    for track in tracks:
        if track.track:
            there.add(track.track)
        totals.append(track.track_total)
    total = _most_stated(totals)
    if not total and there and max(there) <= MOST_UNCOUNTED:
        total = max(there)
    return [number for number in range(1, total + 1) if number not in there] if total <= MOST_TRACKS else []


def _most_stated(values: Iterable[int | None]) -> int:
    """The number that the most state, the smallest of equals; 0 where none does."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value), default=0)


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as "3, 5-9"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
