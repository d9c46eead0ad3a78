"""Which bytes of a file identify its sound, and when none do.

An identity must be the same under every reading policy. So its bytes are at offsets that depend on the sound alone, and are
fetched if missing; they are chosen so that this almost never costs another request. Silence has no identity: two silent tracks of
one length look alike in every header, so windows without information do not count.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from hashlib import md5, sha256

from orchestrator.tags.sparse import SparseFile
from orchestrator.track import AudioIdentity, Strength

_EDGE = 1024
_LEAST = 40
"""Deflated, 2 KiB of a constant or a two-byte pattern take up to 33 bytes; 2 KiB of sound take over 1,000."""
_LEAST_OF_FOUR = 64
"""The same for 4 KiB: a pattern takes up to 47 bytes."""
_MIB = 1 << 20
_MOST_SILENCE = 64 * _MIB
_MD5_OF_NOTHING = md5(usedforsecurity=False).digest()
"""Written by encoders that never computed a checksum: it identifies nothing."""
STREAMINFO_SIZE = 34


def digest(*parts: bytes) -> str:
    """A 128-bit checksum over `parts`, in hexadecimal."""
    return sha256(b"".join(parts)).hexdigest()[:32]


def distinctive(data: bytes, least: int = _LEAST) -> bool:
    """Whether `data` deflates to at least `least` bytes, so that no other sound has the same bytes by chance."""
    return len(zlib.compress(data, 1)) >= least


def pcm(checksum: bytes, samples: int, rate: int, channels: int, bits: int, *, may_be_silent: bool) -> AudioIdentity | None:
    """The identity of decoded sound by the md5 that FLAC and WavPack store: samples interleaved, in whole bytes.

    None if the checksum is missing, and for digital silence; silence is checked for (1.5 ms a MiB of decoded sound, then cached)
    only if the stream is so small that it `may_be_silent`. Facts that the checksum does not cover are part of the value: equal
    samples at another rate, or split into other channels, are another sound. The number of samples (0 if unknown) is not part
    of it: files that do not state it can hold the same sound as files that do.
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
    """The identity in FLAC's STREAMINFO block of 34 bytes; None if there are fewer."""
    if len(block) < STREAMINFO_SIZE:
        return None
    largest = int.from_bytes(block[7:10], "big")
    facts = int.from_bytes(block[10:18], "big")
    rate, channels, bits, samples = facts >> 44, (facts >> 41 & 7) + 1, (facts >> 36 & 31) + 1, facts & 0xFFFFFFFFF
    constant = 16 + 5 * channels  # the largest frame that holds only constants
    return pcm(block[18:34], samples, rate, channels, bits, may_be_silent=0 < largest <= constant)


def window(file: SparseFile, start: int, length: int) -> bytes:
    """The real bytes there; missing ones are fetched exactly. Empty if that would exceed the read limits for tags."""
    end = min(start + length, file.size)
    if not 0 <= start < end:
        return b""
    if not file.has(start, end):
        if not file.affords(end - start):
            return b""
        file.fetch(start, end, "the beginning or end of the sound, for its identity")
        if not file.has(start, end):
            return b""  # it is in a hole: what looked like sound is something else
    return file.peek(start, end - start)


def of_edges(file: SparseFile, name: str, start: int, end: int, *, beginning: bool = True) -> AudioIdentity | None:
    """A hint for streams without a checksum: length, first and last KiB of the bytes from `start` to `end`.

    For formats whose two ends are read for the tags anyway. Pass `beginning=False` if taggers write into the beginning.
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
    """A hint for plain samples: their format (`form`), their exact length, and their first 4 KiB.

    4 KiB are 23 ms of a CD: a track that begins with longer silence has no identity.
    """
    beginning = window(file, start, min(4 * _EDGE, length))
    if not distinctive(beginning, _LEAST_OF_FOUR):
        return None
    return AudioIdentity("bytes", f"{name}:{length}:{digest(form, beginning)}", Strength.HINT)
