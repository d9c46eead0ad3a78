"""Every file that other projects keep to test their tag readers is read by ranges as by a full local read."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from orchestrator.track import Reading, Status, Track
from tests.audio import FORMATS, track_bytes
from tests.tags.ranges import (
    BITS_OF_REASON_FOR_PROGRAMMERS,
    POLICIES,
    WHOLE_FILE,
    corpus,
    corpus_files,
    differences,
    promised,
    read,
)

MIB = 1024 * 1024
SILENT = {
    "music-metadata/Lavf.flac", "music-metadata/flac-multiple-album-artists-tags.flac", "music-metadata/libFLAC.flac",
    "tinytag/106-short-picture-block-size.flac", "tinytag/flac453sStereo.flac", "tinytag/flac_invalid_track_number.flac",
    "tinytag/flac_multiple_fields.flac", "tinytag/no-tags.flac",
}  # fmt: skip
"""FLACs of nothing but zeros: no sound that identifies them."""
Case = tuple[str, bytes, dict[str, Any] | None]
"""Name, content, and the fields to find; None if it cannot be read."""


def generated() -> list[Case]:
    track = Track(
        title=("One",), artist=("A", "B"), album_artist=("A",), album=("C",), track=3, disc=1, date="1999", release_type=("live",)
    )
    expected = {name: getattr(track, name) for name in ("title", "artist", "album_artist", "album", "track", "disc", "date")}
    cases: list[Case] = []
    for name, kind in FORMATS.items():
        for cover in (0, 200_000):
            content = track_bytes(name, track, cover_bytes=cover, seconds=20)
            cases.append((f"{name}.{kind.extension}", content, expected))
        cases.append((f"cut {name}.{kind.extension}", content[:20], None))
    return cases


@pytest.fixture(scope="module")
def cases(request: pytest.FixtureRequest) -> list[Case]:
    folder = corpus()
    if folder is None:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            sys.stderr.write("the corpus of real audio files is not on this machine: the same is checked with generated files\n")
        return generated()
    return [(line["path"], content, promised(line)) for line, content in corpus_files(folder)]


@pytest.fixture(scope="module", params=sorted(POLICIES))
def readings(request: pytest.FixtureRequest, cases: list[Case]) -> list[tuple[Case, Reading]]:
    return [(case, read(case[0], case[1], POLICIES[request.param])) for case in cases]


def test_tags_and_duration_are_those_that_a_full_local_read_finds(readings: list[tuple[Case, Reading]]) -> None:
    wrong = {
        name: found
        for (name, _, expected), reading in readings
        if expected is not None and reading.track is not None and (found := differences(reading.track, expected))
    }
    assert wrong == {}


def test_the_whole_track_is_the_same_however_little_is_read(readings: list[tuple[Case, Reading]]) -> None:
    for (name, content, _), reading in readings:
        local = read(name, content, WHOLE_FILE)
        assert (name, reading.status, reading.track) == (name, local.status, local.track)
        assert (name, reading.identity, reading.suspect) == (name, local.identity, local.suspect)


def test_every_readable_file_is_read_and_the_rest_is_reported_with_a_plain_reason(readings: list[tuple[Case, Reading]]) -> None:
    for (name, _, expected), reading in readings:
        assert (reading.status is Status.UNREADABLE) == (expected is None), (name, reading.reason)
        if expected is None:
            assert reading.track is None
            assert reading.reason, name
            assert not any(bit in reading.reason for bit in BITS_OF_REASON_FOR_PROGRAMMERS), (name, reading.reason)


def test_no_large_file_is_read_whole_and_the_average_stays_small(readings: list[tuple[Case, Reading]]) -> None:
    for (name, content, _), reading in readings:
        assert reading.bytes_read <= 2 * MIB, name
        if len(content) > MIB:
            assert reading.bytes_read < len(content) / 2, name
    assert sum(reading.requests for _, reading in readings) <= 2 * len(readings)
    assert sum(reading.bytes_read for _, reading in readings) <= 256 * 1024 * len(readings)


def test_equal_sound_has_equal_identity_in_the_corpus(cases: list[Case]) -> None:
    folder = corpus()
    if folder is None:
        first, second = (read("a.flac", track_bytes("flac", Track(title=(title,)), serial=5)) for title in ("x", "y"))
        assert first.identity == second.identity
        assert first.identity is not None
        return
    for line, content in corpus_files(folder):
        md5 = line["expected"].get("streaminfo_md5") if line["format"] == "flac" and line["expected"] != "error" else None
        if md5 is not None:
            reading = read(line["path"], content)
            identity = reading.identity
            if identity is None:
                assert reading.suspect is not None or line["path"] in SILENT, line["path"]
                continue
            assert (identity.kind, identity.value.rpartition(":")[2]) == ("pcm-md5", md5)
