"""Dates as people write them: `2004`, `06/05/2004`, `25.11.2013`, `20131125`, `2013-11-25T00:00:00Z`, `May 2004`, `c1985`.

A year has four digits and is at least 1000: `0000` and `19xx` say nothing. Where day and month could be each other, only the year
counts.
"""

from __future__ import annotations

import re
from calendar import monthrange
from functools import lru_cache

from orchestrator.tags.written_numbers import plain

_YEAR = r"(?P<year>[1-9]\d{3})"
_YEAR_FIRST = re.compile(
    rf"(?<!\d){_YEAR}(?:\s?[-./年년]\s?(?P<month>\d{{1,2}})(?:\s?[-./月월]\s?(?P<day>\d{{1,2}})(?!\d))?)?(?!\d)"
)
_YEAR_LAST = re.compile(rf"(?<!\d)(?:(?P<one>\d{{1,2}})\s?[-./]\s?)?(?P<two>\d{{1,2}})\s?[-./]\s?{_YEAR}(?!\d)")
_DIGITS = re.compile(r"(?<!\d)(?:\d{14}|\d{12}|\d{8}|\d{6})(?!\d)")
_CENTURIES = frozenset({"19", "20"})
"""With these, digits without separators begin or end with a year."""
_WORDS = re.compile(rf"[^\W\d_]{{3,}}|(?<!\d)\d{{1,2}}(?!\d)|,|(?<!\d){_YEAR}(?!\d)")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen янв", "feb fév fev фев", "mar mär mrt мар", "apr avr abr апр", "may mai mei mag maj май мая",
            "jun juin giu июн", "jul juil lug июл", "aug aoû ago авг", "sep set сен", "oct okt ott out окт", "nov ноя",
            "dec dez déc dic дек",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
"""The beginnings of the names of months, in the languages that people write them in most."""


@lru_cache(maxsize=65536)
def date_of(date: str | None) -> str:
    """A date as "2004-05-06", "2004-05" or "2004", as exactly as the text says it for sure; "" without a year."""
    text = plain(date or "")
    year_first, year_last = _YEAR_FIRST.search(text), _YEAR_LAST.search(text)
    if year_last is not None and (year_first is None or year_last.start() < year_first.start()):
        return _with_year_last(year_last)
    return _compact(text) or (_with_year_first(year_first, text) if year_first is not None else "")


def year_of(date: str | None) -> str:
    """The year in a date, "" if there is none."""
    return date_of(date)[:4]


def _compact(text: str) -> str:
    """20131125, 25112013, and with a time: 20131125103000."""
    found = _DIGITS.search(text)
    if found is None:
        return ""
    digits = found.group()
    if len(digits) == 6:  # a year and a month
        return _joined(digits[:4], int(digits[4:]), 0) if digits[:2] in _CENTURIES and 1 <= int(digits[4:]) <= 12 else ""
    if digits[0] != "0" and (int(digits[4:6]), int(digits[6:8])) == (0, 0):
        return digits[:4]
    if digits[0] != "0" and _exists(digits[:4], int(digits[4:6]), int(digits[6:8])):
        return _joined(digits[:4], int(digits[4:6]), int(digits[6:8]))
    month, year = digits[2:4], digits[4:]
    ends_in_year = digits[:2] not in _CENTURIES or (year[:2] in _CENTURIES and 1 <= int(month) <= 12)  # 25112013, 20111999
    if len(digits) == 8 and year[0] != "0" and ends_in_year:
        return _day_first(int(digits[:2]), int(month), year)
    return digits[:4] if digits[0] != "0" else ""


def _with_year_last(found: re.Match[str]) -> str:
    """25.11.2013, 11/25/2013, 05/2004."""
    if found["one"] is None:
        return _joined(found["year"], int(found["two"]), 0)
    return _day_first(int(found["one"]), int(found["two"]), found["year"])


def _with_year_first(found: re.Match[str], text: str) -> str:
    """2013-11-25T00:00:00Z, 2004, and with the name of a month before or after the year: May 2004."""
    if found["month"] is not None:
        return _joined(found["year"], int(found["month"]), int(found["day"] or 0))
    words = [word.group() for word in _WORDS.finditer(text)]
    named = {number: at for at, word in enumerate(words) if (number := _month(word))}
    if len(named) != 1:  # "mardi 25 novembre" names two
        return found["year"]
    ((month, at),) = named.items()
    return _joined(found["year"], month, _day_beside(words, at))


def _month(word: str) -> int:
    return _MONTHS.get(word[:4].lower(), 0) or _MONTHS.get(word[:3].lower(), 0)


def _day_beside(words: list[str], month: int) -> int:
    """The number before the name of a month or after it, 0 if there is none: other numbers count something else."""
    if month and _is_day(words[month - 1]):
        return int(words[month - 1])
    after = words[month + 1 : month + 3]
    is_last = len(after) < 2 or not after[1].isalpha()  # not "May 12 tracks"
    return int(after[0]) if after and _is_day(after[0]) and is_last else 0


def _is_day(word: str) -> bool:
    return word.isdecimal() and len(word) < 3


def _day_first(one: int, two: int, year: str) -> str:
    """A day and a month in one of both orders: which one it is must be certain."""
    if one == two or not _exists(year, one, two):
        return _joined(year, two, one)
    return year if _exists(year, two, one) else _joined(year, one, two)


def _joined(year: str, month: int, day: int) -> str:
    if not 1 <= month <= 12:
        return year
    return f"{year}-{month:02}-{day:02}" if _exists(year, month, day) else f"{year}-{month:02}"


def _exists(year: str, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(int(year), month)[1]
