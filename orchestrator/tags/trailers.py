"""Where the sound ends: before the tags that taggers append."""

from __future__ import annotations

from orchestrator.tags.id3 import synchsafe
from orchestrator.tags.sparse import SparseFile

_ID3V1 = 128
_APE_FOOTER = 32
_LYRICS = 15
_ID3V2_FOOTER = 10
_HAS_HEADER, _IS_HEADER = 1 << 31, 1 << 29
_MOST_TAGS = 5
LOOKS_AT = 160
"""This many bytes at the end show the last tags."""


def sound_end(file: SparseFile) -> int:
    """Where the ID3v1, Lyrics3v2, APEv2 and ID3v2 tags at the end of the file begin; the file size if there are none."""
    end = file.size
    for _ in range(_MOST_TAGS):
        length = _tag_length(file.peek(max(0, end - LOOKS_AT), min(end, LOOKS_AT)))
        if not 0 < length <= end:
            return end
        end -= length
    return end


def _tag_length(tail: bytes) -> int:
    """The length of the tag that ends where `tail` does; 0 for none."""
    if tail[-_APE_FOOTER:].startswith(b"APETAGEX"):
        flags = int.from_bytes(tail[-12:-8], "little")
        size = int.from_bytes(tail[-20:-16], "little")
        return 0 if flags & _IS_HEADER else size + (_APE_FOOTER if flags & _HAS_HEADER else 0)
    if tail[-_ID3V1:].startswith(b"TAG") and len(tail) >= _ID3V1:
        return _ID3V1
    if tail.endswith(b"LYRICS200") and tail[-_LYRICS:-9].isdigit():
        return int(tail[-_LYRICS:-9]) + _LYRICS
    if tail[-_ID3V2_FOOTER:].startswith(b"3DI"):
        return synchsafe(tail[-4:]) + 2 * _ID3V2_FOOTER
    return 0
