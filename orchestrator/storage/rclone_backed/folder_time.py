"""The time of a folder, which the server sets by its own clock: rclone sets times of files only."""

from __future__ import annotations

from datetime import datetime

from orchestrator.rclone import rc_bodies
from orchestrator.storage.rclone_backed.storage import RcloneStorage

_NO_TIME = "2000-01-01T00:00:00"
"""What rclone says of a folder without a time (Dropbox): its option `default_time`."""


def folder_time(storage: RcloneStorage, path: str) -> int | None:
    """When the server made or changed a folder, in nanoseconds since 1970; None where it does not say."""
    first, second = (_modified(storage, path) for _ in range(2))
    # Some backends give the time of the look instead.
    return None if first is None or first != second else int(datetime.fromisoformat(first).timestamp() * 10**9)


def _modified(storage: RcloneStorage, path: str) -> str | None:
    item = storage.rclone.client.call("operations/stat", rc_bodies.one_path(storage.fs, path)).get("item")
    return None if item is None or item["ModTime"].startswith(_NO_TIME) else str(item["ModTime"])
