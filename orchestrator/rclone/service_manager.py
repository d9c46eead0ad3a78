"""Calls systemctl and launchctl, which switch schedules on and off, and crontab, which keeps those of a user."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence

from orchestrator.errors import UsageError
from orchestrator.rclone.supervisor import Supervised

WITHIN_S = 60.0
"""How long a call may take: the bus gives up after 25 s."""


_NONE_YET = re.compile(r"no crontab for|can't open '[^']*': No such file")
"""What cron, and that of BusyBox, say where a user has none: any other failure must not be taken for an empty crontab."""


def failure_of(command: Sequence[str]) -> str | None:
    """Run a command of the service manager; why it failed, or None. It has no terminal, so it cannot ask."""
    code, said, _ = _run(command)
    return None if code == 0 else said.partition("\n")[0] or f"{command[0]} ended with {code}"


def read_crontab() -> str:
    """The crontab of this user; empty if he has none. Raises UsageError if it cannot be read."""
    code, said, text = _run(["crontab", "-l"])
    if code == 0:
        return text
    if _NONE_YET.search(said):
        return ""
    raise UsageError(f"your crontab cannot be read: {said.partition(chr(10))[0] or f'crontab ended with {code}'}")


def write_crontab(text: str, before: str) -> None:
    """Replace the crontab of this user, which was `before`. Raises UsageError if it was changed meanwhile, or cron refuses it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
        file.flush()
        if read_crontab() != before:
            raise UsageError("your crontab was changed at this moment: try again")
        failure = failure_of(["crontab", file.name])
    if failure is not None or read_crontab() != text:
        raise UsageError(f"your crontab cannot be written: {failure or 'it is not what was written'}")


def _run(command: Sequence[str]) -> tuple[int, str, str]:
    """Its exit code, what it said (both outputs, if it failed), and its output."""
    program = shutil.which(command[0])
    if program is None:
        return 127, f"there is no program {command[0]} on PATH", ""
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        Supervised((program, *command[1:]), os.environ | {"LC_ALL": "C"}, stdout=output, stderr=errors) as running,
    ):
        if not running.ends_within(WITHIN_S):
            return 124, f"{command[0]} did not end within {WITHIN_S:.0f} s", ""
        code = running.wait()
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return code, "\n".join(text.strip() for text in reversed(texts)).strip(), texts[0]
