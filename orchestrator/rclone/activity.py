"""What a running rclone does at this moment. Asking it costs it 1 ms, and never holds up its other callers."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.errors import TransientError
from orchestrator.progress import Activity, Transfer
from orchestrator.rclone.http_connection import Endpoint
from orchestrator.rclone.rc_client import RcClient

_ANSWER_S = 2.0
"""An rclone that is busy answers within milliseconds; one that hangs is not waited for."""
_SIGNS = ("bytes", "checks", "deletes", "deletedDirs", "listed", "renames")
"""The counters of rclone that only grow when a server, or a disk, has answered."""
_NO_ANSWER = "0"
"""The status that rclone counts for a request that got none. Nor is an error of the server (5xx) a sign of life."""


class ActivityWatch:
    """Asks over a connection of its own. `running` says where rclone is, None if it does not run; it must not wait."""

    def __init__(self, running: Callable[[], Endpoint | None]) -> None:
        self._running = running
        self._client = RcClient(self._endpoint, timeout_s=_ANSWER_S)

    def look(self) -> Activity | None:
        """What rclone does; None if it does not run. Raises OrchestratorError if it does not answer."""
        if self._running() is None:
            return None
        stats = self._client.call("core/stats")
        rows = stats.get("transferring") or []
        under_way = [Transfer(str(row.get("name", "")), row.get("size", -1), row.get("bytes", 0)) for row in rows]
        codes = self._client.requests_sent("code")
        answered = sum(number for code, number in codes.items() if code != _NO_ANSWER and not code.startswith("5"))
        return Activity(
            bytes=stats.get("bytes", 0) - stats.get("serverSideCopyBytes", 0) - stats.get("serverSideMoveBytes", 0),
            copied=stats.get("transfers", 0) - stats.get("renames", 0),
            renamed=stats.get("renames", 0),
            signs=answered + sum(stats.get(counter, 0) for counter in _SIGNS),
            under_way=under_way,
        )

    def close(self) -> None:
        """Close its connection."""
        self._client.close()

    def _endpoint(self) -> Endpoint:
        if (endpoint := self._running()) is None:
            raise TransientError("rclone does not run")
        return endpoint
