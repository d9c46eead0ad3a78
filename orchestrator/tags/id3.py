"""Where the bulk of an ID3v2 tag is, from its frame headers: pictures and attachments are holes for the parser."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from contextlib import suppress

from orchestrator.tags.lazy_imports import loaded
from orchestrator.tags.parsed import NotReadableError
from orchestrator.tags.sparse import SparseFile

_BULK = {b"APIC": "a picture", b"GEOB": "an attachment", b"PRIV": "private data", b"PIC": "a picture", b"GEO": "an attachment"}
_KEPT = 1024
"""Bytes read of a bulk frame: its MIME type, its description and the first bytes of the picture."""
_LONGEST_TEXT = 256 * 1024
_MOST_VALUES = 40_000
_MOST_COPYING = 3 << 29
_MOST_INFLATED = 1 << 20
"""Limits on mutagen's time and memory: it copies the rest of the tag for each frame and the rest of a frame for each value,
and inflates compressed frames of any size."""
_LISTS = re.compile(rb"T|COM|GP1|GRP1|IPL|MV|CHAP|CTOC|SYLT|SLT|ETC|MLL|EQU|RVA|ASPI")
"""Frames that hold several values; all other known frames hold one."""
_COUNTERS = re.compile(rb"PCNT|PCST|POP|POSS|SEEK|CNT")
_LONGEST_COUNTER = 2048
"""Frames that end in a number. mutagen's time grows with the square of its length; eight bytes are plenty."""
_WIDE = (b"\1", b"\2")
"""The encodings with two bytes per character."""
_COMPRESSED = {3: 0x0080, 4: 0x0008}
_FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{2,3}\Z")
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_FLAGS, _UNSYNCHRONISED_FRAME = 0x0F, 0x03
"""Flags of a 2.4 frame: compressed, encrypted, unsynchronised, with the original length in front; and the last two alone."""
_PAIR = b"\xff\x00"


def synchsafe(raw: bytes) -> int:
    """A number in four bytes of seven bits each."""
    return (raw[0] & 127) << 21 | (raw[1] & 127) << 14 | (raw[2] & 127) << 7 | raw[3] & 127


def tag_end(header: bytes, start: int) -> int | None:
    """Where the tag with these first ten bytes ends; None if it is not an ID3v2 tag."""
    if len(header) < 10 or header[:3] != b"ID3":
        return None
    return start + 10 + synchsafe(header[6:10])


def plan_tag(file: SparseFile, start: int) -> int | None:
    """Make the holes of the tag at `start` and return its end; None if there is no tag.

    Every frame header is read, because text may follow a picture. Tags whose frame headers do not give offsets (an extended
    header; whole-tag unsynchronisation before 2.4) get no holes and are read whole.
    """
    if start in file.planned:
        return file.planned[start]
    header = file.peek(start, 10)
    end = file.planned[start] = tag_end(header, start)
    if end is None or header[3] not in (2, 3, 4):
        return end
    version, flags, stop = header[3], header[5], min(end, file.size)
    if flags & _EXTENDED or (flags & _UNSYNCHRONISED and version < 4):
        file.fetch(start, stop, "the whole ID3v2 tag: its frame headers do not give offsets")
        _walk(*_decoded(file, file.peek(start + 10, stop - start - 10), version, flags), version, holes=False)
    else:
        _walk(file, start + 10, stop, version, holes=not file.has(start, stop))
    return end


def _decoded(file: SparseFile, frames: bytes, version: int, flags: int) -> tuple[SparseFile, int, int]:
    """The content of a tag without unsynchronisation, and where its frames begin and end in it."""
    if flags & _UNSYNCHRONISED and version < 4:
        frames = frames.replace(b"\xff\x00", b"\xff")
    inside = SparseFile(len(frames), lambda offset, length: frames[offset : offset + length], file.policy)
    inside.fetch(0, len(frames), "the tag")
    start = 0
    if flags & _EXTENDED and not _FRAME_ID.match(frames[:4]):  # some taggers set the flag without writing an extended header
        start = synchsafe(frames[:4]) if version == 4 else 4 + int.from_bytes(frames[:4], "big")
    return inside, start, len(frames)


