"""Reads `at:` of a job: when it starts, in words that systemd, cron and launchd can all express."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.errors import UsageError
from orchestrator.wording import repeated

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_WORDS = {"hourly": "*:00", "daily": "00:00", "weekly": "Mon 00:00", "monthly": "*-*-1 00:00"}
_CALENDAR = re.compile(r"(?:(?P<weekdays>[A-Za-z.,]+) +)?(?:\*-\*-(?P<days>[\d,]+) +)?(?P<hours>[\d,*/]+):(?P<minutes>[\d,*/]+)")


class Calendar(NamedTuple):
    """When something starts: at each moment that is in all four."""

    weekdays: tuple[int, ...]
    """0: Monday; empty: any."""
    days: tuple[int, ...]
    """Of the month, from 1; empty: any. One of `weekdays` and `days` is empty, because cron starts where either fits."""
    hours: tuple[int, ...]
    minutes: tuple[int, ...]


def parse_calendar(text: str, name: str = "--at") -> Calendar:
    """Read a time (02:30), several (6,18:00, */2:15), with weekdays (Mon..Fri 02:30) or days (*-*-1,15 02:30), or a word.

    A subset of what systemd's OnCalendar takes. Raises UsageError, which names the setting `name`.
    """
    found = _CALENDAR.fullmatch(" ".join(_WORDS.get(text.strip().lower(), text).split()))
    weekdays = _weekdays(found["weekdays"]) if found is not None else None
    days = _numbers(found["days"] or "", 1, 31) if found is not None else None
    hours = _numbers(found["hours"], 0, 23) if found is not None else None
    minutes = _numbers(found["minutes"], 0, 59) if found is not None else None
    if weekdays is None or days is None or not hours or not minutes:
        raise UsageError(
            f"{name} {repeated(text)}: write a time such as 02:30, 6,18:00, Mon..Fri 02:30 or *-*-1 02:30 (the first of each "
            "month), or hourly, daily, weekly, monthly"
        )
    if weekdays and days:
        raise UsageError(f"{name} {repeated(text)}: name days of the week or days of the month, not both")
    return Calendar(weekdays, days, hours, minutes)


def parse_calendars(texts: str | Sequence[str], name: str = "--at") -> tuple[Calendar, ...]:
    """Several of them. Raises UsageError, which names the setting `name`."""
    return tuple(parse_calendar(text, name) for text in ([texts] if isinstance(texts, str) else texts))


def _weekdays(text: str | None) -> tuple[int, ...] | None:
    """None if the text is wrong."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, dots, last = part.partition("..")
        ends = [_weekday(first), _weekday(last) if dots else _weekday(first)]
        if None in ends or (ends[0] or 0) > (ends[1] or 0):
            return None
        found |= {*range(ends[0] or 0, (ends[1] or 0) + 1)}
    return tuple(sorted(found))


def _weekday(text: str) -> int | None:
    short = text[:3].capitalize()
    whole = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    is_name = short in WEEKDAYS and text.capitalize() in {short, whole[WEEKDAYS.index(short)]}
    return WEEKDAYS.index(short) if is_name else None


def _numbers(text: str, least: int, most: int) -> tuple[int, ...] | None:
    """The numbers of `5`, `1,15`, `*`, `*/15`, `0/15`; None if the text is wrong."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        matched = re.fullmatch(r"(\*|\d{1,2})(?:/(\d{1,2}))?", part)
        if matched is None:
            return None
        start = least if matched[1] == "*" else int(matched[1])
        step = int(matched[2]) if matched[2] else (1 if matched[1] == "*" else most + 1)
        if not least <= start <= most or step < 1:
            return None
        found |= {*range(start, most + 1, step)}
    return tuple(sorted(found))
