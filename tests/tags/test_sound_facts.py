"""What a file says about its sound is read as it is, and nothing that it does not say: fillers of headers are no facts."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from mutagen import id3
from mutagen.apev2 import APEv2

from orchestrator.track import Reading, Status
from tests import audio_streams as streams
from tests.audio import FORMATS
from tests.audio_streams import _atom, _full
from tests.tags.ranges import POLICIES, read

FIELDS = ("codec", "lossless", "channels", "sample_rate", "bit_depth")


def facts(reading: Reading) -> tuple[Any, ...]:
    assert reading.track is not None, reading.reason
    return tuple(getattr(reading.track, field) for field in FIELDS)


def same(name: str, content: bytes) -> Reading:
    """The reading, equal by every policy."""
    found = [read(name, content, policy) for policy in POLICIES.values()]
    assert len({(facts(one), one.suspect, one.track and one.track.duration_s) for one in found}) == 1
    return found[0]


def packed(*fields: tuple[int, int]) -> bytes:
    """Numbers of so many bits each, filled up to whole bytes."""
    text = "".join(f"{value:0{width}b}" for value, width in fields)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


# ------------------------------------------------------------ MP4


def entry(name: bytes, *inside: bytes, channels: int = 2, bits: int = 16, rate: int = 44100, version: int = 0) -> bytes:
    """A sample entry with what most programs fill in: two channels of 16 bits."""
    more = {0: b"", 1: struct.pack(">4I", 1024, 0, 0, 2)}.get(version)
    if more is None:
        more = struct.pack(">IdIIIIII", 72, rate, channels, 0x7F000000, bits, 12, bits // 8 * channels, 1)
        channels, bits, rate = 3, 16, 1
    head = (
        bytes(6)
        + b"\0\1"
        + struct.pack(">HHI", version, 0, 0)
        + struct.pack(">HHHHI", channels, bits, 0, 0, (rate & 0xFFFF) << 16)
    )
    return _atom(name, head, more, *inside)


def esds(config: str | bytes, kind: int = 0x40, bitrate: int = 96_000) -> bytes:
    config = bytes.fromhex(config) if isinstance(config, str) else config
    special = b"\x05\x80\x80\x80" + bytes([len(config)]) + config if config else b""
    decoder = bytes([kind, 0x15]) + bytes(3) + struct.pack(">II", bitrate, bitrate) + special
    stream = b"\0\1\0\x04" + bytes([len(decoder)]) + decoder + b"\x06\x01\x02"
    return _full(b"esds", b"\x03" + bytes([len(stream)]) + stream)


def mp4(sample_entry: bytes, scale: int = 44_100) -> bytes:
    content = streams._mp4(5.0, 3, sample_entry, moov_first=True)
    at = content.index(b"mdhd") + 16
    return content[:at] + struct.pack(">I", scale) + content[at + 4 :]


LISTED = packed(
    (2, 5), (4, 4), (0, 4), (0, 3),  # AAC-LC, 44.1 kHz, channels listed one by one
    (0, 10), (2, 4), (0, 4), (1, 4), (1, 2), (0, 3), (0, 4), (0, 3),
    (0, 1), (0, 4), (1, 1), (0, 4), (1, 1), (1, 4), (0, 4),  # one in front, a pair in front, a pair behind, one for low tones
) + b"\0"  # fmt: skip
ALS = packed((31, 5), (4, 6), (15, 4), (96_000, 24), (0, 4), (0, 5)) + b"ALS\0" + struct.pack(">IIHB", 96_000, 480_000, 5, 2 << 2)
COOKIE = struct.pack(">IBBBBBBHIII", 4096, 0, 24, 40, 10, 14, 1, 255, 0, 900_000, 96_000)
STREAMINFO = struct.pack(">HH", 4096, 4096) + bytes(6) + struct.pack(">Q", 192_000 << 44 | 5 << 41 | 23 << 36) + bytes(16)
AC3 = packed((1, 2), (8, 5), (0, 3), (7, 3), (1, 1), (15, 5), (0, 5))
EC3 = packed((448, 13), (0, 3), (0, 2), (16, 5), (0, 2), (0, 3), (7, 3), (1, 1), (0, 3), (0, 4), (0, 1))
EC3_DEPENDENT = packed((448, 13), (0, 3), (0, 2), (16, 5), (0, 2), (0, 3), (7, 3), (1, 1), (0, 3), (1, 4), (2, 9))
QUICKTIME = _atom(b"wave", _atom(b"frma", b"mp4a"), _atom(b"mp4a", bytes(4)), esds("1208"), bytes(4))

MP4 = {
    "mono": (entry(b"mp4a", esds("1208")), ("aac", False, 1, 44_100, None)),
    "stereo": (entry(b"mp4a", esds("1210")), ("aac", False, 2, 44_100, None)),
    "5.1": (entry(b"mp4a", esds("1230")), ("aac", False, 6, 44_100, None)),
    "7.1 is configuration 7": (entry(b"mp4a", esds("1238")), ("aac", False, 8, 44_100, None)),
    "channels one by one": (entry(b"mp4a", esds(LISTED)), ("aac", False, 6, 44_100, None)),
    "HE-AAC by the entry's rate": (entry(b"mp4a", esds("1390"), rate=44_100), ("aac", False, 2, 44_100, None)),
    "no replication, said": (entry(b"mp4a", esds("138856e500"), rate=22_050), ("aac", False, 1, 22_050, None)),
    "HE-AAC, stereo unsaid": (entry(b"mp4a", esds("130856e598"), rate=24_000), ("aac", False, None, 48_000, None)),
    "HE-AAC, no stereo": (entry(b"mp4a", esds("130856e59d4800"), rate=24_000), ("aac", False, 1, 48_000, None)),
    "HE-AAC v2": (entry(b"mp4a", esds("eb098800"), rate=24_000), ("aac", False, 2, 48_000, None)),
    "HE-AAC, stereo": (entry(b"mp4a", esds("2b118800"), rate=24_000), ("aac", False, 2, 48_000, None)),
    "QuickTime 1": (entry(b"mp4a", QUICKTIME, version=1), ("aac", False, 1, 44_100, None)),
    "QuickTime 2": (entry(b"lpcm", version=2, channels=6, bits=24, rate=96_000), ("pcm", True, 6, 96_000, 24)),
    "ALAC": (entry(b"alac", _full(b"alac", COOKIE)), ("alac", True, 1, 96_000, 24)),
    "ALAC in QuickTime": (entry(b"alac", _atom(b"wave", _full(b"alac", COOKIE)), version=1), ("alac", True, 1, 96_000, 24)),
    "FLAC": (entry(b"fLaC", _full(b"dfLa", b"\x80\0\0\x22", STREAMINFO)), ("flac", True, 6, 192_000, 24)),
    "Opus": (entry(b"Opus", _atom(b"dOps", b"\0\1" + struct.pack(">HIhB", 312, 44_100, 0, 0))), ("opus", False, 1, 48_000, None)),
    "AC-3": (entry(b"ac-3", _atom(b"dac3", AC3)), ("ac3", False, 6, 44_100, None)),
    "E-AC-3": (entry(b"ec-3", _atom(b"dec3", EC3)), ("eac3", False, 6, 48_000, None)),
    "E-AC-3 with more": (entry(b"ec-3", _atom(b"dec3", EC3_DEPENDENT)), ("eac3", False, None, 48_000, None)),
    "ALS": (entry(b"mp4a", esds(ALS)), ("als", True, 6, 96_000, 24)),
    "xHE-AAC": (entry(b"mp4a", esds(packed((31, 5), (10, 6), (3, 4), (1, 4)))), ("xhe-aac", False, 1, 48_000, None)),
    "MP3": (entry(b"mp4a", esds("", kind=0x6B)), ("mp3", False, None, 44_100, None)),
    "24 bits": (entry(b"in24"), ("pcm", True, 2, 44_100, 24)),
    "unknown letters": (entry(b"abcd"), ("abcd", None, None, 44_100, None)),
    "cut config": (entry(b"mp4a", esds("12")), ("aac", False, None, 44_100, None)),
    "no config": (entry(b"mp4a"), ("aac", False, None, 44_100, None)),
}  # fmt: skip


@pytest.mark.parametrize(("sample_entry", "true"), MP4.values(), ids=MP4)
def test_an_mp4_is_what_its_decoder_is_told(sample_entry: bytes, true: tuple[Any, ...]) -> None:
    reading = same("x.m4a", mp4(sample_entry))
    assert facts(reading) == true
    assert reading.track is not None
    assert reading.track.duration_s == pytest.approx(5, abs=0.02)
    assert reading.track.bitrate


@pytest.mark.parametrize(
    ("config", "rate", "scale", "true"),
    [
        ("1388", 22_050, 22_050, (None, None)),  # it may be HE-AAC v2
        ("1390", 22_050, 22_050, (2, None)),  # it may be HE-AAC
        ("1390", 44_100, 22_050, (2, 44_100)),  # it is
        ("1390", 22_050, 44_100, (2, 44_100)),
        ("1188", 48_000, 48_000, (1, 48_000)),  # too fast for either
        ("138856e500", 22_050, 22_050, (1, 22_050)),  # it says that it is not
    ],
)
def test_slow_aac_that_announces_nothing_is_not_guessed_at(
    config: str, rate: int, scale: int, true: tuple[int | None, ...]
) -> None:
    assert facts(same("x.m4a", mp4(entry(b"mp4a", esds(config), rate=rate), scale)))[2:4] == true


def fragmented(mehd: int | None = None, index: tuple[int, ...] = (), media: int = 0, *, samples: int = 0) -> bytes:
    """Fragments of 0.1 s at 44.1 kHz. `index`: the durations in `sidx`; `media`: the duration that the track states."""
    table = _atom(
        b"stbl",
        _full(b"stsd", b"\0\0\0\1", entry(b"mp4a", esds("1210"))),
        _full(b"stts", struct.pack(">III", 1, samples, 1024) if samples else bytes(4)),
        _full(b"stsz", bytes(8)),
    )
    handler = _full(b"hdlr", bytes(4) + b"soun" + bytes(13))
    track = _atom(
        b"trak", _atom(b"mdia", _full(b"mdhd", struct.pack(">5I", 0, 0, 44_100, media, 0)), handler, _atom(b"minf", table))
    )
    extends = _atom(b"mvex", _full(b"mehd", struct.pack(">I", mehd)) if mehd is not None else b"", _full(b"trex", bytes(20)))
    movie = _atom(b"moov", _full(b"mvhd", struct.pack(">4I", 0, 0, 1000, 0) + bytes(80)), track, extends)
    fragment = _atom(b"moof", bytes(100)) + _atom(b"mdat", b"U" * 4000)
    entries = b"".join(struct.pack(">III", len(fragment), duration, 0) for duration in index)
    table = _full(b"sidx", struct.pack(">IIIIHH", 1, 44_100, 0, 0, 0, len(index)), entries) if index else b""
    return _atom(b"ftyp", b"iso5\0\0\0\0") + movie + table + fragment * 50


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (fragmented(12_500), 12.5),
        (fragmented(index=(4410,) * 50), 5.0),
        (fragmented(12_500, index=(4410,) * 50), 12.5),
        (fragmented(), None),
        (fragmented(0), None),
        (fragmented(index=(4410,)), None),  # of the first fragment only
        (fragmented(index=(4410,) * 49), None),
        (fragmented(index=(4410,) * 50) + _atom(b"mfra", bytes(100)), 5.0),
        (fragmented(media=441_000), 10.0),
        (fragmented(media=44_100, samples=43), None),  # of what is in `moov` only
        (fragmented(media=0xFFFFFFFF), None),
    ],
)
def test_a_fragmented_mp4_is_as_long_as_its_index_says_or_of_unknown_length(content: bytes, seconds: float | None) -> None:
    reading = same("x.m4a", content)
    assert reading.track is not None
    assert (reading.track.duration_s, facts(reading)[:3]) == (seconds, ("aac", False, 2))


def edited(*edits: tuple[int, int], wide: bool = False) -> bytes:
    """Five seconds of AAC with an edit list: duration in milliseconds and where it starts in the sound."""
    content = streams._mp4(5.0, 3, MP4["stereo"][0], moov_first=True)
    listed = b"".join(struct.pack(">Qq" if wide else ">Ii", *edit) + struct.pack(">I", 0x10000) for edit in edits)
    atom = _atom(b"edts", _atom(b"elst", bytes((wide, 0, 0, 0)), struct.pack(">I", len(edits)), listed))
    at = content.index(b"mdia") - 4
    for name in (b"moov", b"trak"):
        start = content.index(name) - 4
        content = (
            content[:start]
            + struct.pack(">I", int.from_bytes(content[start : start + 4], "big") + len(atom))
            + content[start + 4 :]
        )
    return content[:at] + atom + content[at:]


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (edited((4900, 2112)), 4.992),  # without what the encoder added in front and behind
        (edited((4500, 2112)), 4.5),
        (edited((4500, 2112), wide=True), 4.5),
        (edited((1000, -1), (4000, 2112)), 4.0),  # a pause, then a part
        (edited((1000, 0), (1500, 88_200)), 2.5),
        (edited((60_000, 0)), 4.992),  # more than there is
        (edited((0, 0)), 4.992),
        (edited(), 4.992),
    ],
)
def test_an_mp4_is_as_long_as_its_edit_list_plays(content: bytes, seconds: float) -> None:
    found = same("x.m4a", content).track
    assert found is not None
    assert found.duration_s == pytest.approx(seconds, abs=0.001)


# ------------------------------------------------------------ WAV and AIFF-C

GUID = bytes.fromhex("000000001000800000aa00389b71")


def wav(form: tuple[int, ...], more: bytes = b"", *, size: int, fact: int | None = None) -> bytes:
    body = struct.pack("<HHIIHH", *form) + (struct.pack("<H", len(more)) + more if more or form[0] != 1 else b"")
    chunks = b"WAVEfmt " + struct.pack("<I", len(body)) + body
    chunks += b"fact" + struct.pack("<II", 4, fact) if fact is not None else b""
    chunks += b"data" + struct.pack("<I", size) + (b"\x55\xaa\x12" * (size // 3 + 1))[:size]
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def extensible(number: int, valid: int) -> bytes:
    return struct.pack("<HI", valid, 3) + struct.pack("<H", number) + GUID


WAV = {
    "A-law": (wav((6, 2, 8000, 16_000, 2, 8), size=48_000), ("alaw", False, 2, 8000, None), 3.0),
    "mu-law": (wav((7, 1, 8000, 8000, 1, 8), size=24_000, fact=24_000), ("mulaw", False, 1, 8000, None), 3.0),
    "GSM": (wav((0x31, 1, 8000, 1625, 65, 0), b"\x40\x01", size=4875, fact=24_000), ("gsm", False, 1, 8000, None), 3.0),
    "GSM, no fact": (wav((0x31, 1, 8000, 1625, 65, 0), b"\x40\x01", size=4875), ("gsm", False, 1, 8000, None), 3.0),
    "MS ADPCM": (
        wav((2, 2, 44_100, 44_359, 2048, 4), struct.pack("<H", 2036), size=133_120), ("adpcm", False, 2, 44_100, None), 3.001,
    ),
    "IMA ADPCM": (
        wav((0x11, 2, 44_100, 44_359, 2048, 4), struct.pack("<H", 2041), size=133_120, fact=132_300),
        ("adpcm", False, 2, 44_100, None), 3.0,
    ),
    "a fact of all channels": (
        wav((0x11, 2, 44_100, 44_359, 2048, 4), struct.pack("<H", 2041), size=133_120, fact=264_600),
        ("adpcm", False, 2, 44_100, None), 3.008,
    ),
    "MP3": (wav((0x55, 2, 44_100, 16_000, 1, 0), bytes(12), size=48_000, fact=132_300), ("mp3", False, 2, 44_100, None), 3.0),
    "MP2": (wav((0x50, 2, 44_100, 24_000, 1, 0), b"\2\0" + bytes(20), size=72_000), ("mp2", False, 2, 44_100, None), 3.0),
    "float": (wav((3, 1, 48_000, 192_000, 4, 32), size=576_000), ("pcm", True, 1, 48_000, 32), 3.0),
    "extensible": (
        wav((0xFFFE, 6, 48_000, 1_152_000, 24, 32), extensible(1, 24), size=1_152_000), ("pcm", True, 6, 48_000, 24), 1.0,
    ),
    "extensible A-law": (wav((0xFFFE, 1, 8000, 8000, 1, 8), extensible(6, 8), size=8000), ("alaw", False, 1, 8000, None), 1.0),
    "unknown": (wav((0x7777, 1, 8000, 4000, 1, 4), size=4000), (None, None, 1, 8000, None), 1.0),
}  # fmt: skip


@pytest.mark.parametrize(("content", "true", "seconds"), WAV.values(), ids=WAV)
def test_a_wav_is_what_its_format_says(content: bytes, true: tuple[Any, ...], seconds: float) -> None:
    reading = same("x.wav", content)
    assert reading.track is not None
    assert (facts(reading), reading.track.duration_s) == (true, seconds)


def test_a_wav_from_a_pipe_is_as_long_as_its_bytes() -> None:
    content = wav((1, 1, 8000, 16_000, 2, 16), size=48_000)
    at = content.index(b"data") + 4
    reading = same("x.wav", content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
    assert reading.track is not None
    assert reading.track.duration_s == 3.0


def aifc(kind: bytes, bits: int, frames: int, size: int, *, channels: int = 1) -> bytes:
    rate = struct.pack(">HQ", 16383 + 15, 44_100 << 48)
    common = struct.pack(">HIH", channels, frames, bits) + rate + kind + b"\0\0"
    sound = bytes(8) + (b"\x55\xaa\x12" * (size // 3 + 1))[:size]
    body = b"AIFC" + b"COMM" + struct.pack(">I", len(common)) + common + b"SSND" + struct.pack(">I", len(sound)) + sound
    return b"FORM" + struct.pack(">I", len(body)) + body


AIFC = {
    "A-law": (aifc(b"alaw", 16, 132_300, 132_300), ("alaw", False, 1, 44_100, None), 3.0),
    "mu-law": (aifc(b"ULAW", 8, 132_300, 264_600, channels=2), ("mulaw", False, 2, 44_100, None), 3.0),
    "IMA, packets counted": (aifc(b"ima4", 16, 2067, 2067 * 34), ("adpcm", False, 1, 44_100, None), 3.0),
    "IMA, samples counted": (aifc(b"ima4", 4, 132_288, 2067 * 68, channels=2), ("adpcm", False, 2, 44_100, None), 3.0),
    "GSM": (aifc(b"agsm", 0, 827, 827 * 33), ("gsm", False, 1, 44_100, None), 3.0),
    "little-endian": (aifc(b"sowt", 16, 44_100, 88_200), ("pcm", True, 1, 44_100, 16), 1.0),
    "float": (aifc(b"fl32", 32, 44_100, 176_400), ("pcm", True, 1, 44_100, 32), 1.0),
    "MP3": (aifc(b".mp3", 0, 39, 16_302), ("mp3", False, 1, 44_100, None), None),
    "unknown": (aifc(b"Abcd", 16, 44_100, 9000), ("abcd", None, 1, 44_100, None), None),
}


@pytest.mark.parametrize(("content", "true", "seconds"), AIFC.values(), ids=AIFC)
def test_an_aiff_c_is_what_its_compression_says(content: bytes, true: tuple[Any, ...], seconds: float | None) -> None:
    reading = same("x.aifc", content)
    assert reading.track is not None
    assert facts(reading) == true
    assert reading.track.duration_s == (pytest.approx(seconds, abs=0.001) if seconds else None)


# ------------------------------------------------------------ WavPack and others


def wavpack(flags: int, *blocks: tuple[int, int, bytes], total: int = 44_100, version: int = 0x410) -> bytes:
    """`blocks`: the first sample, the number of samples, the sub-blocks."""
    stream = b""
    for first, held, extra in blocks:
        body = extra + b"\x0a\x80" + b"\x55\xaa" * 128
        stream += b"wvpk" + struct.pack("<IHBBIIIII", 24 + len(body), version, 0, 0, total, first, held, flags, 0) + body
    return stream


STEREO, WHOLE = 1, 3 << 11
CUSTOM = STEREO | WHOLE | 15 << 23
WAVPACK = {
    "176.4 kHz": (wavpack(CUSTOM, (0, 44_100, b"\x67\x02\x10\xb1\x02\0")), ("wavpack", True, 2, 176_400, 16), 0.25),
    "384 kHz": (wavpack(CUSTOM, (0, 44_100, b"\x67\x02\x00\xdc\x05\0"), total=384_000), ("wavpack", True, 2, 384_000, 16), 1.0),
    "5.1": (wavpack(1 | 1 << 11 | 9 << 23, (0, 44_100, b"\x0d\x01\x06\x3f")), ("wavpack", True, 6, 44_100, 16), 1.0),
    "5.1 without a word": (wavpack(1 | 1 << 11 | 9 << 23, (0, 44_100, b"")), ("wavpack", True, None, 44_100, 16), 1.0),
    "mono, 20 bits": (wavpack(2 | 4 | WHOLE | 4 << 13 | 9 << 23, (0, 44_100, b"")), ("wavpack", True, 1, 44_100, 20), 1.0),
    "hybrid": (wavpack(1 | 8 | WHOLE | 9 << 23, (0, 44_100, b"")), ("wavpack", False, 2, 44_100, 16), 1.0),
    "DSD": (
        wavpack(1 << 31 | WHOLE | 9 << 23, (0, 352_800, b"\x0e\x01\x03\x01"), total=352_800),
        ("wavpack", True, 2, 2_822_400, 1), 1.0,
    ),
    "from a pipe": (
        wavpack(STEREO | WHOLE | 9 << 23, (0, 44_100, b""), (44_100, 44_100, b""), total=0xFFFFFFFF),
        ("wavpack", True, 2, 44_100, 16), 2.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "true", "seconds"), WAVPACK.values(), ids=WAVPACK)
def test_a_wavpack_is_what_its_first_block_says(content: bytes, true: tuple[Any, ...], seconds: float) -> None:
    reading = same("x.wv", content)
    assert reading.track is not None
    assert (facts(reading), reading.track.duration_s) == (true, seconds)


@pytest.mark.parametrize(
    "content",
    [
        wavpack(1, (0, 44_100, b""), version=3),
        wav((1, 2, 44_100, 176_400, 4, 16), size=9000).replace(b"\x55\xaa\x12\x55\xaa\x12\x55\xaa", b"wvpk\x20\0\0\0\3\0"[:8], 1),
    ],
    ids=["bare", "behind the header of its WAV"],
)
def test_the_first_versions_of_wavpack_are_named(content: bytes) -> None:
    reading = read("x.wv", content)
    assert (reading.status, reading.reason) == (Status.UNREADABLE, "WavPack files of version 1 to 3 cannot be read")


def test_opus_plays_at_48_khz_and_true_audio_states_all() -> None:
    assert facts(same("x.opus", streams.opus(5, 1))) == ("opus", False, 1, 48_000, None)
    assert facts(same("x.tta", streams.tta(5, 1))) == ("tta", True, 1, 44_100, 16)


@pytest.mark.parametrize("more", [0, 1])
def test_a_dsf_whose_sizes_are_one_byte_too_large_is_not_suspect(more: int) -> None:
    whole = streams.dsf(1, 1)
    sizes = bytearray(whole)
    for at in (12, 84):
        struct.pack_into("<Q", sizes, at, struct.unpack_from("<Q", whole, at)[0] + more)
    assert same("x.dsf", bytes(sizes)).suspect is None
    assert same("x.dsf", bytes(sizes)[:-2]).suspect is not None


def xing(flags: int, frames: int, sound: bytes) -> bytes:
    """MPEG frames behind a Xing frame that states what `flags` say."""
    counts = struct.pack(">I", frames) if flags & 1 else b""
    head = b"\xff\xfb\x50\xc4" + bytes(17) + b"Xing" + struct.pack(">I", flags) + counts
    return (head + struct.pack(">I", 208 + len(sound))).ljust(208, b"\0") + sound


SLOW, FAST = (streams.mp3_of(10, 1, channels=1, bitrate=rate) for rate in (48_000, 128_000))
MPEG = {
    "constant, nothing counted": (FAST, 10.0),
    "counted": (xing(3, 383, FAST), 10.0),
    "counted by LAME": (streams.mp3_lame(10, 1), 10.0),
    "two joined, only the first counted": (streams.mp3_lame(10, 1) + FAST, None),
    "two joined, only the first counted by Xing": (xing(3, 383, SLOW) + FAST, None),
    "a large tag behind": (streams.mp3_lame(10, 1) + b"TAG".ljust(128, b"\0"), 10.0),
    "variable, nothing counted": (SLOW[:156] + FAST, None),
    "variable, frames not counted": (xing(2, 0, SLOW[:156] + FAST), None),
    "variable, no frames counted": (xing(3, 0, SLOW[:156] + FAST), None),
}


@pytest.mark.parametrize(("content", "seconds"), MPEG.values(), ids=MPEG)
def test_an_mp3_is_as_long_as_its_frames_or_of_unknown_length(content: bytes, seconds: float | None) -> None:
    reading = same("x.mp3", content)
    assert reading.track is not None
    assert reading.track.duration_s == (pytest.approx(seconds, abs=0.1) if seconds else None)
    assert bool(reading.track.bitrate) == bool(seconds)


@pytest.mark.parametrize("extension", ["wv", "ape", "tta", "mpc"])
def test_the_bitrate_does_not_count_tags(extension: str) -> None:
    """Otherwise a copy would be called cut for the 32 bytes of a header of APEv2, or the 128 of ID3v1, that it lacks."""
    sound = FORMATS[extension].stream(20, 1)
    file = BytesIO(sound)
    tags = APEv2()
    tags["Title"] = "T"
    tags.save(file)
    headed = file.getvalue()
    bare = bytearray(headed[: len(sound)] + headed[len(sound) + 32 :])
    bare[-9] &= 0x7F  # no header
    id3v1 = b"TAG" + b"T".ljust(125, b"\0")
    readings = [same(f"x.{extension}", bytes(one)) for one in (sound, headed, bare, sound + id3v1, bytes(bare) + id3v1)]
    assert len({(one.track and one.track.bitrate, one.identity) for one in readings}) == 1


def adts(index: int, channels: int) -> bytes:
    size = 200
    head = packed((0xFFF1, 16), (1, 2), (index, 4), (0, 1), (channels, 3), (0, 4), (size, 13), (0x7FF, 11), (0, 2))
    return (head + b"U" * (size - 7)) * 50


@pytest.mark.parametrize(
    ("index", "channels", "true"), [(4, 1, (1, 44_100)), (7, 1, (None, None)), (7, 2, (2, None)), (4, 7, (8, 44_100))]
)
def test_raw_aac_cannot_announce_what_may_follow(index: int, channels: int, true: tuple[int | None, ...]) -> None:
    assert facts(same("x.aac", adts(index, channels)))[2:4] == true


@pytest.mark.parametrize(("mode", "channels"), [(0x40, 2), (0xC0, 1)])
def test_an_mp3_of_free_bitrate_is_of_unknown_length(mode: int, channels: int) -> None:
    """Its frames state no bitrate; a search for frames that do finds some in the noise between."""
    noise = streams._noise(5, 1250).replace(b"\xff", b"\xfe")
    false = bytes.fromhex("fffb9044") + noise[:413]
    frames = b"".join(bytes((0xFF, 0xFB, 0x02 * (n % 2), mode)) + noise[: 1250 - 417 + n % 2] + false for n in range(40))
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=3, text=["Free"]))
    file = BytesIO()
    tags.save(file, v1=0)
    for front in (b"", file.getvalue()):
        found = same("x.mp3", front + frames)
        assert facts(found) == ("mp3", False, channels, 44_100, None)
        assert found.track is not None
        assert (found.track.duration_s, found.track.bitrate, found.track.title) == (None, None, ("Free",) if front else ())


@pytest.mark.parametrize(("extension", "lossless", "bits"), [("ofr", True, 16), ("ofs", False, None)])
def test_optimfrog_dualstream_is_lossy(extension: str, lossless: bool, bits: int | None) -> None:
    head = b"OFR " + struct.pack("<IIHBBIHB", 15, 441_000 * 2, 0, 3, 1, 44_100, 0x1000, 2)
    found = same(f"x.{extension}", head.ljust(4000, b"U"))
    assert facts(found) == ("optimfrog", lossless, 2, 44_100, bits)