def _walk(file: SparseFile, position: int, end: int, version: int, *, holes: bool) -> None:
    """Walk the frames as mutagen does, make holes for the bulk, and refuse what would take mutagen too long."""
    header_size, id_size = (6, 3) if version == 2 else (10, 4)
    size_of = _sizes(file, position, end, version)
    copied = values = 0
    while position + header_size <= end:
        copied += end - position
        header = file.peek(position, header_size, "the next ID3v2 frame")
        frame_id = header[:id_size].rstrip(b"\0")
        if not frame_id:
            if holes:
                file.make_hole(position + header_size, end, "padding")
            return
        size = size_of(header)
        payload = position + header_size
        position = payload + size
        if frame_id in _BULK and holes and position <= end:
            file.make_hole(payload + _KEPT, position, f"{_BULK[frame_id]} ({frame_id.decode()})")
            if version > 3 and header[9] & _FLAGS == _UNSYNCHRONISED_FRAME:
                _stuff(file, payload, position)
        elif _LISTS.match(frame_id):
            found = _values(file, payload, min(size, end - payload))
            values, copied = values + found, copied + found * size // 2
        compressed = version > 2 and int.from_bytes(header[8:10], "big") & _COMPRESSED[version]
        if _COUNTERS.match(frame_id) and (size > _LONGEST_COUNTER or compressed):
            raise NotReadableError("its ID3 tag is damaged: a counter is too long")
        if compressed:
            values += _inflated_values(file, payload, min(size, end - payload))
        if copied > _MOST_COPYING or values > _MOST_VALUES:
            raise NotReadableError("its ID3 tag is damaged: it holds too many texts")


def _stuff(file: SparseFile, payload: int, end: int) -> None:
    """Make a picture that is mostly a hole come out as long as its frame states.

    The parser removes a zero after each 0xFF, so the hole gets as many of these pairs as it must hold. A zero comes before
    them, for an 0xFF that may be the last byte before the hole.
    """
    before = file.peek(payload, min(_KEPT, end - payload), "the beginning of a picture")
    gap = file.gap(payload + len(before), end)
    if gap is None:
        return
    start, stop = gap
    before, after = file.peek(payload, start - payload), file.peek(stop, end - stop)
    surplus = end - payload - 4 - synchsafe(before) - before.count(_PAIR) - after.count(_PAIR) - before.endswith(b"\xff")
    if 0 < surplus <= (stop - start - 1) // 2:
        file.plant(start + 1, _PAIR * surplus)


def _values(file: SparseFile, payload: int, size: int) -> int:
    """How many values the frame may hold."""
    if size > _LONGEST_TEXT:
        raise NotReadableError("its ID3 tag is damaged: a text is larger than a book")
    data = file.peek(payload, max(size, 0))
    return 2 * data.count(b"\0\0") if data[:1] in _WIDE else data.count(b"\0")  # the wide ones take twice as long


def _inflated_values(file: SparseFile, payload: int, size: int) -> int:
    """How many empty bytes the compressed frame may inflate to. A frame that was not read is a hole and does not matter."""
    if size <= 0 or not file.has(payload, payload + size):
        return 0
    data, most = file.peek(payload, size), 0
    for compressed in (data, data[4:], data[4:].replace(b"\xff\x00", b"\xff")):  # whatever mutagen takes it for
        with suppress(zlib.error):
            inflated = zlib.decompressobj().decompress(compressed, _MOST_INFLATED)
            if len(inflated) == _MOST_INFLATED:
                raise NotReadableError("its ID3 tag is damaged: a compressed frame is too large")
            most = max(most, inflated.count(b"\0"))
    return most


def _sizes(file: SparseFile, start: int, end: int, version: int) -> Callable[[bytes], int]:
    """How frame headers state the size of the payload. In ID3v2.4: synch-safe by the standard, plain in old iTunes files.

    The whole tag is of one kind, decided as mutagen decides it; only the common case, in which synch-safe sizes lead to every
    frame and to the end, is decided without reading anything else.
    """
    if version == 2:
        return lambda header: int.from_bytes(header[3:6], "big")

    def plain(header: bytes) -> int:
        return int.from_bytes(header[4:8], "big")

    def safe(header: bytes) -> int:
        return synchsafe(header[4:8])

    if version == 3:
        return plain
    known_if_safe, beyond_if_safe, perfect = _count(file, start, end, safe)
    if perfect:
        return safe
    known, beyond, _ = _count(file, start, end, plain)
    if known > known_if_safe or (known == known_if_safe and beyond_if_safe >= 1 and beyond <= 1):
        return plain
    return safe


def _count(file: SparseFile, position: int, end: int, size_of: Callable[[bytes], int]) -> tuple[int, int, bool]:
    """How many frames with known names such sizes lead to, how far they exceed the end, and whether all names were known."""
    known_frames = loaded("mutagen.id3", "Frames")
    known, perfect = 0, True
    for _ in range(_MOST_VALUES):
        if position >= end - 10:
            return known, position - end, perfect and position <= end
        header = file.peek(position, 10, "the next ID3v2 frame")
        if not header.strip(b"\0"):
            return known, -((end - position) % 10), perfect
        position += 10 + size_of(header)
        if header[:4].decode("latin-1") in known_frames:
            known += 1
        else:
            perfect = perfect and _FRAME_ID.match(header[:4]) is not None
    raise NotReadableError("its ID3 tag is damaged: it holds too many texts")
