"""A user who works in a library while the program does, and who remembers every content that must still exist."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import count
from random import Random
from typing import NamedTuple

from tests.places import digest
from tests.stores import Drive, Store


class Done(NamedTuple):
    """What the user has done."""

    path: str
    handles: frozenset[str]
    """What requests call the file and its folder."""
    content: str | None
    """What he has put there."""


class User:
    """A user at work in one location."""

    def __init__(self, random: Random, store: Store, names: Iterable[str], *, keeps_times: bool) -> None:
        """`names`: paths at which he likes to put files, such as the program's destinations.

        `keeps_times`: he rewrites files without a change of their size and time.
        """
        self.store = store
        self._random = random
        self._names = [*names]
        self._keeps_times = keeps_times
        self._numbers = count(1)
        self.known: set[str] = set()
        """Every content that ever was whole under a name."""
        self.destroyed: set[str] = set()
        """The contents that he replaced or deleted himself."""
        self.log: list[str] = []
        self._acts: list[Callable[[str], bool]] = [
            *(self._create, self._create, self._replace, self._delete, self._rename, self._rewrite, self._move_folder)
        ]
        if isinstance(store, Drive):
            self._acts += [self._add_second, self._add_shortcut, self._move_away, self._trash_folder]

    def act(self, spared: Collection[str] = ()) -> Done | None:
        """One change at a random place; None if nothing came of it.

        He leaves the paths of `spared`, and the folders that they are in, alone.
        """
        act = self._random.choice(self._acts)
        files = self._names if act == self._create else self.store.paths()
        if not files:
            return None
        path = self._random.choice(files)
        if any(f"/{one}".endswith(f"/{path}") or _same_folder(one, path) for one in spared):
            return None
        before = self.store.handles(path)
        self._content: str | None = None
        if not act(path):
            return None
        self.log.append(f"{act.__name__[1:]} {path}")
        return Done(path, frozenset(before | self.store.handles(path)), self._content)

    def _fresh(self) -> bytes:
        """A new content, which is about to be put somewhere."""
        where = self.store.place.location.rpartition("/")[2]
        content = f"the user's file {next(self._numbers)} in {where} ".encode() * self._random.choice([1, 2000])
        self._content = digest(content)
        self.known.add(self._content)
        return content

    def _create(self, path: str) -> bool:
        return self._put(self.store.create, path)

    def _add_second(self, path: str) -> bool:
        assert isinstance(self.store, Drive)
        return self._put(self.store.add, path)

    def _put(self, put: Callable[[str, bytes], bool], path: str) -> bool:
        content = self._fresh()
        if put(path, content):
            return True
        self.known.discard(digest(content))
        return False

    def _replace(self, path: str) -> bool:
        content = self._fresh()
        if self._destroys(self.store.replace(path, content)):
            return True
        self.known.discard(digest(content))
        return False

    def _delete(self, path: str) -> bool:
        return self._destroys(self.store.delete(path))

    def _trash_folder(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        return bool(folder) and self._destroys(self.store.delete(folder))

    def _rename(self, path: str) -> bool:
        name, dot, extension = path.rpartition(".")
        return self.store.rename(path, f"{name} renamed{next(self._numbers)}{dot}{extension}")

    def _rewrite(self, path: str) -> bool:
        """The end of the file, with its size kept."""
        changed = self.store.rewrite(path, f"{next(self._numbers):08}".encode(), keeps_times=self._keeps_times)
        if changed is None:
            return False
        old, self._content = changed
        self.known.add(self._content)
        return self._destroys({old})

    def _move_folder(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        return bool(folder) and self.store.rename(folder, f"{folder} moved{next(self._numbers)}")

    def _move_away(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        return bool(folder) and self.store.rename(folder, f"elsewhere{next(self._numbers)}/{folder.rpartition('/')[2]}")

    def _add_shortcut(self, path: str) -> bool:
        assert isinstance(self.store, Drive)
        folder = path.rpartition("/")[0]
        return bool(folder) and self.store.shortcut(
            f"{folder}/shortcut{next(self._numbers)}.mp3", self._random.choice([path, folder])
        )

    def _destroys(self, contents: set[str] | None) -> bool:
        self.destroyed |= contents or set()
        return contents is not None


def _same_folder(one: str, path: str) -> bool:
    folder = path.rpartition("/")[0]
    return bool(folder) and f"/{folder}/" in f"/{one}"
