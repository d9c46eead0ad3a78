"""When a job was last to start, and when next: weekdays, days of the month, several times, summer time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from orchestrator.config.calendar import parse_calendars
from orchestrator.config.start_times import last_start, next_start


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Pacific/Kiritimati"], indirect=True)
@pytest.mark.parametrize(
    ("at", "now", "last", "following"),
    [
        (["02:30"], "2026-11-30 16:00", "2026-11-30 02:30", "2026-12-01 02:30"),
        (["02:30"], "2026-11-30 02:30", "2026-11-30 02:30", "2026-12-01 02:30"),
        (["02:30"], "2026-11-30 02:29", "2026-11-29 02:30", "2026-11-30 02:30"),
        (["hourly"], "2026-12-31 23:30", "2026-12-31 23:00", "2027-01-01 00:00"),
        (["Mon..Fri 6,18:00"], "2026-11-28 12:00", "2026-11-27 18:00", "2026-11-30 06:00"),
        (["*-*-31 04:00"], "2027-02-01 00:00", "2027-01-31 04:00", "2027-03-31 04:00"),
        (["yearly"], "2026-11-30 16:00", "2026-01-01 00:00", "2027-01-01 00:00"),
        (["Mon *-2-29 04:00"], "2026-11-30 16:00", "2016-02-29 04:00", "2044-02-29 04:00"),
        (["weekly", "*-*-1 04:00"], "2026-11-30 16:00", "2026-11-30 00:00", "2026-12-01 04:00"),
    ],
)
def test_the_last_and_the_next_start(zone: str, at: list[str], now: str, last: str, following: str) -> None:
    calendars = parse_calendars(at)
    there = ZoneInfo(zone)
    moment = datetime.fromisoformat(now).replace(tzinfo=there).timestamp()
    found = [last_start(calendars, moment), next_start(calendars, moment)]
    assert [datetime.fromtimestamp(one or 0, there).isoformat(" ", "minutes")[:16] for one in found] == [last, following]


def test_a_job_without_times_has_no_start() -> None:
    assert (last_start((), 0), next_start((), 0)) == (None, None)


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_a_time_that_summer_time_leaves_out_is_an_hour_later(zone: str) -> None:
    """28 March 2027 has no 2:30 there, and 31 October has it twice: the first one counts."""
    calendars = parse_calendars("02:30")
    for evening, start in (("2027-03-27T23:00Z", "2027-03-28T01:30Z"), ("2027-10-30T23:00Z", "2027-10-31T00:30Z")):
        assert next_start(calendars, datetime.fromisoformat(evening).timestamp()) == datetime.fromisoformat(start).timestamp()
