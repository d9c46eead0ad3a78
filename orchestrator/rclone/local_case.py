"""Whether a folder of this machine ignores the case of names: exFAT, NTFS, SMB, APFS and ext4 with casefold do, under Linux too.

Nothing is written: a name that is there is looked up with its case swapped. rclone says only what is usual on the system.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

_FOLDERS = 64
"""So many folders are tried, from the root down: a mount or a casefold folder further down is found if it is among them."""
_NAMES = 256
"""So many names of a folder are looked through for one with letters."""
_USUALLY = frozenset({"vfat", "msdos", "exfat", "hfs", "hfsplus", "cifs", "smb3", "smbfs", "smb2"})
"""File systems that ignore case by default: what counts where there is no name to try."""


def ignores_case(root: Path) -> bool:
    """Whether any of the first folders below `root` does; of the nearest existing one above it when it is not there yet."""
    there = next((one for one in (root, *root.parents) if os.path.isdir(one)), root)  # noqa: PTH112 - no error where it is closed
    waiting = deque([there])
    answers: list[bool] = []
    for _ in range(_FOLDERS):
        if not waiting:
            break
        answer, folders = _try(waiting.popleft())
        if answer:
            return True
        if answer is not None:
            answers.append(answer)
        if there == root:
            waiting.extend(folders)
    return not answers and _type_of(there) in _USUALLY


def _try(folder: Path) -> tuple[bool | None, list[Path]]:
    """Whether a folder ignores case, None where no name shows it; and the folders in it."""
    names: list[str] = []
    folders: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(_NAMES), strict=False):
                names.append(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
    except OSError:
        return None, []
    name = next((name for name in names if _swapped(name) != name), None)
    if name is None:
        return None, folders
    try:
        os.lstat(folder / _swapped(name))
    except OSError:
        return False, folders
    # It is there; but is it another file? Numbers of files prove nothing on FUSE, which may make one up for each name.
    return not _lists(folder, _swapped(name)), folders


def _swapped(name: str) -> str:
    """The name with the case of its ASCII letters swapped: file systems disagree about the others."""
    return "".join(character.swapcase() if character.isascii() else character for character in name)


def _lists(folder: Path, name: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.name == name for entry in entries)
    except OSError:
        return True


def _type_of(folder: Path) -> str:
    """The type of the file system, from /proc/mounts; "" where that does not say."""
    path = os.path.realpath(folder)
    found = ("", "")
    try:
        lines = Path("/proc/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, where, kind, *_ = line.split(" ")
        where = where.replace("\\040", " ")
        if (path == where or path.startswith(where.rstrip("/") + "/")) and len(where) >= len(found[0]):
            found = (where, kind)
    return found[1]
