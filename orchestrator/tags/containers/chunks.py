"""WAV, AIFF and DSDIFF: chunks one after the other; an ID3v2 tag is one of them, mostly behind the sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from orchestrator.tags.id3 import plan_tag
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile

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
    """(id, payload offset, payload size) of each chunk, the outermost first. Ends where the walk would stand still."""
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
            return  # no chunk: mutagen stops there too
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
    codec, lossless = _WAV_CODECS.get(audio.info.audio_format, (None, None))
    return Parsed("id3", audio.tags, audio.info, codec=codec, lossless=lossless, suspect=suspect)


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
