"""The atoms of an MP4, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.tags.sparse import SparseFile

_MOST_ATOMS = 1000
_REST = 4
"""If at most this many times the policy's `extra` is left of `moov` or the file, it is fetched at once: covers are rare there."""


class Atom(NamedTuple):
    """One atom: its name, and its offsets in the file."""

    name: bytes
    start: int
    payload: int
    end: int


def atoms(file: SparseFile, position: int, end: int, until: int, piece: int = 0) -> Iterator[Atom]:
    """Consecutive atoms; stops at the first impossible one.

    If an atom's header was not read, everything up to `until` is fetched with it if that is little, otherwise `piece` bytes.
    """
    previous = b""
    for _ in range(_MOST_ATOMS):
        if position + 8 > end:
            return
        if not file.has(position, min(position + 16, end)):
            stop = until if until - position <= _REST * file.policy.extra else position + piece
            file.fetch(position, stop, f"what lies behind `{previous.decode('latin-1')}`, at its exact offset")
        header = file.peek(position, min(16, end - position), "the next atom")
        size, payload = int.from_bytes(header[:4], "big"), position + 8
        if size == 1:
            size, payload = int.from_bytes(header[8:16], "big"), position + 16
        elif size == 0:
            size = end - position
        if size < payload - position:
            return
        previous = header[4:8]
        yield Atom(previous, position, payload, position + size)
        position += size


def times(file: SparseFile, payload: int, end: int) -> tuple[int, int]:
    """Time scale and duration of an `mvhd` or `mdhd`."""
    head = file.peek(payload, min(32, end - payload))
    at, width = (20, 8) if head[:1] == b"\1" else (12, 4)
    return int.from_bytes(head[at : at + 4], "big"), int.from_bytes(head[at + 4 : at + 4 + width], "big")
