"""WAV, AIFF and DSDIFF: a sequence of chunks; an ID3v2 tag is one of them, usually after the sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from orchestrator.tags.audio_identity import of_beginning
from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.lazy_imports import parser
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.track import AudioIdentity

_MOST_CHUNKS = 1000
_WAV_CODECS: dict[int, tuple[str, bool]] = {
    0x0001: ("pcm", True),
    0x0002: ("adpcm", False),
    0x0003: ("pcm", True),
    0x0006: ("pcm", False),  # A-law
    0x0007: ("pcm", False),  # mu-law
    0x0011: ("adpcm", False),
    0x0050: ("mp2", False),
    0x0055: ("mp3", False),
    0xFFFE: ("pcm", True),
}


def _chunks(file: SparseFile, order: Literal["little", "big"], width: int) -> Iterator[tuple[bytes, int, int]]:
    """(id, payload offset, payload size) of each chunk, the outermost first. Stops when a chunk does not move the offset."""
    header_size = 4 + width
    outer = file.peek(0, header_size)
    outer_size = int.from_bytes(outer[4:], order)
    yield outer[:4], header_size + 4, outer_size
    position, end = header_size + 4, min(file.size, header_size + outer_size)
    for _ in range(_MOST_CHUNKS):
        if position + header_size > end:
            return
        header = file.peek(position, header_size, "the next chunk, at its exact offset")
        if not all(32 <= byte < 127 for byte in header[:4]):
            return  # not a chunk: mutagen stops there too
        size = int.from_bytes(header[4:], order)
        yield header[:4], position + header_size, size
        position += header_size + size + size % 2


_FORMS = (b"fmt ", b"COMM", b"PROP")
_SOUNDS = (b"data", b"SSND", b"DSD ", b"DST ")
_LONGEST_FORM = 64
_OPEN_END = {4: 0x7FFFF000, 8: 1 << 62}
"""Sizes from here on (by the width of the field) come from programs that wrote to a pipe: the sound goes on to the end."""


def _plan(file: SparseFile, order: Literal["little", "big"], width: int) -> tuple[str | None, AudioIdentity | None]:
    """Plan the ID3v2 chunks. Notes whether the sound or the outer chunk exceeds the file, and the identity of the sound."""
    suspect, identity, form, name = None, None, b"", ""
    for chunk, payload, size in _chunks(file, order, width):
        open_end = size >= _OPEN_END[width]
        if chunk in (b"id3 ", b"ID3 "):
            plan_tag(file, payload)
        elif chunk in _FORMS and not form:
            form = file.peek(payload, min(size, _LONGEST_FORM))
        elif chunk in _SOUNDS:
            if payload + size > file.size and not open_end:
                suspect = f"cut short: {file.size - payload:,} of {size:,} bytes of sound are there"
            elif identity is None and not open_end:
                identity = of_beginning(file, name, form, payload, size)
        elif not name:  # the outermost
            name = chunk.decode("latin-1").strip()
    file.seek(0)
    return suspect, identity


def read_wav(file: SparseFile) -> Parsed:
    """RIFF WAVE."""
    suspect, identity = _plan(file, "little", 4)
    audio = parser("wave", "WAVE")(file, load_v1=False)
    codec, lossless = _WAV_CODECS.get(audio.info.audio_format, (None, None))
    return Parsed("id3", audio.tags, audio.info, codec=codec, lossless=lossless, identity=identity, suspect=suspect)


def read_aiff(file: SparseFile) -> Parsed:
    """AIFF and AIFC."""
    suspect, identity = _plan(file, "big", 4)
    audio = parser("aiff", "AIFF")(file, load_v1=False)
    return Parsed("id3", audio.tags, audio.info, codec="pcm", lossless=True, identity=identity, suspect=suspect)


def read_dsdiff(file: SparseFile) -> Parsed:
    """DSDIFF."""
    suspect, identity = _plan(file, "big", 8)
    audio = parser("dsdiff", "DSDIFF")(file, load_v1=False)
    return Parsed("id3", audio.tags, audio.info, codec="dsd", lossless=True, identity=identity, suspect=suspect)
