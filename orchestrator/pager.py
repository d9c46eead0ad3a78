"""Show long texts in the pager of the user. Besides `rclone/`, the one room that starts a process."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator

_DEFAULT = "less"
_LESS = "FRX"
"""Options of less, unless LESS is set: end at once if all fits on the screen, keep colours, leave the text on the screen."""


def pager_command() -> list[str] | None:
    """The command in PAGER, otherwise less; None if there is none, or if PAGER is empty or `cat`."""
    try:
        words = shlex.split(os.environ.get("PAGER", _DEFAULT))
    except ValueError:
        return None
    return words if words and words != ["cat"] and shutil.which(words[0]) else None


def page(lines: Iterable[str]) -> bool:
    """Show lines in the pager until the person leaves it; False if there is none.

    The lines go to a terminal: names in them must be escaped.
    """
    command = pager_command()
    if command is None or threading.current_thread() is not threading.main_thread():
        return False
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, env={**os.environ, "LESS": os.environ.get("LESS", _LESS)}, encoding="utf-8",
            errors="backslashreplace",
        )  # fmt: skip
    except OSError:
        return False
    with _interrupts_left_to_it(), process:
        try:
            with contextlib.suppress(BrokenPipeError):  # the person has left before the end
                for line in lines:
                    process.stdin.write(f"{line}\n")  # type: ignore[union-attr]
            with contextlib.suppress(BrokenPipeError):  # what is still buffered
                process.stdin.close()  # type: ignore[union-attr]
            process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
    return True


@contextlib.contextmanager
def _interrupts_left_to_it() -> Iterator[None]:
    """Ctrl-C ends a search in the pager, not this program."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
