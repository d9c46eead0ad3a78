"""What of a file's bytes tells its sound from every other, and when it tells nothing.

An identity has to come out the same for every reading policy, so its bytes stand at places that the sound alone fixes, and are
fetched where they are not in hand: they were chosen so that this nearly never takes a request more. Silence is no identity: two
silent tracks of one length are alike in every respect that a header shows, so windows without information count for nothing.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from hashlib import md5, sha256

from orchestrator.tags.sparse import SparseFile
from orchestrator.track import AudioIdentity, Strength

_EDGE = 1024
_LEAST = 40
"""Deflated, 2 KiB of any constant or two-byte pattern take up to 33 bytes, 2 KiB of sound more than 1,000."""
_LEAST_OF_FOUR = 64
"""The same for 4 KiB: a pattern takes up to 47 bytes."""
_MIB = 1 << 20
_MOST_SILENCE = 64 * _MIB
_MD5_OF_NOTHING = md5(usedforsecurity=False).digest()
"""Written by encoders that never fed their checksum: it tells no sound from another."""
STREAMINFO_SIZE = 34


def digest(*parts: bytes) -> str:
    """128 bits of a checksum over `parts`, in hexadecimal."""
    return sha256(b"".join(parts)).hexdigest()[:32]


def distinctive(data: bytes, least: int = _LEAST) -> bool:
    """Whether `data` deflates to `least` bytes or more: by chance, no other sound has the same."""
    return len(zlib.compress(data, 1)) >= least


def pcm(checksum: bytes, samples: int, rate: int, channels: int, bits: int, *, may_be_silent: bool) -> AudioIdentity | None:
    """The identity of decoded sound with this md5, as FLAC and WavPack keep it: samples interleaved, in whole bytes.

    None where the checksum is missing, and for digital silence, which is looked for (1.5 ms a MiB of decoded sound, then known by
    heart) only where the stream is so small that it `may_be_silent`. What the checksum cannot tell is part of the value: equal
    samples at another rate, or parted into other channels, are another sound. The count of samples, 0 where it is unknown, is
    not: files that do not state it have the same sound as those that do.
    """
    if not any(checksum) or checksum == _MD5_OF_NOTHING:
        return None
    if may_be_silent:
        size = samples * channels * -(-bits // 8)
        if not 0 < size <= _MOST_SILENCE or checksum == _md5_of_zeros(size):
            return None
    return AudioIdentity("pcm-md5", f"{rate}:{channels}:{checksum.hex()}", Strength.SURE)


@lru_cache(maxsize=64)
def _md5_of_zeros(size: int) -> bytes:
    checksum, block = md5(usedforsecurity=False), bytes(_MIB)
    for _ in range(size // _MIB):
        checksum.update(block)
    checksum.update(bytes(size % _MIB))
    return checksum.digest()


def streaminfo(block: bytes) -> AudioIdentity | None:
    """The identity in FLAC's STREAMINFO block of 34 bytes; None for fewer."""
    if len(block) < STREAMINFO_SIZE:
        return None
    largest = int.from_bytes(block[7:10], "big")
    facts = int.from_bytes(block[10:18], "big")
    rate, channels, bits, samples = facts >> 44, (facts >> 41 & 7) + 1, (facts >> 36 & 31) + 1, facts & 0xFFFFFFFFF
    constant = 16 + 5 * channels  # the most that a frame of nothing but constants takes
    return pcm(block[18:34], samples, rate, channels, bits, may_be_silent=0 < largest <= constant)


def window(file: SparseFile, start: int, length: int) -> bytes:
    """The real bytes there, fetched exactly where they are not in hand; empty where that would cost more than a tag may."""
    end = min(start + length, file.size)
    if not 0 <= start < end:
        return b""
    if not file.has(start, end):
        if not file.affords(end - start):
            return b""
        file.fetch(start, end, "the beginning or end of the sound, for its identity")
        if not file.has(start, end):
            return b""  # it lies in a hole: what was taken for sound is something else
    return file.peek(start, end - start)


def of_edges(file: SparseFile, name: str, start: int, end: int, *, beginning: bool = True) -> AudioIdentity | None:
    """A hint for streams that say nothing of their own: length, first and last KiB of what lies from `start` to `end`.

    For formats of which both ends are read for the tags anyway. Without `beginning` where taggers write into it.
    """
    length = end - start
    if length <= 0:
        return None
    edge = min(_EDGE, length)
    first, last = window(file, start, edge) if beginning else b"", window(file, end - edge, edge)
    if not last or (beginning and not first) or not distinctive(first + last):
        return None
    return AudioIdentity("bytes", f"{name}:{length}:{digest(first, last)}", Strength.HINT)


def of_beginning(file: SparseFile, name: str, form: bytes, start: int, length: int) -> AudioIdentity | None:
    """A hint for plain samples: what they are (`form`), their exact length, and the first 4 KiB of them.

    23 ms of a CD: many a track begins with silence longer than that, and then has no identity.
    """
    beginning = window(file, start, min(4 * _EDGE, length))
    if not distinctive(beginning, _LEAST_OF_FOUR):
        return None
    return AudioIdentity("bytes", f"{name}:{length}:{digest(form, beginning)}", Strength.HINT)
