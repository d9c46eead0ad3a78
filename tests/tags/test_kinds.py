"""What files say that they are, other than music, and whether an MP4 or WMA has moving pictures."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import mutagen.asf
import mutagen.flac
import mutagen.mp4
import pytest
from mutagen import id3

from orchestrator.tags.formats import is_audio
from orchestrator.tags.media_kinds import AUDIOBOOK_CLASS
from orchestrator.track import Status, Track
from tests.audio import track_bytes
from tests.audio_tags import atom, full_atom
from tests.tags.ranges import POLICIES, WHOLE_FILE, read
from tests.tags.test_mp4_tags import m4a

SOUND, TEXT, PICTURES = 1, 2, 3
"""Numbers of tracks."""


def pictures(codec: bytes, count: int, *, seconds: int = 10, number: int = PICTURES, inside: bytes = b"") -> bytes:
    """A track of pictures of the same size."""
    entry = atom(codec, bytes(6), b"\0\1", bytes(70), inside)
    table = atom(
        b"stbl",
        full_atom(b"stsd", struct.pack(">I", 1), entry),
        full_atom(b"stts", struct.pack(">III", 1, count, 1000 * seconds // max(count, 1))),
        full_atom(b"stsz", struct.pack(">II", 100, count)),
    )
    header = full_atom(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, 1000 * seconds, 0x55C4, 0))
    handler = full_atom(b"hdlr", struct.pack(">I4s", 0, b"vide"), bytes(12), b"\0")
    number_of_track = full_atom(b"tkhd", struct.pack(">III", 0, 0, number), bytes(68))
    return atom(b"trak", number_of_track, atom(b"mdia", header, handler, atom(b"minf", table)))


def chapters(*numbers: int) -> bytes:
    return atom(b"tref", atom(b"chap", struct.pack(f">{len(numbers)}I", *numbers)))


def esds(kind: int) -> bytes:
    """As ffmpeg writes it."""
    decoder = b"\x04" + bytes([13]) + bytes([kind, 0x11]) + bytes(11)
    return full_atom(b"esds", b"\x03" + bytes([3 + len(decoder)]) + b"\0\1\0" + decoder)


FRAGMENTED = atom(b"mvex", full_atom(b"trex", bytes(20)))
VIDEOS = {
    "H.264": m4a(pictures(b"avc1", 250)),
    "before the sound": m4a(pictures(b"avc1", 250, number=9)),
    "MPEG-4": m4a(pictures(b"mp4v", 250, inside=esds(0x20))),
    "two pictures a second": m4a(pictures(b"hvc1", 20)),
    "a camera's JPEGs": m4a(pictures(b"jpeg", 150)),
    "a camera's JPEGs in an MP4": m4a(pictures(b"mp4v", 150, inside=esds(0x6C))),
    "with chapters": m4a(pictures(b"avc1", 250), pictures(b"jpeg", 3, number=TEXT), track_parts=chapters(TEXT)),
    "fragmented": m4a(pictures(b"avc1", 0), FRAGMENTED),
}
SOUND_ONLY = {
    "no pictures": m4a(),
    "a still picture": m4a(pictures(b"avc1", 1)),
    "a cover as Motion JPEG": m4a(pictures(b"mp4v", 1, inside=esds(0x6C))),
    "a cover as PNG": m4a(pictures(b"png ", 1)),
    "pictures of chapters": m4a(pictures(b"jpeg", 12), track_parts=chapters(TEXT, PICTURES)),
    "many pictures of chapters": m4a(pictures(b"jpeg", 12, seconds=1), track_parts=chapters(PICTURES)),
    "slides of chapters, whose reference was lost": m4a(pictures(b"jpeg", 5)),
    "the same in an MP4": m4a(pictures(b"mp4v", 5, inside=esds(0x6D))),
    "an empty track": m4a(pictures(b"avc1", 0)),
    "fragmented, with a cover": m4a(pictures(b"jpeg", 1), FRAGMENTED),
    "a damaged description": m4a(pictures(b"mp4v", 1, inside=atom(b"esds", b"\0\0\0\0\3"))),
}


def track_of(name: str, content: bytes) -> Track:
    """The same by every policy."""
    found = [read(name, content, policy) for policy in (WHOLE_FILE, *POLICIES.values())]
    assert all(reading.status is not Status.UNREADABLE for reading in found), found[0].reason
    assert found[0].track == found[1].track == found[2].track
    assert found[0].track is not None
    return found[0].track


@pytest.mark.parametrize("name", VIDEOS)
def test_moving_pictures_are_a_video(name: str) -> None:
    assert track_of("x.mp4", VIDEOS[name]).video
    assert track_of("x.m4v", VIDEOS[name]).video


@pytest.mark.parametrize("name", SOUND_ONLY)
def test_other_pictures_are_none(name: str) -> None:
    assert not track_of("x.m4a", SOUND_ONLY[name]).video


@pytest.mark.parametrize("name", ["x.m4v", "x.mov", "x.3gp", "x.qta", "x.aax"])
def test_files_of_these_names_are_read(name: str) -> None:
    without_kind = VIDEOS["H.264"][int.from_bytes(VIDEOS["H.264"][:4], "big") :]  # QuickTime's first files have no `ftyp`
    assert is_audio(name)
    assert track_of(name, VIDEOS["H.264"]).video
    assert track_of(name, without_kind).video
    assert track_of(name, mp4(stik=[2])[1]).title == ("T",)


def test_pictures_cost_no_requests() -> None:
    plain, film = m4a(), m4a(pictures(b"avc1", 250))
    for policy in POLICIES.values():
        assert read("x.m4a", film, policy).requests == read("x.m4a", plain, policy).requests


def test_a_wma_with_a_stream_of_video() -> None:
    content = track_bytes("wma", None)
    stream = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365") + struct.pack("<Q", 24 + 105)
    stream += bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b") + bytes(89)
    size, count = struct.unpack_from("<QI", content, 16)
    film = content[:16] + struct.pack("<QI", size + len(stream), count + 1) + content[28:30] + stream + content[30:]
    assert not track_of("x.wma", content).video
    assert track_of("x.wma", film).video


def mp4(**tags: Any) -> tuple[str, bytes]:
    file = BytesIO(track_bytes("m4a", Track(title=("T",))))
    audio = mutagen.mp4.MP4(file)
    audio.update({"\xa9too" if name == "too" else name: value for name, value in tags.items()})
    file.seek(0)
    audio.save(file)
    return "x.m4a", file.getvalue()


def free(name: str, value: bytes) -> tuple[str, bytes]:
    return mp4(**{f"----:com.apple.iTunes:{name}": [value]})


def mp3(*frames: Any) -> tuple[str, bytes]:
    tags = id3.ID3()
    for frame in (id3.TIT2(text="T"), *frames):
        tags.add(frame)
    file = BytesIO()
    tags.save(file, v2_version=3)
    return "x.mp3", file.getvalue() + track_bytes("mp3", None)


def raw(frame: bytes, payload: bytes) -> tuple[str, bytes]:
    """An ID3v2.3 tag with one frame, written by hand."""
    frames = b"TIT2" + struct.pack(">IH", 2, 0) + b"\0T" + frame + struct.pack(">IH", len(payload), 0) + payload
    return "x.mp3", b"ID3\3\0\0\0\0\0" + bytes([len(frames)]) + frames + track_bytes("mp3", None)


def flac(**tags: str) -> tuple[str, bytes]:
    file = BytesIO(track_bytes("flac", Track(title=("T",))))
    audio = mutagen.flac.FLAC(file)
    audio.update(tags)
    file.seek(0)
    audio.save(file)
    return "x.flac", file.getvalue()


def wma(key: str, value: object) -> tuple[str, bytes]:
    file = BytesIO(track_bytes("wma", Track(title=("T",))))
    audio = mutagen.asf.ASF(file)
    audio[key] = [value]
    file.seek(0)
    audio.save(file)
    return "x.wma", file.getvalue()


KINDS = {
    "podcast": [
        mp4(stik=[21]), mp4(stik=[23]), mp4(pcst=True), mp4(pcst=True, stik=[2]), mp4(stik=[1], pcst=True),
        raw(b"PCST", bytes(4)), raw(b"WFED", b"\0https://example.org/feed\0"),
        mp3(id3.TGID(text="https://example.org/1")), mp3(id3.TXXX(desc="PODCAST", text="1")),
        mp3(id3.TXXX(desc="ITUNESMEDIATYPE", text="Podcast")), flac(PODCAST="1"), flac(PODCASTURL="https://example.org/feed"),
    ],
    "audiobook": [
        mp4(stik=[2]), mp4(stik=[2], pcst=False), mp3(id3.TXXX(desc="ITUNESMEDIATYPE", text="Audiobook")),
        free("MEDIAKIND", b"Audiobook"),
        wma("WM/MediaClassSecondaryID", mutagen.asf.ASFByteArrayAttribute(AUDIOBOOK_CLASS)),
        wma("WM/MediaClassSecondaryID", mutagen.asf.ASFGUIDAttribute(AUDIOBOOK_CLASS)),
    ],
    "video": [mp4(stik=[6]), mp4(stik=[9]), mp4(stik=[10]), mp3(id3.TXXX(desc="ITUNESMEDIATYPE", text="Music Video"))],
    "memo": [
        mp4(too=["com.apple.VoiceMemos (iPhone Version 13.3 (Build 17C54))"]),
        free("voice-memo-uuid", b"41B2A31F-A622-4480-88AE-CFFCC6512D6F"),
    ],
    None: [
        mp4(), mp4(stik=[1]), mp4(stik=[0]), mp4(stik=[14]), mp4(stik=[255]), mp4(pcst=False), mp4(too=["Lavf58.29.100"]),
        mp3(), mp3(id3.TXXX(desc="PODCAST", text="0")), mp3(id3.TXXX(desc="PODCAST", text="")), mp3(id3.TDES(text="A song")),
        mp3(id3.TXXX(desc="ITUNESMEDIATYPE", text="Normal")), flac(ENCODER="Lavf58"), flac(PURL="https://example.org/watch"),
        wma("WM/MediaClassSecondaryID", mutagen.asf.ASFByteArrayAttribute(bytes(16))),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_tags_say_that_a_file_is(kind: str | None) -> None:
    assert [track_of(name, content).media_kind for name, content in KINDS[kind]] == [kind] * len(KINDS[kind])
