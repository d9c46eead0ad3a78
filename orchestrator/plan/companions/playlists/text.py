"""The bytes of a list as text, and back to exactly the same bytes.

Tried in this order: a byte order mark, UTF-16 without one, the encoding that the list declares, UTF-8, Latin. Where Latin is only
a guess, the encoding counts in which most of the list's names are those of files: programs wrote in the one of their computer.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
MARK: Final = "\ufeff"
"""A byte order mark in decoded text. It stays in the text, but is not part of the first line's value."""

_DECLARED = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']|^\#EXTENC:[ \t]*([A-Za-z0-9._-]{1,40})""",
    re.MULTILINE,
)
_HEAD = 2000
_ALLOWED: Final = frozenset(
    {"utf-8", "ascii", "koi8-r", "koi8-u", "shift_jis", "cp932", "euc_jp", "gb2312", "gbk", "gb18030", "big5", "euc_kr"}
    | {f"cp125{number}" for number in range(9)}
    | {f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))}
)
"""Encodings, by Python's names, that a list may declare. Codecs that are not text encodings are left out."""


GUESSED: Final = ("cp1252", "iso8859-1")
_OF_COMPUTERS: Final = (
    *("cp1251", "cp866", "koi8-r", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("cp932", "gb18030", "big5", "cp949", "cp850", "cp437", "mac-roman", "mac-cyrillic"),
)


def decode(content: bytes, names_in: Callable[[str], int] = lambda _: 0) -> tuple[str, str] | None:
    """The text, with its mark, and the encoding that gives the same bytes back; None if there is none.

    `names_in` says how many names that are not ASCII a text has of files that are there.
    """
    found = next(_decoded(content, _candidates(content)), None)
    if found is None or found[1] not in GUESSED or found[0].isascii():
        return found
    return max((found, *_decoded(content, _OF_COMPUTERS)), key=lambda one: names_in(one[0]))


def _decoded(content: bytes, encodings: Iterable[str]) -> Iterator[tuple[str, str]]:
    for codec in encodings:
        try:
            text = content.decode(codec)
            if text.encode(codec) == content:
                yield text, codec
        except UnicodeError:
            continue


def _candidates(content: bytes) -> tuple[str, ...]:
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return (codec,)
    return (*_wide(content[:_HEAD]), *_declared(content), "utf-8", *GUESSED)


def _wide(head: bytes) -> tuple[str, ...]:
    """UTF-16 without a mark: line ends and slashes alone contain many zeros, all at even or all at odd positions."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if min(even, odd) or not 1 < even + odd >= len(head) // 16:
        return ()
    return ("utf-16-le" if odd else "utf-16-be",)


def _declared(content: bytes) -> tuple[str, ...]:
    found = _DECLARED.search(content[:_HEAD])
    if found is None:
        return ()
    try:
        name = codecs.lookup((found[1] or found[2]).decode("ascii")).name
    except LookupError:
        return ()
    return (name,) if name in _ALLOWED else ()
