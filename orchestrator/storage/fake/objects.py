"""What the in-memory storage holds (names, files, directories), and the shapes of common providers."""

from __future__ import annotations

import hashlib
import time
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping

from orchestrator.errors import DestinationExistsError, NotFoundError, PermanentError, QuotaError, UnsupportedError
from orchestrator.foreign_folders import HiddenFolders
from orchestrator.paths import is_ours, own_directory_of, parent_of
from orchestrator.records import OWN_DIRECTORY, Capabilities

SECOND_NS = 1_000_000_000

KINDS: Mapping[str, Capabilities] = {
    "local": Capabilities(move=True, quota=True, local=True, directory_move=True, remote_type="local"),
    "s3": Capabilities(
        copy=True,
        replaces_in_place=True,
        flat_listing=True,
        current_listings=True,
        empty_directories=False,
        hashes=("md5",),
        mtime=False,
        max_component_bytes=1024,
        max_path_bytes=1024,
        remote_type="s3",
    ),
    "azure": Capabilities(
        copy=True,
        flat_listing=True,
        current_listings=True,
        empty_directories=False,
        hashes=("md5",),
        mtime_precision_ns=100,
        remote_type="azureblob",
    ),
    "drive": Capabilities(
        move=True,
        copy=True,
        replaces_in_place=True,
        directory_move=True,
        by_directory=True,
        flat_listing=True,
        duplicate_names=True,
        by_id=True,
        hashes=("md5", "sha1", "sha256"),
        mtime_precision_ns=1_000_000,
        quota=True,
        max_component_bytes=32_767,
        remote_type="drive",
    ),
    "dropbox": Capabilities(
        move=True,
        copy=True,
        replaces_in_place=True,
        directory_move=True,
        by_directory=True,
        rmdir_is_recursive=True,
        case_insensitive=True,
        hashes=("dropbox",),
        mtime_precision_ns=SECOND_NS,
        quota=True,
        remote_type="dropbox",
    ),
    "webdav": Capabilities(
        move=True,
        copy=True,
        directory_move=True,
        rmdir_is_recursive=True,
        mtime_precision_ns=None,
        quota=True,
        remote_type="webdav",
    ),
    "sftp": Capabilities(move=True, directory_move=True, mtime_precision_ns=SECOND_NS, quota=True, remote_type="sftp"),
    "plain": Capabilities(mtime=False, mtime_precision_ns=None, remote_type="ftp"),
}
"""Shapes of providers; "plain" can do nothing special: no move, copy, hashes or times."""


class StoredFile:
    """One file, with its name as the storage shows it."""

    __slots__ = ("changed", "content", "id", "mtime_ns", "path")

    def __init__(self, path: str, content: bytes, mtime_ns: int, object_id: str) -> None:
        self.path = path
        self.content = content
        self.mtime_ns = mtime_ns
        self.id = object_id
        self.changed = 0
        """When it was last changed, nanoseconds since 1970, as a disk knows it: no two changes have one time."""


