"""Playlists in XML (XSPF, WPL, ZPL, ASX), and the libraries that iTunes and rekordbox export.

Only tags are looked for, in one pass: no entity is expanded, no document type is read, and what is malformed is not an entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from orchestrator.plan.companions.playlists.format import MAX_ENTRY, Format, Reference

_TAG = re.compile(r"""<(/?)([^\s<>/"'=]++)(?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+>""")
_ATTRIBUTE = re.compile(r"""([^\s<>/"'=]++)\s*+=\s*+(?:"([^"<]*+)"|'([^'<]*+)')""")
_AMPERSAND = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));|&(?:#|[A-Za-z_][\w.:-]{0,99};)")
"""What is escaped, or an entity of another kind. Some programs write a single `&` as it is."""
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_SURROGATES = range(0xD800, 0xE000)
_SPACES = " \t\r\n"
_CDATA = "<![CDATA["
_SKIPPED = {"<!--": "-->", _CDATA: "]]>", "<?": "?>"}
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
_DOCTYPE_ALONE = re.compile(r"""<!DOCTYPE(?:[^\[<>"']|"[^"<>]*+"|'[^'<>]*+')*+>""", re.IGNORECASE)
"""One that only names a definition elsewhere, which is never fetched, and declares nothing."""
_HEAD = 4096
"""Bytes in which a library says what it is."""
_PLIST_TRACKS = b"<key>Tracks</key>"


class _Tag(NamedTuple):
    name: str
    """Lower case, without its namespace."""
    opens: bool
    closes: bool
    start: int
    end: int
    content: Reference | None = None
    """Of a closing tag: the text of its element, if that holds nothing but text."""


def _tags(text: str) -> Iterator[_Tag]:
    """The tags of a text, in their order."""
    position = 0
    opened: _Tag | None = None
    """The tag whose element can only hold text so far."""
    section: tuple[int, int] | None = None
    """Start and end of the CDATA section that is all the element holds."""
    while (position := text.find("<", position)) >= 0:
        mark = next((mark for mark in _SKIPPED if text.startswith(mark, position)), None)
        if mark is not None:
            end = text.find(_SKIPPED[mark], position)
            if end < 0:
                return
            empty = opened is not None and section is None and not text[opened.end : position].strip(_SPACES)
            section = (position + len(mark), end) if empty and mark == _CDATA else None
            opened = None if section is None else opened
            position = end + len(_SKIPPED[mark])
            continue
        if text.startswith("<!", position):
            plain = _DOCTYPE_ALONE.match(text, position)
            if plain is None:
                return  # see _refuses
            position, opened = plain.end(), None
            continue
        tag = _tag(text, position)
        if tag is None:
            position, opened = position + 1, None
            continue
        if tag.closes and opened is not None and opened.name == tag.name:
            found = _content(text, opened.end, position) if section is None else _section(text, section, position)
            tag = tag._replace(content=found)
        yield tag
        opened, section = (tag if tag.opens else None), None
        position = tag.end


def _tag(text: str, position: int) -> _Tag | None:
    found = _TAG.match(text, position)
    if found is None:
        return None
    closes, empty = bool(found[1]), text.endswith("/", position, found.end() - 1)
    return _Tag(found[2].rpartition(":")[2].lower(), not (closes or empty), closes, position, found.end())


def _content(text: str, start: int, end: int) -> Reference | None:
    if end - start > MAX_ENTRY:
        return None
    while start < end and text[start] in _SPACES:
        start += 1
    while start < end and text[end - 1] in _SPACES:
        end -= 1
    return _escaped(text, start, end)


def _section(text: str, section: tuple[int, int], end: int) -> Reference | None:
    start, stop = section
    alone = start < stop <= start + MAX_ENTRY and not text[stop + len("]]>") : end].strip(_SPACES)
    return Reference(start, stop, text[start:stop], bare=True) if alone else None


def _escaped(text: str, start: int, end: int, quote: str = "") -> Reference | None:
    value = _unescaped(text[start:end]) if end - start <= MAX_ENTRY else None
    return Reference(start, end, value, quote=quote) if value else None


def _unescaped(text: str) -> str | None:
    """The text with the five named entities and numbers replaced; None if it has any other entity."""
    pieces: list[str] = []
    last = 0
    for found in _AMPERSAND.finditer(text):
        code = int(found[2]) if found[2] else int(found[3], 16) if found[3] else None
        if found[1] is None and (code is None or code > 0x10FFFF or code in _SURROGATES):
            return None
        pieces += (text[last : found.start()], _NAMED[found[1]] if code is None else chr(code))
        last = found.end()
    return "".join((*pieces, text[last:]))


def _attributes(text: str, tag: _Tag, name: str) -> Iterator[Reference]:
    """The values of the attributes of a tag that have this name, in any case."""
    for found in _ATTRIBUTE.finditer(text, tag.start, tag.end):
        if found[1].lower() == name:
            group = 2 if found[2] is not None else 3
            value = _escaped(text, *found.span(group), quote="\"'"[group - 2])
            if value is not None:
                yield value


def _attributes_of(element: str, attribute: str) -> Callable[[str], Iterator[Reference]]:
    """Finds the entries of a format that has each in an attribute."""

    def references(text: str) -> Iterator[Reference]:
        for tag in _tags(text):
            if tag.name == element and not tag.closes:
                yield from _attributes(text, tag, attribute)

    return references


def _xspf_references(text: str) -> Iterator[Reference]:
    """`<location>` in `<track>`. The one directly in `<playlist>` says where the list itself is."""
    in_track = False
    for tag in _tags(text):
        if tag.name == "track":
            in_track = tag.opens
        elif tag.name == "location" and in_track and tag.content is not None:
            yield tag.content


def _library_references(text: str) -> Iterator[Reference]:
    """iTunes: `<string>` after `<key>Location</key>`. rekordbox: `Location` of a track; a list may name tracks by it (`Key`)."""
    key = ""
    for tag in _tags(text):
        if tag.name == "track" and not tag.closes:
            yield from _attributes(text, tag, "location")
            yield from (one for one in _attributes(text, tag, "key") if _is_file_url(one.value))
        elif tag.name == "key" and tag.closes:
            key = tag.content.value if tag.content else ""
        elif tag.name != "string":
            key = ""
        elif tag.closes:
            if key == "Location" and tag.content is not None:
                yield tag.content
            key = ""


def _is_library(content: bytes) -> bool:
    head = content[:_HEAD].replace(b"\0", b"")
    return b"<DJ_PLAYLISTS" in head or (b"<plist" in head and _PLIST_TRACKS in content.replace(b"\0", b""))


def _is_file_url(value: str) -> bool:
    return value[:5].lower() == "file:"


def _refuses(text: str) -> str | None:
    """No list needs declarations of its own, and nothing is more dangerous in XML."""
    declares = any(_DOCTYPE_ALONE.match(text, found.start()) is None for found in _DOCTYPE.finditer(text))
    return "it has a document type with declarations of its own" if declares else None


def _asx_refuses(text: str) -> str | None:
    has_base = any(tag.name == "base" for tag in _tags(text))
    return "a `base` in it says what its entries are relative to" if has_base else _refuses(text)


def _write(reference: Reference, value: str) -> str | None:
    if any(ord(character) < 0x20 for character in value):
        return None  # XML cannot contain them
    if reference.bare:
        return None if "]]>" in value else value
    text = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace(reference.quote, {'"': "&quot;", "'": "&apos;"}[reference.quote]) if reference.quote else text


def _library_write(reference: Reference, value: str) -> str | None:
    """These programs know no other entries than absolute URLs."""
    return _write(reference, value) if _is_file_url(value) else None


_WPL = Format(_attributes_of("media", "src"), _write, xml=True, refuses=_refuses)
XML_FORMATS: Final[dict[str, Format]] = {
    "xspf": Format(_xspf_references, _write, uris=True, xml=True, refuses=_refuses),
    "wpl": _WPL,
    "zpl": _WPL,
    "asx": Format(_attributes_of("ref", "href"), _write, xml=True, refuses=_asx_refuses),
    "xml": Format(
        _library_references,
        _library_write,
        uris=True,
        xml=True,
        can_move=False,
        refuses=_refuses,
        recognises=_is_library,
    ),
}
"""Lower-case extension -> its format. Of files called .xml, only the libraries of iTunes and rekordbox are lists."""
