"""One `rclone rcd` process: its private socket, its start, its end."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import OrchestratorError, TransientError, UsageError
from orchestrator.rclone.binary import FLOOR, Binary
from orchestrator.rclone.classify import classify
from orchestrator.rclone.rc_client import Endpoint, RcClient
from orchestrator.rclone.redact import one_line, redact
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
    "--log-level=NOTICE",
)
"""Of every rclone that we start. What the user gives goes by environment, never here."""

READING_FLAGS = (*COMMON_FLAGS, "--low-level-retries=3")
"""Of one that lists or reads: what it repeats changes nothing."""

_FLAGS = (
    "--rc-serve",
    # Finished calls are forgotten at once: kept for the default minute, 20,000 moves cost 60 MB.
    "--rc-job-expire-duration=1s",
    "--rc-job-expire-interval=1s",
    "--max-stats-groups=20",
    # Paths in the address of a read: 4 KiB of path, every byte of it percent-quoted, and some.
    "--rc-max-header-bytes=65536",
    "--rc-server-read-timeout=168h",
    "--rc-server-write-timeout=168h",
    # What is repeated, we repeat, after a look at both ends. A WebDAV server makes room at the destination before it looks for
    # the source: a MOVE whose answer was lost, sent once more by rclone, deletes the very file that has just been moved.
    "--low-level-retries=1",
    # And rclone allows it that room ("Overwrite: T"): a MOVE that comes late, after it was sent again or after another program's,
    # would do the same. So it is refused (412) where something lies; other remotes do not know this header.
    "--header=Overwrite: F",
    *COMMON_FLAGS,
)


class Daemon:
    """A running rclone. Made running and answering, or not at all."""

    def __init__(self, binary: Binary, environment: Mapping[str, str], *, log_file: Path | None = None) -> None:
        """Start it. Its log, without secrets, is added to `log_file` at the end.

        Raises UsageError for a configuration that rclone refuses, TransientError when it does not come up.
        """
        self._log_file = log_file
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
        except BaseException:  # whatever it was: nothing may stay behind
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
        """Whether it still runs."""
        return self._process.running

    def has_died(self) -> bool:
        """Whether it is dead; waits a little for one that is about to be."""
        return self._process.ended_within(_DEATH_S)

    def close(self) -> None:
        """End it and remove its directory. May be called again."""
        self._process.close()
        if self._log_file is not None and self._log.exists():
            _append(self._log_file, redact(self._log_text()))
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
                raise TransientError(f"rclone did not come up within {_START_S:.0f} s")
            time.sleep(0.005)  # the socket appears about 70 ms after the start; nothing tells of it

    def _check(self) -> None:
        """Make sure that this is a rclone that we trust, and that it obeys the configuration that protects files."""
        client = RcClient(lambda: self.endpoint)
        try:
            client.call("rc/noop")
            version = client.call("core/version")
            if tuple(version.get("decomposed", ())) < FLOOR:
                raise UsageError(
                    f"rclone {one_line(str(version.get('version')))} is too old; at least {'.'.join(map(str, FLOOR))} is needed"
                )
            # Misspelled keys are accepted without a word, so ask what came of ours.
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
        said = lines[-1] if lines else self._log_text()[-300:]
        if "bwlimit" in said.lower():
            return UsageError("the bandwidth limit is not understood: write 10M, 1M:100k (up:down), off, or rclone's timetables")
        error = classify(said)
        kind = UsageError if isinstance(error, UsageError) else TransientError
        return kind(f"rclone did not start: {error.message} (exit code {self._process.wait()})")


def _socket_parent() -> str:
    """A directory whose path leaves room for the socket's name: systems cut socket paths at about 104 bytes."""
    candidates = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")  # noqa: S108 a fresh 0700 directory in it
    for candidate in candidates:
        if (
            candidate
            and len(os.fsencode(candidate)) < _MAX_SOCKET_PATH - len("/mo-12345678/rc")
            and os.access(candidate, os.W_OK | os.X_OK)
        ):
            return candidate
    raise UsageError("no temporary directory with a short path that can be written; set TMPDIR")


def _append(file: Path, text: str) -> None:
    if text:
        with os.fdopen(
            os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600), "a", encoding="utf-8"
        ) as stream:
            stream.write(text)
