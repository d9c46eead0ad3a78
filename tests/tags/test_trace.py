"""What a reading says about itself: every range that was requested, in order and with its reason, and what was skipped."""

from __future__ import annotations

import pytest

from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.tags.reader import read_track
from orchestrator.tags.trace import RangeRequest, SkippedRange, Trace
from orchestrator.track import Reading, Track
from tests.audio import FORMATS, track_bytes
from tests.tags.ranges import Ranges

COVER = 700_000


def traced(name: str, content: bytes, policy: Policy = FEW_BYTES) -> tuple[Reading, Trace, Ranges]:
    ranges, trace = Ranges(content), Trace()
    return read_track(name, len(content), ranges.read, policy, trace), trace, ranges


@pytest.mark.parametrize("policy", [FEW_BYTES, FEW_REQUESTS], ids=["bytes", "requests"])
@pytest.mark.parametrize("audio_format", FORMATS)
def test_it_lists_each_request_and_changes_nothing(audio_format: str, policy: Policy) -> None:
    tags = Track(title=("T",), artist=("A",), album=("B",), track=1)
    extension = audio_format.partition("-")[0]
    content = track_bytes(audio_format, tags, cover_bytes=COVER, seconds=20)
    reading, trace, ranges = traced(f"x.{extension}", content, policy)
    assert sorted((ask.offset, ask.length) for ask in trace.asked) == sorted(ranges.asked), (
        "a pair goes out together, in no order"
    )
    assert all(ask.why for ask in trace.asked)
    assert (len(trace.asked), sum(ask.length for ask in trace.asked)) == (reading.requests, reading.bytes_read)
    assert trace.container is not None
    passed_over = sum(hole.length for hole in trace.skipped())
    assert passed_over + reading.bytes_read <= len(content)
    again = Ranges(content)
    assert (read_track(f"x.{extension}", len(content), again.read, policy), sorted(again.asked)) == (
        reading,
        sorted(ranges.asked),
    )


def test_a_skipped_picture_is_listed_with_its_position() -> None:
    content = track_bytes("mp3", Track(title=("T",)), cover_bytes=COVER)
    _, trace, _ = traced("x.mp3", content)
    (hole,) = trace.skipped()
    assert hole.what == "a picture (APIC)"
    assert COVER - 64 * 1024 < hole.length < COVER
    assert content[hole.offset : hole.offset + 100] in content[: COVER + 1000]
    assert (trace.container, trace.recognised_by) == ("MP3", "its name")


def test_each_byte_is_skipped_once_and_fetched_bytes_are_not() -> None:
    trace = Trace()
    trace.holes = [
        SkippedRange(100, 100, "a"),
        SkippedRange(100, 100, "a"),
        SkippedRange(150, 100, "b"),
        SkippedRange(160, 20, "c"),
        SkippedRange(300, 10, "d"),
    ]
    trace.asked = [RangeRequest(0, 120, "the head"), RangeRequest(290, 100, "the tail")]
    assert trace.skipped() == [SkippedRange(100, 80, "a"), SkippedRange(200, 50, "b")]


def test_unknown_values_are_reported_as_unknown() -> None:
    reading, trace, _ = traced("x.bin", b"\1" * 100)
    assert (trace.container, trace.recognised_by) == (None, None)
    assert reading.reason is not None


@pytest.mark.parametrize(("cover", "places"), [(0, 1), (20_000, 1), (60_000, 2)])
def test_the_rest_of_an_m4a_is_read_at_once_if_it_is_small(cover: int, places: int) -> None:
    tags = Track(title=("T",), artist=("A",), album=("B",), track=1)
    content = track_bytes("m4a", tags, cover_bytes=cover, seconds=240)
    _, trace, _ = traced("x.m4a", content)
    behind = [ask for ask in trace.asked if ask.offset]
    assert len(behind) == places, "behind the sound, and behind a cover there"
    assert behind[-1].offset + behind[-1].length == len(content)
