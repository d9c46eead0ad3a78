"""Finds out why a file cannot be read: `--rc-serve` and the VFS answer "Not Found" or nothing, whatever the remote said."""

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


class ReadFailures:
    """Asks about one file at a time. An answer about the whole remote also serves everybody who waited for it."""

    def __init__(self, ask: Callable[[str, str], str | None]) -> None:
        """`ask(fs, path)` gives rclone's message, None when the file can be read: see `read_error_text`."""
        self._ask = ask
        self._one_at_a_time = threading.Lock()
        self._remotes: dict[str, tuple[float, str]] = {}  # location -> when it answered, and its message

    def why_unreadable(self, fs: str, path: str) -> OrchestratorError | None:
        """Why a file cannot be read; None when it can."""
        began = monotonic()
        with self._one_at_a_time:
            answered, message = self._remotes.get(fs, (0.0, None))
            if message is None or answered < began:
                message = self._ask(fs, path)
            if message is None:
                return None
            error = classify(message, path=path, names=(path, fs))
            if isinstance(error, TransientError | RateLimitError | AuthError) and answered < began:
                self._remotes[fs] = monotonic(), message
            return error


def read_error_text(binary: Binary, environment: Mapping[str, str], fs: str, path: str) -> str | None:
    """The message of rclone when it cannot read the first byte of a file that is not empty; None when it can.

    Takes a process of its own: 75 ms and one or two requests.
    """
    with tempfile.NamedTemporaryFile() as names, tempfile.TemporaryFile() as content, tempfile.TemporaryFile() as log:
        names.write(path.encode() + b"\n")  # rclone shows control characters in names as others
        names.flush()
        variables = {
            **environment,
            **remote_variables(_REMOTE, {"type": "alias", "remote": fs}),
            "RCLONE_FILES_FROM_RAW": names.name,
        }
        # Only one attempt: the caller retries, and rclone's own ten attempts take minutes on a failing S3 server.
        flags = ("--count=1", "--no-traverse", "--low-level-retries=1", "--retries=1", *COMMON_FLAGS)
        command = (str(binary.path), "cat", *flags, f"{_REMOTE}:")
        with Supervised(command, variables, stdout=content, stderr=log) as reader:
            code = reader.wait()
        log.seek(max(0, log.seek(0, 2) - _TAIL))
        lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if "ERROR" in line or "CRITICAL" in line]
        bytes_read = content.seek(0, 2)
    if lines:
        return lines[0].partition(": ")[2].removeprefix(f"{path}: ")
    if code != 0:
        return f"rclone ended with {code}"
    return None if bytes_read else "not found"  # rclone prints nothing about a file that does not exist
