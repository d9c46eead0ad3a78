"""One `rclone rcd` process: its private socket, how it starts and stops."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import AuthError, OrchestratorError, TransientError, UsageError
from orchestrator.rclone.binary import FLOOR, INSTALL, Binary, parse_version
from orchestrator.rclone.classify import classify
from orchestrator.rclone.http_connection import Endpoint
from orchestrator.rclone.own_log import log_lines
from orchestrator.rclone.rc_client import RcClient
from orchestrator.rclone.redact import one_line
from orchestrator.rclone.supervisor import Supervised

_START_S = 15.0
_DEATH_S = 0.5
_MAX_SOCKET_PATH = 100
_LOG_TAIL = 64 * 1024

COMMON_FLAGS = (
    "--ask-password=false",
    "--contimeout=15s",
    "--timeout=2m",
    "--use-json-log=false",
    "--log-format=date,time,UTC",
    "--log-level=NOTICE",
)
"""For every rclone that we start. Anything from the user goes into the environment, never here."""

READING_FLAGS = (*COMMON_FLAGS, "--low-level-retries=3")
"""For processes that list or read: their retries change nothing."""

_FLAGS = (
    "--rc-serve",
    "--rc-enable-metrics",  # they count the requests that it sends
    # Forget finished calls at once: kept for the default minute, 20,000 moves take 60 MB.
    "--rc-job-expire-duration=1s",
    "--rc-job-expire-interval=1s",
    "--max-stats-groups=20",
    # The URL of a read holds the path: up to 4 KiB, each byte percent-quoted, and then some.
    "--rc-max-header-bytes=65536",
    # A VFS would ask what has changed, once even if it never polls.
    "--disable=ChangeNotify",
    "--rc-server-read-timeout=168h",
    "--rc-server-write-timeout=168h",
    # We retry ourselves, after a check of source and destination. A WebDAV server clears the destination before it looks for the
    # source: if the answer to a MOVE is lost and rclone sends it again, it deletes the file that was just moved.
    "--low-level-retries=1",
    # rclone even asks for that ("Overwrite: T"): a MOVE that arrives late, after a retry or after another program wrote there,
    # would delete as well. With this header the server refuses (412) if the destination exists; other remotes ignore it.
    "--header=Overwrite: F",
    *COMMON_FLAGS,
)

_NOT_STARTED = "CRITICAL: cannot start "
"""How what `_supervise` says of a program that cannot be started begins."""


class Daemon:
    """A running rclone: an instance exists only if rclone runs and answers."""

    def __init__(self, binary: Binary, environment: Mapping[str, str]) -> None:
        """Start rclone. When it ends, what it logged is in our log, without secrets.

        Raises UsageError for a configuration that rclone refuses, TransientError when it does not start.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="mo-", dir=_socket_parent(), ignore_cleanup_errors=True)
        directory = Path(self._directory.name)
        self._log = directory / "log"
        user, password = secrets.token_hex(16), secrets.token_hex(32)
        address = directory / "rc"
        self.endpoint = Endpoint(str(address), user, password)
        try:
            log = os.open(self._log, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._process = Supervised(
                    (str(binary.path), "rcd", f"--rc-addr=unix://{address}", *_FLAGS),
                    {**environment, "RCLONE_RC_USER": user, "RCLONE_RC_PASS": password},
                    stdout=log,
                    stderr=log,
                )
            finally:
                os.close(log)
        except BaseException:  # whatever happened, leave nothing behind
            self._directory.cleanup()
            raise
        try:
            self._await_socket()
            self._check()
        except BaseException:  # as above
            self.close()
            raise

    @property
    def running(self) -> bool:
        """Whether rclone still runs."""
        return self._process.running

    def has_died(self) -> bool:
        """Whether rclone has died; waits a moment, in case it is dying."""
        return self._process.ends_within(_DEATH_S)

    def close(self) -> None:
        """Stop rclone and remove its directory. May be called again."""
        self._process.close()
        if self._log.exists():
            log_lines(self._log_text())
        self._directory.cleanup()

    def _await_socket(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                if probe.connect_ex(self.endpoint.socket) == 0:
                    return
            if not self.running:
                raise self._start_error()
            if time.monotonic() > deadline:
                raise TransientError(f"rclone did not start within {_START_S:.0f} s")
            time.sleep(0.005)  # the socket appears about 70 ms after the start, without a signal

    def _check(self) -> None:
        """Make sure that this rclone is new enough, and obeys the configuration that protects files."""
        client = RcClient(lambda: self.endpoint)
        try:
            version = client.version()
            if (parse_version(version) or ()) < FLOOR:
                raise UsageError(f"rclone {one_line(version)} is too old; at least {'.'.join(map(str, FLOOR))} is needed")
            # rclone silently accepts unknown keys, so check that ours took effect.
            wanted = {"BackupDir": "/nowhere", "IgnoreTimes": True}
            config = client.call("options/local", {"_config": wanted}).get("config", {})
            if any(config.get(key) != value for key, value in wanted.items()):
                raise UsageError(
                    "this rclone ignores BackupDir or IgnoreTimes, which protect existing files; use another version"
                )
        finally:
            client.close()

    def _log_text(self) -> str:
        with self._log.open("rb") as stream:
            stream.seek(max(0, self._log.stat().st_size - _LOG_TAIL))
            return stream.read().decode("utf-8", "replace")

    def _start_error(self) -> OrchestratorError:
        lines = [line for line in self._log_text().splitlines() if "CRITICAL" in line or "Fatal" in line or "Invalid" in line]
        message = lines[-1] if lines else self._log_text()[-300:]
        if "bwlimit" in message.lower():
            return UsageError(
                "rclone does not accept the bandwidth limit: write 10M, 1M:100k (up:down), off, or a timetable of rclone"
            )
        if _NOT_STARTED in message:
            return UsageError(f"{message.partition(_NOT_STARTED)[2]}: rclone cannot be started; {INSTALL}")
        error = classify(message)
        if isinstance(error, AuthError):
            return error
        kind = UsageError if isinstance(error, UsageError) else TransientError
        return kind(f"rclone did not start: {error.message} (exit code {self._process.wait()})")


def _socket_parent() -> str:
    """A directory with a path short enough for the socket: systems limit socket paths to about 104 bytes."""
    candidates = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")  # noqa: S108 because the socket gets a new 0700 directory
    for candidate in candidates:
        if (
            candidate
            and len(os.fsencode(candidate)) < _MAX_SOCKET_PATH - len("/mo-12345678/rc")
            and os.access(candidate, os.W_OK | os.X_OK)
        ):
            return candidate
    raise UsageError("no writable temporary directory with a short path; set TMPDIR")
