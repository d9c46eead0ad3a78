"""How tags are spelled: equal spellings, guests in names, years in dates, the most common value."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from orchestrator.plan.music.tag_values import ABSENT, MAX_VALUE, STAND_INS, text

_OPEN, _CLOSE = r"(\[{<\uff08\uff3b\u3010\u300c", r")\]}>\uff09\uff3d\u3011\u300d"
_WORD = r"(?:(?:feat|ft)(?:\.\s*|\s+)|featuring\s+|w[/_\u29f8]\s*)"
_WITH = r"(?:with|avec|mit|con|com)\s+"
_IN_BRACKETS = rf"[^{_OPEN}{_CLOSE}]*)[{_CLOSE}]"
_BARE = rf"\s*(?:[-\u2013\u2014/|,;_\u29f8]\s*|\s){_WORD}(?P<bare>[^{_OPEN}{_CLOSE}]*)"
GUEST = re.compile(rf"\s*[{_OPEN}]\s*{_WORD}(?P<bracket>{_IN_BRACKETS}|{_BARE}", re.IGNORECASE)
"""The part of a title or an artist that names guests: in brackets, or up to the next bracket."""
_GUEST_OF_ARTIST = re.compile(rf"\s*[{_OPEN}]\s*{_WITH}(?P<with>{_IN_BRACKETS}|{GUEST.pattern}", re.IGNORECASE)
"""In the name of an artist, "(with Bob)" names guests too; a title may be "Stay (With Me)"."""
_TWINS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00ad\u200c\u200d")
    | {"\u2026": "..."}
    | dict.fromkeys("".join(STAND_INS.values()), "_")
)
"""Letters that differ from others only in typography -> those others; None for invisible ones."""
_JOINT = re.compile(
    r"\s*(?:[,;|/_\u29f8]|\s[&+x]\s|\s[-\u2013\u2014]\s|\s(?:and|with|vs\.?|versus|y|und|et|con|e|presents|meets|mit|avec)\s)\s*",
    re.IGNORECASE,
)
_LONG = 5


@lru_cache(maxsize=65536)
def fold(value: str) -> str:
    """A spelling without its differences in Unicode form, typography, case, joiners and repeated spaces."""
    return " ".join(unicodedata.normalize("NFC", text(value).translate(_TWINS).casefold()).split())


@lru_cache(maxsize=65536)
def letters_of(value: str) -> str:
    """The letters of a name alone, without their accents unless the name is short: "V. A." is "va", but "Vá" is not."""
    letters = "".join(letter for letter in fold(value) if letter.isalpha())
    if len(letters) < _LONG:
        return letters
    return "".join(letter for letter in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(letter))


@lru_cache(maxsize=65536)
def without_guest(artist: str) -> str:
    """An artist's name up to "feat."."""
    found = _GUEST_OF_ARTIST.search(artist[:MAX_VALUE])
    return (found and artist[: found.start()].rstrip()) or artist


def guest_of(name: str) -> str:
    """The guests that an artist or title names, "" if none."""
    found = GUEST.search(name[:MAX_VALUE])
    return (found["bracket"] or found["bare"] or "").strip() if found else ""


def hosts(artist: str) -> Iterator[str]:
    """The text before each "&", "with" and so on, shortest first: one of these may be an artist, the rest company."""
    for found in _JOINT.finditer(artist):
        if found.start():
            yield artist[: found.start()].rstrip()


def parts_of(artist: str) -> list[str]:
    """The texts between "&", "with" and so on. They need not be artists: "Earth, Wind & Fire" has three."""
    return [part for part in _JOINT.split(artist) if part]


def common(values: Iterable[str | None]) -> str:
    """The most frequent value, the smallest if several are equally frequent; absent if there is none."""
    counts = Counter(value for value in values if value)
    if len(counts) == 1:
        return text(next(iter(counts)))
    return text(min(counts, key=lambda value: (-counts[value], value))) if counts else ABSENT
