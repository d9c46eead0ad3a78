"""What an entry means: which file of a location, and in which way it says so; and how another file is named in that way.

Paths are relative to the root of a location. Nothing here leads out of a root: what an entry means is either a path of the
listing or nothing, and what is written instead is made of such a path alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import quote, unquote_to_bytes

import msgspec

from orchestrator.paths import collision_key, location_prefix
from orchestrator.plan.companions.playlists.formats import MAX_ENTRY, Format

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_FILE = re.compile(r"(file:(?://(?:localhost)?(?=/))?)(.*)", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"%([0-9A-Fa-f]{2})")
_SAFE = "!$&'()*+,;=:@~-._"
"""What RFC 3986 lets stand in a path; of these an entry's own habit decides."""


class Way(msgspec.Struct, frozen=True, gc=False):
    """How an entry names its file."""

    anchor: tuple[str, ...] | None = None
    """What stands before the path, as parts: () for one from the root; None: it is relative to the list."""
    slash: str = "/"
    before: str = ""
    """`./`, or `file://`."""
    quoted: str | None = None
    """The encoding behind percent signs; None: it is no URI."""
    safe: str = ""
    """URI: the characters that are not quoted."""
    absolute: bool = False
    """It begins with a slash."""


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """A file of the listing, and how the entry says so."""

    path: str
    way: Way
    extension: str | None = None
    """What the entry says instead of the file's own extension, with its dot."""


class Root:
    """The root of a location: where it lies, as far as its name tells."""

    def __init__(self, fs: str) -> None:
        prefix = location_prefix(fs)
        self.local = prefix.startswith("/")
        below = prefix if self.local else prefix.partition(":")[2]
        self.parts = tuple(part for part in below.split("/") if part)
        """Of the root itself, below the top of its disk or remote."""
        # A list on a remote may say "/" for the remote's top, or for the root that it was written for.
        self.anchors: tuple[tuple[str, ...], ...] = (self.parts,) if self.local or not self.parts else (self.parts, ())

    def base(self, directory: str) -> tuple[str, ...]:
        """The parts of a directory below the root, counted from the top."""
        return (*self.parts, *(part for part in directory.split("/") if part))

    def inside(self, parts: tuple[str, ...] | None) -> str | None:
        """The path below the root of these parts, counted from the top; None for what lies elsewhere, and for the root."""
        length = len(self.parts)
        return "/".join(parts[length:]) or None if parts is not None and parts[:length] == self.parts else None


class Library:
    """The files of one location, found as entries name them."""

    def __init__(self, root: Root, paths: Collection[str]) -> None:
        """`paths` answers `in` quickly."""
        self.root = root
        self._paths = paths
        self._alike: dict[str, str | None] | None = None
        self._stems: dict[str, str | None] | None = None

    def meaning(self, value: str, base: tuple[str, ...] | None, form: Format) -> Meaning | None:
        """What an entry of a list means; None for what is no file of this location, or might be several.

        `base` is the directory of the list as `Root.base` gives it; None: on another remote.
        """
        if len(value) > MAX_ENTRY or "\0" in value:
            return None
        found = [*self._candidates(value, base, form)]
        for path, way in found:
            if path in self._paths:
                return Meaning(path, way)
        for path, way in found:
            alike = self._find_alike(path)
            if alike is not None:
                return Meaning(alike, way)
        for path, way in found if form.by_stem else ():
            stem, dot, extension = path.rpartition(".")
            by_stem = self._find_stem(stem) if dot and "/" not in extension else None
            if by_stem is not None:
                return Meaning(by_stem, way, f".{extension}")
        return None

    def says(self, value: str, base: tuple[str, ...], form: Format, meaning: Meaning) -> bool:
        """Whether an entry, read in the way of `meaning`, is its path."""
        return (meaning.path, meaning.way) in self._candidates(value, base, form)

    def _candidates(self, value: str, base: tuple[str, ...] | None, form: Format) -> Iterator[tuple[str, Way]]:
        for text, way in _readings(value, uri_first=form.uris):
            parts = [part for part in text.split(way.slash) if part not in {"", "."}]
            if way.absolute:
                straight = _straight((), parts) or ()
                for top in self.root.anchors:
                    if straight[: len(top)] == top and len(straight) > len(top):
                        yield "/".join(straight[len(top) :]), msgspec.structs.replace(way, anchor=top)
                continue
            # Some programs write their lists relative to the library, wherever the list lies.
            for start, anchored in ((base, way), (self.root.parts, msgspec.structs.replace(way, anchor=()))):
                path = None if start is None else self.root.inside(_straight(start, parts))
                if path is not None:
                    yield path, anchored

    def _find_alike(self, path: str) -> str | None:
        if self._alike is None:
            self._alike = {}
            for known in self._paths:
                key = collision_key(known)
                self._alike[key] = None if key in self._alike else known
        return self._alike.get(collision_key(path))

    def _find_stem(self, stem: str) -> str | None:
        """The only audio file of that name, whatever its extension."""
        from orchestrator.tags.formats import is_audio  # noqa: PLC0415 - the table of formats, once

        if self._stems is None:
            self._stems = {}
            for known in self._paths:
                if is_audio(known):
                    key = collision_key(known.rpartition(".")[0])
                    self._stems[key] = None if key in self._stems else known
        return self._stems.get(collision_key(stem))


