"""WavPack from version 5 on: every block ends with a checksum over itself, blocks are numbered, and state the total."""

from __future__ import annotations

from orchestrator.tags.frames.wavpack import checksum_is_right
from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_HEADER = 32
_LAST_OF_MOMENT = 0x1000
_MOST_BLOCK = 16 * 1024 * 1024
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
        _check(block, at)
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


def _check(block: bytes, at: int) -> None:
    right = checksum_is_right(block)
    if right is None:
        raise NotProvableError("its blocks hold no checksums, as those of WavPack before version 5")
    if not right:
        raise DamagedError(f"the block at offset {at:,} is damaged")
