"""The last blocks of a WavPack file: the md5 of the sound, and whether the stream is whole."""

from __future__ import annotations

from orchestrator.tags.audio_identity import window
from orchestrator.tags.frames.wavpack import checksum_is_right
from orchestrator.tags.parsed import NotReadableError, Parsed, StreamFacts
from orchestrator.tags.sparse import SparseFile
from orchestrator.track import SoundEnd

UNKNOWN = 0xFFFFFFFF
"""The sample count of files that were written to a pipe."""
MAGIC = b"wvpk"
TOO_OLD = "WavPack files of version 1 to 3 cannot be read"
_OLDEST, _VERSION = 0x402, slice(8, 10)
_HEADER = 32
_LAST = 1024
"""The md5 is in a small block of its own, or at the end of the last block."""
_LOOK = (128 * 1024, 8 * 1024, _LAST)
"""How far back the last block is searched for, within the bytes already read. Blocks hold up to a second; 100 KiB are common."""
_MD5, _CHECKSUM, _CHANNELS, _RATE, _DSD_SOUND = 0x26, 0x2F, 0x0D, 0x27, 0x0E
_MONO, _FLOAT, _COMPLETE, _DSD = 0x0004, 0x0080, 0x1000, 1 << 31
_RATES = (6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 192000)
_OTHER_RATE = 15
_ID, _ODD, _LARGE = 0x3F, 0x40, 0x80


def facts(stream: SparseFile, end: int) -> StreamFacts:
    """What the first block says, and the last one where the first does not state how long the sound is."""
    head = stream.peek(0, _HEADER)
    if int.from_bytes(head[_VERSION], "little") < _OLDEST:
        raise NotReadableError(TOO_OLD)
    flags, first = int.from_bytes(head[24:28], "little"), window(stream, _HEADER, min(_LAST, _block_end(head, 0) - _HEADER))
    index = flags >> 23 & 15
    rate = int.from_bytes(_sub_block(first, _RATE) or b"", "little") if index == _OTHER_RATE else _RATES[index]
    bits = 8 * (1 + (flags & 3)) - (0 if flags & _FLOAT else flags >> 13 & 31)
    native = rate
    if flags & _DSD:  # samples of 8 bits each, at a rate that is a power of two times the stated one
        power = _sub_block(first, _DSD_SOUND) or b"\0"
        rate <<= min(power[0], 31)
        bits, native = 1, 8 * rate
    samples = _samples(stream, end, head)
    length = samples / rate if samples and rate else None
    return StreamFacts(length, native or None, bits, channels(stream) or None)


def _samples(stream: SparseFile, end: int, head: bytes) -> int | None:
    """The number of samples; None if neither the first block nor the end of the file shows it."""
    beginning, stated = int.from_bytes(head[16:20], "little") + (head[10] << 32), int.from_bytes(head[12:16], "little")
    if stated != UNKNOWN and not beginning:
        return stated + (head[11] << 32) - head[11]
    last = _last_sound(stream, end)
    return last - beginning if last is not None else None


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
    at = last.rfind(MAGIC)
    if at >= 0 and _block_end(last, at) == len(last):
        return _sub_block(last[at + _HEADER :], _MD5)
    # The block begins before the bytes that were read: the md5 is its last sub-block, perhaps followed by a block checksum.
    for size in (0, 4, 6):
        tail = last[: len(last) - size]
        if tail[-18:-16] == b"\x26\x08" and (not size or last[len(tail)] & _ID == _CHECKSUM):
            return tail[-16:]
    return None


def _last_sound(stream: SparseFile, end: int) -> int | None:
    """Where the last block with sound ends, in samples; None if it begins before the bytes that were read."""
    tail = _tail(stream, end)
    at = tail.rfind(MAGIC)
    while at >= 0 and len(tail) - at >= _HEADER:
        first, held = int.from_bytes(tail[at + 16 : at + 20], "little"), int.from_bytes(tail[at + 20 : at + 24], "little")
        if held:
            return first + held + (tail[at + 10] << 32)
        at = tail.rfind(MAGIC, 0, at)
    return None


def _tail(stream: SparseFile, end: int) -> bytes:
    """The end of the sound, as far as it was read."""
    for length in _LOOK:
        start = max(0, end - length)
        if start < end and stream.has(start, end):
            return stream.peek(start, end - start)
    return b""


def missing_end(stream: SparseFile, end: int, samples: int) -> str | None:
    """The reason if the last block exceeds `end`, or if the blocks hold fewer samples than the first one states."""
    tail = _tail(stream, end)
    at = tail.rfind(MAGIC)
    while at >= 0 and len(tail) - at >= _HEADER:
        if _block_end(tail, at) > len(tail):
            return "cut short: its last block is incomplete"
        first, held = int.from_bytes(tail[at + 16 : at + 20], "little"), int.from_bytes(tail[at + 20 : at + 24], "little")
        if held:
            short = samples != UNKNOWN and first + held < samples
            return f"cut short: {first + held:,} of {samples:,} samples are there" if short else None
        at = tail.rfind(MAGIC, 0, at)  # a block without sound
    return None


def check_last_block(stream: SparseFile, end: int, samples: int, parsed: Parsed) -> None:
    """Set `suspect`, or `whole` and `end`, by the last block with sound: version 5 ends each block with a checksum."""
    length = min(end, max(_LOOK[0], stream.policy.end_check))
    tail = window(stream, end - length, length)
    at = tail.rfind(MAGIC)
    last = at
    while at >= 0 and (len(tail) - at < _HEADER or not int.from_bytes(tail[at + 20 : at + 24], "little")):
        at = tail.rfind(MAGIC, 0, at)
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
