"""What WAV and AIFF-C say about their sound: codec, and the duration of compressed samples. Bytes in, facts out."""

from __future__ import annotations

import struct
from typing import NamedTuple

from orchestrator.tags.containers.wave_formats import EXTENSIBLE, FLOAT, Codec, codec_of
from orchestrator.tags.parsed import PcmForm, StreamFacts

_GUID = bytes.fromhex("000000001000800000aa00389b71")
"""The end of a GUID that begins with the number of a codec."""
_A_LAW, _MU_LAW, _MS_ADPCM, _IMA_ADPCM, _GSM, _MPEG = 0x06, 0x07, 0x02, 0x11, 0x31, 0x50
_GSM_BLOCK = 320
_LAYERS = {1: "mp1", 2: "mp2", 4: "mp3"}
_UNKNOWN = 0xFFFFFFFF
_PLAUSIBLE = 1.5
"""A number of samples that differs by this factor from what the bytes hold is none: some programs count each channel."""

_FLOATS = {b"fl32": 32, b"FL32": 32, b"fl64": 64, b"FL64": 64}
_PLAIN = {b"": 0, b"NONE": 0, b"twos": 0, b"sowt": 0, b"raw ": 0, b"in24": 24, b"in32": 32, b"42ni": 24, b"23ni": 32, **_FLOATS}
"""Kind of plain samples -> bits; 0: as stated."""
_PACKETS = {  # bytes and samples of a packet of one channel
    b"alaw": (1, 1),
    b"ALAW": (1, 1),
    b"ulaw": (1, 1),
    b"ULAW": (1, 1),
    b"ima4": (34, 64),
    b"MAC3": (2, 6),
    b"MAC6": (1, 6),
    b"GSM ": (33, 160),
    b"agsm": (33, 160),
}
_CODECS: dict[bytes, Codec] = {
    **dict.fromkeys(_PLAIN, ("pcm", True)),
    **dict.fromkeys((b"alaw", b"ALAW"), ("alaw", False)),
    **dict.fromkeys((b"ulaw", b"ULAW"), ("mulaw", False)),
    **dict.fromkeys((b"ima4", b"ADP4", b"G723", b"G726"), ("adpcm", False)),
    **dict.fromkeys((b"MAC3", b"MAC6"), ("mace", False)),
    **dict.fromkeys((b"GSM ", b"agsm"), ("gsm", False)),
    b"G722": ("g722", False),
    b"Qclp": ("qcelp", False),
    b"QDMC": ("qdmc", False),
    b"QDM2": ("qdm2", False),
    b"SDX2": ("sdx2", False),
    b"DWVW": ("dwvw", True),
    b"alac": ("alac", True),
    b".mp3": ("mp3", False),
}


class Sound(NamedTuple):
    """The codec and the facts of the sound."""

    codec: str | None
    lossless: bool | None
    facts: StreamFacts
    pcm: PcmForm | None = None
    """How the samples are written, if they are plain."""


def of_wav(form: bytes, size: int, samples: int) -> Sound:
    """By `fmt ` (its beginning), the bytes of sound, and the number of samples in `fact` (0 if there is none)."""
    number, channels, rate, byte_rate, block, bits = struct.unpack_from("<HHIIHH", form.ljust(16, b"\0"))
    valid = bits
    if number == EXTENSIBLE and form[26:40] == _GUID:
        number, valid = int.from_bytes(form[24:26], "little"), int.from_bytes(form[18:20], "little")
    codec, lossless = codec_of(number) if number != EXTENSIBLE else ("pcm", True)
    facts = StreamFacts(sample_rate=rate or None, channels=channels or None)
    if codec == "pcm":
        facts.bits_per_sample = valid if 0 < valid <= bits else bits or None
        facts.bitrate = channels * bits * rate or None
        facts.length = size / block / rate if block and rate else None
        return Sound(codec, lossless, facts, PcmForm(bits, big_endian=False, readable=number != FLOAT))
    if number == _MPEG:
        codec = _LAYERS.get(int.from_bytes(form[18:20], "little"), codec)
    facts.length = _compressed_length(form, number, size, samples)
    facts.bitrate = 8 * byte_rate or (round(8 * size / facts.length) if facts.length else None)
    return Sound(codec, lossless, facts)


def _compressed_length(form: bytes, number: int, size: int, samples: int) -> float | None:
    channels: int
    rate: int
    _, channels, rate, byte_rate, block, _ = struct.unpack_from("<HHIIHH", form.ljust(16, b"\0"))
    if not rate or not channels:
        return None
    by_bytes = size / byte_rate if byte_rate else None
    held = _samples_of_block(form, number, block // channels)
    if held and block:
        by_bytes = size // block * held / rate
    stated = samples / rate if samples and samples != _UNKNOWN else None
    if stated and (not by_bytes or 1 / _PLAUSIBLE < stated / by_bytes < _PLAUSIBLE):
        return stated
    return by_bytes


def _samples_of_block(form: bytes, number: int, block: int) -> int:
    """How many samples of a channel a block holds; `block`: its bytes for each channel. 0 if unknown."""
    if number in (_A_LAW, _MU_LAW):
        return 1
    if number not in (_MS_ADPCM, _IMA_ADPCM, _GSM):
        return 0
    stated = int.from_bytes(form[18:20], "little")
    if stated or number == _GSM:
        return stated or _GSM_BLOCK
    return max(0, (block - 7) * 2 + 2 if number == _MS_ADPCM else (block - 4) * 2 + 1)


def of_aiff(form: bytes) -> Sound:
    """By `COMM` (its beginning)."""
    kind, bits = form[18:22], int.from_bytes(form[6:8], "big")
    codec, lossless = _CODECS.get(kind, (None, None))
    if kind.startswith(b"ms"):
        codec, lossless = codec_of(int.from_bytes(kind[2:], "big"))
    facts = StreamFacts(channels=int.from_bytes(form[:2], "big") or None)
    if codec == "pcm":
        facts.bits_per_sample = _PLAIN.get(kind) or bits or None
        return Sound(codec, lossless, facts, PcmForm(bits, big_endian=True, readable=kind in (b"", b"NONE", b"twos")))
    return Sound(codec or _printable(kind), lossless, facts)


def aiff_length(form: bytes, size: int, rate: int) -> float | None:
    """Seconds of compressed sound: programs disagree whether `COMM` counts samples or packets, but the bytes tell."""
    channels = int.from_bytes(form[:2], "big")
    packet, samples = _PACKETS.get(form[18:22], (0, 0))
    return size // (packet * channels) * samples / rate if packet and channels and rate else None


def _printable(kind: bytes) -> str | None:
    text = kind.decode("latin-1").strip().lower()
    return text if text.isascii() and text.isprintable() and text else None
