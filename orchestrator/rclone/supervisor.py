"""Starts rclone under a watcher, so that it cannot outlive this program, however either of them dies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_SCRIPT = Path(__file__).with_name("_supervise.py")
_KILL_AFTER_S = 5.0


class Supervised:
    """One running command. Ends with `close`, with its own exit, or with this process."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        lifeline, self._held = os.pipe()
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT), str(lifeline), *command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(lifeline,),
                # An interrupt from the terminal is ours to handle: rclone must live until the running calls are settled.
                start_new_session=True,
            )
        except BaseException:  # whatever it was: the pipe must not stay open
            os.close(self._held)
            raise
        finally:
            os.close(lifeline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the command still runs."""
        return self.process.poll() is None

    def ended_within(self, seconds: float) -> bool:
        """Whether the command ends within so many seconds."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait(self) -> int:
        """Wait for the command to end by itself; its exit code (128 + n: killed by signal n)."""
        return self.process.wait()

    def close(self) -> None:
        """End the command, politely first, and wait until it is gone. May be called again."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        if self.process.stdout is not None:
            self.process.stdout.close()
        try:
            self.process.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
