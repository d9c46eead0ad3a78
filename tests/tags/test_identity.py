"""The identity of a file's sound: independent of the rest of the file and of how it is read, and different for other sound."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.tags.policy import FEW_BYTES
from orchestrator.track import AudioIdentity, Status, Strength
from tests import audio_streams as streams
from tests.audio import picture
from tests.audio_realistic import KINDS, Kind
from tests.audio_tags import Cover, apev2
from tests.tags.ranges import POLICIES, WHOLE_FILE, corpus, corpus_files, read
from tests.tags.retag import retagged
from tests.truth.sounds import Sound
from tests.virtual_file import VirtualFile

ALL_POLICIES = [*POLICIES.values(), WHOLE_FILE]
WITHOUT = {"CBR ID3v2.3 and v1", "VBR no header ID3v2.4", "ID3v1"}
"""MPEG sound whose first frame has no information: only the other end of the file reveals its length."""
SECONDS = 12.0
CLOTHES = (("A longer title " * 200, 0, 0), ("New", 300_000, 5_000), ("Other", 20_000, 60_000), ("Plain", 0, 13_000))
"""Title, size of the cover in bytes, padding."""


def identities(name: str, content: Any) -> set[AudioIdentity | None]:
    found = set()
    for policy in ALL_POLICIES:
        reading = read(name, content, policy)
        assert reading.status is not Status.UNREADABLE, reading.reason
        assert reading.suspect is None, name
        found.add(reading.identity)
    return found


def only(found: set[AudioIdentity | None]) -> AudioIdentity | None:
    (identity,) = found
    return identity


def test_a_data_handler_of_quicktime_hides_no_samples() -> None:
    whole = streams.m4a(4.0, 2)
    content = whole[:]
    handler = struct.pack(">I", 32) + b"hdlr" + bytes(4) + b"dhlralis" + bytes(12)
    for name in (b"moov", b"trak", b"mdia", b"minf"):
        at = content.index(name) - 4
        (size,) = struct.unpack_from(">I", content, at)
        content = content[:at] + struct.pack(">I", size + len(handler)) + content[at + 4 :]
    at = content.index(b"minf") + 4
    assert read("x.m4a", content[:at] + handler + content[at:]).identity == read("x.m4a", whole[:]).identity is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.format}, {kind.variant}")
def test_the_same_sound_has_one_identity_whatever_its_cover_and_the_policy(kind: Kind) -> None:
    found = set()
    for size in (0, 40_000, 300_000, 1_000_000):
        for first in (False, True):
            content = VirtualFile(kind.make(SECONDS, 7, Cover(picture(size), first)))
            found |= identities(f"x.{kind.extension}", content)
    identity = only(found)
    assert (identity is None) == (kind.variant in WITHOUT)
    other = read(f"x.{kind.extension}", VirtualFile(kind.make(SECONDS, 9, Cover(b"", first=False)))).identity
    assert identity is None or other not in {identity, None}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.format}, {kind.variant}")
def test_a_tagger_does_not_change_the_identity(kind: Kind) -> None:
    name = f"x.{kind.extension}"
    made = VirtualFile(kind.make(SECONDS, 7, Cover(b"", first=False)))
    plain = made[0 : len(made)]
    found = identities(name, plain)
    for title, cover, padding in CLOTHES:
        content = retagged(name, plain, title, picture(cover), padding)
        assert content is not None
        found |= identities(name, content)
    assert (only(found) is None) == (kind.variant in WITHOUT)


def test_a_tagger_does_not_change_the_identity_of_real_files() -> None:
    folder = corpus()
    if folder is None:
        return  # test_corpus reports it; the same is checked with generated files
    known = 0
    for line, content in corpus_files(folder):
        before = read(line["path"], content)
        if before.status is Status.UNREADABLE or before.suspect is not None:
            continue
        for policy, (title, cover, padding) in zip((FEW_BYTES, *ALL_POLICIES), CLOTHES, strict=True):
            after = retagged(line["path"], content, title, picture(cover), padding)
            if after is not None:
                reading = read(line["path"], after, policy)
                assert (line["path"], reading.identity) == (line["path"], before.identity)
                known += reading.identity is not None
    assert known > 700


def test_files_of_one_identity_hold_the_same_sound_in_the_corpus() -> None:
    folder = corpus()
    if folder is None:
        return
    durations: dict[AudioIdentity, set[float | None]] = {}
    sounds: dict[AudioIdentity, set[bytes]] = {}
    for line, content in corpus_files(folder):
        reading = read(line["path"], content)
        if reading.identity is not None and reading.track is not None:
            durations.setdefault(reading.identity, set()).add(reading.track.duration_s)
            if reading.identity.kind == "lame":
                frame = next(at for mark in (b"Xing", b"Info") if (at := content.find(mark)) >= 0)
                sounds.setdefault(reading.identity, set()).add(content[frame:][: int(reading.identity.value.split(":")[0]) - 36])
    assert [identity for identity, different in durations.items() if len(different) > 1] == []
    assert [identity for identity, different in sounds.items() if len(different) > 1] == []


def flac(md5: bytes, *, level: bytes = b"\0\0", largest: int = 14) -> bytes:
    """A second of a constant in FLAC, 16 bit mono, which claims that it decodes to `md5`."""
    whole = streams.flac(1.0, 1)
    return whole[:15] + largest.to_bytes(3, "big") + whole[18:26] + md5 + whole[42:].replace(whole[-4:-2], level)


def wavpack(md5: bytes, *, flags: int = 0) -> bytes:
    """WavPack that claims that it decodes to `md5`."""
    whole = streams.wavpack(1.0, 1)
    old = hashlib.md5(b"wavpack 1", usedforsecurity=False).digest()
    assert old in whole
    return (whole[:24] + bytes([whole[24] | flags]) + whole[25:]).replace(old, md5)


def test_flac_and_wavpack_of_one_sound_have_one_identity() -> None:
    md5 = bytes(range(16))
    one, other = read("x.flac", flac(md5)), read("x.wv", wavpack(md5))
    assert one.identity == other.identity == AudioIdentity("pcm-md5", f"44100:1:{md5.hex()}", Strength.SURE)


def test_equal_samples_with_another_rate_or_other_channels_are_another_sound() -> None:
    """Two channels of N samples and one of 2 N have the same checksum, and so have 44.1 and 48 kHz."""
    whole = flac(bytes(range(16)))
    facts = int.from_bytes(whole[18:26], "big")
    faster = facts + (48_000 - 44_100 << 44)
    stereo = (facts | 1 << 41) - 22_528  # half of the samples
    found = [read("x.flac", whole[:18] + one.to_bytes(8, "big") + whole[26:]).identity for one in (facts, faster, stereo)]
    assert None not in found
    assert len(set(found)) == 3


def test_the_first_block_of_a_six_channel_wavpack_says_so() -> None:
    whole = wavpack(bytes(range(16)))
    six = b"\x0d\x01\x06\x3f"
    first = whole[:4] + (int.from_bytes(whole[4:8], "little") + 4).to_bytes(4, "little") + whole[8:24]
    flags = int.from_bytes(whole[24:28], "little") & ~(1 << 12)
    content = first + flags.to_bytes(4, "little") + whole[28:32] + six + whole[32:]
    assert read("x.wv", content).identity == AudioIdentity("pcm-md5", f"44100:6:{bytes(range(16)).hex()}", Strength.SURE)


def test_a_lossy_wavpack_is_not_the_sound_it_was_made_from() -> None:
    reading = read("x.wv", wavpack(bytes(range(16)), flags=0x08))
    assert reading.track is not None
    assert reading.track.lossless is False
    assert reading.identity is None or reading.identity.kind == "bytes"


@pytest.mark.parametrize("md5", [bytes(16), hashlib.md5(b"", usedforsecurity=False).digest()])
def test_an_md5_of_zeros_or_of_nothing_is_unknown(md5: bytes) -> None:
    assert read("x.flac", flac(md5)).identity is None
    reading = read("x.wv", wavpack(md5))
    assert reading.identity is None or reading.identity.kind == "bytes"


def silent_mp3() -> bytes:
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    lame = b"LAME3.100".ljust(28, b"\0") + (len(frame) * 300).to_bytes(4, "big") + b"\x12\x34\x56\x78"
    info = b"Info" + struct.pack(">III", 7, 299, len(frame) * 300) + bytes(100) + lame
    return frame[:36] + info + frame[36 + len(info) :] + frame * 299


def silent_wav() -> bytes:
    form = struct.pack("<HHIIHH", 1, 2, 44100, 176400, 4, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 200_000) + bytes(200_000)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def silent_mp4() -> bytes:
    whole = streams.m4a(4.0, 2)
    at = whole.index(b"stsz") + 4
    count = int.from_bytes(whole[at + 8 : at + 12], "big")
    return whole[: at + 12] + struct.pack(">I", 16) * count + whole[at + 12 + 4 * count :]


def silent_ogg() -> bytes:
    packets = [b"\0"] * 400
    identification = b"\x01vorbis" + struct.pack("<IBIiiiB", 0, 1, 44100, 0, 64000, 0, 0xB8) + b"\1"
    headers = [identification, b"\x03vorbis" + bytes(8) + b"\1", b"\x05vorbis" + bytes(16) + b"\1"]
    return streams._ogg(1, headers, packets, 1024, 0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.flac", flac(hashlib.md5(bytes(11 * 4096 * 2), usedforsecurity=False).digest())),
        ("x.wav", silent_wav()),
        ("x.m4a", silent_mp4()),
        ("x.ogg", silent_ogg()),
    ],
)
def test_silence_has_no_identity(name: str, content: bytes) -> None:
    """Two silent tracks of one length are not the same recording."""
    assert only(identities(name, content)) is None


def test_a_silent_mp3_is_at_most_a_hint() -> None:
    identity = only(identities("x.mp3", silent_mp3()))
    assert identity is not None
    assert identity.strength is Strength.HINT


def test_a_constant_that_is_not_silence_keeps_its_identity() -> None:
    assert only(identities("x.flac", flac(bytes(range(16))))) is not None


def test_looking_for_the_identity_never_makes_a_file_unreadable() -> None:
    """If the budget has nothing left for it, the identity is unknown and everything else is unchanged."""
    kind = next(kind for kind in KINDS if kind.variant == "CBR LAME ID3v2.4")
    content = VirtualFile(kind.make(SECONDS, 7, Cover(picture(61_000), first=False)))
    reading = read("x.mp3", content, replace(FEW_BYTES, large_head=65_536, requests=1))
    assert reading.track is not None, reading.reason
    assert reading.identity in {None, read("x.mp3", content).identity}


def test_the_strength_shows_what_the_identity_is_based_on() -> None:
    strengths = {
        kind.variant: identity.strength
        for kind in KINDS
        if (identity := read(f"x.{kind.extension}", VirtualFile(kind.make(SECONDS, 7, Cover(b"", first=False)))).identity)
    }
    assert strengths["16/44"] is Strength.HINT  # AIFF
    assert strengths["3.99"] is strengths["with md5"] is Strength.SURE
    assert strengths["CBR LAME ID3v2.4"] is Strength.STRONG
    assert (
        strengths["AAC"]
        is strengths["ALAC"]
        is strengths["full pages"]
        is strengths["192 kbit/s"]
        is strengths["VBR Xing ID3v2.2"]
        is Strength.HINT
    )


def test_a_file_of_two_songs_does_not_equal_the_first_one() -> None:
    """Two MP3s written one after the other: the header of the first says nothing about the second."""
    songs = [Sound(name, 5.0, "mp3-lame").content() for name in "ab"]
    assert only(identities("x.mp3", songs[0])) is not None
    assert only(identities("x.mp3", songs[0] + songs[1])) is None
    tag = apev2(Cover(picture(40_000), first=False))
    assert only(identities("x.mp3", songs[0] + tag)) == only(identities("x.mp3", songs[0]))
