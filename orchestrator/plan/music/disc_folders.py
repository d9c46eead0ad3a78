"""Folders that are one disc of an album: `CD1`, `Disc 02 - Title`, `Side A`."""

from __future__ import annotations

import re

from orchestrator.paths import name_of, parent_of, split_path

_DISC_FOLDER = re.compile(
    r"(?:cd|dis[ck]s?|disque|disco|vinyl|lp|side|part)[\s._-]*(?P<disc>\d{1,2}|[a-d]|one|two)\b.*", re.IGNORECASE
)
_DISC_NAMES = {"a": 1, "b": 2, "c": 3, "d": 4, "one": 1, "two": 2}


def disc_of_folder(path: str) -> int | None:
    """The disc number in the name of a file's folder; None if there is none."""
    found = _DISC_FOLDER.fullmatch(name_of(parent_of(path)))
    if found is None:
        return None
    name = found["disc"].casefold()
    return int(name) if name.isdecimal() else _DISC_NAMES[name]


def album_folder(path: str) -> str:
    """The folder of a file's album: its folder, or the one above that if its folder is one disc."""
    folder = parent_of(path)
    above, name = split_path(folder)
    return above if above and _DISC_FOLDER.fullmatch(name) else folder
