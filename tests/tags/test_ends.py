"""The end of a file that is to stay is looked at in bytes: what was cut, zeroed or appended shows in every format."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from random import Random

import pytest
from msgspec.structs import replace
from mutagen.ogg import OggPage

from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.track import Reading, Status, Track
from tests import audio_streams as streams
from tests.audio_frames import flac, tagged
from tests.tags.ranges import corpus, corpus_files, read

TAGS = Track(title=("Song",), artist=("Band",), album=("Album",), track=7)
ENDS = [replace(policy, end_check=64 * 1024) for policy in (FEW_BYTES, FEW_REQUESTS)]
ID3V1 = b"TAG" + b"A title".ljust(125, b"\0")


def loud(content: bytes, seed: int = 1) -> bytes:
    """Noise of the same length, without zeros and sync words."""
    return Random(seed).randbytes(len(content)).replace(b"\0", b"\1").replace(b"\xff", b"\xfe")


def wav(bits: int, samples: bytes, *, kind: int = 1) -> bytes:
    form = struct.pack("<HHIIHH", kind, 2, 44100, 44100 * bits // 4, bits // 4, bits)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def noise(size: int) -> bytes:
    return loud(bytes(size))


def mp3(frames: int) -> bytes:
    return b"".join(b"\xff\xfb\x90\x64" + bytes(32) + noise(381) for _ in range(frames))


def adts(frames: int) -> bytes:
    size = 300
    head = bytes((0xFF, 0xF1, 0x50, 0x80 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F, 0xFC))
    return (head + noise(size - 7)) * frames


def dff(size: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content

    properties = b"SND " + chunk(b"FS  ", struct.pack(">I", 2822400)) + chunk(b"CHNL", struct.pack(">H", 1) + b"C000")
    properties += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    return chunk(b"FRM8", b"DSD " + chunk(b"FVER", b"\x01\x05\0\0") + chunk(b"PROP", properties) + chunk(b"DSD ", noise(size)))


def vorbis() -> bytes:
    return streams.vorbis(60, 1)


def ogg_flac() -> bytes:
    plain = flac(60, 3)
    first = b"\x7fFLAC\1\0\0\1fLaC" + bytes((0, 0, 0, 34)) + plain[8:42]
    comments = b"\x84" + (8).to_bytes(3, "big") + bytes(8)
    return streams._ogg(1, [first, comments], [plain[42 + 1000 * at :][:1000] for at in range(60)], 4096, 0)


FILES: dict[str, bytes] = {
    "x.flac": flac(40, 1),
    "tagged.flac": tagged(flac(40, 1), TAGS),
    "x.oga": ogg_flac(),
    "x.ogg": vorbis(),
    "x.opus": streams.opus(60, 1),
    "x.wav": wav(16, noise(400_000)),
    "x24.wav": wav(24, noise(300_000)),
    "x.aiff": streams.aiff(30, 1),
    "x.dsf": streams.dsf(1, 1),
    "x.dff": dff(100_000),
    "alac.m4a": streams.alac(20, 1),
    "alac first.m4a": streams.alac(20, 2),
    "aac.m4a": streams.m4a(20, 1),
    "x.ape": streams.ape(30, 1),
    "x.wv": streams.wavpack(20, 1),
    "x5.wv": streams.wavpack(20, 1, checksums=True),
    "x.tta": streams.tta(20, 1),
    "x.mp3": mp3(200),
    "lame.mp3": streams.mp3_lame(20, 1),
    "x.aac": adts(300),
    "x.mpc": streams.musepack(20, 1),
    "x.wma": streams.wma(20, 1),
}
"""Name -> a file whose end is as its encoder wrote it."""
PROVED = {"x.flac", "tagged.flac", "x.oga", "x5.wv", "x.tta"}


def sound_end(name: str) -> int:
    """Where the sound ends."""
    content = FILES[name]
    if name in ("alac.m4a", "aac.m4a"):
        return content.index(b"moov") - 4
    return len(content)


def at_end(name: str, content: bytes, policy: Policy = ENDS[0]) -> Reading:
    return read(name, content, policy)


def noticed(found: Reading, whole: Reading) -> bool:
    """Whether a reading shows that something is wrong with the file, or with its end compared with the whole one."""
    if found.status is Status.UNREADABLE or found.suspect is not None:
        return True
    assert found.end is not None
    assert whole.end is not None
    return bool(found.end.doubt) or found.end.loose > whole.end.loose or found.end.zeros > whole.end.zeros + 8


@pytest.mark.parametrize("policy", ENDS, ids=["few bytes", "few requests"])
@pytest.mark.parametrize("name", FILES)
def test_a_good_end_is_good_and_looking_at_it_changes_nothing_else(name: str, policy: Policy) -> None:
    plain, seen = read(name, FILES[name], replace(policy, end_check=0)), at_end(name, FILES[name], policy)
    assert (seen.status, seen.track, seen.identity, seen.suspect) == (plain.status, plain.track, plain.identity, None)
    assert plain.end is None
    assert seen.end is not None
    assert (seen.end.doubt, seen.end.loose) == (None, 0)
    assert seen.whole == (name in PROVED)
    assert seen.requests <= plain.requests + 2


@pytest.mark.parametrize("policy", ENDS, ids=["few bytes", "few requests"])
@pytest.mark.parametrize("name", FILES)
def test_zeros_instead_of_the_end_of_the_sound_show(name: str, policy: Policy) -> None:
    content, end = FILES[name], sound_end(name)
    whole = at_end(name, content, policy)
    for lost in (40, 500, 5_000, end // 2):
        if lost < end // 2 + 1:
            found = at_end(name, content[: end - lost] + bytes(lost) + content[end:], policy)
            assert noticed(found, whole), lost
            assert not found.whole


@pytest.mark.parametrize("name", FILES)
def test_a_cut_of_any_length_shows(name: str) -> None:
    content = FILES[name]
    whole = at_end(name, content)
    for lost in (1, 2, 7, 100, 1_000, 5_000):
        if lost < len(content) // 2:
            assert noticed(at_end(name, content[:-lost]), whole), lost


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("junk", [b"\x5a" * 1000, bytes(1000), noise(3000)], ids=["text", "zeros", "noise"])
def test_junk_behind_the_sound_shows(name: str, junk: bytes) -> None:
    assert noticed(at_end(name, FILES[name] + junk), at_end(name, FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_tags_behind_the_sound_are_no_junk(name: str) -> None:
    found = at_end(name, FILES[name] + ID3V1)
    assert not noticed(found, at_end(name, FILES[name]))


@pytest.mark.parametrize(("bits", "kind"), [(16, 1), (24, 1)])
def test_silence_after_sound_that_fades_out_is_no_lost_end(bits: int, kind: int) -> None:
    width = bits // 8
    fading = b"".join(struct.pack("<i", int(8e8 * (1 - at / 20_000)))[4 - width :] for at in range(20_000))
    for silent in (100, 3_000, 40_000):
        found = at_end("x.wav", wav(bits, noise(100_000 // 6 * 6) + fading + bytes(silent * width), kind=kind))
        assert found.end is not None
        assert (found.end.doubt, found.end.zeros >= silent * width) == (None, True)


def test_silence_that_is_too_long_to_be_judged_is_a_doubt() -> None:
    found = at_end("x.wav", wav(16, noise(100_000) + bytes(300_000)))
    assert found.end is not None
    assert "or more zero bytes" in (found.end.doubt or "")


def test_the_end_of_a_long_file_costs_one_range() -> None:
    for name in ("x.wav", "x.flac", "x.mp3"):
        content = FILES[name] if name != "x.wav" else wav(16, noise(2_000_000))
        assert at_end(name, content).bytes_read <= 100_000


def marked(content: bytes, mark: Callable[[OggPage], None]) -> bytes:
    file, pages = io.BytesIO(content), []
    while file.tell() < len(content):
        pages.append(OggPage(file))
    mark(pages[-1])
    return b"".join(page.write() for page in pages)


def test_an_ogg_stream_whose_last_page_is_not_marked_is_doubtful() -> None:
    found = at_end("x.ogg", marked(vorbis(), lambda page: setattr(page, "last", False)))
    assert found.suspect is None
    assert found.end is not None
    assert found.end.doubt


def test_the_ends_of_the_corpus_change_nothing_else() -> None:
    folder = corpus()
    if folder is None:
        return  # test_corpus reports it
    odd = {"01 - wrong max blocksize.flac", "08 - blocksize 65536.flac"}
    for line, content in corpus_files(folder):
        if len(content) > 200_000:
            continue
        plain, seen = read(line["path"], content), at_end(line["path"], content)
        assert (seen.status, seen.track) == (plain.status, plain.track), line["path"]
        if line["path"].rpartition("/")[2] not in odd:
            assert seen.suspect == plain.suspect, line["path"]
