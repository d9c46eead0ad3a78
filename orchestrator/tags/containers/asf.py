"""WMA: everything stands in the header object at the front, pictures among it."""

from __future__ import annotations

from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile

_OBJECT_HEADER = 24
_HEADER_OBJECT = 30
_EXTENSION_HEADER = _OBJECT_HEADER + 22
_MOST_OBJECTS = 1000
_PADDING = bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8")
_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_METADATA_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")
_KEPT = 128
"""What is read of a picture: its kind, MIME type and description."""


def read(file: SparseFile) -> Parsed:
    """Parse the header object."""
    end = min(int.from_bytes(file.peek(16, 8), "little"), file.size)
    if not file.has(0, end):
        _plan(file, _HEADER_OBJECT, end)
    file.seek(0)
    asf = parser("asf", "ASF")(file)
    lossless = "Lossless" in asf.info.codec_name or "Lossless" in asf.info.codec_type
    return Parsed(kind="asf", tags=asf.tags, info=asf.info, codec="wma", lossless=lossless)


def _plan(file: SparseFile, position: int, end: int) -> None:
    for _ in range(_MOST_OBJECTS):
        header = file.peek(position, _OBJECT_HEADER, "the next object")
        size = int.from_bytes(header[16:], "little")
        if size < _OBJECT_HEADER or position + size > end:
            return
        kind, payload, position = header[:16], position + _OBJECT_HEADER, position + size
        if kind == _EXTENSION:
            _plan(file, payload - _OBJECT_HEADER + _EXTENSION_HEADER, position)
        elif kind == _PADDING:
            file.dig(payload, position, "padding")
        elif kind == _EXTENDED_CONTENT:
            _plan_values(file, payload, position, name_length_at=0)
        elif kind == _METADATA_LIBRARY:
            _plan_values(file, payload, position, name_length_at=4)


def _plan_values(file: SparseFile, payload: int, end: int, *, name_length_at: int) -> None:
    """Dig holes in values too long to be text."""
    # Extended content: name length, name, type, length (2 bytes), value.
    # Library: language, stream, name length, type, length (4 bytes), name, value.
    count = int.from_bytes(file.peek(payload, 2), "little")
    position = payload + 2
    for _ in range(count):
        if position + 12 > end:
            return
        name_length = int.from_bytes(file.peek(position + name_length_at, 2), "little")
        if name_length_at:
            length = int.from_bytes(file.peek(position + 8, 4), "little")
            value = position + 12 + name_length
        else:
            length = int.from_bytes(file.peek(position + 4 + name_length, 2), "little")
            value = position + 6 + name_length
        position = value + length
        if position > end:
            return
        file.dig(value + _KEPT, position, "a value too long to be text (a picture, mostly)")
