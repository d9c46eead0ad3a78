"""FLAC files whose frames differ in length, as in real ones: noise takes 8 KiB a frame, a packed constant 14 bytes."""

from __future__ import annotations

import hashlib
import struct
from io import BytesIO
from random import Random

from orchestrator.track import Track
from tests.audio import FORMATS
from tests.audio_streams import _crc8, _crc16

SAMPLES = 4096


def flac(frames: int, serial: int, *, packed: bool = True, seek_table: bool = False) -> bytes:
    """16 bit mono at 44.1 kHz: every second frame is a constant, `packed` or not. The sound is the same in both cases."""
    random = Random(serial)
    sound, points, offset, checksum = [], [], 0, hashlib.md5(usedforsecurity=False)
    for index in range(frames):
        points.append(struct.pack(">QQH", index * SAMPLES, offset, SAMPLES))
        samples = random.randbytes(2) * SAMPLES if index % 2 else random.randbytes(2 * SAMPLES)
        header = b"\xff\xf8\xc9\x08" + chr(index).encode()
        body = b"\x00" + samples[:2] if index % 2 and packed else b"\x02" + samples
        frame = header + bytes([_crc8(header)]) + body
        sound.append(frame + struct.pack(">H", _crc16(frame)))
        offset += len(sound[-1])
        checksum.update(b"".join(samples[at : at + 2][::-1] for at in range(0, len(samples), 2)))
    sizes = [len(frame) for frame in sound]
    info = struct.pack(">HH", SAMPLES, SAMPLES) + min(sizes).to_bytes(3, "big") + max(sizes).to_bytes(3, "big")
    info += struct.pack(">Q", 44100 << 44 | 15 << 36 | frames * SAMPLES) + checksum.digest()
    blocks = [(0, info), *([(3, b"".join(points[:: max(1, frames // 5)]))] if seek_table else [])]
    out = b"fLaC"
    for kind, content in blocks:
        out += bytes([kind | (0x80 if kind == blocks[-1][0] else 0)]) + len(content).to_bytes(3, "big") + content
    return out + b"".join(sound)


def tagged(content: bytes, tags: Track) -> bytes:
    """The same file with tags."""
    file = BytesIO(content)
    FORMATS["flac"].save(file, tags, b"")
    return file.getvalue()
