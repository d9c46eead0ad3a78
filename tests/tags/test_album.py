"""What one file of an album needed is requested first for the next one: fewer requests, and the same readings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.tags.album_hints import AlbumHints
from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.tags.reader import read_track
from orchestrator.track import Reading, Status, Track
from tests.audio import track_bytes
from tests.audio_realistic import Sample, samples
from tests.nightly import NIGHTLY
from tests.tags.ranges import Ranges, corpus, corpus_files

ONE_END = {"MP3", "FLAC", "M4A, moov first", "WMA"}
HEARING = replace(FEW_BYTES, most_at_first=512 * 1024)
"""Short ranges, so that even small files have something to learn."""


def waves(name: str, content: Any, album: AlbumHints | None, policy: Policy = FEW_REQUESTS) -> tuple[Reading, int]:
    """The reading, and the number of waves of ranges that it took."""
    asked, number = Ranges(content), 0

    def read_range(offset: int, length: int) -> bytes:
        nonlocal number
        number += 1
        return asked.read(offset, length)

    def read_ranges(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        nonlocal number
        number += 1
        return [asked.read(*one) for one in ranges]

    return read_track(name, len(content), read_range, policy, read_ranges=read_ranges, album=album), number


def facts(reading: Reading) -> tuple[object, ...]:
    return reading.status, reading.reason, reading.track, reading.identity, reading.suspect


LEARNED = [
    one
    for one in samples()
    # Speex is so short that what follows a large picture is nearer to the end.
    if one.cover_bytes <= (300_000 if one.kind.format == "Speex" else 1_000_000)
]


@pytest.mark.parametrize("sample", LEARNED if NIGHTLY else LEARNED[::3], ids=lambda one: one.name)
def test_the_second_song_of_an_album_takes_one_wave(sample: Sample) -> None:
    album = AlbumHints()
    first, _ = waves(sample.name, sample.song(0), album)
    assert facts(first) == facts(waves(sample.name, sample.song(0), None)[0])
    song = sample.song(1)
    found, number = waves(sample.name, song, album)
    assert facts(found) == facts(waves(sample.name, song, None)[0])
    assert number == 1
    assert found.requests <= (1 if sample.kind.format in ONE_END else 2)
    assert found.bytes_read <= FEW_REQUESTS.most_at_first


def test_a_picture_of_another_size_is_still_read_exactly() -> None:
    """Nothing learned fits any file here: formats, pictures and positions of the tags change from file to file."""
    everything = [one for one in samples() if not one.cover_bytes or one.cover_first]
    Random(1).shuffle(everything)
    album = AlbumHints()
    for sample in everything[:: 1 if NIGHTLY else 3]:
        found, alone = waves(sample.name, sample.song(0), album)[0], waves(sample.name, sample.song(0), None)[0]
        assert facts(found) == facts(alone), sample.name
        assert found.bytes_read <= FEW_REQUESTS.budget


@pytest.mark.parametrize("damaged", [False, True])
def test_predictions_never_change_a_reading(damaged: bool) -> None:
    folder = corpus()
    if folder is None:
        pytest.skip("no corpus")
    random = Random(2)
    albums: defaultdict[str, AlbumHints] = defaultdict(AlbumHints)
    for line, whole in corpus_files(folder):
        at = random.randrange(len(whole) or 1)
        content = whole[:at] + random.randbytes(20) + whole[at + 20 :] if damaged else whole
        album = albums[line["path"].rpartition(".")[2].lower()]
        read = Ranges(content).read
        alone = read_track(line["path"], len(content), read, FEW_BYTES)
        found = read_track(line["path"], len(content), lambda o, n, c=content: c[o : o + n], HEARING, album=album)
        assert facts(found) == facts(alone), line["path"]


def test_a_long_first_range_costs_no_file_its_reading() -> None:
    """It would use up the budget of the file; then the file is read without predictions."""
    policy = replace(FEW_REQUESTS, large_head=64 * 1024, extra=16 * 1024, budget=200 * 1024, most_at_first=200 * 1024)
    tags = Track(title=("T",), artist=("A",), album=("B",), track=1)
    album = AlbumHints()
    assert waves("1.mp3", track_bytes("mp3", tags, cover_bytes=120_000, seconds=30), album, policy)[0].status is Status.TAGGED
    large = track_bytes("mp3", tags, cover_bytes=1_000_000, seconds=30)
    alone = waves("2.mp3", large, None, policy)[0]
    found = waves("2.mp3", large, album, policy)[0]
    assert alone.status is Status.TAGGED
    assert facts(found) == facts(alone)


def test_nothing_is_learned_where_bytes_cost() -> None:
    sample = next(one for one in samples((300_000,)) if one.kind.format == "MP3")
    album = AlbumHints()
    for number in range(3):
        song = sample.song(number)
        assert waves(sample.name, song, album, FEW_BYTES) == waves(sample.name, song, None, FEW_BYTES)


def test_albums_without_pictures_get_shorter_heads() -> None:
    sample = next(one for one in samples((0,)) if one.kind.format == "MP3")
    album = AlbumHints()
    assert waves(sample.name, sample.song(0), album)[0].bytes_read == FEW_REQUESTS.large_head
    assert waves(sample.name, sample.song(1), album)[0].bytes_read == FEW_REQUESTS.head


def test_an_end_that_one_file_needs_is_not_requested_for_all() -> None:
    def song(**tags: Any) -> bytes:
        track = Track(title=("T",), artist=("A",), album=("B",), date="2001", **tags)
        return track_bytes("mp3", track, seconds=60).ljust(900_000, b"\0")

    album = AlbumHints()
    needs = [waves("x.mp3", song(**tags), album)[0].requests for tags in ({}, {"track": 1}, {"track": 1})]
    assert needs == [2, 2, 1]
