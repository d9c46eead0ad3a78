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
    one, two = listed
    entry = now.entry if now.entry == then.entry else then.entry
    inode = now.inode if now.inode == then.inode else then.inode
    hashes = one if one == then.read_hashes else two if two == then.read_hashes else then.read_hashes
    known = File(entry, inode, hashes)  # most files: `replace` takes three times as long
    return known if known == then else msgspec.structs.replace(then, entry=entry, inode=inode, read_hashes=hashes)
