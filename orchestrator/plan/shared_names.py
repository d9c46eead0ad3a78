"""Files that share one name, on remotes that allow it: which of them can be told apart, and how all others name them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from orchestrator.paths import join_location, join_path, remote_of, split_extension, split_path
from orchestrator.records import Capabilities, Entry, Item, Ref

_ID = re.compile(r"[\w-]+", re.ASCII)
"""An id of one object. rclone gives a shortcut two, with a space between them: its own and that of what it points to."""


class Sharing:
    """The names of one location that several files carry."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._counts = {path: count for path, count in Counter(item.entry.path for item in items).items() if count > 1}
        self._seen = Counter((item.entry.path, item.entry.id) for item in items if item.entry.path in self._counts)

    def number(self, path: str) -> int:
        """How many files carry a name."""
        return self._counts.get(path, 1)

    def ref(self, fs: str, entry: Entry) -> Ref:
        """How operations name a file: by its id too, where its name is not enough."""
        return Ref(fs, entry.path, entry.id) if entry.id and entry.path in self._counts else Ref(fs, entry.path)

    def told_apart(self, entry: Entry, capabilities: Capabilities) -> bool:
        """Whether a file is the only one of its name, or can be reached by its id."""
        if entry.path not in self._counts:
            return True
        own = entry.id is not None and _ID.fullmatch(entry.id) is not None and self._seen[entry.path, entry.id] == 1
        return capabilities.by_id and own

    def obstacle(self, entry: Entry, source_fs: str, capabilities: Capabilities, *, target_fs: str, copy: bool) -> str | None:
        """Why a file cannot be moved; None where it can, by its name or by its id."""
        number = self._counts.get(entry.path)
        if number is None:
            return None
        if not self.told_apart(entry, capabilities):
            return f"{number} files carry this name: give them names of their own first"
        if copy or remote_of(source_fs) != remote_of(target_fs):
            return f"{number} files carry this name: organize {source_fs} in place first, then each has a name of its own"
        return None


def display_name(ref: Ref, home: str) -> str:
    """A file for people: its path, with its location where that is not `home`, and with its id where others carry its name."""
    path = ref.path if ref.fs == home else join_location(ref.fs, ref.path)
    return path if ref.object_id is None else f"{path} [{ref.object_id}]"


def name_in_quarantine(ref: Ref) -> Ref:
    """The name under which a file goes to quarantine: its own, with its id in it where others carry the same name."""
    if ref.object_id is None:
        return ref
    directory, name = split_path(ref.path)
    stem, extension = split_extension(name)
    dot = "." if extension else ""
    return Ref(ref.fs, join_path(directory, f"{stem} [{ref.object_id}]{dot}{extension}"))
