"""What users do with their files at random, in a location of any kind."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.plan.sync.worlds import DAY, START, ImpossibleError

FOLDERS = ("", "d", "d/in", "e", "D", "live", "live-1")
NAMES = ("f1", "f2", "F1", "é", unicodedata.normalize("NFD", "é"), "d", "x.flac", "cover.jpg")
CONTENTS = ("", "one", "two", "same", "s|t1", "s|t2", "s|t1#1", "s2|t1")
NEW_CONTENTS = (*CONTENTS, "new", "newer")
PATHS = tuple(f"{folder}/{name}" if folder else name for folder in FOLDERS for name in NAMES)
MOVES = ("rename", "rename-over", "swap", "ring", "folder", "into-folder", "to-folder", "case", "form")
EDITS = (*MOVES, "new", "delete", "edit", "keep-time", "touch", "copy", "again", "cut", "restore")
Edit = tuple[int, str, int, str, str]
"""Whose, what, which file, and a path and a content for what needs them."""


class Editable(Protocol):
    """A location, as its user sees it. What is impossible there raises ImpossibleError."""

    @property
    def tree(self) -> dict[str, str]:
        """Path -> content."""

    def put(self, path: str, content: str, mtime: int = START) -> None:
        """A new file."""

    def edit(self, path: str, content: str, mtime: int | None = None) -> None:
        """Another content; None: the time stays."""

    def rename(self, old: str, new: str, *, over: bool = False) -> None:
        """`over`: whatever is there is replaced."""

    def rename_folder(self, old: str, new: str) -> None:
        """With everything in it."""

    def rotate(self, paths: Sequence[str]) -> None:
        """Each file gets the name of the next one, the last one that of the first."""

    def delete(self, path: str) -> None:
        """The file is gone."""

    def trying(self, act: Callable[[], None]) -> bool:
        """Whether it was possible; otherwise nothing has changed."""


def make(place: Editable, edit: Edit, time: int) -> None:
    """One edit by the user of a place. Raises ImpossibleError."""
    _, kind, number, path, content = edit
    known = sorted(place.tree)
    if kind == "new":
        place.put(path, content, time)
        return
    if not known:
        raise ImpossibleError
    one, two, three = (known[(number + step) % len(known)] for step in range(3))
    if kind == "delete":
        place.delete(one)
    elif kind == "edit":
        place.edit(one, content, time)
    elif kind == "keep-time":
        place.edit(one, place.tree[one][::-1])
    elif kind == "touch":
        place.edit(one, place.tree[one], time)
    elif kind == "cut":
        place.edit(one, place.tree[one][:-1], time)
    elif kind == "restore":
        place.edit(one, content, time - 1000 * DAY)
    elif kind == "rename":
        place.rename(one, path)
    elif kind == "rename-over":
        place.rename(one, two, over=True)
    elif kind == "copy":
        place.put(path, place.tree[one], time)
    elif kind == "again":
        same = place.tree[one]
        place.delete(one)
        place.put(one, same, time)
    elif kind == "case":
        place.rename(one, one.swapcase())
    elif kind == "form":
        place.rename(one, unicodedata.normalize("NFD" if unicodedata.is_normalized("NFC", one) else "NFC", one))
    elif kind == "to-folder":
        place.rename(one, "tmp")
        place.rename("tmp", f"{one}/x")
    elif kind in {"swap", "ring"} and len({one, two, three}) == 3:
        place.rotate((one, two) if kind == "swap" else (one, two, three))
    elif "/" in one:
        folder = one.rpartition("/")[0]
        place.rename_folder(folder, path if kind == "folder" else f"{path}/{folder}")


def tried(place: Editable, edit: Edit, time: int) -> bool:
    """One edit, if it is possible there."""
    return place.trying(lambda: make(place, edit, time))
