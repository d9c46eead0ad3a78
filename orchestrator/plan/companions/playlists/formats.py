"""The formats of playlists and cue sheets: where the entries are in a text, and how a new entry is written there.

A list is a playlist, a cue sheet or a list of checksums.

Nothing else in a list is parsed or changed. The parsers expect hostile input: each looks at every character only a few times,
none expands an XML entity, and anything malformed is not an entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.paths import extension_of
from orchestrator.plan.companions.playlists import checksums
from orchestrator.plan.companions.playlists.format import MAX_ENTRY, Format, Reference
from orchestrator.plan.companions.playlists.text import MARK
from orchestrator.plan.companions.playlists.xml_lists import XML_FORMATS
from orchestrator.records import Item

_LINE = re.compile(r"[^\r\n]+")
_PLS_ENTRY = re.compile(r"[ \t]*file[0-9]{1,9}[ \t]*=", re.IGNORECASE)
_CUE_FILE = re.compile(r"[ \t]*file[ \t]+", re.IGNORECASE)
_BLANKS = " \t"


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line without blanks around it; empty lines are left out."""
    for line in _LINE.finditer(text):
        start, end = line.span()
        if start == 0 and text.startswith(MARK):
            start = 1
        if end - start > MAX_ENTRY:
            continue
        while start < end and text[start] in _BLANKS:
            start += 1
        while start < end and text[end - 1] in _BLANKS:
            end -= 1
        if start < end:
            yield start, end


def _m3u_references(text: str) -> Iterator[Reference]:
    for start, end in _lines(text):
        if text[start] != "#":
            yield Reference(start, end, text[start:end])


def _m3u_write(_: Reference, value: str) -> str | None:
    return _one_line(f"./{value}" if value.startswith("#") else value)  # otherwise it would be a comment


def _pls_references(text: str) -> Iterator[Reference]:
    for start, end in _lines(text):
        key = _PLS_ENTRY.match(text, start, end)
        if key is None:
            continue
        first = key.end()
        while first < end and text[first] in _BLANKS:
            first += 1
        if first < end:
            yield Reference(first, end, text[first:end])


def _cue_references(text: str) -> Iterator[Reference]:
    for start, end in _lines(text):
        command = _CUE_FILE.match(text, start, end)
        if command is None or command.end() >= end:
            continue
        first = command.end()
        if text[first] == '"':
            last = text.find('"', first + 1, end)
            if last > first + 1:
                yield Reference(first + 1, last, text[first + 1 : last])
            continue
        name = text[first:end]
        words = name.rsplit(None, 1)
        # `FILE name.wav WAVE`: of several words the last one is the kind of file.
        name = words[0] if len(words) > 1 else name
        yield Reference(first, first + len(name), name, bare=True)


def _cue_write(reference: Reference, value: str) -> str | None:
    if '"' in value:
        return None
    return f'"{value}"' if reference.bare and any(blank in value for blank in _BLANKS) else _one_line(value)


def _one_line(value: str) -> str | None:
    clean = "\r" not in value and "\n" not in value and value.strip(_BLANKS) == value
    return value if clean and len(value) <= MAX_ENTRY else None


def _plain_write(_: Reference, value: str) -> str | None:
    return _one_line(value)


def _checksum_references(text: str) -> Iterator[Reference]:
    for start, end in _lines(text):
        found = checksums.name_in(text[start:end])
        if found is not None and found[0] < found[1]:
            first, last, escaped = start + found[0], start + found[1], found[2]
            value = checksums.unescaped(text[first:last]) if escaped else text[first:last]
            yield Reference(first, last, value, bare=not escaped)


def _checksum_write(reference: Reference, value: str) -> str | None:
    value = f"./{value}" if value.startswith("*") else value  # otherwise it would mark a binary file
    return _one_line(value if reference.bare else checksums.escaped(value))


_M3U = Format(_m3u_references, _m3u_write)
_CHECKSUMS = Format(_checksum_references, _checksum_write, by_stem=True)
FORMATS: Final[dict[str, Format]] = {
    "m3u": _M3U,
    "m3u8": _M3U,
    "pls": Format(_pls_references, _plain_write),
    "cue": Format(_cue_references, _cue_write, by_stem=True),
    **dict.fromkeys(checksums.KINDS, _CHECKSUMS),
    **dict.fromkeys(checksums.IN_TEXTS, _CHECKSUMS),
    **XML_FORMATS,
}
"""Lower-case extension, or other end of a name -> its format."""

ENDS: Final = tuple(kind if kind in checksums.IN_TEXTS else f".{kind}" for kind in FORMATS)
"""How the names of lists end, in lower case."""


def kind_of(path: str) -> str | None:
    """Which of FORMATS a list has, by its name; None for any other file."""
    extension = extension_of(path)
    if extension in FORMATS:
        return extension
    return next((end for end in checksums.IN_TEXTS if path.lower().endswith(end)), None) if extension == "txt" else None


def format_of(path: str) -> Format:
    """The format of a list. Raises KeyError for any other file."""
    return FORMATS[kind_of(path) or ""]


def may_be_list(path: str) -> bool:
    """Whether a file is a list, by its name. For XML, only the content tells."""
    return kind_of(path) is not None


def is_list(item: Item) -> bool:
    """Whether a file is a list, or may be one because its content is unknown."""
    path = item.entry.path
    return may_be_list(path) and (item.content is None or format_of(path).recognises(item.content))


def is_playlist(item: Item) -> bool:
    """Whether a file is a playlist or a library: neither a cue sheet nor a list of checksums."""
    return is_list(item) and not format_of(item.entry.path).by_stem


def is_checksums(item: Item) -> bool:
    """Whether a file is a list of checksums."""
    return is_list(item) and format_of(item.entry.path) is _CHECKSUMS


def can_move(item: Item) -> bool:
    """Whether a list may move to another location: the library of a program is looked for where it is."""
    return format_of(item.entry.path).can_move
