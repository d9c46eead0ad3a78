"""Titles of files whose tags have none: the file's own name, as for an album's image or `Side A.flac`."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"(?:\d{1,2}[-.])?0*(?P<number>\d{1,3})(?:[\s._-]+|\Z)")
_NO_TITLE = re.compile(r"(?:audio)?(?:track|titel|piste|pista|traccia|spor|spur|трек)?[\s._-]*\d*", re.IGNORECASE)
_SEPARATOR = re.compile(r"[-\u2013_.]?\s+")
_COPY = re.compile(r" \(\d+\)\Z")


def title_in_name(stem: str, number: int | None) -> str:
    """The title in the name of a file: without its own track number, "" if nothing but a number is left ("Track 05")."""
    if number is None:
        return stem
    found = _NUMBER.match(stem)
    rest = stem[found.end() :] if found is not None and int(found["number"]) == number else stem
    return "" if _NO_TITLE.fullmatch(rest) else rest


def title_in_layout(stem: str, title: str, before: str, after: str) -> str:
    """The title in a name that may come from a layout, which has texts `before` and `after` titles; otherwise `title`.

    So a second run does not add those texts again.
    """
    name = unicodedata.normalize("NFC", stem)
    for whole in (name, without_copy_number(name)) if before or after else ():
        inside = whole[len(before) : len(whole) - len(after)]
        if inside.strip() and f"{before}{inside}{after}".casefold() == whole.casefold():
            found = _SEPARATOR.match(inside)
            return inside[found.end() :] if found is not None else inside
    return title


def without_copy_number(name: str) -> str:
    """A name without " (2)" at its end, which a file gets beside another one of its name."""
    return _COPY.sub("", name) or name
