"""Whether the content of a file may have changed, without reading it."""

from __future__ import annotations

import os

from orchestrator.records import Entry
from orchestrator.storage.local_path import local_path
from orchestrator.storage.protocol import Storage


def identity_and_stamp(storage: Storage, entry: Entry) -> tuple[str | None, str | None]:
    """Which file of this machine's disks it is, and a text that changes whenever its content may have; None where unknown."""
    place = local_path(storage, entry.path)
    if place is None:
        if entry.mtime_ns is None or storage.capabilities.local:
            return None, None
        return None, f"{entry.size}:{entry.mtime_ns}:{entry.id or ''}"
    try:
        seen = os.stat(place, follow_symlinks=False)  # noqa: PTH116 - pathlib is slower
    except OSError:  # the file is gone or may not be looked at: unknown
        return None, None
    one_file = f"{seen.st_dev}:{seen.st_ino}"
    return one_file, f"{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}:{one_file}"
