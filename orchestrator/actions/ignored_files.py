"""Which files the user wants to hear nothing of: `ignore:` in the config and `problems ignore`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.globs import compile_globs
from orchestrator.paths import location_prefix, parents_of


class _There(NamedTuple):
    """What is ignored in one location."""

    globs: re.Pattern[str] | None
    paths: frozenset[str]
    """Also those whose names have brackets, which mean something else in a pattern."""
    everything: bool


class IgnoredFiles:
    """Files by patterns, as in `exclude`. One may also begin with a location, as reports name files: `gdrive:Music/Podcasts`."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises UsageError for an invalid pattern."""
        self._patterns = tuple(dict.fromkeys(patterns))
        compile_globs(self._patterns)
        self._there: dict[str, _There] = {}

    def match(self, location: str, path: str) -> bool:
        """Whether a file is ignored; with an empty path, the location as a whole."""
        if not self._patterns:
            return False
        if location not in self._there:
            self._there[location] = self._patterns_at(location)
        there = self._there[location]
        if there.everything or not path:
            return there.everything
        if there.globs is not None and there.globs.search(path) is not None:
            return True
        return any(one in there.paths for one in (path, *parents_of(path)))

    def _patterns_at(self, location: str) -> _There:
        start = location_prefix(location)
        whole = {location.rstrip("/"), start.rstrip("/")}
        inside = [f"/{one.removeprefix(start)}" for one in self._patterns if one.startswith(start) and one != start]
        patterns = [*self._patterns, *inside]
        paths = frozenset(one.strip("/") for one in patterns)
        return _There(compile_globs(patterns), paths, any(one.rstrip("/") in whole for one in self._patterns))
