"""FLAC: every frame ends with a CRC-16 over itself, frames are numbered, and STREAMINFO states the number of samples.

Its md5 is of the decoded sound, which nothing here decodes.
"""

from __future__ import annotations

from fastcrc.crc16 import umts as crc16

from orchestrator.tags.frames.flac import LONGEST_HEADER, SYNC, FrameHeader, frame_header
from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_STREAMINFO, _LAST = 0, 0x80
_LONGEST_FRAME = 16 * 1024 * 1024
"""65,535 samples of 8 channels and 32 bits, in bytes."""
_PIECE = 256 * 1024
_SHORTEST_FRAME = 9


def prove(stream: Stream) -> None:
    """Raises DamagedError and NotProvableError."""
    samples = _metadata(stream)
    if not samples:
        raise NotProvableError("its header does not state how long it is")
    held = frames = 0
    while held < samples:
        header = frame_header(stream.peek(LONGEST_HEADER))
        if header is None or not SYNC.match(stream.data) or header.number != (held if header.variable else frames):
            if not frames:
                raise NotProvableError("no frame follows its metadata")
            raise DamagedError(f"there is no frame where one should begin, at offset {stream.position:,}")
        held, frames = held + header.samples, frames + 1
        _pass_frame(stream, header, held if header.variable else frames, last=held >= samples)


def _metadata(stream: Stream) -> int:
    """Pass the metadata blocks, and return the number of samples that STREAMINFO states; 0 if unknown."""
    stream.take(4)
    samples = None
    kind = 0
    while not kind & _LAST:
        head = stream.take(4)
        kind, length = head[0], int.from_bytes(head[1:], "big")
        if kind & ~_LAST == _STREAMINFO and length >= 18 and samples is None:
            info = stream.take(length)
            samples = int.from_bytes(info[10:18], "big") & 0xFFFFFFFFF
            continue
        for _ in stream.pieces(length):
            pass
    if samples is None:
        raise DamagedError("it has no STREAMINFO block")
    return samples


def _pass_frame(stream: Stream, header: FrameHeader, number: int, *, last: bool) -> None:
    """Pass the frame at the beginning of `data`.

    It ends where its checksum is right and frame `number` begins or, if it is the last, where the sound ends.
    """
    if last:
        end = stream.sound_left()
        if end < _SHORTEST_FRAME or crc16(stream.data[:end]):
            raise DamagedError(f"its last frame, at offset {stream.position:,}, is damaged or cut short")
        stream.skip(end)
        return
    looked, counted, checksum = _SHORTEST_FRAME, 0, 0
    while True:
        sync = SYNC.search(stream.data, looked)
        at = sync.start() if sync is not None else len(stream.data)
        if at + LONGEST_HEADER > len(stream.data) and len(stream.data) < _LONGEST_FRAME and not stream.ended:
            stream.fill(len(stream.data) + _PIECE)
            looked = max(looked, at - 1)
            continue
        if sync is None:
            raise DamagedError(f"the frame at offset {stream.position:,} is damaged, or the one after it is missing")
        found = frame_header(bytes(stream.data[at : at + LONGEST_HEADER]))
        if found is not None and (found.number, found.variable) == (number, header.variable):
            checksum, counted = crc16(stream.data[counted:at], checksum), at
            if not checksum:
                stream.skip(at)
                return
        looked = at + 1
