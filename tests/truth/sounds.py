"""The sound of one recording in many encodings: small files with real checksums of their sound."""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from random import Random
from typing import NamedTuple

from tests import audio_streams as streams
from tests.audio import FORMATS
from tests.audio_streams import _crc8, _crc16, _crc16_mirrored

IDENTIFIED = frozenset({"flac", "wv", "mp3-lame"})
"""Formats whose header identifies the sound with strength SURE or STRONG; named as in tests/audio.py."""
_SAMPLES = ("flac", "wv")
"""Formats with a checksum of the samples themselves."""


class Sound(NamedTuple):
    """One recording as one encoder wrote it."""

    recording: str
    """One mix of one performance: a remaster, an edit and another take are different recordings."""
    seconds: float
    format: str
    settings: int = 0
    """Settings of the encoder. Different settings give different bytes, in lossy formats also a different sound."""
    hires: bool = False
    """24 bit, 96 kHz: different samples than the CD."""
    silent: bool = False
    checksum: bool = True
    """Whether the encoder wrote its checksum."""

    @property
    def stream(self) -> tuple[object, ...]:
        """Equal if and only if two files decode to the same samples."""
        if self.format in _SAMPLES:
            return "samples", self.recording, self.hires
        return self.format, self.recording, self.settings

    @property
    def identified(self) -> bool:
        """Whether the file itself identifies its sound."""
        return self.format in IDENTIFIED and self.checksum and not self.silent

    @property
    def extension(self) -> str:
        """Bitrate of its files."""
        return FORMATS[self.format].extension

    def content(self) -> bytes:
        """The file without tags."""
        return _content(self)


@lru_cache(maxsize=512)
def _content(sound: Sound) -> bytes:
    serial = int.from_bytes(hashlib.sha256(repr(sound.stream).encode()).digest()[:6], "big")
    if sound.format == "flac":
        return _flac(sound, serial)
    if sound.format == "wv":
        samples = _flac(sound, serial)
        return streams.wavpack(sound.seconds, serial + sound.settings, samples[26:42])
    if sound.format == "mp3-lame":
        return _mp3_lame(_mp3_frames(sound.seconds, serial))
    if sound.format == "mp3":
        return _mp3_frames(sound.seconds, serial)
    return FORMATS[sound.format].stream(sound.seconds, serial)


def _flac(sound: Sound, serial: int) -> bytes:
    # Mono; each frame is one constant subframe. Another encoder leaves the sample size of a frame to the file's header.
    rate, rate_code, width, width_code = (96000, 0xB, 3, 0x0C) if sound.hires else (44100, 0x9, 2, 0x08)
    form = bytes((0xFF, 0xF8, 0xC0 | rate_code, 0 if sound.settings else width_code))
    count = max(2, round(sound.seconds * rate / 4096))
    levels = bytes(width) * 16 if sound.silent else Random(serial).randbytes(width * 16)
    frames, samples = [], hashlib.md5(usedforsecurity=False)
    for index in range(count):
        level = levels[index % 16 * width :][:width]
        header = form + chr(index).encode()
        frame = header + bytes([_crc8(header), 0]) + level
        frames.append(frame + struct.pack(">H", _crc16(frame)))
        samples.update(level[::-1] * 4096)
    sizes = [len(frame) for frame in frames]
    facts = rate << 44 | (width * 8 - 1) << 36 | count * 4096
    info = struct.pack(">HH", 4096, 4096) + min(sizes).to_bytes(3, "big") + max(sizes).to_bytes(3, "big")
    info += struct.pack(">Q", facts) + (samples.digest() if sound.checksum else bytes(16))
    # Another encoder also writes a seek table: the same sound seldom has the same size twice.
    seek_table = b"\x83\0\0\x12" + bytes([255] * 8 + [0] * 10) if sound.settings else b""
    return b"fLaC" + (b"\0" if seek_table else b"\x80") + len(info).to_bytes(3, "big") + info + seek_table + b"".join(frames)


def _mp3_frames(seconds: float, serial: int) -> bytes:
    # MPEG 1 layer III, 32 kbit/s, 44.1 kHz, mono; noise where the sound is, without a byte of a sync word.
    payload = Random(serial).randbytes(83 * 40).replace(b"\xff", b"\xfe")
    frames = [b"\xff\xfb\x10\xc4" + bytes(17) + payload[start : start + 83] for start in range(0, len(payload), 83)]
    count = max(12, round(seconds * 44100 / 1152))
    return (b"".join(frames) * (count // 40 + 1))[: count * 104]


def _mp3_lame(sound: bytes) -> bytes:
    frames, size = len(sound) // 104, 208 + len(sound)
    first = b"\xff\xfb\x50\xc4" + bytes(17) + b"Info" + struct.pack(">III", 15, frames, size)
    first += bytes(index * 256 // 100 for index in range(100)) + struct.pack(">I", 50)
    first += b"LAME3.100" + b"\x01\x64" + bytes(8) + b"\x00\x20" + b"\x24\x00\x00" + bytes(4)
    first += struct.pack(">IH", size, _crc16_mirrored(sound))
    return (first + struct.pack(">H", _crc16_mirrored(first))).ljust(208, b"\0") + sound
