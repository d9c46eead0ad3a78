"""The header of a FLAC frame."""

from __future__ import annotations

import re
from typing import NamedTuple

from fastcrc.crc8 import smbus as crc8

SYNC = re.compile(rb"\xff[\xf8\xf9]")
"""How every frame begins; inside frames, these two bytes also occur by chance, about once in 32 KiB."""
LONGEST_HEADER = 16
_BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, *(256 << shift for shift in range(8)))
"""Samples by the code in the header; 6 and 7 mean that they follow the number."""


class FrameHeader(NamedTuple):
    """What the header of a frame says."""

    number: int
    """Of the first sample, if the frames have different lengths (`variable`); otherwise of the frame."""
    samples: int
    variable: bool

    def end(self, block: int) -> int:
        """How many samples there are up to its end. `block` is the length of all frames but the last, if they have one length."""
        return (self.number if self.variable else self.number * block) + self.samples


def frame_header(header: bytes) -> FrameHeader | None:
    """The header at the beginning of these bytes; None if they are not a frame header. Its CRC-8 is checked."""
    if len(header) < 6 or header[3] & 1:
        return None
    size_code, rate_code, first = header[2] >> 4, header[2] & 15, header[4]
    more = 0 if first < 0x80 else 7 - (first ^ 0xFF).bit_length()  # as in UTF-8: leading ones count the bytes
    if more > 6:
        return None
    at = 5 + more
    number = first & (0x7F if not more else (1 << 6 - more) - 1)
    for byte in header[5:at]:
        number = number << 6 | byte & 0x3F
    width = {6: 1, 7: 2}.get(size_code, 0)
    length = int.from_bytes(header[at : at + width], "big") + 1 if width else _BLOCK_SIZES[size_code]
    at += width + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if not length or rate_code == 15 or len(header) <= at or crc8(header[:at]) != header[at]:
        return None
    return FrameHeader(number, length, bool(header[1] & 1))
