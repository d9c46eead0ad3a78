"""Which tracks are missing from an album: what the tags prove, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan.music.completeness import missing
from orchestrator.track import Track


def disc(numbers: list[int], *, of: int | None = None, number: int | None = None, discs: int | None = None) -> list[Track]:
    return [Track(track=track, track_total=of, disc=number, disc_total=discs) for track in numbers]


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        (disc([1, 2, 4, 8], of=9), "3, 5-7, 9"),
        (disc([1, 2, 4]), "3"),
        (disc([1, 2], of=3, number=1, discs=2) + disc([1, 3], of=3, number=2, discs=2), "disc 1: 3; disc 2: 2"),
        (disc([1, 2], of=2, number=1, discs=3), "disc 2; disc 3"),
        (disc([1, 3], of=3, number=1, discs=2), "disc 1: 2; disc 2"),
        (disc([1, 2, 3, 5], number=1) + disc([6, 7], number=2), "4"),
    ],
)
def test_missing_tracks_are_listed(tracks: list[Track], words: str) -> None:
    found = missing(tracks)
    assert found is not None
    assert found.description == words


@pytest.mark.parametrize(
    "tracks",
    [
        disc([]),
        disc([1, 2, 3]),
        disc([1, 2, 3, 4], of=3),
        disc([1, 1, 2, 2], of=2),
        disc([1, 2, 3], of=6, number=1, discs=2) + disc([4, 5, 6], of=6, number=2, discs=2),
        [*disc([1, 3], of=3), Track()],
        [Track(), Track()],
        disc([101, 102, 201]),
        disc([2004]),
        disc([1, 2], of=999_999_999),
        disc([1], discs=999_999_999),
    ],
    ids=repr,
)
def test_tracks_are_not_missing_without_proof(tracks: list[Track]) -> None:
    assert missing(tracks) is None


@given(st.sets(st.integers(1, 30), min_size=1), st.integers(1, 30), st.randoms())
def test_of_a_disc_with_a_total_exactly_the_absent_numbers_are_missing(there: set[int], total: int, random: object) -> None:
    tracks = disc(sorted(there), of=total)
    random.shuffle(tracks)  # type: ignore[attr-defined]
    found = missing(tracks)
    assert (found.tracks if found else 0) == len(set(range(1, total + 1)) - there)


numbers = st.none() | st.integers(1, 12) | st.integers(1, 10**9)


@given(st.lists(st.builds(Track, track=numbers, track_total=numbers, disc=numbers, disc_total=numbers), max_size=12))
def test_odd_numbers_do_no_harm(tracks: list[Track]) -> None:
    found = missing(tracks)
    assert found is None or (found.description and found.tracks + len(found.discs) > 0 and len(found.description) < 10_000)
