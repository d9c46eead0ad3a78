"""Discs and albums in the names of folders and files, such as "CD1", "Disc 2 - Title", "Album (CD 2)", "1-05 Title"."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from orchestrator.paths import join_path, parent_of, split_path

_WORDS = (
    r"(?:cd|dis[ck]s?|disque|disco|vinyl|lp|side|seite|part|teil|platte|vol(?:ume)?|диск|ディスク)[\s._#-]*"
    r"(?P<disc>\d{1,2}|[a-d]|one|two|three|four|five|six|i{1,3}|iv|vi{0,3}|ix|x)(?![^\W_])"
)
_WHOLE = re.compile(rf"{_WORDS}.*", re.IGNORECASE)
_AFTER = re.compile(rf"(?P<album>.+?)[\s._-]*[\s._(\[{{-]{_WORDS}[\s)\]}}]*(?P<rest>.*)", re.IGNORECASE)
_BARE = re.compile(r"[(\[]?(?P<disc>\d{1,2})[)\]]?")
_BARE_AFTER = re.compile(r"(?P<album>.+?)[\s_-]*[(\[](?P<disc>\d{1,2})[)\]]")
_NUMBERS = {"a": 1, "b": 2, "c": 3, "d": 4, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_TRACK_NAME = re.compile(r"(?:cd|dis[ck]|d)?[\s._]*(?P<disc>\d{1,2})[\s._]*[-._xt][\s._]*(?P<track>\d{1,3})(?!\d)", re.IGNORECASE)
_TRACK_DIGITS = re.compile(r"(?P<disc>\d{1,2})(?P<track>\d\d)(?!\d)")


class DiscFolder(NamedTuple):
    """What the name of a folder says about discs."""

    album: str
    """The folder of the album: the one above, or its name without the disc below the one above."""
    disc: int | None
    """None if the folder is that of the album."""
    certain: bool = True
    """Whether a word such as "CD" says so. A bare number, as in "Album (2)", may also count copies."""


@lru_cache(maxsize=4096)
def disc_folder(folder: str) -> DiscFolder:
    """The album and disc of a folder, by its path."""
    above, name = split_path(folder)
    for pattern, certain in ((_WHOLE, True), (_AFTER, True), (_BARE, False), (_BARE_AFTER, False)):
        found = pattern.fullmatch(name)
        if found is not None and (disc := _number(found["disc"])):
            groups = found.groupdict()
            album = " ".join(filter(None, (groups.get("album"), groups.get("rest"))))
            return DiscFolder(join_path(above, album) if album else above, disc, certain)
    return DiscFolder(folder, None)


def disc_of_folder(path: str) -> int | None:
    """The disc that a word in the name of a file's folder tells; None if there is none."""
    found = disc_folder(parent_of(path))
    return found.disc if found.certain else None


def album_folder(path: str) -> str:
    """The folder of a file's album: its folder, or the one above that if its folder is one disc by its name."""
    folder = parent_of(path)
    found = disc_folder(folder)
    return found.album if found.certain else folder


def disc_in_name(name: str, track: int | None) -> int | None:
    """The disc in the name of a file, if it stands before the file's own track number: 2 in "2-04 Star" and in "204 Star"."""
    for pattern in (_TRACK_NAME, _TRACK_DIGITS):
        found = pattern.match(name)
        if found is not None and int(found["track"]) == track and int(found["disc"]):
            return int(found["disc"])
    return None


def _number(text: str) -> int:
    name = text.casefold()
    if name.isdecimal():
        return int(name)
    return _NUMBERS.get(name) or _ROMAN.index(name) + 1
