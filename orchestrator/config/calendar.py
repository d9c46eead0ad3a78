"""Reads `at:` of a job: when it starts, written as for OnCalendar of systemd."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.errors import UsageError
from orchestrator.wording import repeated

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_WORDS = {
    "hourly": "*:00",
    "daily": "00:00",
    "weekly": "Mon 00:00",
    "monthly": "*-*-1 00:00",
    "quarterly": "*-1,4,7,10-1 00:00",
    "yearly": "*-1-1 00:00",
}
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SET = r"[\d,*/.]+"
_CALENDAR = re.compile(
    r"(?:(?P<weekdays>[A-Za-z.,]+) +)?"
    rf"(?:(?:\*-)?(?P<months>{_SET})-(?P<days>{_SET}) +)?"
    rf"(?P<hours>{_SET}):(?P<minutes>{_SET})(?::00)?"
)


class Calendar(NamedTuple):
    """When something starts: at each minute that is in all of them."""

    weekdays: tuple[int, ...]
    """0: Monday; empty: any."""
    days: tuple[int, ...]
    """Of the month, from 1; empty: any. Where weekdays are given too, both must fit: cron and launchd cannot express this."""
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    months: tuple[int, ...] = ()
    """From 1; empty: any."""


def parse_calendar(text: str, name: str = "--at") -> Calendar:
    """Read a time (02:30), several (6,18:00, 9..17:00, */2:15), on weekdays (Mon..Fri 02:30) or days (*-*-1,15 02:30), or a word.

    What systemd's OnCalendar takes, except for years, seconds, time zones and days counted from the end of a month. Raises
    UsageError, which names the setting `name`.
    """
    found = _CALENDAR.fullmatch(" ".join(_WORDS.get(text.strip().lower(), text).split()))
    weekdays = _weekdays(found["weekdays"]) if found is not None else None
    months = _numbers(found["months"] or "*", 1, 12) if found is not None else None
    days = _numbers(found["days"] or "*", 1, 31) if found is not None else None
    hours = _numbers(found["hours"], 0, 23) if found is not None else None
    minutes = _numbers(found["minutes"], 0, 59) if found is not None else None
    if weekdays is None or not months or not days or not hours or not minutes:
        raise UsageError(
            f"{name} {repeated(text)}: write a time such as 02:30, 6,18:00, Mon..Fri 02:30 or *-*-1 02:30 (the first of each "
            "month), or hourly, daily, weekly, monthly"
        )
    if all(day > _LONGEST[month - 1] for day in days for month in months):
        raise UsageError(f"{name} {repeated(text)}: there is no such day")
    return Calendar(weekdays, days if len(days) < 31 else (), hours, minutes, months if len(months) < 12 else ())


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
    """The numbers of `5`, `1,15`, `9..17`, `*`, `*/15`, `0/15`; None if the text is wrong."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        matched = re.fullmatch(r"(\*|\d{1,2})(?:\.\.(\d{1,2}))?(?:/(\d{1,2}))?", part)
        if matched is None or (matched[1] == "*" and matched[2]):
            return None
        start = least if matched[1] == "*" else int(matched[1])
        alone = matched[1] != "*" and not matched[2] and not matched[3]
        end = int(matched[2]) if matched[2] else start if alone else most
        step = int(matched[3]) if matched[3] else 1
        if not least <= start <= end <= most or step < 1:
            return None
        found |= {*range(start, end + 1, step)}
    return tuple(sorted(found))
