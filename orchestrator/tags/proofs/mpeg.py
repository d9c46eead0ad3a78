"""MP3 with the Info frame of LAME: it states the length of the sound and a CRC-16 over it."""

from __future__ import annotations

from fastcrc.crc16 import arc

from orchestrator.tags.frames.mpeg import mpeg_size
from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_LOOK = 64 * 1024
"""The Info frame is the first one; some files have junk before it."""
_WRITERS = (b"LAME", b"Lavc", b"Lavf", b"L3.9")
_FIELDS = ((1, 4), (2, 4), (4, 100), (8, 4))
"""Flag and length of what may precede the extension: frames, bytes, seek table, quality."""
_NONE = "it has no Info frame with a checksum, as LAME writes it"
_MORE = 16 * 1024
"""One second at 128 kbit/s: so much more sound means that the file was joined from parts."""


def prove(stream: Stream) -> None:
    """Raises DamagedError and NotProvableError."""
    head = stream.peek(_LOOK)
    at = min((place for mark in (b"Xing", b"Info") if (place := head.find(mark)) >= 0), default=-1)
    start = _frame_start(head, at)
    if start is None:
        raise NotProvableError(_NONE)
    extension = at + 8 + sum(size for flag, size in _FIELDS if head[at + 7] & flag)
    lame = head[extension : extension + 36]
    music, stated = int.from_bytes(lame[28:32], "big"), int.from_bytes(lame[32:34], "big")
    frame = mpeg_size(head[start : start + 4])
    if lame[:4] not in _WRITERS or len(lame) < 36 or not stated or music <= frame:
        raise NotProvableError(_NONE)
    if arc(head[start : extension + 34]) != int.from_bytes(lame[34:36], "big"):
        raise NotProvableError("its Info frame was changed after the encoder wrote it, or is damaged")
    stream.take(start + frame)
    checksum = 0
    for piece in stream.pieces(music - frame):
        checksum = arc(piece, checksum)
    if checksum != stated:
        raise DamagedError("its sound does not match the checksum that its encoder stored")
    if stream.sound_left() > _MORE:
        raise NotProvableError("more sound follows the part that its Info frame describes")


def _frame_start(head: bytes, at: int) -> int | None:
    """Where the frame begins that holds an Info tag at `at`."""
    for side in (32, 17, 9):
        for protection in (0, 2):
            start = at - 4 - side - protection
            if at >= 0 and start >= 0 and head[start + 1] & 6 == 2 and mpeg_size(head[start : start + 4]):
                return start
    return None
