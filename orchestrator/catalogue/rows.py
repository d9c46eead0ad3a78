"""Rows of the catalogue and the records that they stand for."""

from __future__ import annotations

import sqlite3

import msgspec

from orchestrator.records import Entry, Ref
from orchestrator.tags.formats import is_audio


class Moved(msgspec.Struct, frozen=True):
    """A file that this program moved or copied: same content, new place."""

    src: Ref
    dst: Ref
    entry: Entry | None = None
    """The file as listed at `dst`; None when nobody looked, then it keeps what was known of it."""
    copied: bool = False
    """Whether it also stays at `src`."""
    content: bytes | None = None
    """What `dst` holds, where that is not the content of `src`: a list that was written anew."""


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A file that has to be read: audio, a playlist or a cue sheet."""

    row: int
    entry: Entry
    since_ns: int
    by_id: bool = False
    """Another file of other content has the same name: only the id tells which one is read."""


def kind_of(path: str) -> str:
    """What the column `kind` holds: the extension of an audio file, which is part of how it is read; else ""."""
    return path[path.rfind(".") + 1 :].lower() if is_audio(path) else ""


def hashes_text(hashes: dict[str, str]) -> str:
    """What the column `hashes` holds. Equal hashes give equal texts."""
    if not hashes:
        return ""
    if len(hashes) == 1:  # by far the most frequent, and there may be 100,000 of them
        ((name, value),) = hashes.items()
        return f"{name}={value}" if value else ""
    return ";".join(f"{name}={value}" for name, value in sorted(hashes.items()) if value)


def hashes_of(text: str) -> dict[str, str]:
    """The reverse of `hashes_text`."""
    if not text:
        return {}
    hashes: dict[str, str] = {}
    for pair in text.split(";"):
        name, _, value = pair.partition("=")
        hashes[name] = value
    return hashes


def entry_of(path: bytes, remote_id: str, size: int | None, mtime_ns: int | None, hashes: str) -> Entry:
    """The file that these columns describe."""
    return Entry(path.decode(), size, mtime_ns, hashes_of(hashes), remote_id or None)


def location_of(connection: sqlite3.Connection, fs: str) -> int:
    """The number of a location; a new one when it is not known yet."""
    row = connection.execute("SELECT id FROM location WHERE fs = ?", (fs,)).fetchone()
    if row is None:
        row = connection.execute("INSERT INTO location (fs) VALUES (?) RETURNING id", (fs,)).fetchone()
    return int(row[0])


def drop_texts(connection: sqlite3.Connection, entries: str, values: tuple[object, ...]) -> None:
    """Forget what was read of the entries that a SELECT gives."""
    for table in ("reading", "content"):
        connection.execute(f"DELETE FROM {table} WHERE entry IN ({entries})", values)


def take_over(connection: sqlite3.Connection, change: Moved, *, only_known: bool = False) -> None:
    """Let the rows say what `change` did. A source that is not known leaves a file that is still to be read, or nothing."""
    source, target = location_of(connection, change.src.fs), location_of(connection, change.dst.fs)
    src_path, dst_path = change.src.path.encode(), change.dst.path.encode()
    if (source, src_path) == (target, dst_path):
        return
    seen = change.entry
    if change.content is not None:
        if seen is not None:
            _add_written(connection, target, seen, change.content)
        return
    row = connection.execute(
        "SELECT id, remote_id, size, mtime_ns, hashes, since_ns, reader, trouble FROM entry "
        "WHERE location = ? AND path = ? ORDER BY remote_id = ? DESC, id LIMIT 1",
        (source, src_path, (seen.id or "") if seen else ""),
    ).fetchone()
    if row is not None and change.src.object_id not in {None, row[1]}:
        row = None  # another file of that name
    if row is None and (seen is None or only_known):
        return
    old, remote_id, size, mtime_ns, hashes, since_ns, reader, trouble = row or (0, "", None, None, "", 0, 0, 0)
    if seen is not None:
        if row is not None and seen.size != size:
            reader = trouble = 0  # not what we thought we moved
            connection.execute("DELETE FROM content WHERE entry = ?", (old,))
        remote_id, size, mtime_ns, hashes = seen.id or "", seen.size, seen.mtime_ns, hashes_text(seen.hashes)
    elif change.copied or source != target:
        remote_id = ""  # another object, whose id nobody has seen yet
    kind = kind_of(change.dst.path)
    _drop(connection, target, dst_path, change.dst.object_id or "")
    columns = "location, path, remote_id, size, mtime_ns, hashes, kind, since_ns, reader, trouble"
    values = (target, dst_path, remote_id, size, mtime_ns, hashes, kind, since_ns, reader, trouble)
    if row is None or change.copied:
        added = connection.execute(f"INSERT INTO entry ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.execute("INSERT INTO reading SELECT ?, reading FROM reading WHERE entry = ?", (added.lastrowid, old))
        connection.execute("INSERT INTO content SELECT ?, content FROM content WHERE entry = ?", (added.lastrowid, old))
    else:
        connection.execute(f"UPDATE entry SET ({columns}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?", (*values, old))


def _drop(connection: sqlite3.Connection, location: int, path: bytes, object_id: str = "") -> None:
    """Forget what was known at a path; where several files may carry the name, only of the one with the id."""
    there = "SELECT id FROM entry WHERE location = ? AND path = ? AND ? IN ('', remote_id)"
    drop_texts(connection, there, (location, path, object_id))
    connection.execute(f"DELETE FROM entry WHERE id IN ({there})", (location, path, object_id))


def _add_written(connection: sqlite3.Connection, location: int, seen: Entry, content: bytes) -> None:
    """A file that this program wrote: what it holds is known."""
    path = seen.path.encode()
    _drop(connection, location, path)
    added = connection.execute(
        "INSERT INTO entry (location, path, remote_id, size, mtime_ns, hashes, kind, since_ns) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (location, path, seen.id or "", seen.size, seen.mtime_ns, hashes_text(seen.hashes), kind_of(seen.path)),
    )
    connection.execute("INSERT INTO content VALUES (?, ?)", (added.lastrowid, content))
