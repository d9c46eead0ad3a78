"""The last blocks of a WavPack file: the md5 of the sound, and whether the stream is whole."""

from __future__ import annotations

from orchestrator.tags.audio_identity import window
from orchestrator.tags.frames.wavpack import checksum_is_right
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.track import SoundEnd

UNKNOWN = 0xFFFFFFFF
"""The sample count of files that were written to a pipe."""
_HEADER = 32
_LAST = 1024
"""The md5 is in a small block of its own, or at the end of the last block."""
_LOOK = (128 * 1024, 8 * 1024, _LAST)
"""How far back the last block is searched for, within the bytes already read. Blocks hold up to a second; 100 KiB are common."""
_MD5, _CHECKSUM, _CHANNELS = 0x26, 0x2F, 0x0D
_MONO, _COMPLETE = 0x0004, 0x1000
_ID, _ODD, _LARGE = 0x3F, 0x40, 0x80


def channels(stream: SparseFile) -> int:
    """The number of channels, or 0 if not found. More than two take several blocks at a time; the first one states the number."""
    head = stream.peek(0, _HEADER)
    flags = int.from_bytes(head[24:28], "little")
    if flags & _COMPLETE:
        return 1 if flags & _MONO else 2
    said = _sub_block(window(stream, _HEADER, min(_LAST, _block_end(head, 0) - _HEADER)), _CHANNELS)
    return said[0] + (len(said) > 5) if said else 0  # one less from six bytes on


def md5(stream: SparseFile, end: int) -> bytes | None:
    """The md5 sub-block of the block that ends at `end`; None if there is none, or if the block begins too far back."""
    last = window(stream, max(0, end - _LAST), min(_LAST, end))
    at = last.rfind(b"wvpk")
    if at >= 0 and _block_end(last, at) == len(last):
        return _sub_block(last[at + _HEADER :], _MD5)
    # The block begins before the bytes that were read: the md5 is its last sub-block, perhaps followed by a block checksum.
    for size in (0, 4, 6):
        tail = last[: len(last) - size]
        if tail[-18:-16] == b"\x26\x08" and (not size or last[len(tail)] & _ID == _CHECKSUM):
            return tail[-16:]
    return None


def missing_end(stream: SparseFile, end: int, samples: int) -> str | None:
    """The reason if the last block exceeds `end`, or if the blocks hold fewer samples than the first one states."""
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
        at = tail.rfind(b"wvpk", 0, at)  # a block without sound
    return None


def check_last_block(stream: SparseFile, end: int, samples: int, parsed: Parsed) -> None:
    """Set `suspect`, or `whole` and `end`, by the last block with sound: version 5 ends each block with a checksum."""
    length = min(end, max(_LOOK[0], stream.policy.end_check))
    tail = window(stream, end - length, length)
    at = tail.rfind(b"wvpk")
    last = at
    while at >= 0 and (len(tail) - at < _HEADER or not int.from_bytes(tail[at + 20 : at + 24], "little")):
        at = tail.rfind(b"wvpk", 0, at)
    if at < 0:
        return  # a longer block: what can be seen are zeros
    block, stop = tail[at : _block_end(tail, at)], _block_end(tail, last)
    first, held = int.from_bytes(block[16:20], "little"), int.from_bytes(block[20:24], "little")
    if stop > len(tail) or (samples != UNKNOWN and first + held < samples):
        parsed.suspect = "cut short: its last block is missing or incomplete"
        return
    start = parsed.sound[0] + end - len(tail) if parsed.sound is not None else 0
    parsed.sound, parsed.loose = (start + at, start + at + len(block)), len(tail) - stop
    right = checksum_is_right(block)
    if right is False:
        parsed.suspect = "damaged: its last block does not match its checksum"
    elif right:
        parsed.whole = samples != UNKNOWN
        parsed.end = SoundEnd(loose=parsed.loose)


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
