"""Which files a run selects: --include, --exclude and --settle."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from orchestrator.errors import UsageError
from orchestrator.records import Entry

EXCLUDED, NOT_INCLUDED = "excluded", "not included"
CLOSED = "its folder cannot be listed"
LEFT_OUT_BY_GLOBS = frozenset({EXCLUDED, NOT_INCLUDED})
"""The reasons for files that --include and --exclude leave out."""


class Selection(msgspec.Struct, frozen=True):
    """The files that the options of a run select. The others stay where they are, and their names stay taken.

    A glob with a `/` (except at its end) is matched from the root of the location, any other glob at every level. A glob that
    matches a directory covers everything below it. `*` and `?` do not match `/`, `**` does. Case matters.
    """

    include: tuple[str, ...] = ()
    """Only files that match one of these; () selects all."""
    exclude: tuple[str, ...] = ()
    """No files that match one of these; overrides `include`."""
    settle_ns: int = 0
    """No files that changed less than this ago."""
    now_ns: int = 0
    """When the run started, nanoseconds since 1970, UTC."""
    closed: tuple[str, ...] = ()
    """Folders that could not be listed: nobody knows whether the files that were once seen below them are still there."""

    @property
    def everything(self) -> bool:
        """Whether all files are selected."""
        return not (self.include or self.exclude or self.settle_ns or self.closed)

    def excludes(self, folder: str) -> bool:
        """Whether `exclude` covers everything in a folder. Raises UsageError for an invalid glob."""
        pattern = _pattern(self.exclude)
        return pattern is not None and pattern.search(f"{folder}/") is not None

    def compiled(self) -> FileFilter:
        """The same, prepared for many files. Raises UsageError for an invalid glob."""
        return FileFilter(self)


class FileFilter:
    """A Selection with its globs compiled."""

    def __init__(self, selection: Selection) -> None:
        self._include = _pattern(selection.include)
        self._exclude = _pattern(selection.exclude)
        self._closed = tuple(f"{folder}/" for folder in selection.closed)
        self._youngest_ns = selection.now_ns - selection.settle_ns if selection.settle_ns > 0 else None

    def skip_reason(self, entry: Entry, since_ns: int) -> str | None:
        """Why the file is skipped, in words; None when it is selected.

        `since_ns` is when the catalogue first saw this content. On a remote without modification times only this shows that a
        file no longer changes.
        """
        if self._closed and f"{entry.path}/".startswith(self._closed):
            return CLOSED
        if self._exclude is not None and self._exclude.search(entry.path):
            return EXCLUDED
        if self._include is not None and not self._include.search(entry.path):
            return NOT_INCLUDED
        if self._youngest_ns is not None:
            changed_ns = since_ns if entry.mtime_ns is None else entry.mtime_ns
            if changed_ns > self._youngest_ns:
                return "changed too recently (--settle)"
        return None


def _pattern(globs: Sequence[str]) -> re.Pattern[str] | None:
    if not globs:
        return None
    return re.compile("|".join(_translated(glob) for glob in globs), re.DOTALL)


def _translated(glob: str) -> str:
    """One glob as a regular expression, to search in a path."""
    body = glob.strip("/")
    if not body:
        raise UsageError(f"the glob {glob!r} is empty: write for example '*.flac' or 'Inbox/**'")
    anchored = glob.startswith("/") or "/" in body
    parts: list[str] = [r"\A" if anchored else r"(?:\A|/)"]
    at = 0
    while at < len(body):
        if body.startswith("**/", at):
            parts.append("(?:.*/)?")
            at += 3
        elif body.startswith("**", at):
            parts.append(".*")
            at += 2
        elif body[at] == "*":
            parts.append("[^/]*")
            at += 1
        elif body[at] == "?":
            parts.append("[^/]")
            at += 1
        elif body[at] == "[" and (end := body.find("]", at + 2)) != -1:
            inside = body[at + 1 : end]
            negated = inside.startswith("!")
            members = re.escape(inside[1:] if negated else inside).replace(r"\-", "-")
            parts.append(f"[{'^/' if negated else ''}{members}]")
            at = end + 1
        else:
            parts.append(re.escape(body[at]))
            at += 1
    # A glob that ends in "/" means a directory; any other glob may match one, and then covers everything below it.
    parts.append("/" if glob.endswith("/") else r"(?:/|\Z)")
    try:
        re.compile("".join(parts))
    except re.error as error:
        raise UsageError(f"invalid glob {glob!r}: {error}") from error
    return "".join(parts)
