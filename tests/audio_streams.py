"""Minimal audio streams, built byte by byte by the formats' specifications: nothing in them comes from a real recording.

Every builder takes the length in seconds and a serial: streams with different serials have different audio bytes, so neither
whole files nor audio identities are equal by accident. MP3, FLAC, Opus, WAV, AIFF and DSF decode; for the other codecs only the
container and the headers are correct, which is all that a tag reader looks at.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache

from mutagen.ogg import OggPage


def _noise(serial: int, size: int) -> bytes:
    """Bytes that depend only on the serial; hexadecimal digits, so that they contain no sync word."""
    text = hashlib.sha256(b"stream %d" % serial).hexdigest().encode()
    return (text * (size // len(text) + 1))[:size]


@lru_cache(maxsize=8)
def _mp3_silence(seconds: float) -> bytearray:
    # MPEG 1 layer III, 32 kbit/s, 44.1 kHz, mono: 104 bytes a frame; side information of zeros is silence.
    return bytearray((b"\xff\xfb\x10\xc4" + bytes(100)) * max(6, round(seconds * 44100 / 1152)))


def mp3(seconds: float, serial: int) -> bytes:
    frames = bytearray(_mp3_silence(seconds))
    noise = _noise(serial, 64)
    for start in (0, len(frames) - 104):  # after header (4) and side information (17) come bytes that decoders ignore
        frames[start + 30 : start + 94] = noise
    return bytes(frames)


def _crc(width: int, polynomial: int) -> Callable[[bytes], int]:
    top, mask = 1 << (width - 1), (1 << width) - 1
    table = []
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
        table.append(value)

    def checksum(data: bytes) -> int:
        value = 0
        for byte in data:
            value = ((value << 8) ^ table[(value >> (width - 8)) ^ byte]) & mask
        return value

    return checksum


_crc8 = _crc(8, 0x07)
_crc16 = _crc(16, 0x8005)
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _crc16_mirrored(data: bytes) -> int:
    return int(f"{_crc16(data.translate(_MIRROR)):016b}"[::-1], 2)


def mp3_of(seconds: float, serial: int, *, channels: int, bitrate: int) -> bytes:
    """MP3 at 44.1 kHz. 245 kbit/s is LAME's V0: frames of 224 and 256 kbit/s behind a Xing frame."""
    rates, mode = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320), b"\xc4" if channels == 1 else b"\x04"

    def frame(kilobits: int, content: bytes) -> bytes:
        head = b"\xff\xfb" + bytes([rates.index(kilobits) << 4]) + mode + bytes(17 if channels == 1 else 32)
        return (head + content).ljust(144_000 * kilobits // 44100, b"U")

    count, noise, steps = round(seconds * 44100 / 1152), _noise(serial, 64), (224, 256, 256)
    if bitrate != 245_000:
        return frame(bitrate // 1000, noise) * count
    sound = b"".join(frame(steps[index % 3], noise) for index in range(count))
    toc = bytes(index * 256 // 100 for index in range(100))
    return frame(128, b"Xing" + struct.pack(">III", 7, count, 417 + len(sound)) + toc) + sound


def mp3_lame(seconds: float, serial: int) -> bytes:
    """MP3 with LAME's Info frame, which states the length and the checksum of the sound."""
    sound = mp3(seconds, serial)
    frames = len(sound) // 104
    head = b"\xff\xfb\x50\xc4" + bytes(17)  # 64 kbit/s: a frame of 208 bytes, because the tag needs 177
    toc = bytes(index * 256 // 100 for index in range(100))
    tag = b"Info" + struct.pack(">III", 15, frames, 208 + len(sound)) + toc + struct.pack(">I", 50)
    tag += b"LAME3.100" + b"\x01\x64" + bytes(4) + bytes(4) + b"\x00\x20" + b"\x24\x00\x00" + bytes(4)
    tag += struct.pack(">IH", 208 + len(sound), _crc16_mirrored(sound))
    first = head + tag
    first += struct.pack(">H", _crc16_mirrored(first))
    return first.ljust(208, b"\0") + sound


def flac(seconds: float, serial: int, *, rate: int = 44100, bits: int = 16, channels: int = 1) -> bytes:
    # By default 16 bit mono at 44.1 kHz; each frame of 4,096 samples holds one constant subframe a channel.
    count = max(2, round(seconds * rate / 4096))
    levels = hashlib.sha256(b"flac %d" % serial).digest()
    frames, pcm = [], hashlib.md5(usedforsecurity=False)
    codes = bytes((0xC0 | {44100: 9, 96000: 11}[rate], channels - 1 << 4 | {16: 4, 24: 6}[bits] << 1))
    for index in range(count):
        level = levels[index % 15 * 2 : index % 15 * 2 + 2] + bytes(bits // 8 - 2)
        number = chr(index).encode()
        header = b"\xff\xf8" + codes + number
        frame = header + bytes([_crc8(header)]) + (b"\0" + level) * channels
        frames.append(frame + struct.pack(">H", _crc16(frame)))
        pcm.update(level[::-1] * (4096 * channels))
    sizes = [len(frame) for frame in frames]
    rate_channels_bits_samples = rate << 44 | channels - 1 << 41 | bits - 1 << 36 | count * 4096
    info = struct.pack(">HH", 4096, 4096) + min(sizes).to_bytes(3, "big") + max(sizes).to_bytes(3, "big")
    info += struct.pack(">Q", rate_channels_bits_samples) + pcm.digest()
    return b"fLaC" + b"\x80" + len(info).to_bytes(3, "big") + info + b"".join(frames)


def _atom(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def _full(name: bytes, *parts: bytes) -> bytes:
    return _atom(name, bytes(4), *parts)


def _mp4(seconds: float, serial: int, sample_entry: bytes, moov_first: bool) -> bytes:
    # Samples of 1,024 frames; their sizes depend on the serial, just as they differ between two real recordings.
    count = max(4, round(seconds * 44100 / 1024))
    digits = hashlib.sha256(b"mp4 %d" % serial).digest()
    sizes = [16 + digits[index % 32] % 16 for index in range(count)]
    noise = _noise(serial, 32)
    data = b"".join(b"\x01\x18\x20\x07" + noise[: size - 4] for size in sizes)
    kind = _atom(b"ftyp", b"M4A \0\0\2\0isomiso2")

    def moov(offset: int) -> bytes:
        table = _atom(
            b"stbl",
            _full(b"stsd", struct.pack(">I", 1), sample_entry),
            _full(b"stts", struct.pack(">III", 1, count, 1024)),
            _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
            _full(b"stsz", struct.pack(">II", 0, count), struct.pack(f">{count}I", *sizes)),
            _full(b"stco", struct.pack(">II", 1, offset)),
        )
        handler = _full(b"hdlr", struct.pack(">I4s", 0, b"soun"), bytes(12), b"\0")
        reference = _atom(b"dinf", _full(b"dref", struct.pack(">I", 1), _atom(b"url ", b"\0\0\0\1")))
        media = _atom(
            b"mdia",
            _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 44100, count * 1024, 0x55C4, 0)),
            handler,
            _atom(b"minf", _full(b"smhd", bytes(4)), reference, table),
        )
        matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
        milliseconds = count * 1024 * 1000 // 44100
        track = _full(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, milliseconds), bytes(16), matrix, bytes(8))
        movie = _full(
            b"mvhd", struct.pack(">IIIIIH", 0, 0, 1000, milliseconds, 0x10000, 0x100), bytes(10), matrix, bytes(24), b"\0\0\0\2"
        )
        return _atom(b"moov", movie, _atom(b"trak", track, media))

    if moov_first:
        return kind + moov(len(kind) + len(moov(0)) + 8) + _atom(b"mdat", data)
    return kind + _atom(b"mdat", data) + moov(len(kind) + 8)


def _sound(name: bytes, *parts: bytes) -> bytes:
    # Two channels of 16 bits, as most programs write whatever is inside.
    return _atom(name, bytes(6), b"\0\1", bytes(8), struct.pack(">HHII", 2, 16, 0, 44100 << 16), *parts)


def m4a(seconds: float, serial: int, *, channels: int = 1, bitrate: int = 64000) -> bytes:
    # Every other file has its moov at the end, as about half of real files do.
    config = b"\x05\x02\x12" + bytes((channels << 3,))  # AAC-LC, 44.1 kHz
    decoder = b"\x04" + bytes([13 + len(config)]) + b"\x40\x15" + bytes(3) + struct.pack(">II", bitrate, bitrate) + config
    descriptor = b"\x03" + bytes([3 + len(decoder) + 3]) + b"\0\1\0" + decoder + b"\x06\x01\x02"
    return _mp4(seconds, serial, _sound(b"mp4a", _full(b"esds", descriptor)), moov_first=serial % 2 == 0)


def alac(seconds: float, serial: int, *, channels: int = 1) -> bytes:
    cookie = struct.pack(">IBBBBBBHIII", 4096, 0, 16, 40, 10, 14, channels, 255, 0, 700000, 44100)
    return _mp4(seconds, serial, _sound(b"alac", _full(b"alac", cookie)), moov_first=serial % 2 == 0)


def _ogg(serial: int, headers: list[bytes], packets: list[bytes], samples: int, first_position: int) -> bytes:
    """An identification page, a page for the other headers, then pages with up to 50 packets of `samples` samples each."""
    groups = [[headers[0]], headers[1:], *(packets[start : start + 50] for start in range(0, len(packets), 50))]
    stream, position = b"", first_position
    for sequence, group in enumerate(groups):
        page = OggPage()
        page.packets = group
        page.serial = serial & 0x7FFFFFFF
        page.sequence = sequence
        if sequence > 1:
            position += samples * len(group)
            page.position = position
        page.first = sequence == 0
        page.last = sequence == len(groups) - 1
        stream += page.write()
    return stream


def _no_comments(vendor: bytes) -> bytes:
    return struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)


def vorbis(seconds: float, serial: int, *, channels: int = 1, bitrate: int = 64000) -> bytes:
    identification = b"\x01vorbis" + struct.pack("<IBIiiiB", 0, channels, 44100, 0, bitrate, 0, 0xB8) + b"\1"
    setup = b"\x05vorbis" + bytes(16) + b"\1"
    noise = _noise(serial, 16)
    packets = [b"\0" + noise] * max(4, round(seconds * 44100 / 1024))
    return _ogg(serial, [identification, b"\x03vorbis" + _no_comments(b"tests") + b"\1", setup], packets, 1024, 0)


def opus(seconds: float, serial: int, *, channels: int = 1, bitrate: int = 6800) -> bytes:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, channels, 312, 48000, 0, 0)
    noise = _noise(serial, bitrate // 400 - 1)
    packets = [b"\xf8" + noise] * max(4, round(seconds * 50))  # CELT full band, 20 ms, mono
    return _ogg(serial, [head, b"OpusTags" + _no_comments(b"tests")], packets, 960, 312)


def wav(seconds: float, serial: int) -> bytes:
    # 8 bit mono at 8 kHz.
    samples = _noise(serial, max(64, round(seconds * 8000) // 2 * 2))
    form = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(seconds: float, serial: int) -> bytes:
    samples = _noise(serial, max(64, round(seconds * 8000) // 2 * 2))
    rate = struct.pack(">HQ", 16383 + 12, 8000 << 51)  # 80 bit floating point
    common = struct.pack(">HIH", 1, len(samples), 8) + rate
    sound = bytes(8) + samples
    body = b"AIFF" + b"COMM" + struct.pack(">I", len(common)) + common + b"SSND" + struct.pack(">I", len(sound)) + sound
    return b"FORM" + struct.pack(">I", len(body)) + body


def wavpack(seconds: float, serial: int, pcm_md5: bytes | None = None, *, checksums: bool = False) -> bytes:
    # Two blocks, 16 bit mono at 44.1 kHz; the last one carries the md5 of the sound, as `wavpack -m` writes it. `checksums`: as
    # version 5 writes them.
    half = max(1, round(seconds * 44100) // 2)
    flags = 1 | 1 << 2 | 3 << 11 | 9 << 23  # both the first and the last block of its moment
    digest = pcm_md5 or hashlib.md5(b"wavpack %d" % serial, usedforsecurity=False).digest()
    noise = b"\x0a\x10" + _noise(serial, 32)  # a bitstream of 16 words
    stream = b""
    for index, extra in enumerate((b"", b"\x26\x08" + digest)):
        body = noise + extra
        header = struct.pack("<IHBBIIIII", 24 + len(body) + 6 * checksums, 0x410, 0, 0, half * 2, half * index, half, flags, 0)
        block = b"wvpk" + header + body
        stream += block + (b"\x2f\x02" + struct.pack("<I", _wavpack_checksum(block)) if checksums else b"")
    return stream


def _wavpack_checksum(block: bytes) -> int:
    value = 0xFFFFFFFF
    for word in struct.unpack(f"<{len(block) // 2}H", block):
        value = (value * 3 + word) & 0xFFFFFFFF
    return value


def ape(seconds: float, serial: int) -> bytes:
    # Version 3.99, 16 bit mono at 44.1 kHz, one seek point for each frame.
    samples = max(1, round(seconds * 44100))
    per_frame = 73728
    frames = -(-samples // per_frame)
    last = samples - (frames - 1) * per_frame
    data = _noise(serial, 64 * frames)
    seek = struct.pack(f"<{frames}I", *(76 + 4 * frames + 64 * index for index in range(frames)))
    header = struct.pack("<HHIIIHHI", 2000, 32, per_frame, last, frames, 16, 1, 44100)
    digest = hashlib.md5(data + header + seek, usedforsecurity=False).digest()
    descriptor = b"MAC " + struct.pack("<HHIIIIIII", 3990, 0, 52, 24, len(seek), 0, len(data), 0, 0) + digest
    return descriptor + header + seek + data


def musepack(seconds: float, serial: int) -> bytes:
    # Stream version 8. A packet is a two-letter key, its whole size, and its payload.
    def number(value: int) -> bytes:
        out = bytes([value & 0x7F])
        while value := value >> 7:
            out = bytes([0x80 | value & 0x7F]) + out
        return out

    def packet(key: bytes, payload: bytes) -> bytes:
        return key + bytes([3 + len(payload)]) + payload

    header = b"\x08" + number(max(1, round(seconds * 44100))) + number(0) + b"\x1f\x1a"
    start = packet(b"SH", struct.pack(">I", serial & 0xFFFFFFFF) + header)
    return b"MPCK" + start + packet(b"RG", b"\x01" + bytes(8)) + packet(b"AP", _noise(serial, 64)) + packet(b"SE", b"")


def dsf(seconds: float, serial: int) -> bytes:
    # 1 bit mono at 2,822,400 Hz would be 352 kB a second, so the file is as short as possible: whole blocks of 4,096 bytes.
    blocks = max(1, round(min(seconds, 0.02) * 2822400 / 8 / 4096))
    data = _noise(serial, blocks * 4096)
    form = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2822400, 1, len(data) * 8, 4096, 0)
    sound = b"data" + struct.pack("<Q", 12 + len(data)) + data
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(form) + len(sound), 0) + form + sound


def tta(seconds: float, serial: int) -> bytes:
    samples = max(1, round(seconds * 44100))
    frames = -(-samples // 46080)
    data = _noise(serial, 28)
    data += struct.pack("<I", zlib.crc32(data))
    header = b"TTA1" + struct.pack("<HHHII", 1, 1, 16, 44100, samples)
    header += struct.pack("<I", zlib.crc32(header))
    seek = struct.pack(f"<{frames}I", *[32] * frames)
    return header + seek + struct.pack("<I", zlib.crc32(seek)) + data * frames


def _guid(text: str) -> bytes:
    parts = text.split("-")
    return struct.pack("<IHH", *(int(part, 16) for part in parts[:3])) + bytes.fromhex(parts[3] + parts[4])


def _asf_object(guid: str, payload: bytes) -> bytes:
    return _guid(guid) + struct.pack("<Q", 24 + len(payload)) + payload


def wma(seconds: float, serial: int) -> bytes:
    ticks = round(seconds * 10_000_000)
    data = _noise(serial, 256)
    identity = hashlib.md5(b"wma %d" % serial, usedforsecurity=False).digest()
    form = struct.pack("<HHIIHHH", 0x161, 1, 44100, 4000, 256, 16, 10) + bytes(10)
    properties = identity + struct.pack("<QQQQQQIIII", 0, 0, 1, ticks, ticks, 0, 2, 256, 256, 32000)
    stream = _guid("F8699E40-5B4D-11CF-A8FD-00805F5C442B") + _guid("20FB5700-5B55-11CF-A8FD-00805F5C442B")
    stream += struct.pack("<QIIHI", 0, len(form), 0, 1, 0) + form
    extension = _guid("ABD3D211-A9BA-11CF-8EE6-00C00C205365") + struct.pack("<HI", 6, 0)
    objects = [
        _asf_object("8CABDCA1-A947-11CF-8EE4-00C00C205365", properties),
        _asf_object("B7DC0791-A9B7-11CF-8EE6-00C00C205365", stream),
        _asf_object("5FBF03B5-A92E-11CF-8EE3-00C00C205365", extension),
    ]
    body = struct.pack("<IBB", len(objects), 1, 2) + b"".join(objects)
    packets = _asf_object("75B22636-668E-11CF-A6D9-00AA0062CE6C", identity + struct.pack("<QH", 1, 0x101) + data)
    return _asf_object("75B22630-668E-11CF-A6D9-00AA0062CE6C", body) + packets
