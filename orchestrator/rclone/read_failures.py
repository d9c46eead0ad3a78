"""Finds out why a file cannot be read: `--rc-serve` and the VFS say "Not Found" or nothing, whatever the remote said."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from time import monotonic

from orchestrator.errors import AuthError, OrchestratorError, RateLimitError, TransientError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.classify import classify
from orchestrator.rclone.daemon import COMMON_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.supervisor import Supervised

_REMOTE = "MOREAD"
_TAIL = 64 * 1024


class Reasons:
    """Asks one file at a time. Who waited meanwhile gets the same answer where that is about the remote, not the file."""

    def __init__(self, ask: Callable[[str, str], str | None]) -> None:
        """`ask(fs, path)` gives what rclone says, None for nothing: see `said_of`."""
        self._ask = ask
        self._one_at_a_time = threading.Lock()
        self._remotes: dict[str, tuple[float, str]] = {}  # location -> when it said what

    def why_unread(self, fs: str, path: str) -> OrchestratorError | None:
        """Why a file cannot be read; None when it can."""
        began = monotonic()
        with self._one_at_a_time:
            answered, said = self._remotes.get(fs, (0.0, None))
            if said is None or answered < began:
                said = self._ask(fs, path)
            if said is None:
                return None
            error = classify(said, path=path, names=(path, fs))
            if isinstance(error, TransientError | RateLimitError | AuthError) and answered < began:
                self._remotes[fs] = monotonic(), said
            return error


def said_of(binary: Binary, environment: Mapping[str, str], fs: str, path: str) -> str | None:
    """What rclone says when it reads the first byte of a file that is not empty; None when it can.

    A process of its own: 75 ms and a request or two.
    """
    with tempfile.NamedTemporaryFile() as names, tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        names.write(path.encode() + b"\n")  # rclone shows control characters in names as others
        names.flush()
        variables = {
            **environment,
            **remote_variables(_REMOTE, {"type": "alias", "remote": fs}),
            "RCLONE_FILES_FROM_RAW": names.name,
        }
        # Once: the caller tries again, and rclone's ten tries at a failing S3 take minutes.
        flags = ("--count=1", "--no-traverse", "--low-level-retries=1", "--retries=1", *COMMON_FLAGS)
        command = (str(binary.path), "cat", *flags, f"{_REMOTE}:")
        with Supervised(command, variables, stdout=given, stderr=said) as reader:
            code = reader.wait()
        said.seek(max(0, said.seek(0, 2) - _TAIL))
        lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if "ERROR" in line or "CRITICAL" in line]
        byte = given.seek(0, 2)
    if lines:
        return lines[0].partition(": ")[2].removeprefix(f"{path}: ")
    if code != 0:
        return f"rclone ended with {code}"
    return None if byte else "not found"  # it says nothing of a file that is not there
