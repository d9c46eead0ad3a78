"""Where each format has its entries in the text of a list, and how a new entry is written there.

A list is a playlist, a cue sheet or a list of checksums.

Nothing else in a list is parsed or changed. The parsers expect hostile input: each looks at every character only a few times,
none expands an XML entity, and anything malformed is not an entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from orchestrator.paths import extension_of
from orchestrator.plan.companions.playlists import checksums
from orchestrator.plan.companions.playlists.text import MARK

MAX_BYTES: Final = 4 * 1024 * 1024
"""Larger lists are not read. A list of 10,000 entries has about 1 MB."""
MAX_ENTRY: Final = 8192
"""Characters of one entry. No path is that long."""

_LINE = re.compile(r"[^\r\n]+")
_PLS_ENTRY = re.compile(r"[ \t]*file[0-9]{1,9}[ \t]*=", re.IGNORECASE)
_CUE_FILE = re.compile(r"[ \t]*file[ \t]+", re.IGNORECASE)
_BLANKS = " \t"


class Reference(msgspec.Struct, frozen=True, gc=False):
    """One entry: its `value`, and where that starts and ends in the text."""

    start: int
    end: int
    value: str
    bare: bool = False
    """CUE: without quotation marks. XSPF: in a CDATA section, where nothing is escaped. Checksums: nothing is escaped."""


class Format(msgspec.Struct, frozen=True):
    """How one kind of list is read and written."""

    references: Callable[[str], Iterator[Reference]]
    write: Callable[[Reference, str], str | None]
    """The text that replaces an entry's value; None if the format cannot express it."""
    uris: bool = False
    """An entry is read as a URI first, then as a path."""
    by_stem: bool = False
    """An entry may name a file with another extension: many cue sheets still say .wav after the music became .flac."""
    refuses: Callable[[str], str | None] = lambda _: None
    """Why a whole text is not read, in words; None if it is."""


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


# XSPF: <location> inside <track>. The one directly in <playlist> says where the list itself is.

_TAG = re.compile(r"""<(/?)([^\s<>/"'=]++)(?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+>""")
_AMPERSAND = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));|&")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_SPACES = " \t\r\n"
_CDATA = "<![CDATA["
_SKIPPED = {"<!--": "-->", _CDATA: "]]>", "<?": "?>"}
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)


class _Tag(NamedTuple):
    name: str
    """Lower case, without its namespace."""
    opens: bool
    closes: bool
    end: int


def _xspf_references(text: str) -> Iterator[Reference]:
    position = 0
    in_track = False
    location: int | None = None
    """Where the content of an open <location> begins."""
    section: tuple[int, int] | None = None
    """Start and end of the CDATA section that is its only content."""
    while (position := text.find("<", position)) >= 0:
        mark = _skipped_mark(text, position)
        if mark is not None:
            end = text.find(_SKIPPED[mark], position)
            if end < 0:
                return
            empty = location is not None and section is None and not text[location:position].strip(_SPACES)
            section = (position + len(mark), end) if empty and mark == _CDATA else None
            location = None if section is None else location
            position = end + len(_SKIPPED[mark])
            continue
        if text.startswith("<!", position):
            return  # see _xspf_refuses
        tag = _xspf_tag(text, position)
        if tag is None:
            position += 1
            location = None
            continue
        if tag.name == "track":
            in_track = tag.opens
        if tag.closes and tag.name == "location" and in_track and location is not None:
            yield from _xspf_location(text, location, position) if section is None else _xspf_section(text, section, position)
        location = tag.end if tag.name == "location" and tag.opens else None
        section = None
        position = tag.end


def _skipped_mark(text: str, position: int) -> str | None:
    return next((mark for mark in _SKIPPED if text.startswith(mark, position)), None)


def _xspf_tag(text: str, position: int) -> _Tag | None:
    found = _TAG.match(text, position)
    if found is None:
        return None
    closes, empty = bool(found[1]), text.endswith("/", position, found.end() - 1)
    return _Tag(found[2].rpartition(":")[2].lower(), not (closes or empty), closes, found.end())


def _xspf_location(text: str, start: int, end: int) -> Iterator[Reference]:
    if end - start > MAX_ENTRY:
        return
    while start < end and text[start] in _SPACES:
        start += 1
    while start < end and text[end - 1] in _SPACES:
        end -= 1
    value = _unescaped(text[start:end])
    if value:
        yield Reference(start, end, value)


def _xspf_section(text: str, section: tuple[int, int], end: int) -> Iterator[Reference]:
    start, stop = section
    if start < stop <= start + MAX_ENTRY and not text[stop + len("]]>") : end].strip(_SPACES):
        yield Reference(start, stop, text[start:stop], bare=True)


def _xspf_refuses(text: str) -> str | None:
    """No playlist needs a document type, and nothing is more dangerous in XML."""
    return "it has a document type of its own" if _DOCTYPE.search(text) and "<location" in text else None


def _unescaped(text: str) -> str | None:
    """The text with the five named entities and numbers replaced; None if it has any other entity."""
    pieces: list[str] = []
    last = 0
    for found in _AMPERSAND.finditer(text):
        code = int(found[2]) if found[2] else int(found[3], 16) if found[3] else None
        if (code is None and found[1] is None) or (code is not None and code > 0x10FFFF):
            return None
        pieces += (text[last : found.start()], _NAMED[found[1]] if code is None else chr(code))
        last = found.end()
    return "".join((*pieces, text[last:]))


def _xspf_write(reference: Reference, value: str) -> str | None:
    if any(ord(character) < 0x20 for character in value):
        return None  # XML cannot contain them
    if reference.bare:
        return None if "]]>" in value else value
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
    "xspf": Format(_xspf_references, _xspf_write, uris=True, refuses=_xspf_refuses),
    "cue": Format(_cue_references, _cue_write, by_stem=True),
    **dict.fromkeys(checksums.KINDS, _CHECKSUMS),
    **dict.fromkeys(checksums.IN_TEXTS, _CHECKSUMS),
}
"""Lower-case extension, or other end of a name -> its format."""

PLAYLISTS: Final = frozenset(FORMATS) - {"cue", *checksums.KINDS, *checksums.IN_TEXTS}
ENDS: Final = tuple(kind if kind in checksums.IN_TEXTS else f".{kind}" for kind in FORMATS)
"""How the names of lists end, in lower case."""


def kind_of(path: str) -> str | None:
    """Which of FORMATS a list has, by its name; None for any other file."""
    extension = extension_of(path)
    if extension in FORMATS:
        return extension
    return next((end for end in checksums.IN_TEXTS if path.lower().endswith(end)), None) if extension == "txt" else None


def is_list(path: str) -> bool:
    """Whether a file is a playlist, a cue sheet or a list of checksums, by its name."""
    return kind_of(path) is not None


def format_of(path: str) -> Format:
    """The format of a list. Raises KeyError for any other file."""
    return FORMATS[kind_of(path) or ""]
