"""Words for people that every room may need."""

from __future__ import annotations

MAX_REPEATED = 80
"""The most characters of a value that an error repeats."""


def counted(number: int, noun: str) -> str:
    """A number of things: "1 link", "2 links". For nouns with a regular plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def repeated(value: object) -> str:
    """A value as an error repeats it: shortened if it is long."""
    text = str(value)
    return text if len(text) <= MAX_REPEATED else f"{text[:MAX_REPEATED]}… ({len(text)} characters)"
