"""The tree of an emulated Dropbox: names keep their case and mean nothing by it; every file has an id, each state of it a rev."""

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
"""Characters a part of a path may have."""
_numbers = itertools.count(1)  # of all trees: an id of one account is none of another
_IGNORED = frozenset({".dropbox", ".dropbox.attr", "desktop.ini", "thumbs.db", ".ds_store", "icon\r"})


class DropboxError(Exception):
    """What Dropbox answers instead of doing it: tags from the outermost in, and what the innermost says besides."""

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
    """All items, by their key: the path in lower case, "" for the root. Used by any number of threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.items: dict[str, Item] = {"": Item("", "id:root")}
        self.revisions: dict[str, Item] = {}
        """Rev -> the file as it was."""
        self.deleted: list[Content] = []
        """What was deleted or replaced."""
        self.limit = 1 << 40
        """Bytes that all files together may take."""
        self._below: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._ids: dict[str, str] = {}

    # What the server does.

    def key(self, path: str, lookup: str) -> str:
        """The key of a path, an `id:` or a `rev:`. `lookup` is what an error is called (path, from_lookup)."""
        if path.startswith("id:"):
            if path not in self._ids:
                raise DropboxError(lookup, "not_found")
            return self._ids[path]
        if path and (not path.startswith("/") or path.endswith("/") or "//" in path):
            raise DropboxError(lookup, "malformed_path")
        return path.lower()

    def get(self, path: str, lookup: str = "path") -> tuple[str, Item]:
        """Key and item of what is there."""
        with self.lock:
            key = self.key(path, lookup)
            if key not in self.items:
                raise DropboxError(lookup, "not_found")
            return key, self.items[key]

    def revision(self, rev: str) -> Item:
        """A file as it was."""
        try:
            return self.revisions[rev]
        except KeyError:
            raise DropboxError("path", "not_found") from None

    def display(self, key: str) -> str:
        """The path with the case of each name on it."""
        parts = []
        while key:
            parts.append(self.items[key].name)
            key = _above(key)
        return "".join(f"/{part}" for part in reversed(parts))

    def children(self, key: str) -> list[str]:
        """Keys of what lies in a folder."""
        with self.lock:
            return [*self._below.get(key, ())]

    def below(self, key: str) -> Iterator[str]:
        """Keys of all below a folder."""
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
        """Write a file; its key. What is there is replaced only with `overwrite`. `write` is what an error is called."""
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
            there.content = content
            there.client_modified = client_modified or now()
            self._new_revision(there)
            return key

    def create_folder(self, path: str) -> str:
        """Make a folder and those above it; its key."""
        with self.lock:
            self._check_names(path, "path")
            if path.lower() in self.items:
                raise DropboxError("path", "conflict", "folder" if self.items[path.lower()].is_folder else "file")
            self._make_parents(path, "path")
            self._add(path, Item(path.rpartition("/")[2], _id()))
            return path.lower()

    def move(self, source: str, target: str) -> str:
        """Rename; the new key. A name cannot be changed in its case only, nor can anything move into itself."""
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
        """A second file, or folder, of the same content; its key."""
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
        """Away, with all below it; the path as it was shown, and the item."""
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
        """Bytes of all files."""
        with self.lock:
            return sum(self._size(key) for key in self.items)

    # What tests do, past the API.

    def put(self, path: str, content: bytes | Path, *, mtime_ns: int | None = None) -> Item:
        """A file there; `path` has no slash before it."""
        modified = None if mtime_ns is None else _written(mtime_ns / 1e9)
        return self.items[self.upload(f"/{path}", Content(content), overwrite=True, client_modified=modified)]

    def folder(self, path: str) -> None:
        """A folder there, if need be."""
        if f"/{path}".lower() not in self.items:
            self.create_folder(f"/{path}")

    def preload(self, directory: Path, path: str = "", *, files: Iterable[str]) -> None:
        """Files below a directory, times kept, as `path`. They are read when asked for: leave them."""
        for name in files:
            source = directory / name
            self.put(f"{path}/{name}".lstrip("/"), source, mtime_ns=source.stat().st_mtime_ns)

    def tree(self, path: str = "") -> dict[str, str]:
        """Path below `path` -> sha256 of each file, each name in its case."""
        return {shown: item.content.sha256 for shown, item in self.walk(path) if item.content is not None}

    def walk(self, path: str = "") -> list[tuple[str, Item]]:
        """(path below `path` in its case, item) of all files and folders there."""
        with self.lock:
            base = f"/{path}".rstrip("/")
            return [(self.display(key)[len(base) + 1 :], self.items[key]) for key in self.below(base.lower())]

    # Inside.

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
        return item

    def _drop(self, key: str) -> Item:
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
    """As the API writes times: UTC, whole seconds."""
    return _written(datetime.now(UTC).timestamp())


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
