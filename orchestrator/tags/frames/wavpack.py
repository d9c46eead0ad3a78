"""The checksum of a WavPack block: since version 5, its last sub-block."""

from __future__ import annotations

import sys
from array import array
from functools import lru_cache
from operator import mul

_HEADER = 32
_CHECKSUM = 0x2F
_MASK = 0xFFFFFFFF


def checksum_is_right(block: bytes) -> bool | None:
    """Whether a whole block matches its checksum; None if it has none."""
    for width in (4, 2):
        start = len(block) - 2 - width
        if start >= _HEADER and block[start] == _CHECKSUM and block[start + 1] == width // 2:
            found = _checksum(block[:start])
            return (found if width == 4 else (found ^ found >> 16) & 0xFFFF) == int.from_bytes(block[start + 2 :], "little")
    return None


def _checksum(data: bytes) -> int:
    """3 times the value before plus the next word, beginning with -1; modulo 2**32."""
    words = array("H", data)
    if sys.byteorder == "big":
        words.byteswap()
    words.reverse()
    powers = _powers(1 << len(words).bit_length())
    total: int = sum(map(mul, words, powers)) - powers[len(words)]
    return total & _MASK


@lru_cache(maxsize=2)
def _powers(count: int) -> list[int]:
    """3 to the power of 0, 1, ... `count`."""
    found = [1]
    for _ in range(count):
        found.append(found[-1] * 3 & _MASK)
    return found
