"""The real program as a process, and its JSON output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "orchestrator")
_DATED = """
import runpy, time
now, now_ns = time.time, time.time_ns
time.time, time.time_ns = lambda: now() + {seconds}, lambda: now_ns() + {seconds} * 10**9
runpy.run_module("orchestrator", run_name="__main__")
"""


def dated(seconds: int) -> tuple[str, ...]:
    """The command with a clock that is so far off."""
    return (sys.executable, "-c", _DATED.format(seconds=seconds))


@dataclass
class Ended:
    """The result of one call of the program."""

    code: int
    events: list[dict[str, Any]] = field(repr=False)
    """The JSON lines; the summary is the last."""
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The last line."""
        return self.events[-1]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The error lines."""
        return [event for event in self.events if event["type"] == "error"]

    @property
    def failed_checks(self) -> list[dict[str, Any]]:
        """The problems that `doctor` has found."""
        return [event for event in self.events if event["type"] == "check" and event["level"] == "problem"]

    @property
    def run(self) -> str:
        """The id of the run."""
        return str(self.summary["run"])


@dataclass
class Program:
    """The program, with a state directory of its own."""

    state: Path
    environment: dict[str, str] = field(default_factory=dict)
    clock_s: int = 0
    """How far its clock is off."""
    alone: bool = False
    """Never fork it from a process that has already imported all of it (`tests.forked`), which is quicker."""

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it with --json."""
        command = dated(self.clock_s) if self.clock_s else COMMAND
        return subprocess.Popen(
            [*command, *arguments, "--json", "--state-dir", str(self.state)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )

    def end(self, process: subprocess.Popen[str], *, timeout: float = 170) -> Ended:
        """Wait until it ends."""
        out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, [json.loads(line) for line in out.splitlines()], err)

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Ended:
        """Run it to its end; its exit code must be one of `codes`."""
        from tests.forked import shared  # noqa: PLC0415 - it imports this module

        if not self.alone and not self.clock_s:
            return shared().run(*arguments, codes=codes, state=self.state, environment=self.environment, options=("--json",))
        ended = self.end(self.start(*arguments))
        if ended.code not in codes:
            raise AssertionError(f"{arguments}: exit code {ended.code}\n{ended.stderr}\n{ended.events[-5:]}")
        return ended
