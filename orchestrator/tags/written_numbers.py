"""Numbers of tracks and discs as people write them: `3`, `03/12`, `Track 3 of 12`, `No. 3`, `(2)`, `II`, `CD1-05`.

Texts that mean the same in every album are read here. What `1-05`, `1.0`, `A1` and `0` mean depends on the other tracks:
`orchestrator.plan.music.positions` decides that.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_LONGEST = 64
"""Characters; a longer text is no number."""
# Controls but tab and line break, soft hyphens, joiners, marks of direction, variation selectors, byte order marks.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))  # noqa: RUF001 - these are the dashes that people write
_TRACK_WORD = r"(?:tracks?|trk|tr|titel|titre|title|piste|pista|traccia|faixa|utwór|nummer|number|num|nr|n°|no|трек|第)"
_DISC_WORD = r"(?:cd|dvd|dis[ck]s?|disque|disco|vinyl|lp|volume|vol|диск|part|teil|d)"
_SIDE_WORD = r"(?:side|seite|face|lato|lado)"
_WITH_TOTAL = re.compile(
    r"(?P<before>.*?)\s*(?:[/\\|]|\b(?:out\s+of|of|von|van|de|di|sur|av|af|из)\b)\s*0*(?P<total>\d{1,9})(?:\s*tracks?)?\W*",
    re.IGNORECASE,
)
_NUMBER = r"[\[({{#]*\s*(?P<number>\d{{1,9}})(?!\d)\D*"
_TRACK = re.compile(rf"(?:{_TRACK_WORD}\W*){{0,2}}{_NUMBER.format()}", re.IGNORECASE)
_DISC = re.compile(rf"(?:{_DISC_WORD}\W*)?{_NUMBER.format()}", re.IGNORECASE)
_ROMAN = re.compile(
    rf"(?:(?:{_TRACK_WORD}|{_DISC_WORD})\W+)?[\[(]*(?P<tens>x{{0,3}})(?P<ones>ix|iv|v?i{{0,3}})[\])]*[.:]?", re.IGNORECASE
)
_ROMAN_ONES = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
_DISC_NAME = re.compile(
    rf"(?:{_DISC_WORD}\W+|{_SIDE_WORD}\W*)?[\[(]*(?P<name>one|two|three|four|five|[a-z])[\])]*", re.IGNORECASE
)
_NAMED_DISCS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_DISC_AND_TRACK = re.compile(
    rf"{_DISC_WORD}\W*0*(?P<disc>\d{{1,3}})(?:\s*(?:/|of)\s*\d{{1,3}}\b)?(?:\W+|\W*(?:{_TRACK_WORD}|t)\W*)0*(?P<number>\d{{1,4}})",
    re.IGNORECASE,
)
_PAIR = re.compile(
    rf"(?:{_TRACK_WORD}\W*)?[\[(#]*(?P<first>\d{{1,3}})\s*(?P<mark>[-.,:_])\s*(?P<second>\d{{1,4}})[\]).]*", re.IGNORECASE
)
_SIDE = re.compile(
    rf"(?:0*(?P<disc>\d{{1,2}})[-.])?(?:{_SIDE_WORD}\W*)?(?P<side>([a-z])\3?)(?:[\s.-]?0*(?P<number>\d{{1,2}}))?", re.IGNORECASE
)


class Written(NamedTuple):
    """What a text says by itself; None for what it does not say."""

    number: int | None = None
    total: int | None = None
    disc: int | None = None
    """Only where the text of a track names its disc as such ("CD1-05")."""


class Pair(NamedTuple):
    """Two numbers, such as `1-05`: disc and track, number and total, or a decimal number."""

    first: int
    mark: str
    second: int
    padded: bool
    """The second number begins with a zero and the first does not, as no total does."""


class Side(NamedTuple):
    """A position on a record: `A1`; `AA` alone has the number 0."""

    disc: int | None
    side: str
    """One or two equal letters, in upper case."""
    number: int


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A text with ordinary digits, letters and dashes, and without invisible characters and superfluous spaces."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text[:_LONGEST])).translate(_DASHES)
    return " ".join("".join(_digit(character) for character in text).split())


@lru_cache(maxsize=4096)
def track_written(text: str) -> Written:
    """What the text of a track number says."""
    before, total = _before_total(text)
    found = _DISC_AND_TRACK.fullmatch(before)
    if found is not None:
        return Written(_positive(found["number"]), total, _positive(found["disc"]))
    found = _TRACK.fullmatch(before)
    return Written(_positive(found["number"]) if found is not None else roman(before), total)


@lru_cache(maxsize=4096)
def disc_written(text: str) -> Written:
    """What the text of a disc number says. Letters count from A; I, V and X are Roman."""
    before, total = _before_total(text)
    found = _DISC.match(before)
    if found is not None:
        return Written(_positive(found["number"]), total)
    number = roman(before)
    named = _DISC_NAME.fullmatch(before) if number is None else None
    if named is not None:
        name = named["name"].lower()
        number = _NAMED_DISCS.get(name) or ord(name) - ord("a") + 1
    return Written(number, total)


def roman(text: str) -> int | None:
    """A Roman number up to 39, alone or after a word such as "Track"; None for other texts."""
    found = _ROMAN.fullmatch(plain(text)) if text.strip() != "x" else None  # which stands for a number, but for which?
    return (10 * len(found["tens"]) + _ROMAN_ONES[found["ones"].lower()] or None) if found is not None else None


def is_zero(text: str) -> bool:
    """Whether the text of a track number says 0."""
    found = _TRACK.fullmatch(_before_total(text)[0])
    return found is not None and not int(found["number"])


def pair_of(text: str) -> Pair | None:
    """The two numbers of a text such as `1-05` or `1.0`; None for other texts."""
    found = _PAIR.fullmatch(_before_total(text)[0])
    if found is None:
        return None
    first, second = found["first"], found["second"]
    return Pair(int(first), found["mark"], int(second), second[0] == "0" != first[0] and len(second) > 1)


def side_of(text: str) -> Side | None:
    """The position on a record; None for other texts. A letter alone must be a capital; "I" and "V" also count."""
    found = _SIDE.fullmatch(_before_total(text)[0])
    if found is None or (found["number"] is None and not found["side"].isupper()):
        return None
    return Side(_positive(found["disc"] or "0"), found["side"].upper(), int(found["number"] or 0))


def _before_total(text: str) -> tuple[str, int | None]:
    """The text without a stated total, and the total."""
    text = plain(text)
    found = _WITH_TOTAL.fullmatch(text)
    return (found["before"], _positive(found["total"])) if found is not None else (text, None)


def _digit(character: str) -> str:
    """The digit 0 to 9 that an Arabic, Thai or other digit means; other characters as they are."""
    return str(unicodedata.decimal(character)) if not character.isascii() and character.isdecimal() else character


def _positive(digits: str) -> int | None:
    return int(digits) or None
