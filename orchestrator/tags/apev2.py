"""Where the bulk of an APEv2 tag at a file's end lies: covers are holes for the parser."""

from __future__ import annotations

from orchestrator.tags.parsed import NotReadableError
from orchestrator.tags.sparse import SparseFile

_KEPT = 1024
_FOOTER = 32
_LONGEST_KEY = 255
_MOST_ITEMS = 20_000
_LOOK_BEFORE = 1024 + 64
"""mutagen looks for a header before the items, and for the rest of a broken one before that; so do identities."""


def find_footer(file: SparseFile) -> int | None:
    """Offset of the APEv2 footer (last, or before ID3v1, or before Lyrics3v2 and ID3v1), or None."""
    tail_start = max(0, file.size - 160)
    tail = file.peek(tail_start, 160)
    if tail[-32:-24] == b"APETAGEX":
        return file.size - 32
    if tail[-128:-125] != b"TAG":
        return None
    if tail[-160:-152] == b"APETAGEX":
        return file.size - 160
    if tail[-137:-128] == b"LYRICS200" and tail[-143:-137].isdigit():
        position = file.size - 128 - 15 - int(tail[-143:-137]) - _FOOTER
        if position >= 0 and file.peek(position, 8) == b"APETAGEX":
            return position
    return None


def plan_tag(file: SparseFile, footer: int) -> int:
    """Make holes for the bulk of the tag whose footer is at `footer`, and return where its items begin."""
    header = file.peek(footer, _FOOTER)
    size = int.from_bytes(header[12:16], "little")
    count = int.from_bytes(header[16:20], "little")
    start = footer + _FOOTER - size
    if start < 0 or start >= footer:
        return max(start, 0)
    whole = file.has(start, footer)
    if not whole and footer - start <= file.policy.hole + file.policy.extra:
        file.fetch(max(0, start - _LOOK_BEFORE), footer, "the whole APEv2 tag")
        whole = True
    if not whole:
        file.fetch(max(0, start - _LOOK_BEFORE), start + file.policy.extra, "the beginning of the APEv2 tag")
    position = start
    for _ in range(min(count, _MOST_ITEMS)):
        if position + 9 > footer:
            break
        item = file.peek(position, min(8 + _LONGEST_KEY + 1, footer - position), "the next APEv2 item")
        length = int.from_bytes(item[:4], "little")
        key_end = item.find(b"\0", 8)
        if key_end < 0:
            raise NotReadableError("its APEv2 tag is damaged: an item name has no end")
        value = position + key_end + 1
        position = value + length
        if position > footer:
            break
        if not whole and item[8:17].lower() == b"cover art":
            file.make_hole(value + _KEPT, position, "a picture (Cover Art)")
    return start
