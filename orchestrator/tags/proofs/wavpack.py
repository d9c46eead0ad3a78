"""WavPack from version 5 on: every block ends with a checksum over itself, blocks are numbered, and state the total."""

from __future__ import annotations

import sys
from array import array
from functools import lru_cache
from operator import mul

from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_HEADER = 32
_CHECKSUM = 0x2F
_LAST_OF_MOMENT = 0x1000
_MOST_BLOCK = 16 * 1024 * 1024
_MASK = 0xFFFFFFFF
_UNKNOWN = 0xFFFFFFFF


def prove(stream: Stream) -> None:
    """Raises DamagedError and NotProvableError."""
    held = total = 0
    while stream.peek(4) == b"wvpk":
        at = stream.position
        head = stream.peek(_HEADER)
        size = 8 + int.from_bytes(head[4:8], "little")
        if not _HEADER <= size <= _MOST_BLOCK:
            raise DamagedError(f"the block at offset {at:,} is damaged")
        block = stream.take(size)
        check_block(block, at)
        first, samples = int.from_bytes(head[16:20], "little") | head[10] << 32, int.from_bytes(head[20:24], "little")
        if not at or not total:
            total = _total(head)
        if samples:
            if first != held:
                raise DamagedError(f"blocks are missing before offset {at:,}")
            held += samples if int.from_bytes(head[24:28], "little") & _LAST_OF_MOMENT else 0
    if held < total:
        raise DamagedError(f"{held:,} of {total:,} samples are there")


def _total(head: bytes) -> int:
    low = int.from_bytes(head[12:16], "little")
    if low == _UNKNOWN:
        raise NotProvableError("its header does not state how long it is")
    return low + (head[11] << 32) - head[11]  # 0xffffffff is left out, because it means "unknown"


def check_block(block: bytes, at: int) -> None:
    """Compare a block with the checksum that is its last sub-block. Raises DamagedError and NotProvableError."""
    for width in (4, 2):
        start = len(block) - 2 - width
        if start < _HEADER or block[start] != _CHECKSUM or block[start + 1] != width // 2:
            continue
        found = _checksum(block[:start])
        if (found if width == 4 else (found ^ found >> 16) & 0xFFFF) != int.from_bytes(block[start + 2 :], "little"):
            raise DamagedError(f"the block at offset {at:,} is damaged")
        return
    raise NotProvableError("its blocks hold no checksums, as those of WavPack before version 5")


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
