"""The way to a remote through rclone, as `orchestrator.storage.wrappers.outage` uses it."""

from __future__ import annotations

from contextlib import suppress

from orchestrator.errors import OrchestratorError, RateLimitError, TransientError, UsageError
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.protocol import PROBE

_TOO_MANY = "429"


class RcloneLine:
    """To `remote`; `fs` is one of its locations."""

    def __init__(self, rclone: Rclone, remote: str, fs: str) -> None:
        self._rclone = rclone
        self._remote = remote
        self._fs = fs
        self._refused = 0

    def ask(self, within_s: float) -> None:
        """See `Line`: for a file that is not there."""
        refused, self._refused = self._refused, self._refusals()
        if self._refused != refused:  # rclone lets all requests wait as long as the remote said; opened again, it asks at once
            with suppress(OrchestratorError):
                self._rclone.forget_folders(keep_s=0)
        try:
            self._rclone.client.call(
                "operations/stat", rc_bodies.stat(self._fs, PROBE, mtime=False, hashes=()), within_s=within_s
            )
        except UsageError as error:  # rclone takes a folder in a bucket for a file if the server fails, or refuses to say it
            if self._refusals() > self._refused:
                raise RateLimitError(error.message) from error
            raise TransientError(error.message) from error

    def _refusals(self) -> int:
        """How often remotes have answered that they want fewer requests."""
        with suppress(OrchestratorError):
            return self._rclone.client.requests_sent("code")[_TOO_MANY]
        return self._refused

    def signs(self) -> int | None:
        """See `Line`: those of all remotes."""
        with suppress(OrchestratorError):
            if (activity := self._rclone.activity.look()) is not None:
                return activity.signs
        return None

    def cut(self) -> None:
        """See `Line`."""
        self._rclone.cut_off(self._remote)

    def reopen(self) -> None:
        """See `Line`."""
        self._rclone.reconnect(self._remote)
