"""A line for cron. Its command sets its own PATH and HOME: lines of their own would hold for all others of the crontab, too."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.config.calendar import Calendar
from orchestrator.errors import UsageError
from orchestrator.schedules.marks import marked
from orchestrator.schedules.records import NAME, Schedule, ScheduleFile, escaped
from orchestrator.wording import repeated

SYSTEM_FOLDER = Path("/etc/cron.d")
USER_HEADING = "# crontab -e"
"""The first of our lines in the crontab of a user."""
END = "# End of what `music-orchestrator schedule` wrote"
"""The last of them."""
LONGEST_COMMAND = 990
"""Bytes: several crons cut a command at 1000."""


def crontab(schedule: Schedule, folder: Path | None) -> ScheduleFile:
    """The lines of a job: a file in /etc/cron.d, or for the crontab of a user (`folder` is None).

    Raises UsageError for what cron cannot express.
    """
    if schedule.credentials:
        raise UsageError(
            f"cron has no credentials ({', '.join(schedule.credentials)}): refer to the secret with `file`, or use systemd"
        )
    path = folder / file_name(schedule.job) if folder is not None else None
    command = _command(schedule)
    user = "root " if folder is not None else ""
    times = dict.fromkeys(fields(calendar) for calendar in schedule.calendars)
    lines = [f"{one} {user}{command}" for one in times]
    lines = [f"# {path}", *lines] if path is not None else [USER_HEADING, *lines, END]
    return ScheduleFile(form="cron", path=path, text=marked(lines, 1, schedule.job, schedule.given))


def file_name(job: str) -> str:
    """The name of the file: cron skips files whose names have other characters, dots included, and says nothing."""
    return f"{NAME}-{escaped(job, b'A-Za-z0-9-', b'_%02x')}"


def fields(calendar: Calendar) -> str:
    """The five fields of a calendar. Raises UsageError where cron would start more often."""
    if calendar.weekdays and calendar.days:
        raise UsageError("cron starts where either the day of the week or that of the month fits, so it cannot express this time")
    weekdays = [(day + 1) % 7 for day in calendar.weekdays]
    return " ".join(
        (
            _field(calendar.minutes, 60),
            _field(calendar.hours, 24),
            _list(calendar.days),
            _list(calendar.months),
            _list(sorted(weekdays)),
        )
    )


def _field(numbers: Sequence[int], of: int) -> str:
    """`*`, `*/15`, or a list."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else of
    if tuple(numbers) == tuple(range(0, of, step)) and step < of:
        return "*" if step == 1 else f"*/{step}"
    return _list(numbers)


def _list(numbers: Sequence[int]) -> str:
    """`*`, or numbers and ranges of at least three."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(_run(run) for run in runs) or "*"


def _run(run: Sequence[int]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run))


def _command(schedule: Schedule) -> str:
    text = " ".join(_words(schedule))
    if any(character in text for character in "\n\r\0"):
        raise UsageError(f"{repeated(schedule.job)!r}: a line of cron cannot hold a line break, also not in its paths")
    # cron takes "\%" for "%", and a lone "%" for the end of the command. A backslash before it would be taken for an escape, so
    # two quotes go between: they change nothing, neither inside a quoted word nor outside.
    text = re.sub(r"\\(?=%)", r"\\''", text).replace("%", "\\%")
    if len(text.encode()) > LONGEST_COMMAND:
        raise UsageError(f"the line for cron is longer than the {LONGEST_COMMAND} bytes that every cron reads: use systemd")
    return text


def _words(schedule: Schedule) -> Iterator[str]:
    if schedule.variables is not None:
        file = shlex.quote(schedule.variables)
        yield f"set -a; [ -r {file} ] && . {file};"
    yield f"PATH={shlex.quote(':'.join(schedule.path))}"
    yield f"HOME={shlex.quote(schedule.home)}"
    yield from map(shlex.quote, schedule.command)
