"""What a schedule starts, and the files that make it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from msgspec import Struct

from orchestrator.config.calendar import Calendar

Form = Literal["systemd", "cron", "launchd"]
NAME = "music-orchestrator"
"""The name of the program, with which the names of all files begin."""


class Schedule(Struct, frozen=True, kw_only=True):
    """A job, when it starts, and all that it needs where nobody is logged in."""

    job: str
    command: tuple[str, ...]
    """The program, as an absolute path, and its arguments."""
    calendars: tuple[Calendar, ...]
    given: tuple[str, ...] = ()
    """What --at said, if it was given."""
    path: tuple[str, ...]
    """The folders of PATH."""
    home: str
    system: bool
    """For the machine, as root; otherwise for one user."""
    writable: tuple[str, ...] = ()
    """The folders of this machine that the job writes into."""
    locations: tuple[str, ...] = ()
    """Those of them that its locations are: their disks must be mounted."""
    credentials: tuple[str, ...] = ()
    """The names of the systemd credentials that the config refers to."""
    state_directory: str | None = None
    """The state directory below /var/lib that systemd makes; None: another one, which is among `writable`."""
    variables: str | None = None
    """A file with variables that the job needs; None: it needs none."""


class ScheduleFile(Struct, frozen=True, kw_only=True):
    """A file that starts a job, or helps to."""

    form: Form
    path: Path | None
    """Where it belongs; None: its lines belong into the user's crontab."""
    text: str
    unit: str | None = None
    """The name of the systemd unit to switch on, or of the service of launchd."""


def escaped(job: str, plain: bytes, form: bytes) -> str:
    """The name of a job with all bytes but the `plain` ones written as `form`, such as `_%02x`: for names of files."""
    return re.sub(b"[^" + plain + b"]", lambda found: form % found[0][0], job.encode("utf-8", "surrogateescape")).decode()
