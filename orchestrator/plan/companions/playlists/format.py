"""What a format of lists is: where the entries are in a text, and how another entry is written in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

MAX_BYTES: Final = 4 * 1024 * 1024
"""Larger lists are not read. A list of 10,000 entries has about 1 MB."""
MAX_ENTRY: Final = 8192
"""Characters of one entry. No path is that long."""


class Reference(msgspec.Struct, frozen=True, gc=False):
    """One entry: its `value`, and where that starts and ends in the text."""

    start: int
    end: int
    value: str
    bare: bool = False
    """CUE: without quotation marks. XML: in a CDATA section, where nothing is escaped. Checksums: nothing is escaped."""
    quote: str = ""
    """XML: the quotation mark around the value of an attribute."""


class Format(msgspec.Struct, frozen=True):
    """How one kind of list is read and written."""

    references: Callable[[str], Iterator[Reference]]
    write: Callable[[Reference, str], str | None]
    """The text that replaces an entry's value; None if the format cannot express it."""
    uris: bool = False
    """An entry is read as a URI first, then as a path."""
    by_stem: bool = False
    """An entry may name a file with another extension: many cue sheets still say .wav after the music became .flac."""
    can_move: bool = True
    """Such a list may move to another location. False: a program looks for it where it is."""
    xml: bool = False
    """A character that the encoding lacks is written as its number."""
    refuses: Callable[[str], str | None] = lambda _: None
    """Why a whole text is not read, in words; None if it is."""
    recognises: Callable[[bytes], bool] = lambda _: True
    """Whether a file with the extension of this format, and this content, is such a list."""
