"""The tree of an emulated Google Drive: items with ids, several of one name in a folder if a test wants that, and a trash."""

from __future__ import annotations

import hashlib
import itertools
import mimetypes
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.servers.content import Content

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
REFUSED = {
    "insufficientFilePermissions": "The user does not have sufficient permissions for this file.",
    "cannotDownloadFile": "This file cannot be downloaded by the user.",
    "cannotDownloadAbusiveFile": "This file has been identified as malware or spam and cannot be downloaded.",
    "numChildrenInNonRootLimitExceeded": "The limit for this folder's number of children (files and folders) has been exceeded.",
}
"""What Drive refuses depending on the file: the reason -> what it says (from its guide to errors)."""
_GOOGLE_OWN = "application/vnd.google-apps."
_numbers = itertools.count()  # shared by all trees, so that no two drives share an id


class DriveError(Exception):
    """An error that Drive answers."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


@dataclass
class Item:
    """A file or folder."""

    id: str
    name: str
    mime_type: str
    parent: str | None
    modified: str
    created: str
    content: Content | None = None
    """None for a folder, or for one of Google's own documents."""
    trashed: bool = False
    """The item itself is in the trash, not just a folder above it."""
    more: dict[str, Any] = field(default_factory=dict)
    """Metadata that we store but ignore (description, properties)."""
    refuses: dict[str, str] = field(default_factory=dict)
    """What Drive refuses of it, "change" or "download", and the reason that it gives."""

    def check(self, wanted: str) -> None:
        """Raises DriveError if that is refused."""
        if reason := self.refuses.get(wanted):
            raise DriveError(403, reason, REFUSED[reason])

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER


