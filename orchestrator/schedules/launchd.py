"""A property list for launchd of macOS, which makes up for starts that were missed asleep, but not for those while it was off."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from orchestrator.config.calendar import Calendar
from orchestrator.errors import UsageError
from orchestrator.schedules.marks import marked
from orchestrator.schedules.records import NAME, Schedule, ScheduleFile, escaped
from orchestrator.schedules.systemd import STOP_S
from orchestrator.wording import repeated

SYSTEM_FOLDER = Path("/Library/LaunchDaemons")
MOST_STARTS = 500
"""Each combination of day, hour and minute is an entry of its own."""


def property_list(schedule: Schedule, folder: Path) -> ScheduleFile:
    """The file of a job. Raises UsageError for what launchd cannot express."""
    if schedule.credentials:
        raise UsageError(
            f"launchd has no credentials ({', '.join(schedule.credentials)}): refer to the secret with `file` or `command`"
        )
    label = f"{NAME}.{escaped(schedule.job, b'A-Za-z0-9.-', b'_%02x')}"
    path = folder / f"{label}.plist"
    logs = "/Library/Logs" if schedule.system else f"{schedule.home}/Library/Logs"
    starts = [start for calendar in schedule.calendars for start in _starts(calendar)]
    if len(starts) > MOST_STARTS:
        raise UsageError(f"launchd needs an entry for each of the {len(starts)} starts: name fewer times")
    content = {
        "Label": label,
        "ProgramArguments": [*schedule.command],
        "EnvironmentVariables": {"PATH": ":".join(schedule.path), "HOME": schedule.home},
        "StartCalendarInterval": starts,
        "ProcessType": "Background",
        "ExitTimeOut": STOP_S,
        "StandardOutPath": f"{logs}/{label}.log",
        "StandardErrorPath": f"{logs}/{label}.log",
    }
    try:
        lines = plistlib.dumps(content, sort_keys=False).decode().removesuffix("\n").split("\n")
    except ValueError as error:
        raise UsageError(f"{repeated(schedule.job)!r}: a property list cannot hold control characters") from error
    shown = str(path).replace("--", "- -")
    lines.insert(2, f"<!-- {shown} -->")
    text = marked(lines, 3, schedule.job, schedule.given, ("<!-- ", " -->"))
    return ScheduleFile(form="launchd", path=path, text=text, unit=label)


def _starts(calendar: Calendar) -> Iterator[dict[str, int]]:
    if calendar.weekdays and calendar.days:
        raise UsageError(
            "launchd starts where either the day of the week or that of the month fits, so it cannot express this time"
        )
    named = {
        "Month": calendar.months,
        "Day": calendar.days,
        "Weekday": [(day + 1) % 7 for day in calendar.weekdays],
        "Hour": calendar.hours if len(calendar.hours) < 24 else (),
        "Minute": calendar.minutes if len(calendar.minutes) < 60 else (),
    }
    given = {name: numbers for name, numbers in named.items() if numbers}
    yield from (dict(zip(given, numbers, strict=True)) for numbers in product(*given.values()))
