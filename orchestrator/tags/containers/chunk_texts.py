"""The texts that chunks hold: the INFO lists of WAV, and the text chunks of AIFF and DSDIFF."""

from __future__ import annotations

from orchestrator.tags.parsed import TextTags
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.tag_texts import LONGEST_TEXT, decoded

_MOST_TEXTS = 1000
_MOST_ZEROS = 3
_SHORTEST_WIDE = 4
_HEADER = 8
_LONG_HEADER = 12
_COUNT = 4
TEXT_CHUNKS = frozenset({b"NAME", b"AUTH", b"ANNO"})
"""Of AIFF."""


def read_info(file: SparseFile, start: int, end: int, tags: TextTags) -> None:
    """Add the texts of an INFO list; of several with one name, the first counts.

    Some programs count the final zero and some do not, and some forget to fill up to an even length: no name begins with a zero.
    """
    position, end = start, min(end, file.size)
    for _ in range(_MOST_TEXTS):
        if file.requests > file.policy.requests // 2 or file.bytes_read > file.policy.budget // 2:
            file.skip_text("INFO", end - position)  # other tags may follow
            return
        _fetch(file, position, min(position + _MOST_ZEROS + _HEADER, end), "an INFO list")
        zeros = file.peek(position, min(_MOST_ZEROS, end - position), "an INFO list")
        position += len(zeros) - len(zeros.lstrip(b"\0"))
        if position + _HEADER > end:
            return
        header = file.peek(position, _HEADER, "an INFO list")
        length = int.from_bytes(header[4:], "little")
        _add(file, header[:4], position + _HEADER, min(length, end - position - _HEADER), tags)
        position += _HEADER + length


def read_text(file: SparseFile, name: bytes, start: int, length: int, tags: TextTags) -> None:
    """Add the text of a chunk of AIFF."""
    _add(file, name, start, min(length, file.size - start), tags)


def read_edited(file: SparseFile, start: int, end: int, tags: TextTags) -> None:
    """Add the artist and the title in the edited master information of a DSDIFF (DIIN)."""
    position, end = start, min(end, file.size)
    for _ in range(_MOST_TEXTS):
        if position + _LONG_HEADER + _COUNT > end:
            return
        header = file.peek(position, _LONG_HEADER + _COUNT, "the edited master information")
        length = int.from_bytes(header[4:_LONG_HEADER], "big")
        if header[:4] in (b"DIAR", b"DITI"):
            count = int.from_bytes(header[_LONG_HEADER:], "big")
            _add(file, header[:4], position + _LONG_HEADER + _COUNT, min(count, length - _COUNT), tags)
        position += _LONG_HEADER + length + length % 2


def _fetch(file: SparseFile, start: int, end: int, why: str) -> None:
    """Fetch what is needed and a little more: what is fetched unforeseen grows with each range, and many texts need many."""
    if not file.has(start, min(end, file.size)):
        file.fetch(start, max(end, start + file.policy.extra), why)


def _add(file: SparseFile, name: bytes, start: int, length: int, tags: TextTags) -> None:
    if length > LONGEST_TEXT:
        file.skip_text(name.decode("latin-1"), length)
    if 0 < length <= LONGEST_TEXT:
        _fetch(file, start, start + length, "a text")
    data = file.peek(start, length) if 0 < length <= LONGEST_TEXT else b""
    wide = len(data) >= _SHORTEST_WIDE and not any(data[1::2])  # some programs write UTF-16
    text = data[: len(data) // 2 * 2].decode("utf-16-le", "replace").rstrip("\0") if wide else decoded(data)
    if text:
        tags.setdefault(name.decode("latin-1"), [text])
