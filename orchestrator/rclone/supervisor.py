"""Starts rclone under a supervisor, so that it cannot outlive this program, however either of them dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeAlias

_SCRIPT = Path(__file__).with_name("_supervise.py")
_KILL_AFTER_S = 5.0


class Supervised:
    """One running command. It ends with `close`, by itself, or with this process."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self._letting_go = threading.Lock()
        lifeline, self._held = os.pipe()
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT), str(lifeline), *command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(lifeline,),
                # We handle an interrupt from the terminal: rclone must live until the running calls are finished.
                start_new_session=True,
            )
        except BaseException:  # whatever happened, close the pipe
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

    def ends_within(self, seconds: float) -> bool:
        """Wait for the command to end; whether it did within that time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait(self) -> int:
        """Wait for the command to end by itself. Returns its exit code (128 + n: killed by signal n)."""
        return self.process.wait()

    def stop(self) -> None:
        """Let the command end soon, with SIGTERM first, and do not wait for that. For any thread; may be called again."""
        with self._letting_go:
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    def close(self) -> None:
        """Stop the command, and wait until it has ended. May be called again."""
        self.stop()
        if self.process.stdout is not None:
            self.process.stdout.close()
        try:
            self.process.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


Watched: TypeAlias = Callable[[Supervised], AbstractContextManager[object]]
"""What to enter with a process while it runs, so that somebody else can stop it."""
