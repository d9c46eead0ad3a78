"""Words for people that every room may need."""

from __future__ import annotations

MAX_REPEATED = 80
"""The most characters of a value that an error repeats."""


def counted(number: int, noun: str) -> str:
    """A number of things: "1 link", "2,000 links". For nouns with a regular plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def repeated(value: object) -> str:
    """A value as an error repeats it: shortened if it is long."""
    text = str(value)
    return text if len(text) <= MAX_REPEATED else f"{text[:MAX_REPEATED]}… ({len(text)} characters)"


def number_text(number: float) -> str:
    """A number as people write it: without an exponent, and without zeros at the end."""
    return f"{number:.12f}".rstrip("0").rstrip(".")


def size_text(size: int | float | None) -> str:
    """Bytes for people, in powers of 1024."""
    if size is None:
        return "?"
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if round(value, 1) < 1024:  # 1023.96 KiB are 1.0 MiB
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def money_text(amount: float, currency: str) -> str:
    """An amount of money for people; small ones with the digits that matter."""
    digits = 2 if amount >= 0.1 or amount == 0 else 4 if amount >= 0.01 else 5 if amount >= 0.001 else 6
    text = f"{amount:.{digits}f}"
    while digits in (4, 5) and text.endswith("0"):
        text, digits = text[:-1], digits - 1
    return f"${text}" if currency == "USD" else f"{text} {currency}"
