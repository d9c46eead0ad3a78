"""The way to a remote through rclone, as `orchestrator.storage.wrappers.outage` uses it."""

from __future__ import annotations

from contextlib import suppress

from orchestrator.errors import OrchestratorError, TransientError, UsageError
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.protocol import PROBE


class RcloneLine:
    """To `remote`; `fs` is one of its locations."""

    def __init__(self, rclone: Rclone, remote: str, fs: str) -> None:
        self._rclone = rclone
        self._remote = remote
        self._fs = fs

    def ask(self, within_s: float) -> None:
        """See `Line`: for a file that is not there."""
        try:
            self._rclone.client.call(
                "operations/stat", rc_bodies.stat(self._fs, PROBE, mtime=False, hashes=()), within_s=within_s
            )
        except UsageError as error:  # rclone takes a folder in a bucket for a file if the server fails
            raise TransientError(error.message) from error

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
