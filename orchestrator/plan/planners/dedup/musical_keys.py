"""Musical keys as programs write them: "Am", "A minor", "8A" (Camelot), "1m" (Open Key)."""

from __future__ import annotations

import re
from functools import lru_cache

_NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_WRITTEN = re.compile(
    r"\s*([a-h])\s*(#|♯|sharp|b|♭|flat|is|es)?\s*[-_]?\s*(m|min(?:or)?|moll|maj(?:or)?|dur)?\s*\Z",
    re.IGNORECASE,
)
_WHEEL = re.compile(r"\s*0?(1[0-2]|[1-9])\s*([abdm])\s*\Z", re.IGNORECASE)
_SEMITONES_OF_A_FIFTH = 7
_MINOR = 3
"""A minor key stands on the wheels where the major key three semitones above it does."""


@lru_cache(maxsize=1024)
def musical_key(text: str) -> str:
    """A key by its number of semitones above C and its mode; other texts in lower case; "" for ID3's "off key"."""
    wheel = _WHEEL.match(text)
    if wheel is not None:
        hour, letter = int(wheel[1]), wheel[2].lower()
        minor = letter in "am"
        # C major is 8B in Camelot, and 1d in Open Key.
        major = (hour - (8 if letter in "ab" else 1)) * _SEMITONES_OF_A_FIFTH
        return _spelled(major - _MINOR if minor else major, minor=minor)
    written = _WRITTEN.match(text)
    if written is None:
        plain = " ".join(text.casefold().split())
        return "" if plain in {"o", "unknown", "none", "n/a", "-", "0", "?"} else plain
    sign, mode = (written[2] or "").lower(), written[3] or ""
    step = 1 if sign in {"#", "♯", "sharp", "is"} else -1 if sign else 0
    minor = mode == "m" or mode.lower().startswith(("min", "mo"))
    return _spelled(_NOTES[written[1].lower()] + step, minor=minor)


def _spelled(semitones: int, *, minor: bool) -> str:
    return f"{semitones % 12}{'m' if minor else ''}"
