"""Whether a file that was to be replaced in place is now an upload of ours, or what another program has written since."""

from __future__ import annotations

from orchestrator.apply.protocol.fingerprint import expected
from orchestrator.apply.protocol.task import Task

_PRECISIONS_NS = (1_000_000_000, 1_000_000)
"""Remotes keep whole seconds (Dropbox), milliseconds (Drive) or everything (S3)."""


def is_our_upload(task: Task) -> bool:
    """Whether the file at the destination has the time of our source: an upload has it, whole or torn, another edit has its own.

    Costs a request or two. Raises the storages' errors.
    """
    sent = expected(task.operation).mtime_ns if task.source.capabilities.local else task.source.mtime(task.src)
    found = task.target.mtime(task.dst)
    if sent is None or found is None:
        return False
    return abs(sent - found) < next((precision for precision in _PRECISIONS_NS if found % precision == 0), 1)
