"""What the names of files and folders say that equal tags do not: two concerts, radio shows, parts, pressings or masters.

Programs that write the same tags into all their recordings, and people who only name the folder of another pressing, leave the
difference in names alone. A name only separates from another one that says something else; a name that says nothing does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from orchestrator.paths import name_of, parent_of, split_extension
from orchestrator.plan.companions.album_folders import FORMAT_WORDS
from orchestrator.plan.music.disc_folders import album_folder
from orchestrator.plan.music.spelling import fold
from orchestrator.plan.music.tag_values import MAX_VALUE
from orchestrator.plan.planners.dedup.version_words import without_version_words
from orchestrator.tags.written_dates import date_of, year_of
from orchestrator.track import AudioIdentity, Reading, Track

_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"\d+|(?<![^\W_])(?:[a-z]|i{2,3}|iv|vi{1,3}|ix)(?![^\W_])")
"""Digits, a Roman number or a single letter."""
_FOUR_DIGITS = re.compile(r"\d{4}")
"""Every date has a year."""
_SAYING = re.compile(r"[^\W_]")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_FULL_DATE = len("2006-05-28")
_GROUP = re.compile(r"\A(\S+)-\w+\Z")
"""Who released it, at the end of the names of the scene: `Leo_Low-Late_Night-WEB-2010-GRP`."""
_NOTES = re.compile(
    r"\d+(?:[.,]\d+)?\s*-?(?:bits?|k?hz|k?bps|kbit(?:s|/s)?|k)(?![^\W\d_])"
    r"|(?<!\d)(?:16|24|32)\s*[-_/ ]\s*\d{2,3}(?:[.,]\d)?(?!\d)"
    r"|(?<![^\W_])(?:v\d(?!\d)|(?:mp3|m4a|mp4|dsd)\W*\d*)"
    r"|(?<!\d)(?:64|96|128|160|192|224|256|320)(?!\d)",
    re.IGNORECASE,
)
"""Notes on the format, which the sound itself tells better: "24-96", "320 kbps", "V0"."""
_COPIES = frozenset(
    {"copy", "copies", "backup", "kopie", "copie", "copia", "new", "old", "neu", "alt", "duplicate", "dup", "dupes"}
)


class NameOfFile:
    """What the name of a file says, found out when it is asked: most files differ in nothing, or in something else."""

    __slots__ = ("_named", "_path", "_reading")

    def __init__(self, path: str, reading: Reading) -> None:
        self._path = path
        self._reading = reading
        self._named: Named | None = None

    def agrees(self, other: NameOfFile) -> bool:
        """Whether the names do not tell two recordings apart. They never do for what sounds the same."""
        if self._reading.identity is not None and self._reading.identity == other._reading.identity:
            return True
        mine, theirs = self.named(), other.named()
        return mine is None or theirs is None or mine.agrees(theirs)

    def named(self) -> Named | None:
        """What it says; None for nothing."""
        if self._named is None:
            self._named = self._find(self._path, self._reading)
        return self._named

    def _find(self, path: str, reading: Reading) -> Named | None:
        return named_file(path, reading)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NameOfFile) and self.named() == other.named()

    def __hash__(self) -> int:
        return hash(self.named())


class NameOfFolder(NameOfFile):
    """The same of the name of the folder of its album."""

    __slots__ = ()

    def _find(self, path: str, reading: Reading) -> Named | None:
        return named_folder(path, reading)


class Named(NamedTuple):
    """What one name says."""

    sound: AudioIdentity | None
    """Of the file: names do not tell apart what sounds the same."""
    date: str
    """The first date with a day, "" if there is none."""
    years: frozenset[str]
    """The years that the tags do not have."""
    form: str
    """The name without its numbers."""
    numbers: tuple[str, ...]
    """Without zeros before them."""
    titled: bool = False
    """Whether it is that of a folder and has the album's title: a year in it is that of the album."""
    words: frozenset[str] = frozenset()
    """What it adds to the title of the album or song, if neither the tags nor the sound explain it."""

    def agrees(self, other: Named) -> bool:
        """Whether the names do not tell two recordings apart."""
        if self.sound is not None and self.sound == other.sound:
            return True
        both = ((self.date, other.date), (self.years, other.years), (self.words, other.words))
        if any(mine and theirs and mine != theirs for mine, theirs in both):
            return False
        if self.titled and other.titled and self.years != other.years:
            return False
        return self.form != other.form or self.numbers == other.numbers


def named_file(path: str, reading: Reading) -> Named:
    """What the name of a file says. Its years may be those of its title, and its number may have the disc before it."""
    track, stem = reading.track or Track(), split_extension(name_of(path))[0]
    found = _named(stem, reading)
    place, number = f"{track.disc or 1}{track.track or 0:02}", str(track.track or "")
    words = _unexplained(stem, track) if _has(stem, track.title) else frozenset[str]()
    return found._replace(numbers=tuple(number if one == place else one for one in found.numbers), words=words)


def named_folder(path: str, reading: Reading) -> Named | None:
    """What the name of the folder of a file's album says; None for no folder."""
    folder, track = album_folder(path), reading.track or Track()
    while folder and not _SAYING.search(_without_notes(name_of(folder))):
        folder = parent_of(folder)
    name = name_of(folder)
    if not name:
        return None
    said = (*track.album, *track.artist, *track.album_artist)
    years = frozenset(_YEAR.findall(name)).difference(
        (year_of(track.date), year_of(track.original_date)), *(_YEAR.findall(text[:MAX_VALUE]) for text in said)
    )
    titled = _has(name, track.album)
    whole = name if titled else f"{name_of(parent_of(folder))} {name}"
    words = _unexplained(whole, track) if _has(whole, track.album) else frozenset[str]()
    return _named(name, reading)._replace(years=years, titled=titled, words=words)


def _named(name: str, reading: Reading) -> Named:
    date = date_of(name) if _FOUR_DIGITS.search(name) else ""
    plain = fold(_without_notes(name))
    number = _NUMBER if len(_WORD.findall(plain)) > 1 else _DIGITS  # a letter that stands alone counts nothing
    numbers = tuple(found.lstrip("0") for found in number.findall(plain))
    form = " ".join(number.sub("0", plain).split())
    return Named(reading.identity, date if len(date) == _FULL_DATE else "", frozenset(), form, numbers)


@lru_cache(maxsize=4096)
def _without_notes(name: str) -> str:
    """A name without what it says of the format."""
    plain = _NOTES.sub(" ", name)
    return _WORD.sub(lambda found: "" if found.group().casefold() in FORMAT_WORDS else found.group(), plain)


def _has(name: str, title: Sequence[str]) -> bool:
    words = _words(title)
    return bool(words) and words <= _words([name])


def _unexplained(name: str, track: Track) -> frozenset[str]:
    """The words of a name without those that the tags have and without notes on the format."""
    words = _words([without_version_words(_without_notes(_GROUP.sub(r"\1", name)))])
    stated = (
        *(
            *track.title,
            *track.album,
            *track.artist,
            *track.album_artist,
            *track.album_artist_sort,
            *track.genre,
            *track.release_type,
        ),
        *(track.label, track.catalogue_number, track.media, track.edition, track.venue, track.disc_subtitle, track.date),
    )
    return words - _words(filter(None, stated)) - FORMAT_WORDS - _COPIES


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(_words_of, texts))


@lru_cache(maxsize=4096)
def _words_of(text: str) -> frozenset[str]:
    """Cached, because the songs of an album share most of their tags and their folder."""
    return frozenset(_WORD.findall(fold(text[:MAX_VALUE])))