class DriveTree:
    """All items. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.items: dict[str, Item] = {}
        self._children: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.changes: list[str] = []
        """The id of the item, for each change."""
        self.limit: int | None = None
        """How many bytes all files together may have; None: no limit."""
        self.most_children: int | None = None
        """How many items a folder may hold (Drive: 500,000, but for the root); None: no limit."""
        self.root = self._add(Item(self._id("0A", 19), "My Drive", FOLDER, None, now(), now())).id

    # Used by the server.

    def get(self, item_id: str) -> Item:
        """The item. Raises DriveError 404."""
        try:
            return self.items[self.root if item_id == "root" else item_id]
        except KeyError:
            raise DriveError(404, "notFound", f"File not found: {item_id}.") from None

    def children(self, folder: str) -> list[Item]:
        """The items in a folder, trashed or not, oldest first."""
        with self.lock:
            return [self.items[child] for child in self._children.get(self.root if folder == "root" else folder, ())]

    def in_trash(self, item: Item) -> bool:
        """Whether the item, or a folder above it, is in the trash."""
        while not item.trashed and item.parent is not None:
            item = self.items[item.parent]
        return item.trashed

    def create(self, metadata: Mapping[str, Any], content: Content | None = None, media_type: str | None = None) -> Item:
        """Create an item, even if another one has the same name."""
        with self.lock:
            parents = metadata.get("parents") or [self.root]
            if len(parents) > 1:
                raise DriveError(400, "multiparentingNotSupported", "A file cannot have more than one parent.")
            parent = self.get(parents[0])
            if not parent.is_folder:
                raise DriveError(403, "parentNotAFolder", "The specified parent is not a folder.")
            self._must_have_room(parent)
            self._must_fit(content)
            name = str(metadata.get("name") or "Untitled")
            mime_type = metadata.get("mimeType") or media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
            if content is None and not mime_type.startswith(_GOOGLE_OWN):
                content = Content(b"")
            modified = _stamp(metadata["modifiedTime"]) if "modifiedTime" in metadata else now()
            item = Item(metadata.get("id") or self._id("1", 33), name, mime_type, parent.id, modified, now(), content)
            if mime_type == SHORTCUT:
                target = self.get(metadata.get("shortcutDetails", {}).get("targetId", ""))
                if target.mime_type == SHORTCUT:
                    raise DriveError(403, "shortcutTargetInvalid", "The shortcut target is invalid.")
                item.more["shortcutDetails"] = {"targetId": target.id, "targetMimeType": target.mime_type}
            return self._add(item)

    def update(
        self,
        item_id: str,
        metadata: Mapping[str, Any],
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        content: Content | None = None,
    ) -> Item:
        """Rename, move, trash or touch an item, or replace its content."""
        with self.lock:
            item = self.get(item_id)
            item.check("change")
            self._must_fit(content, instead_of=item.content)
            self.changes.append(item.id)
            self._reparent(item, [*add], [*remove])
            match metadata:
                case {"name": str(name)}:
                    item.name = name
            if "trashed" in metadata:
                if item.parent is None:
                    raise DriveError(403, "insufficientFilePermissions", "The root folder cannot be trashed.")
                item.trashed = bool(metadata["trashed"])
            if content is not None:
                item.content = content
                item.modified = now()
            if "modifiedTime" in metadata:
                item.modified = _stamp(metadata["modifiedTime"])
            item.mime_type = metadata.get("mimeType") or item.mime_type
            item.more |= {name: metadata[name] for name in metadata.keys() & {"description", "properties", "starred"}}
            return item

    def copy(self, item_id: str, metadata: Mapping[str, Any]) -> Item:
        """Copy a file; folders cannot be copied."""
        with self.lock:
            item = self.get(item_id)
            if item.is_folder:
                raise DriveError(403, "cannotCopyFile", "This file cannot be copied by the user.")
            wanted = {"name": f"Copy of {item.name}", "parents": [item.parent], "modifiedTime": item.modified, **metadata}
            return self.create({"mimeType": item.mime_type, **wanted}, item.content)

    def delete(self, item_id: str) -> None:
        """Delete an item for good, with everything below it."""
        with self.lock:
            item = self.get(item_id)
            for child in [*self._children.pop(item.id, ())]:
                self.delete(child)
            del self.items[item.id]
            self.changes.append(item.id)
            if item.parent is not None:
                self._children.get(item.parent, {}).pop(item.id, None)

    @property
    def used(self) -> int:
        """The bytes of all files, including those in the trash."""
        with self.lock:
            return sum(item.content.size for item in self.items.values() if item.content)

    # Used by tests, without the API.

    def folder(self, path: str = "") -> Item:
        """The folder at that path; created if necessary."""
        with self.lock:
            item = self.items[self.root]
            for name in filter(None, path.split("/")):
                there = [
                    child for child in self.children(item.id) if child.is_folder and child.name == name and not child.trashed
                ]
                item = there[0] if there else self.create({"name": name, "mimeType": FOLDER, "parents": [item.id]})
            return item

    def put(self, path: str, content: bytes | Path, *, mtime_ns: int | None = None) -> Item:
        """Create a file, even if another one has the same name."""
        above, _, name = path.rpartition("/")
        with self.lock:
            metadata: dict[str, Any] = {"name": name, "parents": [self.folder(above).id]}
            if mtime_ns is not None:
                metadata["modifiedTime"] = datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat()
            return self.create(metadata, Content(content))

    def document(self, path: str) -> Item:
        """Create a document of Google Docs, which rclone lists as `path`.docx."""
        above, _, name = path.rpartition("/")
        with self.lock:
            return self.create({"name": name, "mimeType": f"{_GOOGLE_OWN}document", "parents": [self.folder(above).id]})

    def at(self, path: str) -> Item:
        """The oldest item at that path, outside the trash. Raises KeyError."""
        found = next((item for name, item in self.walk() if name == path), None)
        if found is None:
            raise KeyError(path)
        return found

    def shortcut(self, path: str, target: str) -> Item:
        """Create a shortcut to whatever lies at the path `target`; a dangling one if nothing lies there."""
        above, _, name = path.rpartition("/")
        with self.lock:
            try:
                pointed_at, gone = self.at(target), False
            except KeyError:
                pointed_at, gone = self.put(target, b""), True
            details = {"shortcutDetails": {"targetId": pointed_at.id}}
            made = self.create({"name": name, "mimeType": SHORTCUT, "parents": [self.folder(above).id], **details})
            if gone:
                self.delete(pointed_at.id)
            return made

    def rename(self, path: str, name: str) -> Item:
        """Give the item at that path another name in its folder, as another client may at any time."""
        return self.update(self.at(path).id, {"name": name})

    def move(self, path: str, folder: str) -> Item:
        """Put the item at that path into another folder."""
        item = self.at(path)
        return self.update(item.id, {}, add=[self.folder(folder).id], remove=[item.parent or ""])

    def trash(self, path: str) -> Item:
        """Put the item at that path into the trash; a shortcut to it goes on answering."""
        return self.update(self.at(path).id, {"trashed": True})

    def preload(self, directory: Path, path: str = "", *, files: Iterable[str] | None = None) -> None:
        """Add all files below a directory (or only `files`) at `path`, with their times. Read on demand: do not change them."""
        names = files if files is not None else (file.relative_to(directory).as_posix() for file in directory.rglob("*"))
        folders: dict[str, str] = {}
        with self.lock:
            for name in names:
                source = directory / name
                if source.is_dir():
                    continue
                above, _, leaf = f"{path}/{name}".rpartition("/")
                if above not in folders:
                    folders[above] = self.folder(above).id
                modified = datetime.fromtimestamp(source.stat().st_mtime, UTC).isoformat()
                self.create({"name": leaf, "parents": [folders[above]], "modifiedTime": modified}, Content(source))

    def walk(self, path: str = "", *, trashed: bool = False) -> Iterator[tuple[str, Item]]:
        """(path below `path`, item) of every file and folder there, including duplicates; either outside the trash or in it."""
        with self.lock:
            base = self.folder(path) if path else self.items[self.root]
            open_folders = [("", base, self.in_trash(base))]
            while open_folders:
                above, folder, gone = open_folders.pop()
                for child in self.children(folder.id):
                    child_gone = gone or child.trashed
                    if child_gone == trashed:
                        yield above + child.name, child
                    if child.is_folder and (trashed or not child_gone):
                        open_folders.append((f"{above}{child.name}/", child, child_gone))

    def tree(self, path: str = "", *, trashed: bool = False) -> dict[str, list[str]]:
        """Path -> sha256 of each file with that path."""
        found: dict[str, list[str]] = {}
        for name, item in self.walk(path, trashed=trashed):
            if item.content is not None:
                found.setdefault(name, []).append(item.content.sha256)
        return found

    # Internal.

    def _must_have_room(self, folder: Item) -> None:
        if self.most_children is not None and folder.parent is not None and len(self._children[folder.id]) >= self.most_children:
            reason = "numChildrenInNonRootLimitExceeded"
            raise DriveError(403, reason, REFUSED[reason])

    def _add(self, item: Item) -> Item:
        self.items[item.id] = item
        self.changes.append(item.id)
        if item.parent is not None:
            self._children[item.parent][item.id] = None
        return item

    def _reparent(self, item: Item, add: list[str], remove: list[str]) -> None:
        if not add and not remove:
            return
        if item.parent is None:
            raise DriveError(403, "insufficientFilePermissions", "The root folder cannot be moved.")
        if any(self.get(parent).id != item.parent for parent in remove):
            raise DriveError(404, "notFound", "The parent to be removed is not a parent of the file.")
        if len(add) != 1 or not remove:
            raise DriveError(403, "cannotAddParent", "Increasing the number of parents is not allowed.")
        target = self.get(add[0])
        self._must_have_room(target)
        above: Item | None = target
        while above is not None:
            if above is item:
                raise DriveError(403, "cannotMoveItemIntoItself", "A folder cannot be moved into itself.")
            above = self.items[above.parent] if above.parent else None
        if not target.is_folder:
            raise DriveError(403, "parentNotAFolder", "The specified parent is not a folder.")
        self._children[item.parent].pop(item.id)
        item.parent = target.id
        self._children[target.id][item.id] = None

    def _must_fit(self, content: Content | None, instead_of: Content | None = None) -> None:
        if self.limit is None or content is None:
            return
        if self.used - (instead_of.size if instead_of else 0) + content.size > self.limit:
            raise DriveError(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")

    def _id(self, start: str, length: int) -> str:
        digest = hashlib.sha256(str(next(_numbers)).encode()).hexdigest()
        return (start + digest)[:length]


def now() -> str:
    """A time as the API writes it: UTC, in milliseconds."""
    return _written(datetime.now(UTC))


def _stamp(text: str) -> str:
    return _written(datetime.fromisoformat(text).astimezone(UTC))


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
