"""How tags are spelled: equal spellings, guests in names, years in dates, the most common value."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from orchestrator.plan.music.tag_values import ABSENT, MAX_VALUE, text

_WORD = r"(?:feat|ft|featuring)\b\.?\s+"
GUEST = re.compile(
    rf"\s+(?:\({_WORD}(?P<round>[^()]*)\)|\[{_WORD}(?P<square>[^\[\]]*)\]|{_WORD}(?P<bare>[^()\[\]]*))", re.IGNORECASE
)
"""The part of an artist or title that names guests: in brackets, or up to the next bracket."""


_JOINERS = dict.fromkeys((0x200C, 0x200D))


@lru_cache(maxsize=65536)
def fold(value: str) -> str:
    """A spelling without its differences in Unicode form, case, joiners and repeated spaces."""
    return " ".join(unicodedata.normalize("NFC", text(value).casefold().translate(_JOINERS)).split())


@lru_cache(maxsize=65536)
def without_guest(artist: str) -> str:
    """An artist's name up to "feat."."""
    found = GUEST.search(artist[:MAX_VALUE])
    return (found and artist[: found.start()]) or artist


def guest_of(name: str) -> str:
    """The guests that an artist or title names, "" if none."""
    found = GUEST.search(name[:MAX_VALUE])
    return (found["round"] or found["square"] or found["bare"] or "").strip() if found else ""


def common(values: Iterable[str | None]) -> str:
    """The most frequent value, the smallest if several are equally frequent; absent if there is none."""
    counts = Counter(value for value in values if value)
    if len(counts) == 1:
        return text(next(iter(counts)))
    return text(min(counts, key=lambda value: (-counts[value], value))) if counts else ABSENT
