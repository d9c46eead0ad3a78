"""The better copy stays; where the facts of the sound do not tell which one it is, both stay and are listed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plan.dedup.copies import FLAC, MP3, album, found, on_album, quarantined, whys

AAC = {**MP3, "codec": "aac", "bitrate": 256_000}
OPUS = {**MP3, "codec": "opus", "sample_rate": 48_000}


def goes(one: dict[str, Any], other: dict[str, Any], **options: Any) -> dict[str, str]:
    """Which of two copies goes, "a" or "b", and by which criterion."""
    answer = found([on_album("a", 1, **{**one, "mtime": 1}), on_album("b", 1, **{**other, "mtime": 2})], **options)
    if not answer.decisions:
        (listed,) = whys(answer)
        assert listed[0] == {"a", "b"}
        assert listed[1].startswith("which of them sounds better is not clear: ")
    return {path: said.split()[-1] for path, said in quarantined(answer).items()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**MP3, "bitrate": None}, MP3),
        ({**MP3, "bitrate": None}, {**OPUS, "bitrate": 64_000}),
        ({**OPUS, "bitrate": None, "sample_rate": None}, {**AAC, "bitrate": 48_000}),
        ({**MP3, "codec": "wma"}, {**MP3, "bitrate": 64_000}),
        ({**MP3, "codec": None}, {**MP3, "bitrate": 64_000}),
        ({**MP3, "codec": "lpac", "lossless": None}, MP3),
        ({**MP3, "codec": "lpac", "lossless": None}, FLAC),
        ({**FLAC, "bit_depth": None}, FLAC),
        ({**FLAC, "sample_rate": None}, {**FLAC, "sample_rate": 96_000}),
        ({**FLAC, "codec": "dsd", "bit_depth": 1, "sample_rate": 2_822_400}, {**FLAC, "bit_depth": 24, "sample_rate": 96_000}),
        ({**FLAC, "bit_depth": 8}, MP3),
        ({**FLAC, "sample_rate": 22_050}, MP3),
        ({**MP3, "bitrate": 160_000, "sample_rate": 22_050}, {**MP3, "bitrate": 128_000}),
        (MP3, AAC),
        ({**MP3, "bitrate": 128_000}, {**OPUS, "bitrate": 64_000}),
        ({**MP3, "bitrate": 160_000}, {**OPUS, "bitrate": 96_000}),
        ({**MP3, "bitrate": 128_000}, {**AAC, "bitrate": 128_000}),
    ],
)
def test_both_stay_and_are_listed_where_nothing_tells(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert goes(one, other) == {}
    assert goes(other, one) == {}
    assert goes(one, other, keep=("oldest", "bitrate")) == {"b": "oldest"}, "what the user ranks higher decides"


@pytest.mark.parametrize(
    ("better", "worse", "criterion"),
    [
        (MP3, {**AAC, "bitrate": 48_000, "bit_depth": 16, "sample_rate": 48_000}, "bitrate"),
        ({**AAC, "bit_depth": None}, {**MP3, "bitrate": 128_000, "bit_depth": 16}, "bitrate"),
        ({**OPUS, "bitrate": 96_000, "sample_rate": None}, {**MP3, "bitrate": 128_000}, "bitrate"),
        ({**AAC, "bitrate": 48_000}, {**MP3, "bitrate": 48_000}, "bitrate"),
        (FLAC, OPUS, "lossless"),
        ({**FLAC, "bit_depth": None, "sample_rate": None}, MP3, "lossless"),
        ({**FLAC, "sample_rate": 22_050}, {**MP3, "sample_rate": 22_050}, "lossless"),
        ({**MP3, "codec": "wma", "bitrate": 192_000}, {**MP3, "codec": "wma", "bitrate": 128_000}, "bitrate"),
        ({**MP3, "mtime": 1}, {**MP3, "sample_rate": 48_000, "bit_depth": 24, "mtime": 2}, "oldest"),
    ],
)
def test_the_better_copy_stays_by_facts_that_both_state(better: dict[str, Any], worse: dict[str, Any], criterion: str) -> None:
    assert goes(better, worse) == {"b": criterion}
    if criterion != "oldest":
        assert goes(worse, better) == {"a": criterion}


def test_a_reference_decides_between_qualities_that_cannot_be_compared() -> None:
    places = {"/ref": [on_album("a", 1, **MP3)], "/in": [on_album("b", 1, **AAC)]}
    assert [one.duplicate.path for one in found(places, reference=("/ref",)).decisions] == ["b"]
    assert not found(places).decisions


def test_a_quiet_track_of_an_album_counts_with_the_bitrate_of_the_album() -> None:
    """A variable bitrate spends fewer bits on it, which says nothing about its quality."""
    old, new = album("old", **{**MP3, "bitrate": 128_000}), album("new", **AAC)
    new[1] = on_album("new/02.flac", 2, **{**AAC, "bitrate": 90_000})
    assert set(quarantined(found([*old, *new]))) == {f"old/0{number}.flac" for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("length", "other", "same"), [(30.0, 30.8, True), (30.0, 31.0, False), (200.0, 201.9, True), (200.0, 202.1, False)]
)
def test_equal_tags_need_lengths_within_2_seconds_and_3_percent(length: float, other: float, same: bool) -> None:
    answer = found([on_album("a", 1, duration_s=length), on_album("b", 1, duration_s=other)])
    assert bool(answer.decisions) == same
