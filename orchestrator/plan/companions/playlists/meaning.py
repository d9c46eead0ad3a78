"""What an entry of a list means: which file of a location, and the style in which it is named.

Paths are relative to the root of a location. Nothing here leads out of a root: an entry means a listed path or nothing, and new
entries are made from listed paths only.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from enum import Enum
from functools import cached_property

import msgspec

from orchestrator.paths import collision_key, directories_above
from orchestrator.plan.companions.playlists.entry_styles import EntryStyle, is_web_address, readings, resolved
from orchestrator.plan.companions.playlists.format import MAX_ENTRY, Format
from orchestrator.plan.companions.playlists.other_machines import Ends, Found, find_by_ends
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.tags.formats import is_audio


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """The file that an entry names, and how."""

    path: str
    style: EntryStyle
    extension: str | None = None
    """What the entry has instead of the file's own extension, with its dot."""


class NoFile(Enum):
    """Why an entry names no file of the library."""

    ELSEWHERE = "elsewhere"
    """It names a web address, a folder of the library, a file of this machine outside the library, or something outside of it in
    its remote, where it is unknown what there is."""
    SEVERAL = "several"
    """It is of another machine, and may name any of several files."""
    NOWHERE = "nowhere"
    """Nothing has this name, or nothing that is certain."""


def positions(value: str, base: tuple[str, ...] | None, form: Format) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The paths on this machine that an entry may stand for, and whether it is absolute.

    `base` is the directory of its list, None if that is unknown.
    """
    for text, style in readings(value, uri_first=form.uris):
        start = () if style.absolute else base
        parts = [part for part in text.split(style.slash) if part not in {"", "."}]
        position = None if start is None else resolved(start, parts)
        if position:
            yield position, style.absolute


def _by_end(found: Found | None) -> Meaning | NoFile:
    if found is None or found.path is None:
        return NoFile.SEVERAL if found is not None and found.several else NoFile.NOWHERE
    return Meaning(found.path, found.style)


class Library:
    """The files of one location, found by what entries say."""

    def __init__(self, root: Root, paths: Collection[str], elsewhere: Container[str] = frozenset()) -> None:
        """`paths` must be quick to search with `in`. `elsewhere`: absolute paths of this machine outside the library."""
        self.root = root
        self._paths = paths
        self._elsewhere = elsewhere
        self._alike: dict[str, str | None] | None = None
        self._stems: dict[str, str | None] | None = None
        self._ends: Ends | None = None

    def meanings(self, values: Sequence[str], base: tuple[str, ...] | None, form: Format) -> list[Meaning | NoFile]:
        """What the entries of one list mean.

        `base` is the directory of the list as `Root.base` gives it, None for a list on another remote.
        """
        found = [self._meaning(value, base, form) for value in values]
        unknown = [value for value, meaning in zip(values, found, strict=True) if meaning is None]
        if unknown and self._ends is None:
            self._ends = Ends(self._paths)
        by_ends = find_by_ends(unknown, self._ends, self._find, uris=form.uris) if self._ends is not None else {}
        return [meaning or _by_end(by_ends.get(value)) for value, meaning in zip(values, found, strict=True)]

    def number_named(self, values: Iterable[str], base: tuple[str, ...] | None, form: Format) -> int:
        """How many of these entries name a file of this location by its path."""
        return sum(self._first_file([*self._candidates(value, base, form)], form) is not None for value in values)

    def _meaning(self, value: str, base: tuple[str, ...] | None, form: Format) -> Meaning | NoFile | None:
        """What an entry means by itself; None if it may be one of another machine, or names nothing here."""
        if len(value) > MAX_ENTRY or "\0" in value:
            return NoFile.NOWHERE
        if is_web_address(value):
            return NoFile.ELSEWHERE
        found = [*self._candidates(value, base, form)]
        return self._first_file(found, form) or self._first_elsewhere(value, base, form, found)

    def _first_file(self, found: Sequence[tuple[str, EntryStyle]], form: Format) -> Meaning | None:
        for path, style in found:
            if path in self._paths:
                return Meaning(path, style)
        for path, style in found:
            alike = self._find_alike(path)
            if alike is not None:
                return Meaning(alike, style)
        for path, style in found if form.by_stem else ():
            stem, dot, extension = path.rpartition(".")
            by_stem = self._find_stem(stem) if dot and "/" not in extension else None
            if by_stem is not None:
                return Meaning(by_stem, style, f".{extension}")
        return None

    def _first_elsewhere(
        self, value: str, base: tuple[str, ...] | None, form: Format, found: Iterable[tuple[str, EntryStyle]]
    ) -> NoFile | None:
        if any(path in self._all_directories for path, _ in found):
            return NoFile.ELSEWHERE
        for position, absolute in positions(value, base, form):
            inside = self.root.inside(position) is not None
            if not (absolute or self.root.local or inside):
                return NoFile.ELSEWHERE
            if (absolute or self.root.local) and f"/{'/'.join(position)}" in self._elsewhere:
                return NoFile.ELSEWHERE
            if absolute and self.root.local and inside:
                return NoFile.NOWHERE
        return None

    def is_named(self, value: str, base: tuple[str, ...], form: Format, meaning: Meaning) -> bool:
        """Whether an entry, read in the style of `meaning`, names its file."""
        return (meaning.path, meaning.style) in self._candidates(value, base, form)

    def _candidates(self, value: str, base: tuple[str, ...] | None, form: Format) -> Iterator[tuple[str, EntryStyle]]:
        for text, style in readings(value, uri_first=form.uris):
            parts = [part for part in text.split(style.slash) if part not in {"", "."}]
            if style.absolute:
                full = resolved((), parts) or ()
                for top in self.root.anchors:
                    if full[: len(top)] == top and len(full) > len(top):
                        yield "/".join(full[len(top) :]), msgspec.structs.replace(style, anchor=top)
                continue
            # Some programs write entries relative to the library, wherever the list is.
            for start, anchored in ((base, style), (self.root.parts, msgspec.structs.replace(style, anchor=()))):
                path = None if start is None else self.root.inside(resolved(start, parts))
                if path is not None:
                    yield path, anchored

    @cached_property
    def _all_directories(self) -> Container[str]:
        return directories_above(self._paths)

    def _find(self, path: str) -> str | None:
        """The file with that path or, if there is none, the only one that differs just in case or Unicode form."""
        return path if path in self._paths else self._find_alike(path)

    def _find_alike(self, path: str) -> str | None:
        if self._alike is None:
            self._alike = {}
            for known in self._paths:
                key = collision_key(known)
                self._alike[key] = None if key in self._alike else known
        return self._alike.get(collision_key(path))

    def _find_stem(self, stem: str) -> str | None:
        """The only audio file with that path, whatever its extension."""
        if self._stems is None:
            self._stems = {}
            for known in self._paths:
                if is_audio(known):
                    key = collision_key(known.rpartition(".")[0])
                    self._stems[key] = None if key in self._stems else known
        return self._stems.get(collision_key(stem))