def written(path: str, way: Way, directory: str, roots: tuple[Root, Root], *, uris: bool) -> str | None:
    """The entry for `path` in a list that lies in `directory`; None where it cannot be said so.

    `roots`: the one that the entry was read in, and the one that both paths lie below; `uris`: such lists hold URIs without a
    scheme, too.
    """
    slash = way.slash
    if slash == "\\" and "\\" in path:
        return None
    parts = path.split("/")
    base = [part for part in directory.split("/") if part]
    anchor = _anchor(way, *roots)
    before, quoted = way.before, way.quoted
    if anchor is not None:
        parts = [*anchor, *parts]
    else:
        shared = 0
        while shared < len(base) and shared < len(parts) - 1 and base[shared] == parts[shared]:
            shared += 1
        parts = [*[".."] * (len(base) - shared), *parts[shared:]]
        if way.absolute:
            before, quoted = "", quoted if uris else None
    text = slash.join(parts)
    if way.absolute and anchor is not None:
        text = slash + text
    elif before == "./":
        before = "" if parts[0] == ".." else f".{slash}"
    elif _SCHEME.match(text) or _DRIVE.match(text) or text[0] in " \t" or (quoted is not None and ":" in parts[0]):
        before = f".{slash}"
    if quoted is not None:
        try:
            text = quote(text, safe=f"{slash}{way.safe}", encoding=quoted, errors="strict")
        except UnicodeEncodeError:
            return None
    return before + text


def _anchor(way: Way, old: Root, new: Root) -> tuple[str, ...] | None:
    """What stands before the path under the new root; None for a way that is relative to the list, or has to become so."""
    if way.anchor is None or not way.absolute or old is new:
        return way.anchor
    if new.local:
        return new.parts
    # No program opens a path of this machine's disk on a remote: there, only what is relative holds.
    return None if old.local else new.anchors[min(old.anchors.index(way.anchor), len(new.anchors) - 1)]


def _readings(value: str, *, uri_first: bool) -> Iterator[tuple[str, Way]]:
    """What an entry may say as a path, the likeliest first."""
    if _SCHEME.match(value):
        file = _FILE.fullmatch(value)
        if file is not None and file[2].startswith("/") and not file[2].startswith("//"):
            for text, way in _unquoted(file[2]):
                yield text, msgspec.structs.replace(way, before=file[1], absolute=True)
        return
    plain = [*_slashes(value)]
    uri = [reading for text, way in _unquoted(value) for reading in _slashes(text, way)] if uri_first or "%" in value else []
    yield from (*uri, *plain) if uri_first else (*plain, *uri)


def _slashes(text: str, way: Way | None = None) -> Iterator[tuple[str, Way]]:
    way = way or Way()
    for slash in ("/", "\\") if "\\" in text else ("/",):
        if slash == "\\":
            if _DRIVE.match(text) or text.startswith("\\\\"):
                return  # on another machine
            text = text.replace("/", "\\")
        before = "./" if text.startswith(f".{slash}") else ""
        yield text, msgspec.structs.replace(way, slash=slash, absolute=text.startswith(slash), before=before)


def _unquoted(text: str) -> Iterator[tuple[str, Way]]:
    """The text behind percent signs, with the entry's habits of quoting."""
    raw = unquote_to_bytes(text)
    habits = {bytes.fromhex(found).decode("latin-1") for found in _QUOTED.findall(text)}
    habitual = {character for character in text if not character.isalnum() and character not in "%/"}
    safe = "".join(sorted((set(_SAFE) - habits) | (habitual - habits)))
    for encoding in ("utf-8", "latin-1"):
        try:
            yield raw.decode(encoding), Way(quoted=encoding, safe=safe)
        except UnicodeDecodeError:
            continue
        return


def _straight(base: tuple[str, ...], parts: list[str]) -> tuple[str, ...] | None:
    """The parts behind the base with `..` worked out; None for what leads above the top."""
    found = [*base]
    for part in parts:
        if part == "..":
            if not found:
                return None
            found.pop()
        else:
            found.append(part)
    return tuple(found)
