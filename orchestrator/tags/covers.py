"""The pictures of a file: kind, type, size and dimensions, from their first bytes. The rest of each is a hole."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from typing import Any

from orchestrator.tags.parsed import Parsed
from orchestrator.track import Cover

LOOKS_AT = 512
"""Bytes of a picture: enough for its dimensions, unless a profile or a thumbnail comes first."""
KEPT = 1024
"""Bytes that the holes leave of a picture and its header: enough for `LOOKS_AT`, unless the header text is very long."""
PICTURE_NAMES = (b"METADATA_BLOCK_PICTURE=", b"COVERART=")
"""How Vorbis comments that hold pictures begin."""
LONGEST_PICTURE_NAME = 23
_FRONT = 3
_MOST = 16
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_NAMES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
_LINK = "-->"


def covers_of(parsed: Parsed) -> tuple[Cover, ...] | None:
    """The pictures in the parsed tags, and those that the container's module found itself; at most 16."""
    found = list(parsed.covers or ())
    if parsed.tags and parsed.kind in _FINDERS:
        found += _FINDERS[parsed.kind](parsed.tags)
    for kind, tags in parsed.others:
        if kind in _FINDERS and not (parsed.tags and found):
            found += _FINDERS[kind](tags)
    return tuple(found[:_MOST]) if found or parsed.covers is not None else None


def cover(kind: int, mime: str, beginning: bytes, size: int, stated: tuple[int, int] = (0, 0)) -> Cover:
    """A picture of `size` bytes with this beginning. Its bytes win over its tag."""
    mime = mime.strip("\0 ").lower()
    mime = _BARE_NAMES.get(mime, mime)
    dimensions: tuple[int, int] | None = None
    if beginning.startswith(b"\xff\xd8\xff"):
        mime, dimensions = "image/jpeg", _jpeg(beginning[:LOOKS_AT])
    elif beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        mime, dimensions = "image/png", (int.from_bytes(beginning[16:20], "big"), int.from_bytes(beginning[20:24], "big"))
    elif beginning.startswith((b"GIF87a", b"GIF89a")):
        mime, dimensions = "image/gif", (int.from_bytes(beginning[6:8], "little"), int.from_bytes(beginning[8:10], "little"))
    elif beginning.startswith(b"BM"):
        mime = "image/bmp"
    elif beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        mime = "image/webp"
    width, height = dimensions or stated
    return Cover(kind, mime, size, width or None, height or None)


def flac_picture(header: bytes, size: int) -> Cover | None:
    """The picture in a FLAC PICTURE block or Vorbis comment with this beginning; `size` if the block does not state it."""
    position = 8 + int.from_bytes(header[4:8], "big")
    mime = header[8:position]
    position += 4 + int.from_bytes(header[position : position + 4], "big") + 20
    if position > len(header) or mime == _LINK.encode():
        return None
    width, height, _, _, stated = struct.unpack_from(">5I", header, position - 20)
    kind = int.from_bytes(header[:4], "big")
    return cover(kind, mime.decode("latin-1"), header[position:], stated or size, (width, height))


def _jpeg(data: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in _SOF:
            return int.from_bytes(data[position + 7 : position + 9], "big"), int.from_bytes(
                data[position + 5 : position + 7], "big"
            )
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def _in_id3(tags: Any) -> Iterator[Cover]:
    for frame in tags.getall("APIC"):
        if frame.mime != _LINK:
            readable = frame.data[:LOOKS_AT] if 2 * len(frame.desc) + len(frame.mime) < KEPT - LOOKS_AT - 8 else b""
            size = len(frame.data) + getattr(frame, "left_out", 0)  # see `planned_id3`
            yield cover(int(frame.type), frame.mime, readable, size)


def _in_ape(tags: Any) -> list[Cover]:
    covers: list[Cover] = tags.covers
    return covers


def _in_asf(tags: Any) -> Iterator[Cover]:
    for attribute in tags.get("WM/Picture", ()):
        value = attribute.value
        if not isinstance(value, bytes) or len(value) < 9:
            continue
        mime, at = _utf16(value, 5)
        _, at = _utf16(value, at)
        size = int.from_bytes(value[1:5], "little")
        yield cover(value[0], mime, value[at : at + LOOKS_AT] if at < KEPT - LOOKS_AT else b"", size)


def _utf16(value: bytes, start: int) -> tuple[str, int]:
    """The text at `start`, and the offset after it."""
    end = start
    while end + 2 <= min(len(value), KEPT) and value[end : end + 2] != b"\0\0":
        end += 2
    return value[start:end].decode("utf-16-le", "replace"), end + 2


def _in_vorbis(tags: Any) -> Iterator[Cover]:
    for text in tags.get("metadata_block_picture", ()):
        picture = flac_picture(_decoded(text), len(text) * 3 // 4)
        if picture is not None:
            yield picture
    for text in tags.get("coverart", ()):
        yield cover(_FRONT, "", _decoded(text)[:LOOKS_AT], len(text.rstrip("=")) * 3 // 4)


def _decoded(text: str) -> bytes:
    """The beginning of the base64 content of `text`."""
    start = text[: (KEPT - 64) // 4 * 4]
    try:
        return base64.b64decode(start + "=" * (-len(start) % 4))
    except (binascii.Error, ValueError):
        return b""


def is_told_by_beginning(comment: bytes) -> bool:
    """Whether this beginning of a Vorbis comment holds all that is told about its picture: the size, or that it is a link."""
    name, _, value = comment.partition(b"=")
    if name.upper() + b"=" != PICTURE_NAMES[0] or not value.isascii():
        return False
    picture = flac_picture(_decoded(value.decode()), 0)
    return picture is None or picture.size > 0


_FINDERS = {"id3": _in_id3, "ape": _in_ape, "asf": _in_asf, "vorbis": _in_vorbis}
