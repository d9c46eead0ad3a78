"""Monkey's Audio from version 3.98 on: its descriptor holds an md5 over the rest of the file but the tags."""

from __future__ import annotations

import hashlib
import struct

from orchestrator.tags.proofs.stream import DamagedError, NotProvableError, Stream

_FIXED = 52
_MOST_TABLE = 16 * 1024 * 1024
"""A frame takes 4 bytes in the seek table and lasts at least 0.2 s: enough for a week."""


def prove(stream: Stream) -> None:
    """The md5 goes over wave header, frames and what follows them, then over header and seek table. Raises as `flac.prove`."""
    head = stream.peek(_FIXED)
    if len(head) < _FIXED or int.from_bytes(head[4:6], "little") < 3980:
        raise NotProvableError("files of this old version hold no checksum")
    descriptor, header, table, wave, frames, frames_high, trailer = struct.unpack_from("<7I", head, 8)
    stated = head[36:52]
    if not any(stated):
        raise NotProvableError("its checksum was never filled in")
    if header + table > _MOST_TABLE or descriptor < _FIXED:
        raise DamagedError("its descriptor is damaged")
    for _ in stream.pieces(descriptor):
        pass
    facts = stream.take(header + table)
    checksum = hashlib.md5(usedforsecurity=False)
    for piece in stream.pieces(wave + frames + (frames_high << 32) + trailer):
        checksum.update(piece)
    checksum.update(facts)
    if checksum.digest() != stated:
        raise DamagedError("its content does not match the md5 that its encoder stored")
