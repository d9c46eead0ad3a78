"""Which tracks are missing from an album, judged by the track numbers that are present."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from orchestrator.track import Track

MAX_TOTAL = 999
"""A track total above this is a damaged or hostile tag, not a count of tracks."""
MAX_INFERRED_TOTAL = 99
"""Without a total, the highest track number counts as one, up to this: higher numbers mean "disc and track" (213) or a year."""


class Missing(msgspec.Struct, frozen=True, gc=False):
    """What is missing from an album."""

    tracks: int
    """How many tracks, not counting those of missing discs."""
    discs: tuple[int, ...]
    """Discs without any track."""
    description: str
    """All of it, for people: "3, 5-9", "disc 1: 4; disc 3"."""


def missing(tracks: Sequence[Track]) -> Missing | None:
    """What is missing from the album of these tracks; None if nothing is known to be missing.

    A disc should have all numbers up to the total that most of its tracks state; without a total, up to its highest number.
    Numbers that continue from disc to disc are treated as one sequence. A track without a number may be any of the missing ones.
    """
    discs: dict[int, list[Track]] = defaultdict(list)
    for track in tracks:
        discs[track.disc or 1].append(track)
    continuous = len(discs) > 1 and _numbers_continue(discs.values())
    gaps = {0: _gaps(tracks)} if continuous else {disc: _gaps(discs[disc]) for disc in sorted(discs)}
    missing_tracks = sum(map(len, gaps.values()))
    if missing_tracks <= sum(1 for track in tracks if track.track is None):
        gaps, missing_tracks = {}, 0
    missing_discs = _missing_discs(tracks, discs)
    if not missing_tracks and not missing_discs:
        return None
    with_discs = not continuous and (len(discs) > 1 or bool(missing_discs))
    return Missing(missing_tracks, missing_discs, _description(gaps, missing_discs, with_discs=with_discs))


def _numbers_continue(discs: Iterable[Sequence[Track]]) -> bool:
    """Whether no track number occurs on two discs."""
    numbers = [number for tracks in discs for number in {track.track for track in tracks} - {None}]
    return len(numbers) == len(set(numbers))


def _gaps(tracks: Sequence[Track]) -> list[int]:
    """The missing numbers of one disc, ascending."""
    present = {track.track for track in tracks if track.track}
    total = _most_stated(track.track_total for track in tracks)
    if not total and present and max(present) <= MAX_INFERRED_TOTAL:
        total = max(present)
    return [number for number in range(1, total + 1) if number not in present] if total <= MAX_TOTAL else []


def _missing_discs(tracks: Iterable[Track], discs: Mapping[int, object]) -> tuple[int, ...]:
    total = _most_stated(track.disc_total for track in tracks)
    return tuple(disc for disc in range(1, total + 1) if disc not in discs) if total <= MAX_INFERRED_TOTAL else ()


def _most_stated(values: Iterable[int | None]) -> int:
    """The most frequent number, the smallest if several are equally frequent; 0 if there is none."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value), default=0)


def _description(gaps: Mapping[int, Sequence[int]], missing_discs: Iterable[int], *, with_discs: bool) -> str:
    parts = [(f"disc {disc}: " if with_discs else "") + _ranges(numbers) for disc, numbers in gaps.items() if numbers]
    return "; ".join([*parts, *(f"disc {disc}" for disc in missing_discs)])


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as "3, 5-9"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
