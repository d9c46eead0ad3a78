"""Finds out why a file cannot be read: `--rc-serve` and the VFS answer "Not Found" or nothing, whatever the remote said.

A remote that wants fewer requests is not asked: the codes that it has answered with say it. Drive's code for that has other
meanings, so it is asked, but once for all.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from time import monotonic

from orchestrator.errors import AuthError, OrchestratorError, RateLimitError, TransientError, UsageError
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.classify import classify
from orchestrator.rclone.daemon import COMMON_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.supervisor import Supervised, Watched

_REMOTE = "MOREAD"
_TAIL = 64 * 1024
_TOO_MANY, _BUSY, _FORBIDDEN = "429", "503", "403"
_LATELY_S = 1.0
"""Requests that were under way together are refused within about this time."""


class ReadFailures:
    """Asks about one file at a time. An answer about the whole remote also serves everybody who waited for it."""

    def __init__(self, ask: Callable[[str, str], str | None], codes: Callable[[], Mapping[str, int]] = dict) -> None:
        """`ask(fs, path)` gives rclone's message, None when the file can be read: see `read_error_text`.

        `codes` gives the codes of all answers so far, and how often each came.
        """
        self._ask = ask
        self._codes = codes
        self._one_at_a_time = threading.Lock()
        self._counting = threading.Lock()
        self._known = {_FORBIDDEN: 0, _TOO_MANY: 0, _BUSY: 0}
        self._refused: tuple[float, str] = (-_LATELY_S, "")
        """When remotes were last seen to refuse requests, and the code."""
        self._remotes: dict[str, tuple[float, str]] = {}  # location -> when it answered, and its message

    @property
    def asking(self) -> bool:
        """Whether it is being found out why a file cannot be read."""
        return self._one_at_a_time.locked()

    def forget_refusals(self) -> None:
        """Count refusals from now on."""
        with self._counting:
            codes = self._codes()
            self._known = {code: codes.get(code, 0) for code in self._known}
            self._refused = -_LATELY_S, ""

    def refused(self, path: str) -> OrchestratorError | None:
        """The error of a file that could not be read, if remotes have just refused requests (429, 503)."""
        code = self._code_of_refusals()
        if code is None or code == _FORBIDDEN:
            return None
        return classify("429 Too Many Requests" if code == _TOO_MANY else "503 Service Unavailable", path=path)

    def may_be_refused(self) -> bool:
        """Whether remotes have just refused requests, maybe because they were too many."""
        return self._code_of_refusals() is not None

    def _code_of_refusals(self) -> str | None:
        with self._counting:
            codes = self._codes()
            for code, before in self._known.items():
                if codes.get(code, 0) > before:
                    self._refused = monotonic(), code
            self._known = {code: codes.get(code, 0) for code in self._known}
            since, code = self._refused
        return code if monotonic() - since <= _LATELY_S else None

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
            if isinstance(error, UsageError):  # the location was a folder: the server does not say whether it still is
                error = TransientError(f"{path}: {fs} could not be opened: {message}", path=path)
            if isinstance(error, TransientError | RateLimitError | AuthError) and answered < began:
                self._remotes[fs] = monotonic(), message
            return error


def read_error_text(
    binary: Binary,
    environment: Mapping[str, str],
    fs: str,
    path: str,
    running: Watched = nullcontext,
) -> str | None:
    """The message of rclone when it cannot read the first byte of a file that is not empty; None when it can.

    Takes a process of its own: 75 ms and one or two requests. `running` is entered with it while it runs.
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
        with Supervised(command, variables, stdout=content, stderr=log) as reader, running(reader):
            code = reader.wait()
        log.seek(max(0, log.seek(0, 2) - _TAIL))
        lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if "ERROR" in line or "CRITICAL" in line]
        bytes_read = content.seek(0, 2)
    if lines:
        return lines[0].partition(": ")[2].removeprefix(f"{path}: ")
    if code != 0:
        return f"rclone ended with {code}"
    return None if bytes_read else "not found"  # rclone prints nothing about a file that does not exist
