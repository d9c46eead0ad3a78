"""WAV, AIFF and DSDIFF: a sequence of chunks; an ID3v2 tag is one of them, usually after the sound, and so are lists of texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.tags.audio_identity import of_beginning, window
from orchestrator.tags.containers.chunk_sound import Sound, aiff_length, of_aiff, of_wav
from orchestrator.tags.containers.chunk_texts import TEXT_CHUNKS, read_edited, read_info, read_text
from orchestrator.tags.containers.wavpack import MAGIC, TOO_OLD
from orchestrator.tags.foreign_tags import add_id3
from orchestrator.tags.id3 import plan_tag, tag_end
from orchestrator.tags.lazy_imports import id3_options, parser
from orchestrator.tags.parsed import NotReadableError, Parsed, StreamFacts, TextTags
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import sound_end
from orchestrator.track import AudioIdentity

_MOST_CHUNKS = 1000
_ID3_HEADER = 10
_ID3_VERSIONS = (b"\2", b"\3", b"\4")


_TAGS = frozenset({b"id3 ", b"ID3 ", b"ID3", b"LIST", b"DIIN", *TEXT_CHUNKS})


def _chunks(file: SparseFile, order: Literal["little", "big"], width: int) -> Iterator[tuple[bytes, int, int]]:
    """(id, payload offset, payload size) of each chunk, the outermost first. An ID3v2 tag outside of chunks has the id "ID3"."""
    header_size = 4 + width
    outer = file.peek(0, header_size)
    outer_size = int.from_bytes(outer[4:], order)
    yield outer[:4], header_size + 4, outer_size
    position, end, size = header_size + 4, min(file.size, header_size + outer_size), 0
    for _ in range(_MOST_CHUNKS):
        start = _next_chunk(file, position, end, header_size, odd=size % 2)
        if start is None:
            return
        header = file.peek(start, header_size)
        tag = tag_end(file.peek(start, _ID3_HEADER), start) if header[3:4] in _ID3_VERSIONS else None
        if tag is not None:
            yield header[:3], start, tag - start
            position, size = tag, 0
            continue
        size = int.from_bytes(header[4:], order)
        yield header[:4], start + header_size, size
        position = start + header_size + size + size % 2


def _next_chunk(file: SparseFile, position: int, end: int, header_size: int, *, odd: int) -> int | None:
    """Where the next chunk begins, at `position` if all is well; None if there is none. `odd`: 1 if a byte fills the last one up.

    Some programs forget that byte, and others forget to count their tag in the outermost length. So there may be a tag one byte
    before, and behind the stated end.
    """
    if position + header_size > file.size:
        return None
    found = file.peek(position - odd, header_size + odd, "the next chunk, at its exact offset")
    if odd and _is_tag(found):
        return position - odd
    header = found[odd:]
    if position + header_size <= end and all(32 <= byte < 127 for byte in header[:4]):
        return position
    return next((position + gap for gap in (0, 1) if _is_tag(header[gap:])), None)


def _is_tag(header: bytes) -> bool:
    return header[:4] in _TAGS or (header[:3] == b"ID3" and header[3:4] in _ID3_VERSIONS)


_FORMS = (b"fmt ", b"COMM", b"PROP")
_SOUNDS = (b"data", b"SSND", b"DSD ", b"DST ")
_LONGEST_FORM = 64
_OFFSET_AND_BLOCK = 8
"""Bytes of `SSND` before the sound."""
_OPEN_END = {4: 0x7FFFF000, 8: 1 << 62}
"""Sizes from here on (by the width of the field) come from programs that wrote to a pipe: the sound goes on to the end."""


@dataclass(slots=True)
class _Sound:
    """What the walk over the chunks found."""

    kind: str
    """Of the texts."""
    suspect: str | None = None
    identity: AudioIdentity | None = None
    form: bytes = b""
    """The beginning of the chunk that says how the samples are written."""
    place: tuple[int, int] | None = None
    """Where the sound begins and ends."""
    size: int = 0
    """Bytes of sound, as stated if that is possible."""
    samples: int = 0
    """As `fact` states them; 0 for unknown."""
    loose: int = 0
    """Bytes behind the outermost chunk that are no chunk."""
    id3: list[int] = field(default_factory=list)
    """Where ID3v2 tags begin."""
    texts: TextTags = field(default_factory=dict)
    """The texts in chunks."""


def _plan(file: SparseFile, order: Literal["little", "big"], width: int) -> _Sound:
    """Plan the ID3v2 chunks. Notes whether the sound or the outer chunk exceeds the file, and the identity of the sound."""
    found, name = _Sound("riff" if order == "little" else "iff"), ""
    for chunk, payload, size in _chunks(file, order, width):
        open_end = size >= _OPEN_END[width]
        if chunk in _TAGS:
            _read_tags(file, chunk, payload, size, found)
        elif chunk in _FORMS and not found.form:
            found.form = file.peek(payload, min(size, _LONGEST_FORM))
        elif chunk == b"fact":
            found.samples = int.from_bytes(file.peek(payload, 4), order)
        elif chunk in _SOUNDS:
            found.place = payload, min(payload + size, file.size)
            found.size = file.size - payload if open_end else size
            if payload + size > file.size and not open_end:
                found.suspect = f"cut short: {file.size - payload:,} of {size:,} bytes of sound are there"
            elif found.identity is None and not open_end:
                found.identity = of_beginning(file, name, found.form, payload, size)
        elif not name:  # the outermost
            name = chunk.decode("latin-1").strip()
            if file.policy.end_check and not open_end:
                found.loose = _loose(file, payload - 4 + size + size % 2)
    file.seek(0)
    return found


def _read_tags(file: SparseFile, chunk: bytes, payload: int, size: int, found: _Sound) -> None:
    if chunk.startswith((b"id3", b"ID3")):
        if not found.id3:
            plan_tag(file, payload)
        found.id3.append(payload)
    elif chunk == b"DIIN":
        read_edited(file, payload, payload + size, found.texts)
    elif chunk != b"LIST":
        read_text(file, chunk, payload, size, found.texts)
    elif file.peek(payload, 4, "what kind of list it is") == b"INFO":
        read_info(file, payload + 4, payload + size, found.texts)


def _loose(file: SparseFile, end: int) -> int:
    """How many bytes behind the outermost chunk are neither a chunk nor tags: some programs put an ID3v2 chunk there."""
    left = sound_end(file) - end
    behind = file.peek(end, 4, "what follows the last chunk") if left > 1 else b""
    if left <= 1 or behind in (b"id3 ", b"ID3 ", b"LIST") or behind.startswith(b"ID3"):
        return 0
    return left


def _parsed(file: SparseFile, tags: Any, sound: Sound, found: _Sound) -> Parsed:
    """ID3v2 comes first: INFO lists and text chunks have no place for most fields, and programs cut and misspell their texts."""
    parsed = Parsed("id3", tags, sound.facts, codec=sound.codec, lossless=sound.lossless, identity=found.identity)
    for start in found.id3[1:] if tags is not None else found.id3:  # mutagen sees only the first, and none behind the end
        add_id3(file, parsed, start)
    if found.texts:
        parsed.others.append((found.kind, found.texts))
    parsed.suspect, parsed.sound, parsed.pcm, parsed.loose = found.suspect, found.place, sound.pcm, found.loose
    return parsed


def read_wav(file: SparseFile) -> Parsed:
    """RIFF WAVE."""
    found = _plan(file, "little", 4)
    if found.place is not None and window(file, found.place[0], len(MAGIC)) == MAGIC:
        raise NotReadableError(TOO_OLD)
    audio = parser("wave", "WAVE")(file, load_v1=False, **id3_options())
    return _parsed(file, audio.tags, of_wav(found.form, found.size, found.samples), found)


def read_aiff(file: SparseFile) -> Parsed:
    """AIFF and AIFC."""
    found = _plan(file, "big", 4)
    audio = parser("aiff", "AIFF")(file, load_v1=False, **id3_options())
    sound = of_aiff(found.form)
    facts, size = sound.facts, max(0, found.size - _OFFSET_AND_BLOCK)
    facts.sample_rate = audio.info.sample_rate or None
    facts.length = audio.info.length if sound.pcm is not None else aiff_length(found.form, size, audio.info.sample_rate)
    if sound.pcm is not None:
        facts.bitrate = audio.info.bitrate
    elif facts.length:
        facts.bitrate = round(8 * size / facts.length)
    return _parsed(file, audio.tags, sound, found)


def read_dsdiff(file: SparseFile) -> Parsed:
    """DSDIFF."""
    found = _plan(file, "big", 8)
    audio = parser("dsdiff", "DSDIFF")(file, load_v1=False, **id3_options())
    info = audio.info
    facts = StreamFacts(info.length, info.sample_rate, info.bits_per_sample, info.channels, info.bitrate)
    return _parsed(file, audio.tags, Sound("dsd", True, facts), found)
