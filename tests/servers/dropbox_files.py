"""The tree of an emulated Dropbox: names keep their case but ignore it; every file has an id, each of its versions a rev."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.servers.content import Content

MAX_NAME = 255
"""How many characters one part of a path may have."""
_numbers = itertools.count(1)  # shared by all trees, so that no two accounts share an id
_IGNORED = frozenset({".dropbox", ".dropbox.attr", "desktop.ini", "thumbs.db", ".ds_store", "icon\r"})


class DropboxError(Exception):
    """An error that Dropbox answers: its tags from the outside in, and the other fields of the innermost."""

    def __init__(self, *tags: str, status: int = 409, **details: Any) -> None:
        super().__init__("/".join(tags))
        self.tags = tags
        self.status = status
        self.details = details


@dataclass
class Item:
    """A file, or a folder (`content` is None)."""

    name: str
    id: str
    content: Content | None = None
    rev: str = ""
    client_modified: str = ""
    server_modified: str = ""

    @property
    def is_folder(self) -> bool:
        return self.content is None


class DropboxTree:
    """All items by their key: the path in lower case, "" for the root. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.Condition(threading.RLock())
        """It is notified of each change."""
        self.items: dict[str, Item] = {"": Item("", "id:root")}
        self.revisions: dict[str, Item] = {}
        """Rev -> that version of the file."""
        self.deleted: list[Content] = []
        """Deleted or replaced files."""
        self.limit = 1 << 40
        """How many bytes all files together may have."""
        self.changes: list[tuple[str, str]] = []
        """Key and path of everything that was written, made or deleted, in order."""
        self._below: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._ids: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        """Key -> path when it was last written there; stays after its deletion."""

    # Used by the server.

    def key(self, path: str, lookup: str) -> str:
        """The key of a path, an `id:` or a `rev:`. `lookup` is the tag of an error (path, from_lookup)."""
        if path.startswith("id:"):
            if path not in self._ids:
                raise DropboxError(lookup, "not_found")
            return self._ids[path]
        if path and (not path.startswith("/") or path.endswith("/") or "//" in path[1:]):
            raise DropboxError(lookup, "malformed_path")
        return f"/{path.lstrip('/')}".lower() if path else path  # rclone lists each folder of the root as "//folder"

    def get(self, path: str, lookup: str = "path") -> tuple[str, Item]:
        """The key and the item."""
        with self.lock:
            key = self.key(path, lookup)
            if key not in self.items:
                raise DropboxError(lookup, "not_found")
            return key, self.items[key]

    def changed(self, key: str, since: int) -> dict[str, str]:
        """Key -> path of what has changed below a folder, after so many changes."""
        with self.lock:
            return {one: path for one, path in self.changes[since:] if one.startswith(f"{key}/")}

    def revision(self, rev: str) -> Item:
        """An old version of a file."""
        try:
            return self.revisions[rev]
        except KeyError:
            raise DropboxError("path", "not_found") from None

    def display(self, key: str) -> str:
        """The path, each name in its own case."""
        parts = []
        while key:
            parts.append(self.items[key].name)
            key = _above(key)
        return "".join(f"/{part}" for part in reversed(parts))

    def children(self, key: str) -> list[str]:
        """The keys of all items in a folder."""
        with self.lock:
            return [*self._below.get(key, ())]

    def below(self, key: str) -> Iterator[str]:
        """The keys of all items below a folder."""
        for child in self.children(key):
            yield child
            yield from self.below(child)

    def upload(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool,
        client_modified: str | None = None,
        write: str = "path",
    ) -> str:
        """Write a file and return its key. Replaces one only with `overwrite`. `write` is the tag of an error."""
        with self.lock:
            self._check_names(path, write)
            key = path.lower()
            there = self.items.get(key)
            if there is not None and (there.is_folder or not overwrite):
                raise DropboxError(write, "conflict", "folder" if there.is_folder else "file")
            if self.used + content.size > self.limit:
                raise DropboxError(write, "insufficient_space")
            self._make_parents(path, write)
            if there is None:
                there = self._add(path, Item(path.rpartition("/")[2], _id()))
            elif there.content is not None:
                self.deleted.append(there.content)
                self._note(key)
            there.content = content
            there.client_modified = client_modified or now()
            self._new_revision(there)
            return key

    def create_folder(self, path: str) -> str:
        """Create a folder and its parents; return its key."""
        with self.lock:
            self._check_names(path, "path")
            if path.lower() in self.items:
                raise DropboxError("path", "conflict", "folder" if self.items[path.lower()].is_folder else "file")
            self._make_parents(path, "path")
            self._add(path, Item(path.rpartition("/")[2], _id()))
            return path.lower()

    def move(self, source: str, target: str) -> str:
        """Rename an item and return its new key. Refuses a change of case only, and a move of an item into itself."""
        with self.lock:
            key, _ = self.get(source, "from_lookup")
            to = self._free(target)
            if to.startswith(f"{key}/"):
                raise DropboxError("duplicated_or_nested_paths")
            self._make_parents(target, "to")
            item = self._drop(key)
            item.name = target.rpartition("/")[2]
            subtree = [*self.below(key)]
            self._add(target, item)
            for child in subtree:
                moved = self._drop(child)
                self._add(target.lower() + child[len(key) :], moved)
            return to

    def copy(self, source: str, target: str) -> str:
        """Copy a file or folder and return the key of the copy."""
        with self.lock:
            key, _ = self.get(source, "from_lookup")
            to = self._free(target)
            copied = [key, *self.below(key)]
            if self.used + sum(self._size(one) for one in copied) > self.limit:
                raise DropboxError("to", "insufficient_space")
            self._make_parents(target, "to")
            for one in copied:
                item = self.items[one]
                name = target.rpartition("/")[2] if one == key else item.name
                new = Item(name, _id(), item.content, client_modified=item.client_modified)
                self._add(to + one[len(key) :], new)
                if new.content is not None:
                    self._new_revision(new)
            return to

    def delete(self, path: str) -> tuple[str, Item]:
        """Delete an item with everything below it; return its path in its case, and the item."""
        with self.lock:
            key, item = self.get(path, "path_lookup")
            if not key:
                raise DropboxError("path_lookup", "malformed_path")
            display = self.display(key)
            for one in [*self.below(key), key]:
                gone = self._drop(one)
                if gone.content is not None:
                    self.deleted.append(gone.content)
            return display, item

    @property
    def used(self) -> int:
        """The bytes of all files."""
        with self.lock:
            return sum(self._size(key) for key in self.items)

    # Used by tests, without the API.

    def put(self, path: str, content: bytes | Path, *, mtime_ns: int | None = None) -> Item:
        """Create a file; `path` has no leading slash."""
        modified = None if mtime_ns is None else _written(mtime_ns / 1e9)
        return self.items[self.upload(f"/{path}", Content(content), overwrite=True, client_modified=modified)]

    def folder(self, path: str) -> None:
        """Create a folder unless it exists."""
        if f"/{path}".lower() not in self.items:
            self.create_folder(f"/{path}")

    def preload(self, directory: Path, path: str = "", *, files: Iterable[str]) -> None:
        """Add all files below a directory at `path`, with their times. They are read on demand: do not change them."""
        for name in files:
            source = directory / name
            self.put(f"{path}/{name}".lstrip("/"), source, mtime_ns=source.stat().st_mtime_ns)

    def tree(self, path: str = "") -> dict[str, str]:
        """Path below `path` -> sha256 of each file, each name in its case."""
        return {shown: item.content.sha256 for shown, item in self.walk(path) if item.content is not None}

    def walk(self, path: str = "") -> list[tuple[str, Item]]:
        """(path below `path` in its case, item) of all files and folders."""
        with self.lock:
            base = f"/{path}".rstrip("/")
            return [(self.display(key)[len(base) + 1 :], self.items[key]) for key in self.below(base.lower())]

    # Internal.

    def _free(self, target: str) -> str:
        self._check_names(target, "to")
        if there := self.items.get(target.lower()):
            raise DropboxError("to", "conflict", "folder" if there.is_folder else "file")
        return target.lower()

    def _add(self, path: str, item: Item) -> Item:
        key = path.lower()
        self.items[key] = item
        self._ids[item.id] = key
        self._below[_above(key)][key] = None
        self._paths[key] = self.display(key)
        self._note(key)
        return item

    def _note(self, key: str) -> None:
        self.changes.append((key, self._paths[key]))
        self.lock.notify_all()

    def _drop(self, key: str) -> Item:
        self._note(key)
        item = self.items.pop(key)
        del self._ids[item.id]
        self._below[_above(key)].pop(key)
        return item

    def _make_parents(self, path: str, tag: str) -> None:
        above = path.rpartition("/")[0]
        if not above:
            return
        there = self.items.get(above.lower())
        if there is None:
            self._make_parents(above, tag)
            self._add(above, Item(above.rpartition("/")[2], _id()))
        elif not there.is_folder:
            raise DropboxError(tag, "conflict", "file_ancestor")

    def _check_names(self, path: str, tag: str) -> None:
        if not path.startswith("/") or len(path) < 2:
            raise DropboxError(tag, "malformed_path")
        for name in path[1:].split("/"):
            if name in {"", ".", ".."} or name.endswith(" ") or "\\" in name or "\x7f" in name or len(name) > MAX_NAME:
                raise DropboxError(tag, "malformed_path")
            if name.lower() in _IGNORED:
                raise DropboxError(tag, "disallowed_name")

    def _new_revision(self, item: Item) -> None:
        item.rev = f"{next(_numbers):015x}"
        item.server_modified = now()
        self.revisions[item.rev] = Item(item.name, item.id, item.content, item.rev, item.client_modified, item.server_modified)

    def _size(self, key: str) -> int:
        content = self.items[key].content
        return content.size if content is not None else 0


def _above(key: str) -> str:
    return key.rpartition("/")[0]


def _id() -> str:
    return "id:" + hashlib.sha256(str(next(_numbers)).encode()).hexdigest()[:22]


def now() -> str:
    """A time as the API writes it: UTC, in whole seconds."""
    return _written(datetime.now(UTC).timestamp())


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
