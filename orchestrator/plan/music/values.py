"""The values of tags: cleaned, and absent where a file has none."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_VALUE: Final = 4096
"""Characters of one tag value that are used; no file name can hold more."""

# C0, DEL, C1; soft hyphen aside, whatever takes no room or turns the direction; line and paragraph separators.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SEPARATOR = re.compile(r"[/\\]")
_UNCLEAN = re.compile(r"[^ -~]|[/\\]")


class Absent(str):
    """A field that a file does not have: the empty string, false, and neither more nor less than any number.

    `fallback` stands in where a whole name would be empty.
    """

    __slots__ = ("fallback",)
    fallback: str

    def __new__(cls, fallback: str = "") -> Absent:
        """An absent value with the words that stand in for it."""
        absent = super().__new__(cls, "")
        absent.fallback = fallback
        return absent

    def __lt__(self, _other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


ABSENT = Absent()


def clean_value(text: str) -> str:
    """A tag's value made harmless: at most MAX_VALUE characters, NFC, nothing invisible, no separator, no space at the ends."""
    if len(text) > MAX_VALUE:
        text = text[:MAX_VALUE]
    if _UNCLEAN.search(text):
        text = _SURROGATE.sub("\ufffd", text)
        text = _SEPARATOR.sub("_", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))
    return text.strip()


def text(value: str | None, absent: Absent = ABSENT) -> str:
    """One tag value, harmless; absent also for one of dots and spaces alone, which is no name anywhere."""
    if not value:
        return absent
    clean = clean_value(value)
    return clean if clean.strip(". ") else absent


def joined(values: tuple[str, ...], absent: Absent = ABSENT) -> str:
    """All values of one tag, as one text. Values are never split, only joined."""
    if len(values) == 1:
        return text(values[0], absent)
    return ", ".join(clean for value in values if (clean := text(value))) or absent


def first(values: tuple[str, ...], absent: Absent = ABSENT) -> str:
    """The first value of a tag that says anything."""
    for value in values:
        clean = text(value)
        if clean:
            return clean
    return absent


def number(value: int | None) -> int | Absent:
    """A number, or absent."""
    return value or ABSENT
