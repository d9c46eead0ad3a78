"""Realistic files of every format, minutes long, with covers of several sizes: what was written is read, with few requests."""

from __future__ import annotations

import io
from typing import Any

import mutagen.id3
import pytest

from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS
from orchestrator.track import Status, Strength, Track
from tests.audio import FORMATS, picture, track_bytes
from tests.tags.ranges import POLICIES, WHOLE_FILE, differences, read

KIB = 1024
TRACK = Track(
    title=("Río Abajo",),
    artist=("Ä", "B & C"),
    album_artist=("Various Artists",),
    album=("Alb: um / two",),
    track=3,
    track_total=12,
    disc=2,
    disc_total=3,
    disc_subtitle="The second",
    compilation=True,
    release_type=("album", "live"),
    date="1999-02-03",
    original_date="1980",
    genre=("Rock", "Pop"),
    composer=("Someone",),
    label="Label",
    catalogue_number="CAT 1",
    comment="a comment",
    isrc=("USRC17607839",),
    musicbrainz_recording_id="0b6f6b2e-0000-4000-8000-000000000001",
    musicbrainz_release_id="0b6f6b2e-0000-4000-8000-000000000002",
)
PLACING = ("title", "artist", "album_artist", "album", "track", "track_total", "disc", "disc_total", "date")


def written(audio_format: str) -> dict[str, Any]:
    """The fields that the maker of test files writes in this format, as a full local read finds them."""
    local = read(f"x.{FORMATS[audio_format].extension}", track_bytes(audio_format, TRACK), WHOLE_FILE).track
    assert local is not None
    fields = {name: value for name in TRACK.__struct_fields__ if (value := getattr(TRACK, name)) and getattr(local, name)}
    assert set(PLACING) <= set(fields)
    return fields


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("audio_format", FORMATS)
def test_what_was_written_is_read_whatever_the_size_of_the_cover(audio_format: str, policy: Any) -> None:
    expected = written(audio_format)
    for cover in (0, 60_000, 300_000, 1_000_000):
        content = track_bytes(audio_format, TRACK, cover_bytes=cover, seconds=200)
        reading = read(f"x.{FORMATS[audio_format].extension}", content, policy)
        assert reading.track is not None, reading.reason
        assert (reading.status, reading.suspect) == (Status.TAGGED, None)
        assert differences(reading.track, expected) == {}, cover
        local = read(f"x.{FORMATS[audio_format].extension}", content, WHOLE_FILE)
        assert local.track == reading.track
        assert reading.identity in {local.identity, None}
        assert reading.requests <= 4
        assert reading.bytes_read <= (192 * KIB if policy is FEW_BYTES else 640 * KIB)


def test_a_library_costs_at_most_two_ranges_a_file() -> None:
    readings = [
        read(f"x.{kind.extension}", track_bytes(name, TRACK, cover_bytes=cover, seconds=200), policy)
        for policy in (FEW_BYTES, FEW_REQUESTS)
        for name, kind in FORMATS.items()
        for cover in (0, 0, 40_000, 300_000)
    ]
    assert sum(reading.requests for reading in readings) / len(readings) <= 2
    assert sum(reading.bytes_read for reading in readings) / len(readings) <= 256 * KIB


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_file_without_tags_is_untagged_and_never_unreadable(audio_format: str) -> None:
    reading = read(f"x.{FORMATS[audio_format].extension}", track_bytes(audio_format, None, seconds=200))
    assert reading.status is Status.UNTAGGED
    assert reading.track is not None
    assert reading.track.codec


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_wrong_extension_does_not_matter_if_the_content_has_a_magic_number(audio_format: str) -> None:
    name = "x.mp2" if audio_format == "mp3" else "x.mp3"  # MPEG audio has no magic number
    reading = read(name, track_bytes(audio_format, TRACK, seconds=60))
    assert reading.track is not None, reading.reason
    assert reading.track.title == TRACK.title


def test_new_tags_and_pictures_do_not_change_the_identity_of_the_sound() -> None:
    for audio_format in ("flac", "ape", "m4a"):
        readings = [
            read(f"x.{FORMATS[audio_format].extension}", content, WHOLE_FILE)
            for content in (
                track_bytes(audio_format, TRACK, serial=4),
                track_bytes(audio_format, Track(title=("else",)), cover_bytes=50_000, serial=4),
            )
        ]
        assert readings[0].identity is not None
        assert readings[0].identity == readings[1].identity
    flac = [read("x.flac", track_bytes("flac", TRACK, serial=serial)).identity for serial in (1, 2)]
    assert flac[0] != flac[1]
    assert flac[0] is not None
    assert flac[0].strength is Strength.SURE


def mp3_with(frames: list[mutagen.id3.Frame], version: int) -> bytes:
    """An MP3 whose tag has the frames in this order (mutagen sorts them when it saves)."""
    body = b""
    for frame in frames:
        tag = mutagen.id3.ID3()
        tag.add(frame)
        if version == 3:
            tag.update_to_v23()
        file = io.BytesIO()
        tag.save(file, v1=0, v2_version=version, padding=lambda _: 0)
        body += file.getvalue()[10:]
    size = bytes((len(body) >> shift) & 127 for shift in (21, 14, 7, 0))
    return b"ID3" + bytes((version, 0, 0)) + size + body + track_bytes("mp3", None, seconds=200)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_text_after_the_picture_is_found(version: int, policy: Any) -> None:
    cover = mutagen.id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=picture(1_000_000))
    attachment = mutagen.id3.GEOB(encoding=0, mime="x/y", filename="f", desc="d", data=picture(100_000, 2))
    texts = [
        mutagen.id3.TPE1(encoding=3, text=["Artist"]),
        mutagen.id3.TALB(encoding=3, text=["Album"]),
        mutagen.id3.TRCK(encoding=3, text=["4/9"]),
        mutagen.id3.TDRC(encoding=3, text=["2001"]),
    ]
    content = mp3_with([cover, mutagen.id3.TIT2(encoding=3, text=["Behind"]), attachment, *texts], version)
    reading = read("x.mp3", content, policy)
    assert reading.track is not None
    assert (reading.track.title, reading.track.track, reading.track.date) == (("Behind",), 4, "2001")
    assert reading.bytes_read < 800 * KIB
