"""True Audio: header, seek table and every frame end with a CRC-32."""

from __future__ import annotations

import struct
from zlib import crc32

from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_HEADER = 22
_CRC = 4
_MOST_FRAMES = 4 * 1024 * 1024


def prove(stream: Stream) -> None:
    """Raises DamagedError and NotProvableError."""
    header = _checked(stream.take(_HEADER), "its header")
    rate, samples = struct.unpack_from("<II", header, 10)
    frames = -(-samples // (256 * rate // 245)) if rate else 0
    if not 0 < frames <= _MOST_FRAMES:
        raise NotProvableError("its header does not state how long it is")
    table = _checked(stream.take(4 * frames + _CRC), "its seek table")
    for size in struct.unpack(f"<{frames}I", table):
        at = stream.position
        checksum, left = 0, max(0, size - _CRC)
        for piece in stream.pieces(left):
            checksum = crc32(piece, checksum)
        if size < _CRC or checksum != int.from_bytes(stream.take(_CRC), "little"):
            raise DamagedError(f"the frame at offset {at:,} is damaged")


def _checked(data: bytes, what: str) -> bytes:
    if crc32(data[:-_CRC]) != int.from_bytes(data[-_CRC:], "little"):
        raise DamagedError(f"{what} is damaged")
    return data[:-_CRC]
