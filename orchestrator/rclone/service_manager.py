"""Calls systemctl and launchctl, which switch schedules on and off."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from orchestrator.rclone.supervisor import Supervised

WITHIN_S = 60.0
"""How long a call may take: the bus gives up after 25 s."""


def failure_of(command: Sequence[str]) -> str | None:
    """Run a command of the service manager; why it failed, or None. It has no terminal, so it cannot ask."""
    program = shutil.which(command[0])
    if program is None:
        return f"there is no {command[0]}"
    with Supervised((program, *command[1:]), os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        if not running.ends_within(WITHIN_S):
            return f"{command[0]} did not end within {WITHIN_S:.0f} s"
        assert running.process.stdout is not None  # noqa: S101 - it is a pipe
        said = running.process.stdout.read().decode("utf-8", "replace").strip()
        code = running.wait()
    return None if code == 0 else said.partition("\n")[0] or f"{command[0]} ended with {code}"
