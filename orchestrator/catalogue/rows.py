"""Rows of the catalogue, and the records that they hold."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

import msgspec

from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.tags.formats import is_audio


def _blob(text: str) -> str:
    """A constant of SQL."""
    return f"X'{text.encode().hex()}'"


# Files in an OWN_DIRECTORY were moved there by a run. They are kept, so that they need not be read again when they come back, but
# never shown.
IS_OURS: Final = (
    f"((e.path >= {_blob(OWN_DIRECTORY + '/')} AND e.path < {_blob(OWN_DIRECTORY + '0')}) "  # "0" follows "/"
    f"OR instr(e.path, {_blob(f'/{OWN_DIRECTORY}/')}))"
)
"""Whether the row `e` is one of these: `orchestrator.paths.is_ours` for files in one; the directory itself is never a row."""


class Moved(msgspec.Struct, frozen=True):
    """A file that this program moved or copied: same content, new path."""

    src: Ref
    dst: Ref
    entry: Entry | None = None
    """The file as seen at `dst`; None when it was not looked at: then what is known about it stays."""
    copied: bool = False
    """Whether it is also still at `src`."""
    content: bytes | None = None
    """The content of `dst` where it differs from `src`: a rewritten playlist or cue sheet."""


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A file to read: audio, a playlist or a cue sheet."""

    row: int
    entry: Entry
    since_ns: int
    by_id: bool = False
    """Read it by its id: another file with other content has the same name."""


def kind_of(path: str) -> str:
    """The column `kind`: the extension of an audio file, which decides how it is read; "" for other files."""
    return path[path.rfind(".") + 1 :].lower() if is_audio(path) else ""


def hashes_text(hashes: dict[str, str]) -> str:
    """The column `hashes`. Equal hashes give equal texts."""
    if not hashes:
        return ""
    if len(hashes) == 1:  # by far the most common case, perhaps 100,000 times
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
    """The number of a location, which is added if it is unknown."""
    row = connection.execute("SELECT id FROM location WHERE fs = ?", (fs,)).fetchone()
    if row is None:
        row = connection.execute("INSERT INTO location (fs) VALUES (?) RETURNING id", (fs,)).fetchone()
    return int(row[0])


def drop_content(connection: sqlite3.Connection, entries: str, values: tuple[object, ...]) -> None:
    """Delete the readings and contents of the entries that a SELECT returns."""
    for table in ("reading", "content"):
        connection.execute(f"DELETE FROM {table} WHERE entry IN ({entries})", values)


def record_move(connection: sqlite3.Connection, change: Moved, *, only_known: bool = False) -> None:
    """Make the rows say what `change` did.

    A file that is unknown at its source is added if it was seen at its destination, unless `only_known`; it is still to be read.
    """
    source, target = location_of(connection, change.src.fs), location_of(connection, change.dst.fs)
    if (source, change.src.path) == (target, change.dst.path):
        return
    seen = change.entry
    if change.content is not None:
        if seen is not None:
            _add_written(connection, target, seen, change.content)
        return
    known = _known_facts(connection, source, change)
    if known is None and (seen is None or only_known):
        return
    facts = known or _Facts()
    if seen is not None:
        if known is not None and seen.size != known.size:  # not the file that we meant to move
            facts = facts._replace(reader=0, trouble=0)
            connection.execute("DELETE FROM content WHERE entry = ?", (known.entry,))
        facts = facts._replace(remote_id=seen.id or "", size=seen.size, mtime_ns=seen.mtime_ns, hashes=hashes_text(seen.hashes))
    elif change.copied or source != target:
        facts = facts._replace(remote_id="")  # a new file, whose id is unknown so far
    dst_path = change.dst.path.encode()
    _drop(connection, target, dst_path, change.dst.object_id or "")
    columns = "location, path, kind, remote_id, size, mtime_ns, hashes, since_ns, reader, trouble"
    values = (target, dst_path, kind_of(change.dst.path), *facts[1:])
    if known is None or change.copied:
        added = connection.execute(f"INSERT INTO entry ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        for table in ("reading", "content"):
            connection.execute(
                f"INSERT INTO {table} SELECT ?, {table} FROM {table} WHERE entry = ?", (added.lastrowid, facts.entry)
            )
    else:
        connection.execute(f"UPDATE entry SET ({columns}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?", (*values, known.entry))


class _Facts(NamedTuple):
    """What a row says about a file, apart from its path."""

    entry: int = 0
    remote_id: str = ""
    size: int | None = None
    mtime_ns: int | None = None
    hashes: str = ""
    since_ns: int = 0
    reader: int = 0
    trouble: int = 0


def _known_facts(connection: sqlite3.Connection, location: int, change: Moved) -> _Facts | None:
    """What is known about the file at the source of `change`."""
    likely_id = (change.entry.id or "") if change.entry else ""
    row = connection.execute(
        "SELECT id, remote_id, size, mtime_ns, hashes, since_ns, reader, trouble FROM entry "
        "WHERE location = ? AND path = ? ORDER BY remote_id = ? DESC, id LIMIT 1",
        (location, change.src.path.encode(), likely_id),
    ).fetchone()
    facts = None if row is None else _Facts(*row)
    other_file = facts is not None and change.src.object_id not in {None, facts.remote_id}
    return None if other_file else facts


def _drop(connection: sqlite3.Connection, location: int, path: bytes, object_id: str = "") -> None:
    """Delete the rows at a path; where several files can have one name, only the row with the id."""
    at_path = "SELECT id FROM entry WHERE location = ? AND path = ? AND ? IN ('', remote_id)"
    drop_content(connection, at_path, (location, path, object_id))
    connection.execute(f"DELETE FROM entry WHERE id IN ({at_path})", (location, path, object_id))


def _add_written(connection: sqlite3.Connection, location: int, seen: Entry, content: bytes) -> None:
    """Add a file that this program wrote, with its content."""
    path = seen.path.encode()
    _drop(connection, location, path)
    added = connection.execute(
        "INSERT INTO entry (location, path, remote_id, size, mtime_ns, hashes, kind, since_ns) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (location, path, seen.id or "", seen.size, seen.mtime_ns, hashes_text(seen.hashes), kind_of(seen.path)),
    )
    connection.execute("INSERT INTO content VALUES (?, ?)", (added.lastrowid, content))
