"""Whether the disk of a folder is mounted, and what kind of file system it is on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_FSTAB = Path("/etc/fstab")
_MOUNTS = Path("/proc/self/mounts")
_FOR_DISKS = ("/mnt/", "/media/", "/run/media/", "/Volumes/")
"""Where disks are mounted by habit (Filesystem Hierarchy Standard 3.0, sections 3.11 and 3.12; macOS)."""
_OVER_THE_NETWORK = re.compile(r"nfs4?|cifs|smb\w*|9p|afs|ceph|fuse\.(?:sshfs|glusterfs|s3fs|rclone)|davfs\w*")
"""Types of file systems whose locks depend on a server."""


class Unmounted(NamedTuple):
    """A disk that is not mounted."""

    message: str
    remedy: str
    certain: bool


def why_not_mounted(folder: str, *, empty: bool) -> Unmounted | None:
    """What is not mounted of a folder, by /etc/fstab or, if it is empty, by where it is; None if nothing says so."""
    path = Path(folder)
    for point in _mount_points():
        if (path == point or point in path.parents) and not os.path.ismount(point):
            return Unmounted(f"{point} is in {_FSTAB}, and not mounted", f"`mount {point}`", certain=True)
    if empty and folder.startswith(_FOR_DISKS) and not any(map(os.path.ismount, (path, *path.parents[:-1]))):
        return Unmounted(
            "is empty, and no disk is mounted there", "mount it, if the files are on a disk of their own", certain=False
        )
    return None


def network_file_system(folder: Path) -> str | None:
    """The type of the file system of a folder, if it is on another machine; None if it is not, or nobody knows."""
    best, kind = "", ""
    with suppress(OSError):
        real = os.path.realpath(folder)
        for line in _MOUNTS.read_text(errors="surrogateescape").splitlines():
            fields = line.split(" ")
            point = _decoded(fields[1])
            inside = real == point or real.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, fields[2]
    return kind if _OVER_THE_NETWORK.fullmatch(kind) else None


def _mount_points() -> Iterator[Path]:
    """The folders of /etc/fstab on which a disk is to be mounted."""
    with suppress(OSError):
        for line in _FSTAB.read_text(errors="surrogateescape").splitlines():
            fields = line.split()
            if len(fields) >= 2 and not fields[0].startswith("#") and fields[1].startswith("/") and fields[1] != "/":
                yield Path(_decoded(fields[1]))


def _decoded(field: str) -> str:
    r"""A field of such a table, which has \040 for a space."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
