"""The folders that belong to other programs, and which of them a command leaves out.

What was thrown away, an old version or a thumbnail is no part of a library: a copy in a recycle bin must never be the one that is
kept, and nothing brings it back. The table applies below the root of a location only, so a folder in a bin can be named itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from orchestrator.globs import compile_globs, fragment
from orchestrator.paths import name_of


class ForeignKind(NamedTuple):
    """Folders of one kind, by the names that they have at any depth, in any case."""

    title: str
    names: tuple[str, ...]
    """Patterns of `orchestrator.globs`."""
    litter: bool = False
    """Whether it can be made again from the files beside it: then it does not keep an emptied folder alive."""


FOREIGN_FOLDERS: Final = (
    ForeignKind(
        "recycle bins",
        (
            "#recycle",  # Synology
            "@Recycle",  # QNAP
            "$RECYCLE.BIN",
            "RECYCLER",  # Windows, NTFS until Windows XP; see _FOLDERS
            ".Trash",
            ".Trash-*",
            ".local/share/Trash",  # all three: freedesktop.org, Trash specification 1.0
            ".Trashes",  # macOS, on other volumes
            ".recycle",  # Samba's vfs_recycle(8): TrueNAS, OpenMediaVault
            ".Recycle.Bin",  # Unraid's plugin (ShokoServer #837)
            ".trashed-*",  # Android 11 and later renames what it throws away in place (Simple-Gallery #2343)
            ".oprecyclebin",  # OnePlus (sdmaid #4169)
            ".dtrash",  # digiKam
            ".debris",  # MEGA, what a sync deleted (MEGAsync #452)
            ".recycle-bin",  # scryer (#56)
            ".dropbox.cache",  # Dropbox, what a sync deleted in the last days
            "files_trashbin",  # Nextcloud and ownCloud, in the server's data directory
        ),
    ),
    ForeignKind(
        "old versions and snapshots",
        (
            ".stversions",  # Syncthing
            ".sync",  # Resilio Sync: its Archive
            ".SyncArchive",  # the same in BitTorrent Sync
            "_gsdata_",  # GoodSync: _saved_ and _history_
            "files_versions",  # Nextcloud and ownCloud
            ".DocumentRevisions-V100",  # macOS
            "Backups.backupdb",  # Time Machine
            "System Volume Information",  # Windows: restore points
            ".git",
            ".zfs",
            ".snapshot",
            "~snapshot",  # both: NetApp, by NFS and by SMB
            ".snapshots",  # snapper
            ".snap",  # CephFS, UFS
            "#snapshot",
            "@sharesnap",  # both: Synology
            "@Snapshot",
            "@Recently-Snapshot",  # both: QNAP
        ),
    ),
    ForeignKind(
        "recovered, unfinished and working files",
        (
            "lost+found",  # e2fsck
            "FOUND.[0-9][0-9][0-9]",  # chkdsk
            ".stfolder",
            ".stfolder.removed-*",  # both: Syncthing, which stops without the first
            ".pending-*",  # Android, a file that is still being written
            ".unwanted",  # qBittorrent before 4.0: parts of files that were not wanted (#2451)
            ".~tmp~",  # rsync(1) --delay-updates
            ".rsync-partial",  # rsync(1), the name that its manual gives for --partial-dir
            ".TemporaryItems",  # macOS
            ".SynologyWorkingDirectory",  # Synology Drive
        ),
    ),
    ForeignKind(
        "thumbnails and indexes",
        (
            "@eaDir",  # Synology
            ".@__thumb",
            ".@__comments",
            ".@__desc",  # all three: QNAP
            ".AppleDouble",  # netatalk
            "__MACOSX",  # zip files made by macOS
            ".thumbnails",  # Android, older desktops
            ".fseventsd",
            ".Spotlight-V100",  # both: macOS
        ),
        litter=True,
    ),
)
"""The whole table. Not in it, because albums and artists are called so: `Trash`, `Recycled`, `Sync`, `snapshot`."""


_RECYCLER: Final = "RECYCLER"
_OF_A_USER: Final = "RECYCLER/S-1-[0-9]*"


def _names(kinds: Sequence[ForeignKind]) -> str:
    return "|".join(fragment(name) for kind in kinds for name in kind.names)


_NAMES: Final = _names(FOREIGN_FOLDERS)
_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_WRITTEN: Final = re.compile(rf"(?:\A|/)({_NAMES})(?=/|\Z)", re.IGNORECASE)
"""The names in a pattern."""
_FOLDERS: Final = _NAMES.replace(_RECYCLER, f"(?-i:{_RECYCLER})|{fragment(_OF_A_USER)}")
"""As `_NAMES`, but `Recycler` is also an album (ZZ Top): Windows writes its bin in capitals, and makes a folder for each user."""
_PART: Final = re.compile(rf"(?:\A|/)({_FOLDERS})(?=/|\Z)", re.IGNORECASE)
_LITTER: Final = re.compile(_names([kind for kind in FOREIGN_FOLDERS if kind.litter]), re.IGNORECASE)
_FILE: Final = re.compile(r"\.(?:trashed|pending)-[0-9][^/]*", re.IGNORECASE)
"""The names in the table that a file can have as well."""


def is_foreign_name(name: str) -> bool:
    """Whether another program may call a folder so, in any case."""
    return _NAME.fullmatch(name) is not None


def innermost_foreign_folder(path: str) -> str | None:
    """The deepest folder of another program that a path lies in; None for all other paths."""
    found = _parts(path.rpartition("/")[0])
    return found[-1].folder if found else None


def is_litter(folder: str) -> bool:
    """Whether a folder of another program does not keep the folder that it is in alive."""
    return _LITTER.fullmatch(name_of(folder)) is not None


class _Part(NamedTuple):
    """A folder of another program: its path, and as much of it as the table names."""

    folder: str
    named: str


@lru_cache(maxsize=4096)
def _parts(directory: str) -> tuple[_Part, ...]:
    """Those that a directory is or lies in, the highest first. Cached, because the files of an album share their directory."""
    return tuple(_Part(directory[: found.end()], found[1]) for found in _PART.finditer(directory))


class _Opener:
    """A pattern of `include` that names folders of the table."""

    def __init__(self, glob: str) -> None:
        """Raises UsageError for an invalid glob."""
        self.named = [found[1] for found in _WRITTEN.finditer(glob.strip("/"))]
        found = compile_globs([glob], ignore_case=True)
        self._matches = found.search if found is not None else None
        folders = [*self.named, *([_OF_A_USER] if _RECYCLER in map(str.upper, self.named) else [])]
        self._folders = re.compile("|".join(map(fragment, folders)) or r"(?!)", re.IGNORECASE)

    def opens(self, named: str, path: str) -> bool:
        """Whether it is about a folder with this name, and the path matches."""
        return self._folders.fullmatch(named) is not None and self._matches is not None and self._matches(path) is not None


def opens_folders(glob: str) -> bool:
    """Whether a pattern names folders of the table, written out. Raises UsageError for an invalid one."""
    return bool(_Opener(glob).named)


def opened_by(globs: Iterable[str]) -> tuple[str, ...]:
    """Those of the patterns that open such folders."""
    return tuple(filter(opens_folders, globs))


class HiddenFolders:
    """The folders of other programs that a listing leaves out: all of them, but for what is opened."""

    def __init__(self, opened: Sequence[str] = (), *, litter: bool = True) -> None:
        """`opened`: patterns; those that name a folder of the table show what they match in such folders.

        `litter`: whether thumbnails and the like are hidden as well. Raises UsageError for an invalid pattern.
        """
        self._openers = [opener for opener in map(_Opener, opened) if opener.named]
        self._litter = litter

    def folder_of(self, path: str) -> str | None:
        """The highest hidden folder that a path lies in; None for all other paths."""
        end = path.rfind("/")
        if end < 0:
            return None
        parts = _parts(path[:end])
        return next(self._hidden(parts, path), None) if parts else None

    def hides(self, path: str) -> bool:
        """Whether a file is hidden: by its own name, or because it lies in such a folder."""
        return self.hides_name(path) or self.folder_of(path) is not None

    def hides_name(self, path: str) -> bool:
        """Whether the name of a file itself says that it was thrown away, or is not complete."""
        start = path.rfind("/") + 1
        return path.startswith(".", start) and _FILE.fullmatch(path, start) is not None and not self._opened(path[start:], path)

    def names(self) -> list[str]:
        """The names of all folders that are hidden wherever they are, as patterns for rclone."""
        opened = [named for opener in self._openers for named in opener.named]
        return [
            _OF_A_USER if name == _RECYCLER else name  # with --ignore-case, the name alone would leave out albums
            for kind in FOREIGN_FOLDERS
            if self._litter or not kind.litter
            for name in kind.names
            if not any(re.fullmatch(fragment(name), named, re.IGNORECASE) for named in opened)
        ]

    def _hidden(self, parts: Sequence[_Part], path: str) -> Iterator[str]:
        for part in parts:
            if not (self._opened(part.named, path) or (not self._litter and is_litter(part.folder))):
                yield part.folder

    def _opened(self, named: str, path: str) -> bool:
        return any(opener.opens(named, path) for opener in self._openers)


ALL_HIDDEN: Final = HiddenFolders()
ALL_BUT_LITTER: Final = HiddenFolders(litter=False)
IsHidden = Callable[[str], bool]
"""`HiddenFolders.hides`."""
