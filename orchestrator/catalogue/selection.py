"""Which files a run selects: --include, --exclude and --settle."""

from __future__ import annotations

import msgspec

from orchestrator.foreign_folders import opens_folders
from orchestrator.globs import compile_globs
from orchestrator.records import Entry

EXCLUDED, NOT_INCLUDED = "excluded", "not included"
CLOSED = "its folder cannot be listed"
LEFT_OUT_BY_GLOBS = frozenset({EXCLUDED, NOT_INCLUDED})
"""The reasons for files that --include and --exclude leave out."""


class Selection(msgspec.Struct, frozen=True):
    """The files that a run selects. The others stay where they are, and their names stay taken. See `orchestrator.globs`."""

    include: tuple[str, ...] = ()
    """Only files that match one of these; () selects all."""
    exclude: tuple[str, ...] = ()
    """No files that match one of these; overrides `include` and `always_include`."""
    settle_ns: int = 0
    """No files that changed less than this ago."""
    now_ns: int = 0
    """When the run started, nanoseconds since 1970, UTC."""
    closed: tuple[str, ...] = ()
    """Folders that could not be listed: nobody knows whether the files that were once seen below them are still there."""
    always_include: tuple[str, ...] = ()
    """The config's `include`: only files that also match one of these; () selects all."""

    @property
    def everything(self) -> bool:
        """Whether all files are selected."""
        return not (self.include or self.always_include or self.exclude or self.settle_ns or self.closed)

    def excludes(self, folder: str) -> bool:
        """Whether `exclude` covers everything in a folder. Raises UsageError for an invalid glob."""
        pattern = compile_globs(self.exclude)
        return pattern is not None and pattern.search(f"{folder}/") is not None

    def compiled(self) -> FileFilter:
        """The same, prepared for many files. Raises UsageError for an invalid glob."""
        return FileFilter(self)


class FileFilter:
    """A Selection with its globs compiled."""

    def __init__(self, selection: Selection) -> None:
        groups = (selection.include, selection.always_include)
        # A pattern that opens a folder of another program does so in any case, and has to match what it opens.
        self._includes = [[compile_globs([glob], ignore_case=opens_folders(glob)) for glob in group] for group in groups if group]
        self._exclude = compile_globs(selection.exclude)
        self._closed = tuple(f"{folder}/" for folder in selection.closed)
        self._youngest_ns = selection.now_ns - selection.settle_ns if selection.settle_ns > 0 else None

    def skip_reason(self, entry: Entry, since_ns: int) -> str | None:
        """Why the file is skipped, in words; None when it is selected.

        `since_ns` is when the catalogue first saw this content. On a remote without modification times only this shows that a
        file no longer changes.
        """
        if self._closed and f"{entry.path}/".startswith(self._closed):
            return CLOSED
        if (left_out := self._left_out(entry.path)) is not None:
            return left_out
        if self._youngest_ns is not None:
            changed_ns = since_ns if entry.mtime_ns is None else entry.mtime_ns
            if changed_ns > self._youngest_ns:
                return "changed too recently (--settle)"
        return None

    def covers(self, path: str) -> bool:
        """Whether no pattern leaves out a file with this path."""
        return self._left_out(path) is None

    def _left_out(self, path: str) -> str | None:
        if self._exclude is not None and self._exclude.search(path):
            return EXCLUDED
        if self._includes and not all(any(glob and glob.search(path) for glob in group) for group in self._includes):
            return NOT_INCLUDED
        return None
