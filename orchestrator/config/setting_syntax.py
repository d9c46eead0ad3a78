"""Reads settings with a syntax of their own: limits, times, rates."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from orchestrator.errors import UsageError
from orchestrator.wording import number_text, repeated


class Limit(NamedTuple):
    """`--max-delete`: a number of files, or a share of them in percent."""

    number: float
    percent: bool

    def allows(self, removed: int, total: int) -> bool:
        """Whether so many of all files may be removed."""
        return removed <= (total * self.number / 100 if self.percent else self.number)

    def __str__(self) -> str:
        return f"{number_text(self.number)}{'%' if self.percent else ''}"


def parse_limit(text: str | int | None, name: str = "--max-delete") -> Limit | None:
    """Read `N` or `N%`. Raises UsageError, which names the setting `name`."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", str(text).strip())
    if found is None or (not found[2] and "." in found[1]) or (found[2] and float(found[1]) > 100):
        raise UsageError(f"{name} {repeated(text)}: write a number of files (20) or a share of them (10%)")
    return Limit(float(found[1]), bool(found[2]))


def parse_encoding(text: str | None, name: str = "legacy_encoding") -> str | None:
    """`auto`, or the name of an encoding as Python calls it (cp1251 for windows-1251). Raises UsageError, which names `name`."""
    if text is None or text == "auto":
        return text
    try:
        b"a".decode(text)
    except (LookupError, UnicodeError, ValueError):
        raise UsageError(f"{name} {repeated(text)}: write auto, or an encoding such as cp1251, koi8-r, shift_jis, gbk") from None
    return codecs.lookup(text).name


def parse_money(text: str | None, name: str = "--max-cost") -> float | None:
    """An amount of money, without its currency. Raises UsageError, which names the setting `name`."""
    if text is None:
        return None
    if not re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        raise UsageError(f"{name} {repeated(text)}: write an amount such as 0.50")
    return float(text)


def parse_size(text: str | None, name: str = "--max-transfer") -> int | None:
    """Bytes of `500M`, `10G` (powers of 1024) or `1000` (bytes). Raises UsageError, which names the setting `name`."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?)([BKMGTP]?)(?:iB?|B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(f"{name} {repeated(text)}: write a size such as 500M or 10G")
    return int(float(found[1]) * 1024 ** "BKMGTP".index(found[2].upper() or "B"))


_LONGEST_S = 100 * 365 * 86400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str | None, name: str = "--settle", *, unit_needed: bool = False) -> float:
    """Seconds of `90`, `5m`, `1h30m`. Raises UsageError, which names the setting `name`.

    With `unit_needed`, a number without a unit is refused, because it may be meant as days.
    """
    if not text:
        return 0.0
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhdw]|\Z)", text)
    seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    bare = re.fullmatch(r"[\d.]*", text) is not None
    if (bare and seconds and unit_needed) or not re.fullmatch(r"\d+(\.\d+)?|(\d+(\.\d+)?[smhdw])+", text) or seconds > _LONGEST_S:
        raise UsageError(f"{name} {repeated(text)}: write a time such as 90s, 5m, 2h or 1d")
    return seconds


_RATE = r"(?:off|\d{1,18}(?:\.\d{1,18})?[BKMGTP]?i?)"
_BANDWIDTH = re.compile(rf"(?:(?:[A-Za-z]{{3}}-)?\d{{1,2}}:\d{{2}},)?{_RATE}(?::{_RATE})?", re.IGNORECASE)


def parse_bandwidth(text: str | None, name: str = "--bandwidth") -> str | None:
    """Check a rate or a timetable in rclone's syntax. Raises UsageError, which names the setting `name`."""
    if text is None:
        return None
    if not text.split() or not all(_BANDWIDTH.fullmatch(part) for part in text.split()):
        raise UsageError(f'{name} {repeated(text)}: write a rate such as 10M, or a timetable such as "08:00,512k 19:00,10M"')
    return text


def slowest_rates(text: str | None) -> tuple[float | None, float | None]:
    """Bytes a second up and down under a limit that `parse_bandwidth` accepts: of a timetable the slowest; None for no limit.

    As in rclone, a bare number means KiB, and one rate holds for each way.
    """
    ways: tuple[list[float], list[float]] = ([], [])
    for part in (text or "").split():
        up, _, down = (part.partition(",")[2] or part).partition(":")
        for rates, rate in zip(ways, (up, down or up), strict=True):
            number = re.match(r"[\d.]*", rate)
            if number is not None and number[0] and float(number[0]):
                unit = rate[number.end() :].upper().rstrip("I") or "K"
                rates.append(float(number[0]) * 1024 ** "BKMGTP".index(unit))
    return min(ways[0], default=None), min(ways[1], default=None)
