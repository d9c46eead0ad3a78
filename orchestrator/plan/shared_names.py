"""Files that share one path, on remotes that allow it: how operations tell them apart, and how people read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from orchestrator.paths import join_location, join_path, parent_of, remote_of, split_extension, split_path
from orchestrator.plan.model import Expect, Verb
from orchestrator.plan.ordering import Move
from orchestrator.records import Capabilities, Entry, Item, Ref

_ID = re.compile(r"[\w-]+", re.ASCII)
"""An id of one object. For a shortcut rclone gives two with a space between them: its own, and that of the file it points to."""


class SharedNames:
    """The paths of one location that several files have."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._counts = {path: count for path, count in Counter(item.entry.path for item in items).items() if count > 1}
        self._seen = Counter((item.entry.path, item.entry.id) for item in items if item.entry.path in self._counts)

    def count(self, path: str) -> int:
        """How many files have a path."""
        return self._counts.get(path, 1)

    def ref(self, fs: str, entry: Entry) -> Ref:
        """How operations name a file: with its id if other files have its path."""
        return Ref(fs, entry.path, entry.id) if entry.id and entry.path in self._counts else Ref(fs, entry.path)

    def is_distinct(self, entry: Entry, capabilities: Capabilities) -> bool:
        """Whether a file is the only one with its path, or can be reached by its id."""
        if entry.path not in self._counts:
            return True
        has_own_id = entry.id is not None and _ID.fullmatch(entry.id) is not None and self._seen[entry.path, entry.id] == 1
        return capabilities.by_id and has_own_id

    def move_problem(self, entry: Entry, source_fs: str, capabilities: Capabilities, *, target_fs: str, copy: bool) -> str | None:
        """Why a file cannot be moved; None if it can, by its path or by its id."""
        count = self._counts.get(entry.path)
        if count is None:
            return None
        if not self.is_distinct(entry, capabilities):
            return f"{count} files have this name: rename them first"
        if copy or remote_of(source_fs) != remote_of(target_fs):
            return f"{count} files have this name: organize {source_fs} in place first, which gives each its own"
        return None


def display_name(ref: Ref, home: str) -> str:
    """A file for people: its path, with its location unless that is `home`, and with its id if other files have its path."""
    path = ref.path if ref.fs == home else join_location(ref.fs, ref.path)
    return path if ref.object_id is None else f"{path} [{ref.object_id}]"


def name_in_quarantine(ref: Ref) -> Ref:
    """The name of a file in the quarantine: its own, with its id in it if other files have the same."""
    if ref.object_id is None:
        return ref
    directory, name = split_path(ref.path)
    stem, extension = split_extension(name)
    dot = "." if extension else ""
    return Ref(ref.fs, join_path(directory, f"{stem} [{ref.object_id}]{dot}{extension}"))


def quarantine_move(ref: Ref, entry: Entry, reason: str) -> Move:
    """The move of one file to the quarantine."""
    expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns)
    return Move(Verb.QUARANTINE, ref, name_in_quarantine(ref), entry.size, expect, reason, parent_of(ref.path))
