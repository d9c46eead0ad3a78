"""The first habit that all files of a folder have, if what it tells makes sense.

A name that can be read in two ways is not read: an artist that is called "Downloads" or "1996", an album "Foo - Bar" whose folder
lies in that of another artist, numbers that may belong to titles ("99 Luftballons").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from orchestrator.plan.file_names.habits import HABITS, SHELVES, Habit
from orchestrator.plan.file_names.pattern import Pattern, pattern_of
from orchestrator.plan.file_names.told import Told, date_told, is_of_several, is_possible
from orchestrator.plan.music.spelling import fold, letters_of

_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}(?:[-._/][0-9]{2,4})*")
_NUMBER: Final = re.compile(
    r"(?:cd|dis[ck]|track|side|part|vol|volume)?[\s._-]*#?(?:[0-9]{1,3}|[A-D][0-9]{1,2})[.)]?", re.IGNORECASE
)
_BEGINS_WITH_NUMBER: Final = re.compile(r"[0-9]{1,3}[\s._)-]|[0-9]{1,3}$")
_PART: Final = re.compile(r"(?:cd|dis[ck]|side|seite|part|teil)[\s._-]*(?:[0-9]{1,2}|[a-d]|i{1,3})", re.IGNORECASE)
_HOLDS_NUMBER: Final = re.compile(r"(?:^|-\s*)[0-9]{1,3}(?:[\s._)-]|$)")
_SHORT: Final = re.compile(r".|0-9|[a-z0-9#]\s?-\s?[a-z]", re.IGNORECASE)
"""Folders by the first letter of artists: "M", "A-C"."""
_FEW: Final = 2
"""Fewer titles show no habit."""
_OF_ALBUM: Final = re.compile(r" - |(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
"""What folders of albums have in their names."""
_IN_BRACKETS: Final = re.compile(r"[(\[](?:19|20)[0-9]{2}[)\]]")
"""What names of artists do not have: a year in brackets."""
_END_OF_SCENE: Final = re.compile(r"-(?:19|20)[0-9]{2}-[^\s-]+$")
"""What titles of albums do not have: the end of a name of the scene, whose beginning was not understood."""


def is_shelf(name: str) -> bool:
    """Whether the name of a folder says that it holds music of many artists; "" is the location itself."""
    return not name or _is_no_artist(name) or bool(_SHORT.fullmatch(name))


def _is_no_artist(name: str) -> bool:
    return _is_of_shelf(name) or _YEAR.fullmatch(name) is not None


def _is_of_shelf(name: str) -> bool:
    return name.strip().casefold().replace(" ", "_") in SHELVES


class Shelf(Enum):
    """What is known of a folder that holds folders named "Foo - Bar"."""

    UNKNOWN = "unknown"
    SEVERAL = "several"
    """It holds such folders by several artists."""
    ALBUMS = "albums"
    """It holds folders of albums without an artist in their names: it may be that of their artist."""
    ARTIST = "artist"
    """It is named like an artist that tags name."""


class Folders(NamedTuple):
    """Where files lie."""

    names: Sequence[str]
    """The folders above, without those of discs."""
    discs: Sequence[int | None]
    """For each file, the disc that its folder tells."""
    shelf: Shelf = Shelf.UNKNOWN
    """What is known of the folder above."""
    is_own_form: bool = False
    """Whether the layout gives such names: they may be its own."""


def automatic(
    folders: Folders, stems: Sequence[str], is_possible_for_all: Callable[[Sequence[Told]], bool]
) -> tuple[Pattern, list[Told]] | None:
    """The pattern of the first habit that fits, and what it tells for each file; None if none does.

    `stems`: the names of the files, without extensions. `is_possible_for_all` is asked whether what a habit tells can be true.
    """
    for habit, of_folder in _habits_of(folders):
        for pattern in map(_part, habit.files):
            told = _told_by_all(pattern, of_folder, folders.discs, stems)
            if told is not None and _makes_sense(pattern, told, folders) and is_possible_for_all(told):
                return pattern_of(f"{habit.folders}/{pattern.text}".lstrip("/")), told
    return None


@lru_cache(maxsize=256)
def _part(text: str) -> Pattern:
    return pattern_of(text, whole=False)


def _habits_of(folders: Folders) -> Iterator[tuple[Habit, Told]]:
    """The habits that the names of the folders fit, each with what they tell."""
    for habit in HABITS:
        if not habit.folders:
            yield habit, {}
            continue
        told = _part(habit.folders).match(folders.names)
        if told is None or not _is_sensible_folder(habit, told, folders):
            continue
        if not habit.is_one_folder or "various" in told or _is_its_own_artist(told["artist"], folders):
            yield habit, told


def _is_its_own_artist(artist: str, folders: Folders) -> bool:
    """Whether "Foo" in the folder "Foo - Bar" is an artist, although the folder above may be the artist of "Foo - Bar"."""
    above = folders.names[-2] if len(folders.names) > 1 else ""
    if is_shelf(above) or _same(above, artist):
        return True
    if folders.shelf is not Shelf.UNKNOWN:
        return folders.shelf is Shelf.SEVERAL
    is_below_shelf = len(folders.names) > 2 and is_shelf(folders.names[-3])  # as in "Rock/Bob/Foo - Bar"
    return not (is_below_shelf or folders.is_own_form or len(artist) == 1)


def _is_sensible_folder(habit: Habit, told: Told, folders: Folders) -> bool:
    if "date" in told and len(date_told(told) or "") < len("2004-05-06"):
        return False
    return is_possible(told) and _is_sensible_artist(habit, told) and _is_sensible_album(habit, told, folders)


def _is_sensible_artist(habit: Habit, told: Told) -> bool:
    artist = told.get("artist", "")
    if not artist:
        return True
    if is_of_several(artist) or _is_no_artist(artist) or not _is_balanced(artist) or _IN_BRACKETS.search(artist):
        return False
    return not habit.folders.startswith("{artist}/") or not (is_shelf(artist) or " - " in artist)


def _is_sensible_album(habit: Habit, told: Told, folders: Folders) -> bool:
    album, is_below_artist = told.get("album", ""), "/{album}" in habit.folders
    if not _is_balanced(album) or _END_OF_SCENE.search(album):
        return False
    if is_below_artist and " - " in album and "various" not in told and folders.shelf is not Shelf.ARTIST:
        return False  # a title, or another artist and his album
    if not habit.folders.endswith("{album}") or "year" in told:
        return True
    # Nothing else says that this is an album.
    return not (_is_of_shelf(album) or _PART.fullmatch(album)) and (is_below_artist or not _YEAR.fullmatch(album))


def _is_balanced(name: str) -> bool:
    """Whether each bracket is closed: otherwise a pattern took the name apart in the wrong place."""
    return all(name.count(opened) == name.count(closed) for opened, closed in ("()", "[]", "{}"))


def _told_by_all(pattern: Pattern, of_folder: Told, discs: Sequence[int | None], stems: Sequence[str]) -> list[Told] | None:
    """What the pattern tells for every file, together with its folder; None if one does not fit."""
    found: list[Told] = []
    for disc, stem in zip(discs, stems, strict=True):
        told = pattern.match((stem,))
        if told is None or any(not _same(told[field], of_folder[field]) for field in told.keys() & of_folder.keys()):
            return None
        found.append(({"disc": str(disc)} if disc else {}) | told | dict(of_folder))
    return found


def _same(one: str, other: str) -> bool:
    return fold(one) == fold(other) or bool(letters_of(one) and letters_of(one) == letters_of(other))


def _makes_sense(pattern: Pattern, told: Sequence[Told], folders: Folders) -> bool:
    return (
        all(map(is_possible, told))
        and _are_artists(pattern, told, folders)
        and _are_titles(pattern, told)
        and ("track" not in pattern.fields or _are_numbers(pattern, told))
    )


def _are_artists(pattern: Pattern, told: Sequence[Told], folders: Folders) -> bool:
    if "artist" not in pattern.fields:
        return True
    if any(_NUMBER.fullmatch(one["artist"]) or _is_no_artist(one["artist"]) for one in told):
        return False
    if pattern.text == "{artist} - {title}" and "album" not in told[0]:
        # Files of no album: neither "Artist - Album - Title", nor a sampler that would be scattered.
        is_sampler = len(told) > 1 and bool(folders.names) and _OF_ALBUM.search(folders.names[-1]) is not None
        return (
            not is_sampler
            and not any(" - " in one["title"] for one in told)
            and not _are_numbered([one["artist"] for one in told])
        )
    return True


def _are_numbered(names: Sequence[str]) -> bool:
    """Whether names begin with track numbers: "01 Ann", but not "50 Cent" in all of them."""
    numbers = [found.group().strip(" ._)-") for name in names if (found := _BEGINS_WITH_NUMBER.match(name))]
    return any(number.startswith("0") for number in numbers) or (len(numbers) == len(names) and len(set(numbers)) > 1)


def _are_titles(pattern: Pattern, told: Sequence[Told]) -> bool:
    if "title" not in pattern.fields or "artist" in pattern.fields:
        return True
    titles = [one["title"] for one in told]
    if "various" in told[0] or pattern.text == "{title}":
        # Titles that do not hold the artist as well.
        has_numbers = pattern.text == "{title}" and any(map(_BEGINS_WITH_NUMBER.match, titles))
        return not has_numbers and not any(" - " in title for title in titles)
    return not _looks_like_sampler(titles)


def is_doubtful_place(told: Told) -> bool:
    """Whether a name that has the form of the layout's names is hardly one of them: it would count as being in its place."""
    artist = told.get("albumartist") or told.get("artist") or ""
    return _is_no_artist(artist) or ("track" not in told and _HOLDS_NUMBER.search(told.get("title", "")) is not None)


