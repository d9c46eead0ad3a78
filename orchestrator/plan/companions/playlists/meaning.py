"""What an entry of a list means: which file of a location, and the style in which it is named.

Paths are relative to the root of a location. Nothing here leads out of a root: an entry means a listed path or nothing, and new
entries are made from listed paths only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from orchestrator.paths import collision_key
from orchestrator.plan.companions.playlists.entry_styles import EntryStyle, readings, resolved
from orchestrator.plan.companions.playlists.formats import MAX_ENTRY, Format
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.tags.formats import is_audio


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """The file that an entry names, and how."""

    path: str
    style: EntryStyle
    extension: str | None = None
    """What the entry has instead of the file's own extension, with its dot."""


class Library:
    """The files of one location, found by what entries say."""

    def __init__(self, root: Root, paths: Collection[str]) -> None:
        """`paths` must be quick to search with `in`."""
        self.root = root
        self._paths = paths
        self._alike: dict[str, str | None] | None = None
        self._stems: dict[str, str | None] | None = None

    def meaning(self, value: str, base: tuple[str, ...] | None, form: Format) -> Meaning | None:
        """What an entry means; None if it names no file of this location, or may name several.

        `base` is the directory of the list as `Root.base` gives it, None for a list on another remote.
        """
        if len(value) > MAX_ENTRY or "\0" in value:
            return None
        found = [*self._candidates(value, base, form)]
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
