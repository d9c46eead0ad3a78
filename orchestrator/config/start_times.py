"""When a job with `at:` was last to start, and when it is next, by the clock and time zone of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from orchestrator.config.calendar import Calendar

_DAYS = 41 * 366
"""Every calendar has a day within so many: at most a 29 February on one day of the week, around 2100."""


def last_start(calendars: Sequence[Calendar], now: float) -> float | None:
    """The latest time to start at or before `now` (seconds since 1970); None without calendars."""
    today = datetime.fromtimestamp(now).astimezone().date()
    for back in range(_DAYS):
        found = [start for start in _of_day(calendars, today - timedelta(days=back)) if start <= now]
        if found:
            return max(found)
    return None


def next_start(calendars: Sequence[Calendar], now: float) -> float | None:
    """The first time to start after `now`; None without calendars."""
    today = datetime.fromtimestamp(now).astimezone().date()
    for ahead in range(_DAYS):
        found = [start for start in _of_day(calendars, today + timedelta(days=ahead)) if start > now]
        if found:
            return min(found)
    return None


def _of_day(calendars: Sequence[Calendar], day: date) -> Iterator[float]:
    """A time that summer time leaves out is an hour later here. Timers differ in this, by an hour at most."""
    for calendar in calendars:
        wanted = ((calendar.weekdays, day.weekday()), (calendar.days, day.day), (calendar.months, day.month))
        if all(not chosen or one in chosen for chosen, one in wanted):
            for hour in calendar.hours:
                for minute in calendar.minutes:
                    yield datetime(day.year, day.month, day.day, hour, minute).timestamp()
