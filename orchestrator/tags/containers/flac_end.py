"""Whether the last frame of a FLAC file is complete. Its head is the same whether or not the file was cut."""

from __future__ import annotations

import re
from typing import Any

from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end

_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_LONGEST_HEADER = 16
_MOST_LOOKED_AT = 16
"""How many headers are tried: about once in 8 MiB, bytes inside a frame look like a header by chance."""
_LONGEST_FRAME = 1024 * 1024
_BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, *(256 << shift for shift in range(8)))
"""Samples by the code in the header; 6 and 7 mean that they follow the number."""


def missing_end(file: SparseFile, start: int, info: Any) -> str | None:
    """The reason if the sound (from `start`) does not end with a complete frame that holds its last samples."""
    end = sound_end(file)
    begin = max(start, min(file.size - file.policy.flac_end, end - min(info.max_framesize, _LONGEST_FRAME)))
    data = file.peek(begin, end - begin, "the end of the sound, for its last frame") if end > begin else b""
    least = len(data) - info.max_framesize if info.max_framesize else 0
    looked_at = 0
    for at in reversed([sync.start() for sync in _SYNC.finditer(data)]):
        held = _samples_up_to(data[at : at + _LONGEST_HEADER], info.max_blocksize) if at >= least else None
        if held is None:
            continue
        if not _crc16(data[at:]):  # it ends with its own checksum
            short = held < info.total_samples
            return f"cut short: {held:,} of {info.total_samples:,} samples are there" if short else None
        looked_at += 1
        if looked_at == _MOST_LOOKED_AT:
            break
    return "cut short or damaged: it does not end with a whole frame"


def _samples_up_to(header: bytes, block: int) -> int | None:
    """How many samples there are up to the end of the frame with this header; None if it is not a frame header.

    `block` is the length of all frames but the last, if they have one length.
    """
    if len(header) < 6 or header[3] & 1:
        return None
    size_code, rate_code, first = header[2] >> 4, header[2] & 15, header[4]
    more = 0 if first < 0x80 else 7 - (first ^ 0xFF).bit_length()  # as in UTF-8: leading ones count the bytes
    at = 5 + more
    number = first & (0x7F if not more else (1 << 6 - more) - 1)
    for byte in header[5:at]:
        number = number << 6 | byte & 0x3F
    width = {6: 1, 7: 2}.get(size_code, 0)
    length = int.from_bytes(header[at : at + width], "big") + 1 if width else _BLOCK_SIZES[size_code]
    at += width + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if not length or rate_code == 15 or len(header) <= at or _crc8(header[:at]) != header[at]:
        return None
    return (number if header[1] & 1 else number * block) + length


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    found = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> bits - 1 else 0)) & (1 << bits) - 1
        found.append(value)
    return tuple(found)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 8 & 0xFFFF ^ _CRC16[value >> 8 ^ byte]
    return value