class Objects:
    """Files and directories with one provider's rules for names. The caller holds the lock."""

    def __init__(
        self,
        fs: str,
        capabilities: Capabilities,
        *,
        encoding: Mapping[str, str],
        refuse: Callable[[str], bool] | None,
        normalization_insensitive: bool,
        quota_bytes: int | None,
        clock_ns: int,
        missing: bool,
    ) -> None:
        self.files: dict[str, tuple[StoredFile, ...]] = {}
        """Key -> the files with that name, several where duplicates are allowed."""
        self.directories: dict[str, str] = {}
        """Key -> path."""
        self.led_astray: dict[str, str] = {}
        """Folders that another program has renamed, which our paths still lead into -> their new paths."""
        self.missing = missing
        self.quota_bytes = quota_bytes
        self.used = 0
        self._fs = fs
        self._capabilities = capabilities
        self._encoding = {ord(plain): kept for plain, kept in encoding.items()}
        self._decoding = {ord(kept): plain for plain, kept in encoding.items()}
        self._refuse = refuse
        self._normalization_insensitive = normalization_insensitive
        self._clock_ns = clock_ns
        self._ids = 0
        self._changed_ns = 0

    def key(self, path: str) -> str:
        """Two names with one key are one file on this server."""
        path = self.found_at(path)
        key = path.translate(self._encoding) if self._encoding else path
        if self._normalization_insensitive:
            key = unicodedata.normalize("NFC", key)
        if self._capabilities.case_insensitive:
            key = key.casefold()
        return key

    def found_at(self, path: str) -> str:
        """Where a path of ours really leads: somewhere else only below folders that led astray."""
        for old, new in self.led_astray.items():
            if path == old or path.startswith(f"{old}/"):
                return new + path[len(old) :]
        return path

    def find(self, path: str, object_id: str | None = None) -> StoredFile:
        """The first file with that name, or the one with an id. Raises NotFoundError, or PermanentError for a directory."""
        key = self.key(path)
        for file in self.files.get(key, ()):
            if object_id in {None, file.id}:
                return file
        if key in self.directories:
            raise PermanentError(f"{self._fs}: {path!r} is a directory not a file", path=path)
        raise NotFoundError(f"{self._fs}: {path!r} not found", path=path)

    def below(self, prefix: str) -> Iterator[StoredFile]:
        """Every file below `prefix`."""
        below = self.key(prefix) + "/" if prefix else ""
        for key, files in self.files.items():
            if key.startswith(below):
                yield from files

    def own_directories_below(self, prefix: str) -> list[str]:
        """The OWN_DIRECTORY of each location inside this one, below `prefix`."""
        names = (*(file.path for file in self.below("")), *self.directories.values())
        found = {own for name in names if (own := own_directory_of(name)) is not None and own != OWN_DIRECTORY}
        return sorted(own for own in found if not is_ours(prefix) and (not prefix or own.startswith(f"{prefix}/")))

    def foreign_folders_below(self, prefix: str, hidden: HiddenFolders) -> tuple[str, ...]:
        """The hidden folders of other programs below `prefix`, each with a "/" at its end."""
        above = f"{prefix}/" if prefix else ""
        names = (*(file.path for file in self.below(prefix)), *(f"{path}/" for path in self.directories.values()))
        inside = (name[len(above) :] for name in names if self.key(name).startswith(self.key(above)))
        return tuple(sorted({f"{above}{folder}/" for name in inside if (folder := hidden.folder_of(name)) is not None}))

    def store(self, path: str, content: bytes, mtime_ns: int | None, *, duplicate: bool = False) -> None:
        """Create or replace a file, or add one with the same name. Raises QuotaError and PermanentError."""
        self.check_name(path)
        there = () if duplicate else self.files.get(self.key(path), ())
        growth = len(content) - (len(there[0].content) if there else 0)
        if self.quota_bytes is not None and self.used + growth > self.quota_bytes:
            raise QuotaError(f"{self._fs}: no space left on device", path=path)
        self._clock_ns += SECOND_NS
        written_ns = self._clock_ns if mtime_ns is None else mtime_ns
        if there:
            self.used += growth
            there[0].content = content
            there[0].mtime_ns = written_ns
            self._note_change(there[0])
            return
        self._ids += 1
        self.add(path, StoredFile(path, content, written_ns, f"id-{self._ids}"))

    def add(self, path: str, file: StoredFile) -> None:
        """Give a file a name, in addition to files that have it already."""
        parent = parent_of(path)
        if parent:
            self.make_directories(parent)
        self.missing = False
        file.path = self.found_at(path).translate(self._encoding).translate(self._decoding)
        key = self.key(path)
        self.files[key] = (*self.files.get(key, ()), file)
        self.used += len(file.content)
        self._note_change(file)

    def _note_change(self, file: StoredFile) -> None:
        self._changed_ns = max(self._changed_ns + 1, time.time_ns())
        file.changed = self._changed_ns

    def drop(self, file: StoredFile) -> None:
        """Remove a file."""
        key = self.key(file.path)
        rest = tuple(other for other in self.files[key] if other is not file)
        self.used -= len(file.content)
        if rest:
            self.files[key] = rest
        else:
            del self.files[key]

    def make_directories(self, path: str) -> None:
        """Make a directory and its parents. Raises PermanentError where a file is in the way."""
        self.missing = False
        if not self._capabilities.empty_directories:
            return
        while path and (key := self.key(path)) not in self.directories:
            if key in self.files:
                raise PermanentError(f"{self._fs}: {path!r} is a file not a directory", path=path)
            self.directories[key] = path
            path = parent_of(path)

    def remove_directory(self, path: str, *, with_contents: bool = False) -> bool:
        """Remove an empty directory, or one with all that it holds; False when it does not exist or is not empty."""
        key = self.key(path)
        inside = key + "/"
        if with_contents:
            for name in [name for name in self.files if name.startswith(inside)]:
                for file in [*self.files[name]]:
                    self.drop(file)
            for name in [name for name in self.directories if name.startswith(inside)]:
                del self.directories[name]
        if key not in self.directories or any(
            name.startswith(inside) for names in (self.files, self.directories) for name in names
        ):
            return False
        del self.directories[key]
        return True

    def entries(self, path: str) -> list[str] | None:
        """See `Storage.entries`."""
        if self.missing or (path and self._capabilities.empty_directories and self.key(path) not in self.directories):
            return None
        below = f"{path}/" if path else ""
        inside = self.key(path) + "/" if path else ""
        names = [file.path[len(below) :] for key, files in self.files.items() if key.startswith(inside) for file in files]
        folders = {f"{name.partition('/')[0]}/" for name in names if "/" in name}
        folders |= {
            f"{kept[len(below) :].partition('/')[0]}/" for key, kept in self.directories.items() if key.startswith(inside)
        }
        return [name for name in names if "/" not in name] + sorted(folders)

    def move_directory(self, src: str, dst: str) -> None:
        """See `Storage.move_directory`."""
        if self.key(src) not in self.directories:
            raise NotFoundError(f"{self._fs}: directory {src!r} not found", path=src)
        if self.key(dst) in (self.files | self.directories):
            raise DestinationExistsError(f"{self._fs}: {dst!r} already exists", path=dst)
        self.check_name(dst)
        inside = self.key(src) + "/"
        if self.key(dst).startswith(inside):
            raise PermanentError(f"{self._fs}: {dst!r} lies in {src!r}", path=src)
        self.make_directories(dst)
        for path in [path for key, path in self.directories.items() if key.startswith(inside)]:
            self.make_directories(dst + path[len(src) :])
        for file in [file for key, files in self.files.items() if key.startswith(inside) for file in files]:
            self.drop(file)
            self.add(dst + file.path[len(src) :], file)
        for key in [key for key in self.directories if f"{key}/".startswith(inside)]:
            del self.directories[key]

    def check_name(self, path: str, *, beside_folder: bool = False) -> None:
        """Raise PermanentError for a name that the server does not accept, or a folder has, unless a file may be beside it."""
        for part in path.split("/"):
            if part in {"", ".", ".."} or "\0" in part:
                raise PermanentError(f"{self._fs}: malformed path {path!r}", path=path)
            if len(part.encode("utf-8", "surrogatepass")) > self._capabilities.max_component_bytes:
                raise PermanentError(f"{self._fs}: file name too long: {path!r}", path=path)
        limit = self._capabilities.max_path_bytes
        if limit is not None and len(path.encode("utf-8", "surrogatepass")) > limit:
            raise PermanentError(f"{self._fs}: KeyTooLong: {path!r}", path=path)
        if self._refuse is not None and self._refuse(path):
            raise PermanentError(f"{self._fs}: the server does not accept the name {path!r}", path=path)
        if self.key(path) in self.directories and not beside_folder:
            raise PermanentError(f"{self._fs}: {path!r} is a directory not a file", path=path)


def digest(hash_type: str, content: bytes) -> str:
    """The hash that rclone calls `hash_type`, as lower-case hex. Raises UnsupportedError for other types."""
    if hash_type in {"md5", "sha1", "sha256", "sha512"}:
        return hashlib.new(hash_type, content, usedforsecurity=False).hexdigest()
    if hash_type == "crc32":
        return f"{zlib.crc32(content):08x}"
    if hash_type == "dropbox":
        blocks = (content[start : start + 4 * 1024 * 1024] for start in range(0, len(content), 4 * 1024 * 1024))
        return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()
    raise UnsupportedError(f"no hash of the type {hash_type}")
