"""Pictures are described by their first bytes: kind, type, size, dimensions; they are not read."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import mutagen.id3
import pytest

from orchestrator.tags import id3
from orchestrator.tags.policy import FEW_BYTES
from orchestrator.track import Cover
from tests.audio import track_bytes
from tests.audio_realistic import KINDS, Kind
from tests.audio_tags import Cover as Written
from tests.tags.ranges import POLICIES, WHOLE_FILE, read
from tests.virtual_file import VirtualFile


def png(width: int, height: int, size: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n\0\0\0\r" + header + struct.pack(">I", zlib.crc32(header))).ljust(size, b"\x55")


def jpeg(width: int, height: int, size: int, *, before: int = 0) -> bytes:
    """A JPEG whose dimensions come after an extra segment of `before` bytes."""
    segment = b"\xff\xe1" + struct.pack(">H", before + 2) + bytes(before) if before else b""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + segment + frame).ljust(size, b"\x55")


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.tags != "id3v1"], ids=lambda kind: f"{kind.format}, {kind.variant}"
)
def test_a_cover_is_described_without_being_read(kind: Kind) -> None:
    for first in (False, True):
        for size in (30_000, 1_000_000):
            content = VirtualFile(kind.make(12.0, 5, Written(jpeg(1400, 1399, size), first)))
            for policy in (*POLICIES.values(), WHOLE_FILE):
                reading = read(f"x.{kind.extension}", content, policy)
                assert reading.covers == (Cover(3, "image/jpeg", size, 1400, 1399),), reading.reason
                if policy is FEW_BYTES:
                    assert reading.bytes_read < 300_000


def test_a_mutagen_of_another_version_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [mutagen.id3.TIT2(encoding=3, text=["A"]), mutagen.id3.TPE1(encoding=3, text=["Ann"])]
    content = mp3(mutagen.id3.APIC(encoding=3, mime="image/png", type=3, desc="x", data=png(600, 500, 300_000)), *texts)
    for policy in (*POLICIES.values(), WHOLE_FILE):
        viewed = read("x.mp3", content, policy)
        with monkeypatch.context() as patched:
            patched.setattr(id3, "slices_id3", lambda: False)
            assert read("x.mp3", content, policy) == viewed
        assert viewed.covers == (Cover(3, "image/png", 300_000, 600, 500),)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.format}, {kind.variant}")
def test_a_missing_cover_is_reported_as_missing(kind: Kind) -> None:
    content = VirtualFile(kind.make(12.0, 5, Written(b"", first=False)))
    for policy in POLICIES.values():
        assert read(f"x.{kind.extension}", content, policy).covers == ()


def mp3(*frames: mutagen.id3.Frame) -> bytes:
    tags, file = mutagen.id3.ID3(), BytesIO()
    for frame in frames:
        tags.add(frame)
    tags.save(file, v1=0)
    return file.getvalue() + track_bytes("mp3", None, seconds=10)


def apic(data: bytes, *, mime: str = "image/jpeg", kind: int = 3, description: str = "") -> mutagen.id3.Frame:
    return mutagen.id3.APIC(encoding=3, mime=mime, type=kind, desc=description, data=data)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_bytes_of_a_picture_count_more_than_what_the_tag_says(policy: object) -> None:
    def covers(frame: mutagen.id3.Frame) -> tuple[Cover, ...] | None:
        return read("x.mp3", mp3(frame), policy).covers  # type: ignore[arg-type]

    assert covers(apic(png(640, 480, 300_000))) == (Cover(3, "image/png", 300_000, 640, 480),)
    assert covers(apic(jpeg(9, 8, 300_000), mime="JPG", kind=4)) == (Cover(4, "image/jpeg", 300_000, 9, 8),)
    assert covers(apic(b"what is this".ljust(90_000), mime="image/avif")) == (Cover(3, "image/avif", 90_000),)
    assert covers(apic(b"GIF89a" + struct.pack("<HH", 5, 6) + bytes(90))) == (Cover(3, "image/gif", 100, 5, 6),)


@pytest.mark.parametrize("policy", [*POLICIES.values(), WHOLE_FILE])
def test_dimensions_too_far_inside_are_unknown_whatever_was_read(policy: object) -> None:
    for frame in (apic(jpeg(9, 8, 70_000, before=600)), apic(jpeg(9, 8, 70_000), description="d" * 900)):
        assert read("x.mp3", mp3(frame), policy).covers == (Cover(3, "image/jpeg", 70_000),)  # type: ignore[arg-type]


def test_several_pictures_and_a_link() -> None:
    frames = [
        apic(jpeg(9, 8, 500)),
        apic(jpeg(7, 6, 600), kind=4, description="b"),
        apic(b"http://x/y.jpg", mime="-->", kind=5, description="c"),
    ]
    found = read("x.mp3", mp3(*frames)).covers
    assert found is not None
    assert sorted(found, key=lambda cover: cover.kind) == [Cover(3, "image/jpeg", 500, 9, 8), Cover(4, "image/jpeg", 600, 7, 6)]


@pytest.mark.parametrize("policy", [*POLICIES.values(), WHOLE_FILE])
@pytest.mark.parametrize("size", [40_000, 300_000, 1_500_000])
def test_an_unsynchronised_picture_is_as_long_as_its_frame_says(policy: object, size: int) -> None:
    """One byte in 256 of it is followed by an extra byte, and most of them are not read."""
    for seed in range(6):
        noise = random.Random(seed)
        picture = jpeg(9, 8, 300 + seed) + noise.choice([b"\xff\x00", b"\xff\xe1"]) * 600 + noise.randbytes(size)
        plain = b"\x03image/jpeg\0\x03\0" + picture + b"\x01"
        stuffed = mutagen.id3._util.unsynch.encode(plain)
        payload = b"".join(bytes([len(plain) >> shift & 127]) for shift in (21, 14, 7, 0)) + stuffed
        length = bytes(len(payload) >> shift & 127 for shift in (21, 14, 7, 0))
        text = b"TIT2\0\0\0\x06\0\0\x03Title"
        frames = [b"APIC" + length + b"\x00\x03" + payload, text]
        tag = b"".join(frames if seed % 2 else reversed(frames))
        header = b"ID3\x04\0\0" + bytes(len(tag) >> shift & 127 for shift in (21, 14, 7, 0))
        reading = read("x.mp3", header + tag + track_bytes("mp3", None, seconds=10), policy)  # type: ignore[arg-type]
        assert reading.covers == (Cover(3, "image/jpeg", len(picture) + 1, 9, 8),)
        assert reading.track is not None
        assert reading.track.title == ("Title",)
