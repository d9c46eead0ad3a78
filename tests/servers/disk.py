"""Other file systems: one in memory, and a disk of a few megabytes that a test can fill."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HOG = "of another program"
MEMORY = "/dev/shm"
"""Where Linux has a file system in memory."""

# Mounts at $1, and unmounts at the end.
_KEEPER = 'mount -t tmpfs -o "size=$2" tmpfs "$1" && echo ready && cat && umount --lazy "$1"'
_IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def on_another_file_system(directory: Path) -> Path:
    """A new directory on another file system than `directory`: in memory, or outside it."""
    above = (Path(one) for one in (MEMORY, tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(dir=next(one for one in above if one.stat().st_dev != directory.stat().st_dev)))


class SmallDisk:
    """A tmpfs, mounted as root or in a user namespace. `root` is its directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def leave(self, size: int) -> None:
        """Fill the disk, as another program might, until only `size` bytes are free."""
        self.free()
        with (self.root / HOG).open("wb", buffering=0) as hog:
            with contextlib.suppress(OSError):
                while True:
                    hog.write(bytes(64 * 1024))
            hog.truncate(max(0, hog.tell() - size))

    def make_read_only(self) -> None:
        """Nothing can be written from now on, by anybody. Only root can do this."""
        subprocess.run(["/bin/mount", "-o", "remount,ro", str(self.root)], check=True)

    def free(self) -> None:
        """Free that space again."""
        (self.root / HOG).unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(directory: Path, size: int) -> Iterator[SmallDisk]:
    """Mount a disk on `directory`: as root, or in a user namespace that is reached through /proc."""
    directory.mkdir()
    complaints = []
    for way in ((), _IN_A_NAMESPACE):
        command = [*way, "sh", "-c", _KEEPER, "keeper", str(directory), str(size)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as keeper:
            assert keeper.stdin is not None
            assert keeper.stdout is not None
            assert keeper.stderr is not None
            if keeper.stdout.readline() == "ready\n":
                try:
                    yield SmallDisk(Path(f"/proc/{keeper.pid}/root{directory}") if way else directory)
                finally:
                    keeper.stdin.close()
                    keeper.wait(30)
                return
            complaints.append(keeper.stderr.read().strip())
    pytest.fail(
        "a full disk cannot be tried here: this user may mount no tmpfs, with a user namespace or without "
        f"({'; '.join(complaints)}). Run the tests as root, or where user namespaces are allowed"
    )
