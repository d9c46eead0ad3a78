"""One rclone a run: the resident daemon, started at first need and again should it die, and the listings beside it."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.errors import TransientError
from orchestrator.paths import is_local
from orchestrator.rclone.binary import Binary
from orchestrator.rclone.daemon import Daemon
from orchestrator.rclone.environment import child_environment
from orchestrator.rclone.listing import ListRequest, list_files
from orchestrator.rclone.location_identity import identity_of
from orchestrator.rclone.rc_client import Endpoint, RcClient
from orchestrator.rclone.read_failures import Reasons, said_of
from orchestrator.rclone.vfs_reads import VfsReads
from orchestrator.records import Entry

_MAX_DEATHS = 5
"""How often a run puts up with a dying rclone."""

_KEPT_CONNECTIONS = "64"
"""rclone keeps about twice as many idle connections to a server as it has checkers. With the default of 8, 64 readers at 40 ms
connect anew for every third read: 320 reads/s instead of 510. Nothing that we ask of the daemon uses checkers otherwise."""


class Rclone:
    """Everything that a run asks of rclone. A context manager; used by any number of threads."""

    def __init__(
        self,
        binary: Binary,
        *,
        config: Path | None = None,
        bandwidth: str | None = None,
        transfers: int = 8,
        log_file: Path | None = None,
    ) -> None:
        """`config` is rclone's config file where it is not the usual one; `bandwidth` is in rclone's own syntax."""
        self.binary = binary
        self.client = RcClient(self._running, self._lost)
        self.reasons = Reasons(lambda fs, path: said_of(binary, self._environment(), fs, path))
        self._config = config
        self._extra = {"RCLONE_TRANSFERS": str(transfers)}
        if bandwidth is not None:
            self._extra["RCLONE_BWLIMIT"] = bandwidth
        self._log_file = log_file
        self._remotes: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._daemon: Daemon | None = None
        self._deaths = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def remotes(self) -> dict[str, str]:
        """The remotes that there are -> their types: those of the user's rclone and those that were defined here."""
        found: dict[str, str] = {}
        configured = self.client.call("config/dump")  # with secrets: nothing but the types leaves this function
        for name in self.client.call("config/listremotes").get("remotes") or []:
            section = configured.get(name)
            kind = section.get("type") if isinstance(section, dict) else os.environ.get(f"RCLONE_CONFIG_{name.upper()}_TYPE")
            if kind:
                found[name] = kind
        lowered = {name.lower() for name in self._remotes}  # rclone shows remotes of the environment in lower case
        found = {name: kind for name, kind in found.items() if name.lower() not in lowered or name in configured}
        return found | {name: options["type"] for name, options in self._remotes.items()}

    def remote_type(self, fs: str) -> str:
        """The backend type of a location; "unknown" where the remote does not exist."""
        if is_local(fs):
            return "local"
        name = fs.partition(":")[0]
        if not name:  # ":s3:bucket", ":s3,provider=...:bucket"
            return fs[1:].partition(":")[0].partition(",")[0] or "unknown"
        remotes = self.remotes()
        if name not in remotes:  # remotes of the environment answer to any case
            remotes = {known.lower(): kind for known, kind in remotes.items()}
        return remotes.get(name, remotes.get(name.lower(), "unknown"))

    def option(self, fs: str, option: str) -> str | None:
        """An option of a location's remote that is no secret, None where it is not set. `provider`: the make of its server."""
        name = fs.partition(":")[0]
        if not name or is_local(fs):
            return None
        section = self.client.call("config/dump").get(name)  # with secrets: nothing but that option leaves this function
        section = section if isinstance(section, dict) else self._remotes.get(name, {})
        found = section.get(option) or os.environ.get(f"RCLONE_CONFIG_{name.upper()}_{option.upper()}")
        return str(found) if found else None

    def identity_of(self, fs: str) -> str:
        """Where a location lies in truth (see `places`): for comparing, not for showing."""
        configured = self.client.call("config/dump")  # with secrets: nothing but what tells servers apart is looked at

        def options(name: str) -> dict[str, str]:
            section = configured.get(name)
            prefix = f"RCLONE_CONFIG_{name.upper()}_"
            given = {key.removeprefix(prefix).lower(): value for key, value in os.environ.items() if key.startswith(prefix)}
            return (section if isinstance(section, dict) else {}) | given | self._remotes.get(name, {})

        return identity_of(fs, options)

    def define_remote(self, name: str, type: str, options: Mapping[str, str]) -> None:  # noqa: A002 rclone's word
        """Add a remote that lives as long as this object and is written nowhere.

        Options are spelled as in rclone's config file. A daemon that runs already is started anew, so define remotes before work.
        """
        definition = {"type": type, **options}
        with self._lock:
            if self._remotes.get(name) == definition:
                return
            self._remotes[name] = definition
            self._end()

    def list(self, request: ListRequest) -> Generator[Entry]:
        """Every file below a location (see `listing`)."""
        return list_files(self.binary, self._environment(), request)

    @contextmanager
    def served(self, fs: str, *, piece: int) -> Iterator[VfsReads]:
        """A location served to read parts of many files of it (see `served`)."""
        served = VfsReads(self._running, self.client, fs, piece=piece)
        try:
            yield served
        finally:
            served.close()

    def close(self) -> None:
        """End the daemon. Calls that still run break off."""
        with self._lock:
            self._closed = True
            self._end()
        self.client.close()

    def _environment(self) -> dict[str, str]:
        return child_environment(os.environ, config=self._config, remotes=self._remotes, extra=self._extra)

    def _running(self) -> Endpoint:
        """Where rclone listens; starts it when it does not run."""
        with self._lock:
            if self._daemon is not None and not self._daemon.running:
                self._end()
                self._deaths += 1
            if self._closed:
                raise TransientError("rclone has been ended")
            if self._deaths > _MAX_DEATHS:
                raise TransientError(f"rclone died {self._deaths} times in this run; see the log")
            if self._daemon is None:
                self._daemon = Daemon(
                    self.binary, self._environment() | {"RCLONE_CHECKERS": _KEPT_CONNECTIONS}, log_file=self._log_file
                )
            return self._daemon.endpoint

    def _lost(self, endpoint: Endpoint) -> None:
        """A connection broke: if rclone died of it, the next call starts another."""
        with self._lock:
            if self._daemon is not None and self._daemon.endpoint == endpoint and self._daemon.has_died():
                self._end()
                self._deaths += 1

    def _end(self) -> None:
        if self._daemon is not None:
            self._daemon.close()
            self._daemon = None
