"""What a user can do to the files of a location on the server itself, without the program and without rclone.

Each act changes one name at once, so that it is known which contents the user destroyed, and which not. An act that fails
because the program was faster has done nothing and returns False; that is no error.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from botocore.exceptions import ClientError

from tests.places import Place, digest, visible
from tests.servers.content import Content
from tests.servers.drive_files import DriveError, DriveTree, Item
from tests.servers.dropbox_files import DropboxError, DropboxTree
from tests.servers.remotes import BUCKET, DriveRemote, DropboxRemote

_NOREPLACE, _EXCHANGE = 1, 2
_HERE = -100  # AT_FDCWD
_libc = ctypes.CDLL(None, use_errno=True)


class Store(ABC):
    """The files of one location. Paths are below it; what cannot be done, because a name is missing or taken, changes nothing."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def create(self, path: str, content: bytes) -> bool:
        """Put a file under a free name; False if it is taken."""

    @abstractmethod
    def replace(self, path: str, content: bytes) -> set[str] | None:
        """Put another file in the place of one; returns the contents that are gone by that, or None if there is no file."""

    @abstractmethod
    def delete(self, path: str) -> set[str] | None:
        """Take a file away; returns the contents that are gone by that, or None if there is no file."""

    @abstractmethod
    def rename(self, old: str, new: str) -> bool:
        """Give a file or a folder a free name; False if there is no such file, or the name is taken."""

    def rewrite(self, path: str, end: bytes, *, keeps_times: bool) -> tuple[str, str] | None:
        """Write another end of a file, with its size kept; returns its old and new content, or None if there is no file.

        `keeps_times`: its time is kept as well.
        """
        old = self.read(path)
        new = b"" if old is None else old[: -len(end)] + end
        return None if old is None or self.replace(path, new) is None else (digest(old), digest(new))

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None if there is none."""

    @abstractmethod
    def clear(self) -> None:
        """Delete everything at the end, what lies beside it on a disk included."""

    def paths(self) -> list[str]:
        """The files that a user sees, sorted."""
        return sorted(visible(self.place.tree()))

    def handles(self, path: str) -> set[str]:
        """What requests call a file, or its folder."""
        return {path}

    def contents(self) -> set[str]:
        """The contents that are there, our own folder included."""
        return set(self.place.tree().values())

    def excusable(self, lost: set[str]) -> set[str]:
        """Those of the lost contents that the documented window of one request may cost."""
        return lost


class Disk(Store):
    """A folder on a disk, or the disk behind a server. The user works at a desk beside it, on the same file system."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        assert place.directory is not None
        self.root = place.directory
        self._desk = self.root.with_name(f"desk for {self.root.name}")
        self._numbers = count(1)
        for folder in (self.root, self._desk):
            folder.mkdir(parents=True, exist_ok=True)

    def create(self, path: str, content: bytes) -> bool:
        with contextlib.suppress(OSError):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            return _rename(self._written(content), self.root / path, _NOREPLACE)
        return False

    def replace(self, path: str, content: bytes) -> set[str] | None:
        file = self._written(content)
        return _contents(file) if _rename(file, self.root / path, _EXCHANGE) else None

    def delete(self, path: str) -> set[str] | None:
        file = self._new()
        return _contents(file) if _rename(self.root / path, file, _NOREPLACE) else None

    def rename(self, old: str, new: str) -> bool:
        return _rename(self.root / old, self.root / new, _NOREPLACE)

    def rewrite(self, path: str, end: bytes, *, keeps_times: bool) -> tuple[str, str] | None:
        try:
            with (self.root / path).open("r+b") as file:
                old = file.read()
                times = os.fstat(file.fileno())
                new = old[: -len(end)] + end
                file.seek(0)
                file.write(new)
                file.flush()
                later_ns = 0 if keeps_times else 2 * 10**9
                os.utime(file.fileno(), ns=(times.st_atime_ns, times.st_mtime_ns + later_ns))
        except OSError:
            return None
        return digest(old), digest(new)

    def read(self, path: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return (self.root / path).read_bytes()
        return None

    def clear(self) -> None:
        shutil.rmtree(self.root.parent, ignore_errors=True)

    def paths(self) -> list[str]:
        found = (Path(folder, name).relative_to(self.root) for folder, _, names in os.walk(self.root) for name in names)
        return sorted(visible(dict.fromkeys((path.as_posix() for path in found), "")))

    def _new(self) -> Path:
        return self._desk / str(next(self._numbers))

    def _written(self, content: bytes) -> Path:
        file = self._new()
        file.write_bytes(content)
        return file


def _rename(old: Path, new: Path, flags: int) -> bool:
    """renameat2; False if a name is missing or taken."""
    if _libc.renameat2(_HERE, os.fsencode(old), _HERE, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL}:
        return False
    raise OSError(number, os.strerror(number), str(new))


def _contents(file: Path) -> set[str]:
    return {digest(file.read_bytes())} if file.is_file() and not file.is_symlink() else set()


class Bucket(Store):
    """A folder of a bucket. What takes two requests is one act only if nobody else changes these keys meanwhile."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._client = place.bucket

    def create(self, path: str, content: bytes) -> bool:
        try:
            self._client.put_object(Bucket=BUCKET, Key=self._key(path), Body=content, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    def replace(self, path: str, content: bytes) -> set[str] | None:
        old = self.read(path)
        if old is not None:
            self._client.put_object(Bucket=BUCKET, Key=self._key(path), Body=content)
        return None if old is None else {digest(old)}

    def delete(self, path: str) -> set[str] | None:
        old = self.read(path)
        self._client.delete_object(Bucket=BUCKET, Key=self._key(path))
        return None if old is None else {digest(old)}

    def rename(self, old: str, new: str) -> bool:
        keys = [one for one in self.paths() if f"{one}/".startswith(f"{old}/")]
        if not keys or any(f"{one}/".startswith(f"{new}/") for one in self.paths()):
            return False
        for key in keys:
            source = {"Bucket": BUCKET, "Key": self._key(key)}
            self._client.copy_object(Bucket=BUCKET, Key=self._key(new + key[len(old) :]), CopySource=source)
            self._client.delete_object(**source)
        return True

    def read(self, path: str) -> bytes | None:
        try:
            return bytes(self._client.get_object(Bucket=BUCKET, Key=self._key(path))["Body"].read())
        except ClientError:
            return None

    def clear(self) -> None:
        for path in self.place.tree():
            self._client.delete_object(Bucket=BUCKET, Key=self._key(path))

    def paths(self) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=self._key(""))
        keys = (item["Key"][len(self._key("")) :] for page in pages for item in page.get("Contents", ()))
        return sorted(visible(dict.fromkeys(keys, "")))

    def _key(self, path: str) -> str:
        return f"{self.place.prefix}/{path}"


class Dropbox(Store):
    """A folder of an emulated Dropbox."""

    def __init__(self, place: Place, tree: DropboxTree) -> None:
        super().__init__(place)
        self._tree = tree

    def create(self, path: str, content: bytes) -> bool:
        with contextlib.suppress(DropboxError):
            self._tree.upload(self._key(path), Content(content), overwrite=False)
            return True
        return False

    def replace(self, path: str, content: bytes) -> set[str] | None:
        with self._tree.lock, contextlib.suppress(DropboxError):
            old = self._content(path)
            self._tree.upload(self._key(path), Content(content), overwrite=True)
            return {old.sha256}
        return None

    def delete(self, path: str) -> set[str] | None:
        with self._tree.lock, contextlib.suppress(DropboxError):
            old = self._content(path)
            self._tree.delete(self._key(path))
            return {old.sha256}
        return None

    def rename(self, old: str, new: str) -> bool:
        with contextlib.suppress(DropboxError):
            self._tree.move(self._key(old), self._key(new))
            return True
        return False

    def rewrite(self, path: str, end: bytes, *, keeps_times: bool) -> tuple[str, str] | None:
        with self._tree.lock, contextlib.suppress(DropboxError):
            old = self._content(path).whole()
            new = Content(old[: -len(end)] + end)
            modified = self._tree.get(self._key(path))[1].client_modified if keeps_times else None
            self._tree.upload(self._key(path), new, overwrite=True, client_modified=modified)
            return digest(old), new.sha256
        return None

    def read(self, path: str) -> bytes | None:
        with contextlib.suppress(DropboxError):
            return self._content(path).whole()
        return None

    def clear(self) -> None:
        with contextlib.suppress(DropboxError):
            self._tree.delete(self._key("").rstrip("/"))

    def excusable(self, lost: set[str]) -> set[str]:
        """None: it refuses every taken name, and deletes only what is ours."""
        return set()

    def _key(self, path: str) -> str:
        return f"/{self.place.prefix}/{path}"

    def _content(self, path: str) -> Content:
        content = self._tree.get(self._key(path))[1].content
        if content is None:
            raise DropboxError("path", "not_file")
        return content


class Drive(Store):
    """A folder of an emulated Google Drive. Of several files with one name, an act changes the oldest."""

    def __init__(self, place: Place, tree: DriveTree) -> None:
        super().__init__(place)
        self._tree = tree
        self._root = tree.folder(place.prefix).id
        self._trashed_by_user: set[str] = set()

    def create(self, path: str, content: bytes) -> bool:
        with self._tree.lock:
            if self._at(path) is not None:
                return False
            return self.add(path, content)

    def add(self, path: str, content: bytes) -> bool:
        """Put a file under a name, even if another one has it already."""
        above = path.rpartition("/")[0]
        if any(item.content is not None for name, item in self._walk() if f"{above}/".startswith(f"{name}/")):
            return False
        self._tree.put(self._path(path), content)
        return True

    def replace(self, path: str, content: bytes) -> set[str] | None:
        with self._tree.lock:
            item = self._at(path)
            if item is None or item.content is None:
                return None
            old = item.content.sha256
            self._tree.update(item.id, {}, content=Content(content))
            return {old}

    def delete(self, path: str) -> set[str] | None:
        """Put a file, or a folder with everything in it, into the trash."""
        with self._tree.lock:
            item = self._at(path)
            if item is None:
                return None
            gone = {inner.content.sha256 for inner in self._below(item) if inner.content is not None}
            self._tree.update(item.id, {"trashed": True})
            self._trashed_by_user.add(item.id)
            return gone

    def rename(self, old: str, new: str) -> bool:
        with self._tree.lock:
            item = self._at(old)
            if item is None or self._at(new) is not None:
                return False
            with contextlib.suppress(DriveError):
                above, _, name = new.rpartition("/")
                folder = self._tree.folder(self._path(above).rstrip("/")).id
                moved = {} if folder == item.parent else {"add": [folder], "remove": [str(item.parent)]}
                self._tree.update(item.id, {"name": name}, **moved)
                return True
            return False

    def rewrite(self, path: str, end: bytes, *, keeps_times: bool) -> tuple[str, str] | None:
        with self._tree.lock:
            item = self._at(path)
            if item is None or item.content is None:
                return None
            old = item.content.whole()
            new = Content(old[: -len(end)] + end)
            self._tree.update(item.id, {"modifiedTime": item.modified} if keeps_times else {}, content=new)
            return digest(old), new.sha256

    def shortcut(self, path: str, target: str) -> bool:
        """Create a shortcut to a file or a folder."""
        with self._tree.lock:
            if self._at(target) is None:
                return False
            self._tree.shortcut(self._path(path), self._path(target))
            return True

    def read(self, path: str) -> bytes | None:
        item = self._at(path)
        return None if item is None or item.content is None else item.content.whole()

    def clear(self) -> None:
        self._tree.delete(self._root)

    def paths(self) -> list[str]:
        files = (path for path, item in self._walk() if item.content is not None)
        return sorted(visible(dict.fromkeys(files, "")))

    def handles(self, path: str) -> set[str]:
        item = self._at(path)
        return {path} if item is None else {path, item.id, str(item.parent)}

    def contents(self) -> set[str]:
        """Also what came into a folder that the user has put into the trash."""
        there = super().contents()
        with self._tree.lock:
            trashed = [self._tree.items[one] for one in self._trashed_by_user if one in self._tree.items]
            return there | {inner.content.sha256 for item in trashed for inner in self._below(item) if inner.content is not None}

    def excusable(self, lost: set[str]) -> set[str]:
        """What lies in the trash because its folder does."""
        with self._tree.lock:
            items = (item for item in self._tree.items.values() if item.content is not None and not item.trashed)
            return lost & {item.content.sha256 for item in items if item.content is not None}

    def _path(self, path: str) -> str:
        return f"{self.place.prefix}/{path}"

    def _walk(self) -> Iterator[tuple[str, Item]]:
        return self._tree.walk(self.place.prefix)

    def _at(self, path: str) -> Item | None:
        return next((item for name, item in self._walk() if name == path), None)

    def _below(self, item: Item) -> Iterator[Item]:
        """The item and everything in it, but what is in the trash by itself."""
        yield item
        for child in self._tree.children(item.id):
            if not child.trashed:
                yield from self._below(child)


def store_of(place: Place) -> Store:
    """The store of a location."""
    match place.server:
        case DriveRemote():
            return Drive(place, place.server.tree)
        case DropboxRemote():
            return Dropbox(place, place.server.tree)
        case _:
            return Disk(place) if place.directory is not None else Bucket(place)
