"""The style in which an entry names a file: relative or absolute, path or URI; and how another file is named in that style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote_to_bytes

import msgspec

from orchestrator.plan.companions.playlists.roots import Root

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:", re.IGNORECASE)
_OF_FILES = re.compile(r"(?:file|smb|cifs|afp|nfs):", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_FILE = re.compile(r"(file:(?://(?:localhost)?(?=/))?)(.*)", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"%([0-9A-Fa-f]{2})")
_SAFE = "!$&'()*+,;=:@~-._"
"""What RFC 3986 allows in a path. Entries differ in which of these they quote; a new entry does as the old one did."""


class EntryStyle(msgspec.Struct, frozen=True, gc=False):
    """How an entry names its file."""

    anchor: tuple[str, ...] | None = None
    """The parts that come before the file's path: () for a path from the root; None for one relative to the list."""
    slash: str = "/"
    before: str = ""
    """`./`, or `file://`."""
    quoted: str | None = None
    """URI: the encoding behind the percent signs; None for a plain path."""
    safe: str = ""
    """URI: the characters that are not quoted."""
    absolute: bool = False
    """It begins with a slash."""
    beyond: str | None = None
    """For an entry of another machine: its text up to the path below `inside`."""
    inside: str = ""
    """The directory of the location that `beyond` leads to."""

    @property
    def is_fixed(self) -> bool:
        """Whether such an entry means the same wherever its list is."""
        return self.anchor is not None or self.beyond is not None


def entry_for(path: str, style: EntryStyle, directory: str, roots: tuple[Root, Root], *, uris: bool) -> str | None:
    """The entry for `path` in a list in `directory`; None if this style cannot express it.

    `roots`: the root in which the old entry was read, and the root that `path` and `directory` are below. `uris`: lists of this
    format also contain URIs without a scheme.
    """
    slash = style.slash
    if slash == "\\" and "\\" in path:
        return None
    if style.beyond is not None and roots[0] is roots[1] and path.startswith(below := style.inside and f"{style.inside}/"):
        text = _quoted(path[len(below) :].replace("/", slash), style.quoted, style)
        return None if text is None else style.beyond + text
    anchor = _anchor(style, *roots)
    before, quoted = style.before, style.quoted
    if anchor is not None:
        parts = [*anchor, *path.split("/")]
    else:
        parts = _relative(path, directory)
        if style.absolute:
            before, quoted = "", quoted if uris else None
    text = slash.join(parts)
    if style.absolute and anchor is not None:
        text = slash + text
    elif before == "./":
        before = "" if parts[0] == ".." else f".{slash}"
    elif _needs_dot(text) or (quoted is not None and ":" in parts[0]):
        before = f".{slash}"
    made = _quoted(text, quoted, style)
    return None if made is None else before + made


def _quoted(text: str, encoding: str | None, style: EntryStyle) -> str | None:
    """A path with percent signs, if `encoding` is the one behind them; None if it cannot express the path."""
    try:
        return text if encoding is None else quote(text, safe=f"{style.slash}{style.safe}", encoding=encoding, errors="strict")
    except UnicodeEncodeError:
        return None


def _relative(path: str, directory: str) -> list[str]:
    """The parts of a path as seen from a directory."""
    parts = path.split("/")
    base = [part for part in directory.split("/") if part]
    shared = 0
    while shared < len(base) and shared < len(parts) - 1 and base[shared] == parts[shared]:
        shared += 1
    return [*[".."] * (len(base) - shared), *parts[shared:]]


def _needs_dot(text: str) -> bool:
    """Whether a relative path would be read as something else without `./` before it."""
    return bool(_SCHEME.match(text) or _DRIVE.match(text) or text[0] in " \t")


def _anchor(style: EntryStyle, old: Root, new: Root) -> tuple[str, ...] | None:
    """The parts before the path under the new root; None for a style that is relative to the list, or must become so."""
    if style.anchor is None or not style.absolute or old is new:
        return style.anchor
    if new.local:
        return new.parts
    # On a remote no program can open a path on this machine's disk: there the entry becomes relative.
    return None if old.local else new.anchors[min(old.anchors.index(style.anchor), len(new.anchors) - 1)]


def is_web_address(value: str) -> bool:
    """Whether an entry is a URL of anything but a file."""
    return bool(_SCHEME.match(value)) and not _OF_FILES.match(value)


def readings(value: str, *, uri_first: bool) -> Iterator[tuple[str, EntryStyle]]:
    """The paths that an entry may stand for, the most likely first."""
    if _SCHEME.match(value):
        file = _FILE.fullmatch(value)
        if file is not None and file[2].startswith("/") and not file[2].startswith("//"):
            for text, style in unquoted(file[2]):
                yield text, msgspec.structs.replace(style, before=file[1], absolute=True)
        return
    plain = [*_slashes(value)]
    uri = [reading for text, style in unquoted(value) for reading in _slashes(text, style)] if uri_first or "%" in value else []
    yield from (*uri, *plain) if uri_first else (*plain, *uri)


def _slashes(text: str, style: EntryStyle | None = None) -> Iterator[tuple[str, EntryStyle]]:
    style = style or EntryStyle()
    for slash in ("/", "\\") if "\\" in text else ("/",):
        if slash == "\\":
            if _DRIVE.match(text) or text.startswith("\\\\"):
                return  # a drive or share of another machine
            text = text.replace("/", "\\")
        before = "./" if text.startswith(f".{slash}") else ""
        yield text, msgspec.structs.replace(style, slash=slash, absolute=text.startswith(slash), before=before)


def unquoted(text: str) -> Iterator[tuple[str, EntryStyle]]:
    """The text without percent signs, and the style in which the entry quotes."""
    raw = unquote_to_bytes(text)
    habits = {bytes.fromhex(found).decode("latin-1") for found in _QUOTED.findall(text)}
    habitual = {character for character in text if not character.isalnum() and character not in "%/"}
    safe = "".join(sorted((set(_SAFE) - habits) | (habitual - habits)))
    for encoding in ("utf-8", "latin-1"):
        try:
            yield raw.decode(encoding), EntryStyle(quoted=encoding, safe=safe)
        except UnicodeDecodeError:
            continue
        return


def resolved(base: tuple[str, ...], parts: list[str]) -> tuple[str, ...] | None:
    """Base and parts with every `..` resolved; None for a path that leads above the top."""
    found = [*base]
    for part in parts:
        if part == "..":
            if not found:
                return None
            found.pop()
        else:
            found.append(part)
    return tuple(found)
