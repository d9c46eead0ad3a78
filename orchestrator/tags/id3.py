"""Where the bulk of an ID3v2 tag lies, from its frame headers: pictures and attachments are holes for the parser."""

from __future__ import annotations

import re

from orchestrator.tags.parsed import NotReadableError
from orchestrator.tags.sparse import SparseFile

_BULK = {b"APIC": "a picture", b"GEOB": "an attachment", b"PRIV": "private data", b"PIC": "a picture", b"GEO": "an attachment"}
_KEPT = 1024
"""What is read of a bulk frame: its MIME type, its description and the first bytes of the picture."""
_LONGEST_TEXT = 256 * 1024
"""mutagen takes time by the square of a text's length."""
_FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{2,3}\Z")
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40


def synchsafe(raw: bytes) -> int:
    """Four bytes of seven bits each."""
    return (raw[0] & 127) << 21 | (raw[1] & 127) << 14 | (raw[2] & 127) << 7 | raw[3] & 127


def tag_end(header: bytes, start: int) -> int | None:
    """Where the tag whose first ten bytes are `header` ends; None where no ID3v2 tag stands."""
    if len(header) < 10 or header[:3] != b"ID3":
        return None
    return start + 10 + synchsafe(header[6:10])


def plan_tag(file: SparseFile, start: int) -> int | None:
    """Dig the holes of the tag at `start` and return its end; None where there is none.

    Every frame header up to the end is read, as text may follow a picture. Tags whose offsets cannot be told from the frame
    headers (an extended header; whole-tag unsynchronisation before 2.4) get no holes and are read whole.
    """
    header = file.peek(start, 10)
    end = tag_end(header, start)
    if end is None or file.has(start, min(end, file.size)):
        return end
    version, flags = header[3], header[5]
    if version not in (2, 3, 4) or flags & _EXTENDED or (flags & _UNSYNCHRONISED and version < 4):
        file.fetch(start, end, "the whole ID3v2 tag: its frames cannot be told apart beforehand")
        return end
    _walk(file, start + 10, min(end, file.size), version)
    return end


def _walk(file: SparseFile, position: int, end: int, version: int) -> None:
    header_size, id_size = (6, 3) if version == 2 else (10, 4)
    while position + header_size <= end:
        header = file.peek(position, header_size, "the next ID3v2 frame")
        frame_id = header[:id_size].rstrip(b"\0")
        if not frame_id:
            file.dig(position + header_size, end, "padding")
            return
        if _FRAME_ID.match(frame_id) is None:
            return
        if version == 2:
            size = int.from_bytes(header[3:6], "big")
        elif version == 3:
            size = int.from_bytes(header[4:8], "big")
        else:
            size = _size_in_24(file, position, header, end)
        payload = position + header_size
        position = payload + size
        if position > end:
            return
        if size > _LONGEST_TEXT and frame_id.startswith(b"T"):
            raise NotReadableError("its ID3 tag is damaged: a text would be larger than a book")
        if frame_id in _BULK:
            file.dig(payload + _KEPT, position, f"{_BULK[frame_id]} ({frame_id.decode()})")


def _size_in_24(file: SparseFile, position: int, header: bytes, end: int) -> int:
    """The payload's size in ID3v2.4: synch-safe by the standard, plain as iTunes wrote it."""
    plain, safe = int.from_bytes(header[4:8], "big"), synchsafe(header[4:8])
    if plain == safe:
        return safe
    if any(byte & 0x80 for byte in header[4:8]):
        return plain
    # Looking where the next frame would begin costs nothing that the walk would not read anyway.
    if _frame_or_end(file, position + 10 + safe, end):
        return safe
    return plain if _frame_or_end(file, position + 10 + plain, end) else safe


def _frame_or_end(file: SparseFile, position: int, end: int) -> bool:
    if position >= end:
        return position == end
    following = file.peek(position, min(4, end - position), "the next ID3v2 frame")
    return not following.strip(b"\0") or _FRAME_ID.match(following) is not None
