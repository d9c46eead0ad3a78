"""A user who works in a library on a disk while the program does, and who remembers every content that must still exist.

Each act is one atomic change of one name, so that it is known which content the user himself destroyed, and which not.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from random import Random

OWN = ".music-orchestrator"
_NOREPLACE, _EXCHANGE = 1, 2
_HERE = -100  # AT_FDCWD
_libc = ctypes.CDLL(None, use_errno=True)


def _rename(old: Path, new: Path, flags: int) -> bool:
    """renameat2; False if a name is missing or taken."""
    if _libc.renameat2(_HERE, os.fsencode(old), _HERE, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL}:
        return False
    raise OSError(number, os.strerror(number), str(new))


def digest(content: bytes) -> str:
    """Identifies a content."""
    return hashlib.sha256(content).hexdigest()


class User:
    """A user at work below `roots`. `desk` is a directory of his own on the same file system."""

    def __init__(self, random: Random, roots: Iterable[Path], desk: Path, names: Iterable[str], *, keeps_times: bool) -> None:
        """`names`: paths at which he likes to put files, such as the program's destinations.

        `keeps_times`: he rewrites files without a change of their size and time. Only a disk shows that, by its change time.
        """
        self._random = random
        self._roots = [*roots]
        self._desk = desk
        self._names = [*names]
        self._keeps_times = keeps_times
        self._numbers = count(1)
        self.known: set[str] = set()
        """Every content that ever was whole under a name."""
        self.destroyed: set[str] = set()
        """The contents that he replaced or deleted himself."""
        self.log: list[str] = []

    @property
    def must_exist(self) -> set[str]:
        """The contents that nobody may have destroyed."""
        return self.known - self.destroyed

    def notice(self, contents: Iterable[str]) -> None:
        """The contents that are there at the beginning."""
        self.known.update(contents)

    def act(self, spared: Iterable[str] = ()) -> str | None:
        """One change at a random place; returns the path below its root, or None if nothing came of it.

        He leaves the paths of `spared`, and the folders that they are in, alone.
        """
        act = self._random.choice(
            [self._create, self._create, self._replace, self._delete, self._rename, self._rewrite, self._move_folder]
        )
        root = self._random.choice(self._roots)
        path = self._pick(root, act == self._create)
        if path is None or any(f"/{one}".endswith(f"/{path}") or _same_folder(one, path) for one in spared):
            return None
        if not act(root, path):
            return None
        self.log.append(f"{act.__name__[1:]} {root.name}/{path}")
        return path

    def _pick(self, root: Path, new: bool) -> str | None:
        if new:
            return self._random.choice(self._names)
        files = sorted(visible_files(root))
        return self._random.choice(files) if files else None

    def _fresh(self) -> tuple[Path, str]:
        number = next(self._numbers)
        content = f"the user's file {number} ".encode() * self._random.choice([1, 2000])
        file = self._desk / f"new{number}"
        file.write_bytes(content)
        self.known.add(digest(content))
        return file, digest(content)

    def _create(self, root: Path, path: str) -> bool:
        file, content = self._fresh()
        with contextlib.suppress(OSError):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if _rename(file, root / path, _NOREPLACE):
                return True
        self.known.discard(content)
        return False

    def _replace(self, root: Path, path: str) -> bool:
        file, content = self._fresh()
        if _rename(file, root / path, _EXCHANGE):
            self._destroy(file)
            return True
        self.known.discard(content)
        return False

    def _delete(self, root: Path, path: str) -> bool:
        file = self._desk / f"deleted{next(self._numbers)}"
        if not _rename(root / path, file, _NOREPLACE):
            return False
        self._destroy(file)
        return True

    def _rename(self, root: Path, path: str) -> bool:
        name, dot, extension = path.rpartition(".")
        return _rename(root / path, root / f"{name} renamed{next(self._numbers)}{dot}{extension}", _NOREPLACE)

    def _rewrite(self, root: Path, path: str) -> bool:
        """The end of the file, in place, with its size kept."""
        try:
            with (root / path).open("r+b") as file:
                old = file.read()
                times = os.fstat(file.fileno())
                new = old[:-8] + f"{next(self._numbers):08}".encode()
                self.known.add(digest(new))
                file.seek(0)
                file.write(new)
                file.flush()
                later_ns = 0 if self._keeps_times else 2 * 10**9
                os.utime(file.fileno(), ns=(times.st_atime_ns, times.st_mtime_ns + later_ns))
        except OSError:
            return False
        self.destroyed.add(digest(old))
        return True

    def _move_folder(self, root: Path, path: str) -> bool:
        folder = path.rpartition("/")[0]
        return bool(folder) and _rename(root / folder, root / f"{folder} moved{next(self._numbers)}", _NOREPLACE)

    def _destroy(self, file: Path) -> None:
        """What was under the name when he took it away."""
        if file.is_file() and not file.is_symlink():
            self.destroyed.add(digest(file.read_bytes()))


def _same_folder(one: str, path: str) -> bool:
    folder = path.rpartition("/")[0]
    return bool(folder) and f"/{folder}/" in f"/{one}"


def files_below(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a location, our own included, with its content."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(FileNotFoundError):
                yield path.relative_to(root).as_posix(), path.read_bytes()


def visible_files(root: Path) -> Iterator[str]:
    """The paths of a location without our own files."""
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if one != OWN]
        for name in names:
            yield Path(folder, name).relative_to(root).as_posix()
