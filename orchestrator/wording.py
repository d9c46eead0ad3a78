"""Words for people that every room may need."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number of things: "1 link", "2 links". For nouns with a regular plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
