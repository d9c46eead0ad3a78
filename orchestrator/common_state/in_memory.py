"""Rows of the common state that share what is equal with the files of now: most files of a large library are in memory once."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from orchestrator.plan.planners.sync.records import File

FilesNow = Mapping[str, File]
"""Path -> file, as it is now."""


def in_memory_once(then: tuple[File, File], now: tuple[FilesNow, FilesNow]) -> tuple[File, File]:
    """The files of a row, made of the same objects as the equal ones of now."""
    first, second = now[0].get(then[0].entry.path), now[1].get(then[1].entry.path)
    # Verified alike, so what one side lists is known of the other as well.
    listed = (first.entry.hashes if first else {}), (second.entry.hashes if second else {})
    return _made_of(then[0], first, listed), _made_of(then[1], second, listed)


def _made_of(then: File, now: File | None, listed: tuple[dict[str, str], dict[str, str]]) -> File:
    if now is None:
        return then
    hashes = then.read_hashes
    return msgspec.structs.replace(
        then,
        entry=now.entry if now.entry == then.entry else then.entry,
        inode=now.inode if now.inode == then.inode else then.inode,
        read_hashes=next((known for known in listed if known == hashes), hashes),
    )
