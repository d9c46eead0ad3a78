"""What systemd makes of units, and cron of a line: systemd itself is asked, and cron's few rules are repeated here."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from orchestrator.config.calendar import parse_calendars
from orchestrator.schedules.records import Schedule, ScheduleFile
from tests.servers.process import system_program


def planned(job: str = "nightly", at: Sequence[str] = ("02:30",), **settings: object) -> Schedule:
    """A schedule that a test needs only a part of."""
    fields: dict[str, object] = {
        "job": job,
        "command": ("/usr/bin/env", "run", job),
        "calendars": parse_calendars([*at]),
        "path": ("/usr/bin", "/bin"),
        "home": "/root",
        "system": True,
    }
    return Schedule(**fields | settings)  # type: ignore[arg-type]


def analyze(*arguments: str, debug: bool = False) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze."""
    program = system_program("systemd-analyze", package="systemd")
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "debug" if debug else "warning", "SYSTEMD_COLORS": "0"}
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, check=False)


def written(files: Iterable[ScheduleFile], folder: Path) -> list[str]:
    """Write them into a folder, under their own names."""
    paths = []
    for file in files:
        assert file.path is not None
        paths.append(folder / file.path.name)
        paths[-1].write_text(file.text)
    return [str(path) for path in paths]


def verified(files: Iterable[ScheduleFile], folder: Path) -> None:
    """systemd has nothing to say against these units."""
    done = analyze("verify", *written(files, folder))
    assert (done.returncode, done.stdout + done.stderr) == (0, ""), done.stdout + done.stderr


def dump(files: Iterable[ScheduleFile], folder: Path) -> str:
    """How systemd itself has read the units."""
    done = analyze("verify", *written(files, folder), debug=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cron_command(line: str) -> tuple[str, str]:
    """The command and the input that cron makes of the sixth field: `%` ends the command, unless a backslash is before it."""
    command = ""
    escaped = False
    for number, character in enumerate(line):
        if escaped and character == "%":
            command = command[:-1]
        elif not escaped and character == "%":
            return command, line[number + 1 :].replace("%", "\n")
        command += character
        escaped = not escaped and character == "\\"
    return command, ""


def command_of(text: str, *, user: bool = False) -> str:
    """The command in the only line of a crontab; `user`: it names a user first."""
    (line,) = [one for one in text.splitlines() if not one.startswith("#")]
    found = re.fullmatch(r"(?:\S+ ){5}(root )?(.*)", line)
    assert found is not None
    assert bool(found[1]) == user
    return found[2]
