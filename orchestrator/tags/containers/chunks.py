"""WAV, AIFF and DSDIFF: chunks one after the other; an ID3v2 tag is one of them, mostly behind the sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile

_MOST_CHUNKS = 1000


def _chunks(file: SparseFile, order: Literal["little", "big"], width: int) -> Iterator[tuple[bytes, int, int]]:
    """(id, payload offset, payload size) of each chunk, the outermost first. Ends where the walk would stand still."""
    header_size = 4 + width
    outer = file.peek(0, header_size)
    outer_size = int.from_bytes(outer[4:], order)
    yield outer[:4], header_size + 4, outer_size
    position, end = header_size + 4, min(file.size, header_size + outer_size)
    for _ in range(_MOST_CHUNKS):
        if position + header_size > end:
            return
        header = file.peek(position, header_size)
        size = int.from_bytes(header[4:], order)
        yield header[:4], position + header_size, size
        position += header_size + size + size % 2


def _plan(file: SparseFile, order: Literal["little", "big"], width: int) -> str | None:
    """Plan the ID3v2 chunks; says so when a chunk of sound runs beyond the file's end."""
    suspect = None
    for name, payload, size in _chunks(file, order, width):
        if name in (b"id3 ", b"ID3 "):
            plan_tag(file, payload)
        elif name in (b"data", b"SSND", b"DSD ", b"DST ") and payload + size > file.size:
            suspect = f"cut short: {file.size - payload:,} of {size:,} bytes of sound are there"
    file.seek(0)
    return suspect


def read_wav(file: SparseFile) -> Parsed:
    """RIFF WAVE."""
    suspect = _plan(file, "little", 4)
    audio = parser("wave", "WAVE")(file, load_v1=False)
    lossless = audio.info.audio_format in (1, 3, 0xFFFE)
    return Parsed("id3", audio.tags, audio.info, codec="pcm" if lossless else "wav", lossless=lossless, suspect=suspect)


def read_aiff(file: SparseFile) -> Parsed:
    """AIFF and AIFC."""
    suspect = _plan(file, "big", 4)
    audio = parser("aiff", "AIFF")(file, load_v1=False)
    return Parsed("id3", audio.tags, audio.info, codec="pcm", lossless=True, suspect=suspect)


def read_dsdiff(file: SparseFile) -> Parsed:
    """DSDIFF."""
    suspect = _plan(file, "big", 8)
    audio = parser("dsdiff", "DSDIFF")(file, load_v1=False)
    return Parsed("id3", audio.tags, audio.info, codec="dsd", lossless=True, suspect=suspect)
