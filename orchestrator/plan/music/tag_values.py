"""The values of tags: cleaned, and absent if a file has none."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, SupportsIndex

MAX_VALUE: Final = 4096
"""Characters of one tag value that are used; no file name can hold more."""

# C0, DEL, C1; invisible and direction-changing characters except the soft hyphen; line and paragraph separators.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_BREAK = re.compile("\\s*[\t-\r\x1c-\x1f\x85\u2028\u2029]\\s*")
_JOINED = "\u0600-\u08ff\u0900-\u109f\u1780-\u18af\u1b00-\u1bff\ufb50-\ufdff\ufe70-\ufefc"
_JOINER = re.compile(f"(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])")
"""Joiners and non-joiners between letters whose shape they change: Arabic, Persian, Syriac, Indic, Khmer, Mongolian ..."""
_SURROGATE = re.compile("[\ud800-\udfff]")
STAND_INS: Final = {"/": "\u29f8", "\\": "\u29f9"}
"""Separator -> the character that stands for it in cleaned values where the config replaces it: it looks the same."""
_SEPARATOR = re.compile(r"[/\\]")
_UNCLEAN = re.compile(r"[^ -~]|[/\\]")


class Absent(str):
    """A field that a file does not have: an empty string, false, and neither greater nor less than any number.

    `fallback` is used if a whole name would be empty.
    """

    __slots__ = ("fallback",)
    fallback: str

    def __new__(cls, fallback: str = "") -> Absent:
        """An absent value and the text to use instead."""
        absent = super().__new__(cls, "")
        absent.fallback = fallback
        return absent

    def __lt__(self, _other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __getitem__(self, part: SupportsIndex | slice) -> str:
        """A part of an absent value is absent; it has no single character."""
        return self if isinstance(part, slice) else super().__getitem__(part)


ABSENT = Absent()


class Position(int):
    """A position on a record: a number for comparisons and sums, and written as the position ("A1")."""

    text: str

    def __new__(cls, number: int, text: str) -> Position:
        """A position and how it is written."""
        position = super().__new__(cls, number)
        position.text = text
        return position

    def __str__(self) -> str:
        return self.text


def clean_value(text: str) -> str:
    """A tag value made safe: at most MAX_VALUE characters, NFC, no invisible characters, no separators, no spaces at the ends.

    Line breaks and tabs become a space. Joiners between letters that change their shape are kept: they are part of the word.
    """
    return _clean(text[:MAX_VALUE])


@lru_cache(maxsize=1024)
def _clean(text: str) -> str:
    """Cached, because each value is asked for many times, and the songs of an album share most of them."""
    if _UNCLEAN.search(text):
        text = _SURROGATE.sub("\ufffd", text)
        text = _INVISIBLE.sub(_unless_joining, _BREAK.sub(" ", text))
        text = _SEPARATOR.sub("_", unicodedata.normalize("NFC", text))
    return text.strip()


def _unless_joining(found: re.Match[str]) -> str:
    return found.group() if _JOINER.match(found.string, found.start()) else ""


def text(value: str | None, absent: Absent = ABSENT) -> str:
    """One cleaned tag value. A value of only dots and spaces counts as absent: it is not a valid name on any storage."""
    if not value:
        return absent
    clean = clean_value(value)
    return clean if clean.strip(". ") else absent


def joined(values: tuple[str, ...], absent: Absent = ABSENT) -> str:
    """All values of one tag as one text. Values are only joined, never split."""
    if len(values) == 1:
        return text(values[0], absent)
    return ", ".join(clean for value in values if (clean := text(value))) or absent


def first(values: tuple[str, ...], absent: Absent = ABSENT) -> str:
    """The first value of a tag that is not absent."""
    for value in values:
        clean = text(value)
        if clean:
            return clean
    return absent


def number(value: int | None) -> int | Absent:
    """A number; absent for None and 0."""
    return value or ABSENT