def _looks_like_sampler(titles: Sequence[str]) -> bool:
    """Whether all titles are "Artist - Title", each by another artist. Movements of one work have its name in common."""
    names = [title.partition(" - ") for title in titles]
    return len(names) >= _FEW and all(dash for _, dash, _ in names) and len({fold(name) for name, _, _ in names}) == len(names)


def _are_numbers(pattern: Pattern, told: Sequence[Told]) -> bool:
    """Whether the numbers are those of tracks: none twice, and written as numbers of tracks are."""
    titles: dict[tuple[str, str], set[str]] = {}
    for one in told:
        titles.setdefault((one.get("disc", ""), one["track"].upper()), set()).add(fold(one.get("title", "")))
    if any(len(found) > 1 for found in titles.values()):
        return False
    numbers = [number for _, number in titles]
    if not all(number.isdecimal() for number in numbers):
        return len(numbers) > 1 and any(number.endswith("1") for number in numbers)
    if "{disc}{track}" in pattern.text:
        return len(numbers) > 1 and len({int(number) for number in numbers} - {0}) == len(set(numbers))
    return not pattern.bare_number or "disc" in pattern.fields or _are_certain(numbers)


def _are_certain(numbers: Iterable[str]) -> bool:
    """Whether numbers that only a space separates from the title are certain: one begins with 0, or they are 1 to n."""
    texts = sorted(set(numbers), key=int)
    padded = len({len(text) for text in texts}) == 1 and texts[0].startswith("0")
    return padded or ([int(text) for text in texts] == list(range(1, len(texts) + 1)) and len(texts) > 1)
