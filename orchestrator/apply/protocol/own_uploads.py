"""Whether a file that was to be replaced in place is now an upload of ours, or what another program has written since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from orchestrator.apply.protocol.fingerprint import expected
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import NotFoundError

_PRECISIONS_NS = (1_000_000_000, 1_000_000)
"""Remotes keep whole seconds (Dropbox), milliseconds (Drive) or everything (S3)."""


def is_our_upload(task: Task) -> bool:
    """Whether the file at the destination has a time of our source: an upload has it, whole or torn, another edit has its own.

    That may be the time of the source before or after a change. Costs a request or two. Raises the storages' errors.
    """
    found = task.target.mtime(task.dst)
    if found is None:
        return False
    precision = next((precision for precision in _PRECISIONS_NS if found % precision == 0), 1)
    return any(time is not None and abs(time - found) < precision for time in _times_of_source(task))


def _times_of_source(task: Task) -> Iterator[int | None]:
    if task.source.capabilities.local:  # elsewhere the plan may have the time of upload
        yield expected(task.operation).mtime_ns
    with suppress(NotFoundError):  # gone: its earlier time, if known, is all there is to compare
        yield task.source.mtime(task.src)
