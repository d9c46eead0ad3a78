"""APEv2 tags at a file's end: their texts and pictures. Pictures and other large values are not read.

mutagen refuses the whole tag for one text that is not UTF-8 (APEv1 and old Chinese programs), one invalid key or a wrong count.
"""

from __future__ import annotations

from orchestrator.tags.covers import LOOKS_AT, cover
from orchestrator.tags.parsed import NotReadableError, TextTags
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.tag_texts import LONGEST_TEXT, decoded
from orchestrator.track import Cover

_KEPT = 1024
_FOOTER = 32
_LONGEST_KEY = 255
_MOST_ITEMS = 20_000
_LOOK_BEFORE = 1024 + 64
"""A header may come before the items, and sound before that: identities need it."""
_BINARY = frozenset({1, 3})
_COVER = "cover art"
_KINDS = {"cover art (front)": 3, "cover art (back)": 4}
MAGIC = b"APETAGEX"


class ApeTags(TextTags):
    """The texts under each key in lower case, and the pictures."""

    covers: list[Cover]

    def __bool__(self) -> bool:
        return bool(len(self) or self.covers)


def find_footer(file: SparseFile) -> int | None:
    """Offset of the APEv2 footer (last, or before ID3v1, or before Lyrics3v2 and ID3v1), or None."""
    tail_start = max(0, file.size - 160)
    tail = file.peek(tail_start, 160)
    if tail[-32:-24] == MAGIC:
        return file.size - 32
    if tail[-128:-125] != b"TAG":
        return None
    if tail[-160:-152] == MAGIC:
        return file.size - 160
    if tail[-137:-128] == b"LYRICS200" and tail[-143:-137].isdigit():
        position = file.size - 128 - 15 - int(tail[-143:-137]) - _FOOTER
        if position >= 0 and file.peek(position, 8) == MAGIC:
            return position
    return None


def read_tag(file: SparseFile, footer: int) -> ApeTags:
    """The tag whose footer is at `footer`; NotReadableError if its items do not end there."""
    header = file.peek(footer, _FOOTER)
    size = int.from_bytes(header[12:16], "little")
    count = int.from_bytes(header[16:20], "little")
    tags = ApeTags()
    tags.covers, start = [], footer + _FOOTER - size
    if start < 0:
        raise NotReadableError("its APEv2 tag is damaged: it is longer than the file")
    whole = _fetch(file, start, footer)
    position = start
    for _ in range(min(count, _MOST_ITEMS)):
        if position + 9 > footer:
            break
        item = file.peek(position, min(8 + _LONGEST_KEY + 1, footer - position), "the next APEv2 item")
        length = int.from_bytes(item[:4], "little")
        key_end = item.find(b"\0", 8)
        value = position + key_end + 1
        position = value + length
        if key_end < 0 or position > footer:
            raise NotReadableError("its APEv2 tag is damaged: an item has no end")
        binary = (item[4] & 6) >> 1 in _BINARY
        _read_item(file, tags, item[8:key_end].decode("latin-1").lower(), (value, position), binary=binary, whole=whole)
    return tags


def _fetch(file: SparseFile, start: int, footer: int) -> bool:
    """Fetch the items, or the beginning of many; whether all were fetched."""
    if start >= footer or file.has(start, footer):
        return True
    before = max(0, start - _LOOK_BEFORE)
    if footer - start <= file.policy.hole + file.policy.extra:
        file.fetch(before, footer, "the whole APEv2 tag")
        return True
    file.fetch(before, start + file.policy.extra, "the beginning of the APEv2 tag")
    return False


def _read_item(file: SparseFile, tags: ApeTags, key: str, place: tuple[int, int], *, binary: bool, whole: bool) -> None:
    start, end = place
    is_cover = key.startswith(_COVER)
    if (binary or end - start > LONGEST_TEXT) and not whole:
        file.make_hole(start + (_KEPT if is_cover else 0), end, "a picture (Cover Art)" if is_cover else "a large APEv2 value")
    if binary and is_cover:
        beginning = file.peek(start, min(_KEPT, end - start))
        picture = beginning.find(b"\0", 0, _KEPT - LOOKS_AT) + 1
        kind = _KINDS.get(key, 0)
        tags.covers.append(cover(kind, "", beginning[picture : picture + LOOKS_AT], end - start - picture))
    elif not binary and end - start > LONGEST_TEXT:
        file.skip_text(key, end - start)
    elif not binary:
        texts = [decoded(part) for part in file.peek(start, end - start).split(b"\0")]
        tags[key] = [text for text in texts if text]
