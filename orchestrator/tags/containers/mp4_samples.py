"""The tables of sample sizes and durations in an MP4: they identify the sound, and say how many bytes it takes."""

from __future__ import annotations

import sys
from array import array

from orchestrator.tags.audio_identity import digest, window
from orchestrator.tags.sparse import SparseFile
from orchestrator.track import AudioIdentity, Strength

_WHOLE = 128 * 1024
"""A table up to this size is read whole: 12 minutes of AAC, 50 of Apple Lossless."""
_EDGE = 16 * 1024
"""Of a longer table (audiobooks), its beginning and its end."""
_ENTRIES = 12
"""Where the sizes begin in `stsz`, after version, common size and count."""
_SOUND = b"soun"
_DATA_HANDLER = b"dhlr"
"""QuickTime writes a second `hdlr` in each track, which says where its data are."""
_LOOK, _LEAST = 512, 8
"""The fewest different sizes among the first 512: silence and constant bit rates have 1 to 4, the shortest music 10."""


class Samples:
    """The tables of the first sound track; the sizes depend on the sound and on every decision of the encoder.

    In silence, and at a constant bit rate without a reservoir, all sizes are the same and identify nothing. This is a hint only:
    how often two recordings share a table was not measured. Moving the sound, tags, covers and padding do not change the tables;
    another encoder, bit rate or cut does. Apple's protected files have the same sizes as unprotected ones, so the codec counts
    too.
    """

    def __init__(self, file: SparseFile) -> None:
        self._file = file
        self._is_sound = False
        self._durations: tuple[int, int] | None = None
        self._sizes: tuple[int, int] | None = None
        self.total = 0
        """Bytes of the samples of all tracks whose tables were read."""
        self.sound = 0
        """Bytes of the samples of the sound track; 0 until `identity` was called, and if its table is too long to be read."""

    def note(self, atom: bytes, payload: int, end: int) -> None:
        """Take what matters of an atom inside `moov`: the kind of its track, its durations or its sizes."""
        if atom == b"hdlr":
            handler = self._file.peek(payload + 4, 8, "the kind of track")
            if handler[:4] != _DATA_HANDLER:
                self._is_sound = handler[4:] == _SOUND
        elif atom == b"stts" and self._is_sound and self._durations is None:
            self._durations = payload, end
        elif atom == b"stsz":
            self._note_sizes(payload, end)

    def _note_sizes(self, start: int, end: int) -> None:
        if self._is_sound and self._sizes is None:
            self._sizes = start, end
            extra = self._file.policy.extra
            if end - start > _WHOLE:
                self._file.make_hole(start + _EDGE, end - _EDGE, "the middle of the sample sizes")
            elif not self._file.has(start, end) and self._file.affords(end - start + extra):
                # Together with what follows: often the tags, which are needed anyway.
                self._file.fetch(start, end + extra, "the sample sizes and what follows")
        elif self._file.has(start, end) and end - start >= _ENTRIES:
            self.total += _sum(self._file.peek(start, end - start))

    def identity(self, codec: str) -> AudioIdentity | None:
        """The identity of the sound in this codec; None for silence, and for fragmented files, whose table is elsewhere."""
        if self._sizes is None or self._durations is None:
            return None
        start, end = self._sizes
        if end - start <= _ENTRIES:
            self._count(self._file.peek(start, end - start))
            return None
        whole = end - start <= _WHOLE
        pieces = [window(self._file, *self._beginning(self._durations))]
        if whole:
            pieces.append(window(self._file, start, end - start))
        else:
            pieces += [window(self._file, start, _EDGE), window(self._file, end - _EDGE, _EDGE)]
        if not all(pieces):
            return None
        if whole:
            self._count(pieces[1])
        if len(set(_entries(pieces[1], _LOOK))) < _LEAST:
            return None
        value = digest(codec.encode(), *pieces)
        return AudioIdentity("mp4-samples", value, Strength.HINT)

    def _count(self, table: bytes) -> None:
        self.sound = _sum(table) if len(table) >= _ENTRIES else 0
        self.total += self.sound

    def _beginning(self, table: tuple[int, int]) -> tuple[int, int]:
        return table[0], min(table[1] - table[0], _EDGE)


def _sum(table: bytes) -> int:
    """The total bytes of the samples of this `stsz`."""
    common, count = int.from_bytes(table[4:8], "big"), int.from_bytes(table[8:12], "big")
    if common:
        return common * count
    return sum(_entries(table, count))


def _entries(table: bytes, most: int) -> array[int]:
    """The first sizes of an `stsz`."""
    entries = array("I")
    entries.frombytes(table[_ENTRIES : _ENTRIES + 4 * min(most, (len(table) - _ENTRIES) // 4)])
    if sys.byteorder == "little":
        entries.byteswap()
    return entries
