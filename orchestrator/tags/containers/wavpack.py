"""The last blocks of a WavPack file: the md5 of the sound, and whether the stream is whole."""

from __future__ import annotations

from orchestrator.tags.audio_identity import window
from orchestrator.tags.sparse import SparseFile

UNKNOWN = 0xFFFFFFFF
"""The count of samples in files that were written to a pipe."""
_HEADER = 32
_LAST = 1024
"""The md5 stands in a small block of its own, or at the end of the last one."""
_LOOK = (128 * 1024, 8 * 1024, _LAST)
"""How far back the last block is looked for: what is in hand decides. Blocks hold up to a second, so 100 KiB are common."""
_MD5, _CHECKSUM, _CHANNELS = 0x26, 0x2F, 0x0D
_MONO, _COMPLETE = 0x0004, 0x1000
_ID, _ODD, _LARGE = 0x3F, 0x40, 0x80


def channels(stream: SparseFile) -> int:
    """How many; 0 where that is not to be found. More than two take several blocks at a time, of which the first one tells."""
    head = stream.peek(0, _HEADER)
    flags = int.from_bytes(head[24:28], "little")
    if flags & _COMPLETE:
        return 1 if flags & _MONO else 2
    said = _sub_block(window(stream, _HEADER, min(_LAST, _block_end(head, 0) - _HEADER)), _CHANNELS)
    return said[0] + (len(said) > 5) if said else 0  # from six bytes on, it is one less


def md5(stream: SparseFile, end: int) -> bytes | None:
    """The md5 sub-block of the block that ends at `end`; None where there is none, or a block begins too far before."""
    last = window(stream, max(0, end - _LAST), min(_LAST, end))
    at = last.rfind(b"wvpk")
    if at >= 0 and _block_end(last, at) == len(last):
        return _sub_block(last[at + _HEADER :], _MD5)
    # The block begins before what is in hand: the md5 is its last sub-block, with a checksum of the block behind it or without.
    for size in (0, 4, 6):
        tail = last[: len(last) - size]
        if tail[-18:-16] == b"\x26\x08" and (not size or last[len(tail)] & _ID == _CHECKSUM):
            return tail[-16:]
    return None


def missing_end(stream: SparseFile, end: int, samples: int) -> str | None:
    """Says so when the last block runs beyond `end`, or the blocks do not hold as many samples as the first one promises."""
    for length in _LOOK:
        start = max(0, end - length)
        if start < end and stream.has(start, end):
            break
    else:
        return None
    tail = stream.peek(start, end - start)
    at = tail.rfind(b"wvpk")
    while at >= 0 and len(tail) - at >= _HEADER:
        if _block_end(tail, at) > len(tail):
            return "cut short: its last block is incomplete"
        first, held = int.from_bytes(tail[at + 16 : at + 20], "little"), int.from_bytes(tail[at + 20 : at + 24], "little")
        if held:
            short = samples != UNKNOWN and first + held < samples
            return f"cut short: {first + held:,} of {samples:,} samples are there" if short else None
        at = tail.rfind(b"wvpk", 0, at)  # a block of facts only
    return None


def _block_end(data: bytes, at: int) -> int:
    return at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")


def _sub_block(body: bytes, wanted: int) -> bytes | None:
    """The content of the first sub-block of this kind; sizes are in words of two bytes."""
    position = 0
    while position + 2 <= len(body):
        kind, width = body[position], 3 if body[position] & _LARGE else 1
        length = 2 * int.from_bytes(body[position + 1 : position + 1 + width], "little")
        content = position + 1 + width
        if kind & _ID == wanted:
            return body[content : content + length - bool(kind & _ODD)]
        position = content + length
    return None
