"""Damaged, cut, hostile and failing files: they give a reading with a reason, within the budget, and never an exception."""

from __future__ import annotations

import struct
from time import perf_counter, process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.errors import NotFoundError
from orchestrator.tags.policy import FEW_BYTES, Policy
from orchestrator.tags.reader import read_track
from orchestrator.track import Reading, Status, Track
from tests.audio import FORMATS, track_bytes
from tests.tags.ranges import BITS_OF_REASON_FOR_PROGRAMMERS, POLICIES, Ranges, corpus, corpus_files, read

TRACK = Track(title=("One",), artist=("Two",), album=("Three",), track=4, date="2005")
SAMPLES = {
    f"{name}{cover}.{kind.extension}": track_bytes(name, TRACK, cover_bytes=cover, seconds=3)
    for name, kind in FORMATS.items()
    for cover in (0, 30_000)
}
BUDGET = FEW_BYTES.budget


def check(reading: Reading) -> None:
    assert reading.bytes_read <= BUDGET
    assert reading.requests <= FEW_BYTES.requests
    if reading.status is Status.UNREADABLE:
        assert reading.track is None
        assert reading.reason
        assert not any(bit in reading.reason for bit in BITS_OF_REASON_FOR_PROGRAMMERS), reading.reason
    else:
        assert reading.track is not None


@settings(
    max_examples=settings.default.max_examples * 2,
    deadline=2000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8)), max_size=8),
    cut=st.one_of(st.none(), st.integers(0, 5000)),
    padding=st.sampled_from([0, 0, 300_000]),
    policy=st.sampled_from(list(POLICIES.values())),
)
def test_mutated_files_give_a_reading(
    name: str, changes: list[tuple[int, bytes]], cut: int | None, padding: int, policy: Policy
) -> None:
    content = bytearray(SAMPLES[name])
    for offset, data in changes:
        content[offset : offset + len(data)] = data
    whole = bytes(content[:cut]) + bytes(padding)
    check(read(name, whole, policy))


@settings(max_examples=100, deadline=2000)
@given(name=st.sampled_from(sorted(SAMPLES)), noise=st.binary(max_size=300))
def test_noise_under_any_name_gives_a_reading(name: str, noise: bytes) -> None:
    check(read(name, noise))


def test_every_corpus_file_cut_anywhere_gives_a_reading() -> None:
    folder = corpus()
    files = ((line["path"], content) for line, content in corpus_files(folder)) if folder is not None else SAMPLES.items()
    for name, content in files:
        for part in (3, 7):
            check(read(name, content[: len(content) * part // 8]))


@pytest.mark.parametrize(
    "name", ["a.mp3", "a.flac", "a.m4a", "a.ogg", "a.opus", "a.wav", "a.aiff", "a.wma", "a.ape", "a.dsf", "a.aac"]
)
def test_a_large_file_of_zeros_or_of_sync_bytes_is_not_read_whole(name: str) -> None:
    for filler in (b"\0", b"\xff\xfb\x90\x00", b"\xff"):
        asked = 0

        def read_range(_offset: int, length: int, filler: bytes = filler) -> bytes:
            nonlocal asked
            asked += length
            return (filler * (length // len(filler) + 1))[:length]

        start = perf_counter()
        reading = read_track(name, 10**12, read_range)
        assert asked <= BUDGET
        assert perf_counter() - start < 10
        check(reading)


def test_a_picture_that_claims_the_whole_file_costs_no_memory() -> None:
    frame = b"APIC" + struct.pack(">I", 0x0FFFFFF0) + bytes(2) + b"\0image/jpeg\0\3\0"
    head = b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + frame
    size = 1 << 34

    def read_range(offset: int, length: int) -> bytes:
        return head[offset : offset + length].ljust(length, b"\0")

    check(read_track("x.mp3", size, read_range))


@pytest.mark.parametrize(("frame", "size", "flags"), [(b"PCNT", 200_000, 0), (b"POPM", 2049, 0), (b"PCNT", 40, 0x0080)])
def test_a_counter_longer_than_any_number_is_refused(frame: bytes, size: int, flags: int) -> None:
    """The parser would take seconds for it; a fuzzing run found one."""
    counter = frame + struct.pack(">IH", size, flags) + b"\xff" * size
    length = len(counter)
    tag = b"ID3\3\0\0" + bytes(length >> shift & 127 for shift in (21, 14, 7, 0)) + counter
    reading = read("song.mp3", tag + track_bytes("mp3", None, seconds=1))
    assert reading.status is Status.UNREADABLE
    assert reading.reason == "its ID3 tag is damaged: a counter is too long"


def test_an_empty_file_is_unreadable_without_a_request() -> None:
    reading = read("a.mp3", b"")
    assert (reading.status, reading.reason, reading.requests) == (Status.UNREADABLE, "the file is empty", 0)


def test_a_file_of_no_known_kind_is_unreadable() -> None:
    reading = read("a.xyz", b"hello" * 100)
    assert reading.status is Status.UNREADABLE
    assert reading.reason == "not a kind of audio file that can be read"


@pytest.mark.parametrize("fail_at", [1, 2])
def test_an_error_of_the_storage_passes_through_and_never_becomes_a_reading(fail_at: int) -> None:
    ranges = Ranges(track_bytes("wav", TRACK, seconds=60))

    def read_range(offset: int, length: int) -> bytes:
        data = ranges.read(offset, length)
        if len(ranges.asked) == fail_at:
            raise NotFoundError("gone")
        return data

    with pytest.raises(NotFoundError):
        read_track("x.wav", len(ranges.content), read_range)


def test_an_operating_system_error_of_the_storage_is_not_treated_as_damage() -> None:
    def read_range(offset: int, length: int) -> bytes:
        if offset:
            raise OSError("disk on fire")
        return SAMPLES["wav30000.wav"][:length]

    with pytest.raises(OSError, match="disk on fire"):
        read_track("x.wav", len(SAMPLES["wav30000.wav"]), read_range)


def test_a_file_that_shrank_since_the_listing_is_unreadable() -> None:
    content = SAMPLES["mp30.mp3"]
    reading = read_track("x.mp3", len(content) + 5, lambda offset, length: content[offset : offset + length])
    assert reading.status is Status.UNREADABLE
    assert reading.reason is not None
    assert "changed since the listing" in reading.reason


@pytest.mark.parametrize("audio_format", ["wav", "aiff"])
def test_sound_cut_short_is_suspect_if_the_header_reveals_it(audio_format: str) -> None:
    extension = FORMATS[audio_format].extension
    whole = track_bytes(audio_format, None, seconds=200)
    reading = read(f"x.{extension}", whole[: len(whole) * 2 // 3])
    assert reading.status is Status.UNTAGGED
    assert reading.suspect is not None
    assert reading.suspect.startswith("cut short")


def test_an_mp4_without_its_end_is_suspect() -> None:
    whole = track_bytes("m4a", TRACK, seconds=200)
    reading = read("x.m4a", whole[: len(whole) // 2])
    assert reading.status is Status.UNREADABLE
    assert reading.reason is not None
    assert reading.reason.startswith("cut short")


def test_a_hundred_thousand_empty_tags_before_the_sound_take_no_time() -> None:
    started = process_time()
    found = read("x.mp3", (b"ID3\3" + bytes(6)) * 100_000 + track_bytes("mp3", Track(title=("T",))))
    assert found.status is not Status.UNREADABLE
    assert process_time() - started < 1
