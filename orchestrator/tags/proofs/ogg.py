"""Ogg: every page has a CRC-32 over itself and a number; the last page of each stream is marked, and says how long it is."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.tags.frames.ogg import page_checksum
from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_HEADER = 27
_FIRST, _LAST = 2, 4
_SERIAL, _NUMBER, _CHECKSUM = slice(14, 18), slice(18, 22), slice(22, 26)
_NO_PACKET_ENDS = (1 << 64) - 1
_FLAC = b"\x7fFLAC"
_SAMPLES = slice(27, 35)
"""Within the first packet of FLAC: 13 bytes and the header of STREAMINFO before it, the number of samples in the middle of it."""


@dataclass(slots=True)
class _Logical:
    """One of the streams in the file."""

    number: int = 0
    """Of the next page."""
    position: int = 0
    """Samples up to the last page."""
    samples: int = 0
    """How many it should hold; 0 if unknown."""
    ended: bool = False


def prove(stream: Stream) -> None:
    """Raises DamagedError and NotProvableError."""
    streams: dict[bytes, _Logical] = {}
    while stream.peek(4) == b"OggS":
        at = stream.position
        head = stream.take(_HEADER)
        sizes = stream.take(head[26])
        page = head + sizes + stream.take(sum(sizes))
        if page_checksum(page) != int.from_bytes(head[_CHECKSUM], "little"):
            raise DamagedError(f"the page at offset {at:,} is damaged")
        if head[5] & _FIRST:
            content = page[_HEADER + len(sizes) :]
            samples = int.from_bytes(content[_SAMPLES], "big") & 0xFFFFFFFFF if content.startswith(_FLAC) else 0
            streams[head[_SERIAL]] = _Logical(int.from_bytes(head[_NUMBER], "little"), samples=samples)
        _add(streams.get(head[_SERIAL]), head, at)
    left = stream.sound_left()
    if not all(one.ended for one in streams.values()):
        if left:
            raise DamagedError(f"there is no page where one should begin, at offset {stream.position:,}")
        raise NotProvableError("its last page is not marked as the last, so it may have been cut")
    if any(one.position < one.samples for one in streams.values()):
        raise DamagedError("it holds fewer samples than its header states")


def _add(one: _Logical | None, head: bytes, at: int) -> None:
    if one is None or one.ended or one.number != int.from_bytes(head[_NUMBER], "little"):
        raise DamagedError(f"pages are missing before offset {at:,}")
    one.number += 1
    position = int.from_bytes(head[6:14], "little")
    one.position = one.position if position == _NO_PACKET_ENDS else position
    one.ended = bool(head[5] & _LAST)
