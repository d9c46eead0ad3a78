"""Remove our own directories on a storage once they are empty."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.paths import is_ours, parents_of
from orchestrator.storage.protocol import Storage


def remove_own_directories(storage: Storage, directories: Iterable[str]) -> None:
    """Remove those of `directories` that are empty, and their empty parents up to and including OWN_DIRECTORY.

    Does nothing where removing a directory also deletes files that were not listed in it: the quarantine is one of them.
    """
    if not storage.capabilities.empty_directories or storage.capabilities.rmdir_is_recursive:
        return
    every = {above for directory in directories for above in (directory, *parents_of(directory)) if is_ours(above)}
    for directory in sorted(every, key=lambda path: (path.count("/"), path), reverse=True):
        storage.remove_directory(directory)
