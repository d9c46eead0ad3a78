"""Writes one entry of a common state, after the run that made its two files alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import msgspec

from orchestrator.common_state.soundness import checksum_of, is_sound
from orchestrator.plan.model import CompletedOperation
from orchestrator.plan.planners.sync.records import CHANGED_SINCE, SIDES, File, Inode, Link, other
from orchestrator.records import Ref

DiskLook = Callable[[Ref], Inode | None]
"""What a disk of this machine knows of a file now; None for files elsewhere, and for one that is not there."""
FileRead = Callable[[Ref], dict[str, str]]
"""The hash of a file, which is read for it; none if it could not be read."""

files_in = msgspec.msgpack.Decoder(tuple[File, File]).decode
"""The files of an entry."""


class Expected(msgspec.Struct, frozen=True):
    """A link with the locations that its operations name."""

    link: Link
    fs: tuple[str, str]

    @property
    def places(self) -> tuple[Ref, Ref]:
        """Where the two files are; only of a link that has paths."""
        first, second = self.link.paths or ("", "")
        return Ref(self.fs[0], first), Ref(self.fs[1], second)


class Seen(NamedTuple):
    """What is known of the files that a run has changed, and what can be asked."""

    arrived: Mapping[Ref, CompletedOperation]
    edited: Collection[Ref]
    """Those that were renamed and may have been edited meanwhile."""
    look: DiskLook
    read: FileRead


def record_link(connection: sqlite3.Connection, of: tuple[str, str], expected: Expected, seen: Seen) -> None:
    """Record a link of a pair whose operations are done. `of`: the pair, and the newest run."""
    pair, after_run = of
    link = expected.link
    if link.row is not None:
        connection.execute("DELETE FROM entry WHERE number = ? AND pair = ?", (link.row, pair))
    if link.paths is None:
        return
    places = expected.places
    first, second = (_file_now(link, side, places[side], seen) for side in SIDES)
    if first is None or second is None:
        return
    # Both hold the same content: what is known of it is known of both.
    hashes = {**first.hashes, **second.hashes}
    if not hashes:
        hashes = _hashes_read((first, second), places, seen)
    first, second = (msgspec.structs.replace(file, read_hashes=hashes) for file in (first, second))
    paths = [path.encode() for path in link.paths]
    # A file has one entry: an older one with either path is about what is no longer there.
    connection.execute("DELETE FROM entry WHERE pair = ? AND (first_path = ? OR second_path = ?)", (pair, *paths))
    body = msgspec.msgpack.encode((first, second))
    connection.execute(
        "INSERT INTO entry (pair, first_path, second_path, after_run, body, checksum) VALUES (?, ?, ?, ?, ?, ?)",
        (pair, *paths, after_run, body, checksum_of(pair, after_run, body)),
    )


def with_two_names(connection: sqlite3.Connection, pair: str, expected: Expected, refused: Collection[Ref]) -> Expected | None:
    """An entry of which one side refused the new name: its old name there, the new one here, and the content that it had.

    None for all other entries.
    """
    link = expected.link
    paths = [] if link.paths is None else [*link.paths]
    sides = [side for side in SIDES[: len(paths)] if Ref(expected.fs[side], paths[side]) in refused]
    found = connection.execute("SELECT checksum, pair, after_run, body FROM entry WHERE number = ?", (link.row,)).fetchone()
    if not sides or found is None or not is_sound(*found) or found[1] != pair:
        return None
    files = files_in(found[3])
    for side in sides:
        paths[side] = (link.files[side] or files[side]).path
    first, second = (
        msgspec.structs.replace(file, entry=msgspec.structs.replace(file.entry, path=path))
        for file, path in zip(files, paths, strict=True)
    )
    return Expected(Link(link.row, (paths[0], paths[1]), (first, second)), expected.fs)


def _file_now(link: Link, side: int, where: Ref, seen: Seen) -> File | None:
    """A file as it is after the run; None if it is not known."""
    before = link.files[side]
    one = seen.arrived.get(where)
    if one is None:
        return before
    if one.entry is None:
        return None
    entry, inode = msgspec.structs.replace(one.entry, path=where.path), seen.look(where)
    if before is not None and where in seen.edited:
        entry = msgspec.structs.replace(entry, mtime_ns=before.entry.mtime_ns, hashes=before.entry.hashes)
        inode = inode and msgspec.structs.replace(inode, ctime_ns=CHANGED_SINCE)
    content = before or link.files[other(SIDES[side])]
    if content is None:
        return File(entry, inode=inode)
    return File(entry, inode=inode, sound=content.sound, own_mtime_ns=content.own_mtime_ns, damage=content.damage)


def _hashes_read(files: tuple[File, File], places: tuple[Ref, Ref], seen: Seen) -> dict[str, str]:
    """The hash of the one that is on a disk, if it is still what was verified."""
    for file, place in zip(files, places, strict=True):
        if file.inode and file.inode.ctime_ns != CHANGED_SINCE and file.size and seen.look(place) == file.inode:
            hashes = seen.read(place)
            return hashes if seen.look(place) == file.inode else {}
    return {}
