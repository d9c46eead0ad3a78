"""The catalogue: what was listed, when and as what, and what each audio file said of itself.

It is a cache with two exceptions that only it can give: what a file was at the last look, so that an unchanged file is not read
again, and which files a location had, so that a mount that is gone does not pass for an emptied library.

A Catalogue may be used from several threads; each call is one transaction.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import msgspec

from orchestrator.catalogue.database import CatalogueDatabase
from orchestrator.catalogue.rows import Moved, Unread, drop_texts, entry_of, hashes_text, location_of, take_over
from orchestrator.catalogue.selection import Selection
from orchestrator.plan.companions.playlists.formats import FORMATS, MAX_BYTES, is_list
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.sqlite import transaction
from orchestrator.tags.version import READER_VERSION
from orchestrator.track import Reading, Status

_FETCH = 2000

# What lies below OWN_DIRECTORY was put there by a run: kept, so that it need not be read again when it comes back, never shown.
OURS_FROM = f"{OWN_DIRECTORY}/".encode()
OURS_TO = f"{OWN_DIRECTORY}0".encode()  # "0" follows "/"

_VISIBLE = "e.location = ? AND NOT (e.path >= ? AND e.path < ?)"
_SHARED = "EXISTS (SELECT 1 FROM entry AS o WHERE o.location = e.location AND o.path = e.path AND o.id <> e.id)"
"""Another file has the same name: whoever asks for the name gets one of them, and cannot say which."""
_ID = re.compile(r"[A-Za-z0-9_-]+")
_UNLIKE = (
    "EXISTS (SELECT 1 FROM entry AS o WHERE o.location = e.location AND o.path = e.path AND o.id <> e.id "
    "AND (o.hashes = '' OR o.hashes <> e.hashes OR o.size IS NOT e.size))"
)
"""And it may hold other content: else it makes no difference which of them is read."""
_NAMELESS = f"({_SHARED} AND (e.remote_id = '' OR e.remote_id GLOB '*[^A-Za-z0-9_-]*'))"
"""It shares its name, and has no id of its own either: a shortcut, for which rclone gives two."""


_UNCHANGED = "id = ? AND path = ? AND size IS ? AND mtime_ns IS ? AND hashes = ?"


def _unchanged(unread: Unread) -> tuple[object, ...]:
    """The values of _UNCHANGED."""
    entry = unread.entry
    return unread.row, entry.path.encode(), entry.size, entry.mtime_ns, hashes_text(entry.hashes)


class Catalogued(msgspec.Struct, frozen=True, gc=False):
    """One file as the catalogue knows it."""

    entry: Entry
    reading: Reading | None
    """None for what is not audio, and for audio that was not read: never to be taken for a file without tags."""
    skipped_because: str | None = None
    """Why the run's options leave the file alone, in words; its name is taken all the same."""
    content: bytes | None = None
    """What a playlist or cue sheet holds; None for other files, and for lists that were not read."""


class Catalogue:
    """See the module. `path` is the file; it and its directory are made when they are not there.

    Raises UsageError when it cannot be opened, IntegrityError when it is damaged; every method raises LockedError when another
    process keeps it locked and QuotaError when the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._database = CatalogueDatabase(path)
        self._lock = threading.RLock()
        self._connection = self._database.open()

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. The catalogue is not used afterwards."""
        with self._lock:
            self._connection.close()

    def check(self) -> None:
        """Look at the whole file. Raises IntegrityError when it is damaged."""
        with self._lock, self._database.mapped_errors():
            said = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise self._database.damaged(said)

    def entries(self, fs: str, selection: Selection | None = None) -> Iterator[Catalogued]:
        """Every file of `fs`, sorted by path, as of now: what is written meanwhile does not show.

        With a `selection`, files that it leaves out come with `skipped_because` set.
        """
        why_not = None if selection is None or selection.everything else selection.compiled().why_not
        decoder = msgspec.msgpack.Decoder(Reading)
        query = (
            "SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, CASE e.reader WHEN ? THEN r.reading END, "
            "c.content FROM entry AS e LEFT JOIN reading AS r ON r.entry = e.id LEFT JOIN content AS c ON c.entry = e.id "
            f"WHERE {_VISIBLE} ORDER BY e.path, e.remote_id"
        )
        with self._database.mapped_errors():
            # A connection of its own: one consistent view, whatever this process writes while the caller looks.
            connection = self._database.connect()
            try:
                cursor = connection.execute(query, (READER_VERSION, self._location(fs), OURS_FROM, OURS_TO))
                while rows := cursor.fetchmany(_FETCH):
                    for path, remote_id, size, mtime_ns, hashes, since_ns, blob, content in rows:
                        entry = entry_of(path, remote_id, size, mtime_ns, hashes)
                        reading = None if blob is None else decoder.decode(blob)
                        yield Catalogued(entry, reading, None if why_not is None else why_not(entry, since_ns), content)
            finally:
                connection.close()

    def count(self, fs: str) -> int:
        """How many files `fs` had at the last scan, with what was moved since."""
        return self._count(fs, "1")

    def audio_count(self, fs: str) -> int:
        """How many of them are audio."""
        return self._count(fs, "e.kind <> ''")

    def generation(self, fs: str) -> int:
        """How many complete listings of `fs` the catalogue has taken in; 0 when it does not know the location."""
        with self.using() as connection:
            row = connection.execute("SELECT generation FROM location WHERE fs = ?", (fs,)).fetchone()
        return int(row[0]) if row else 0

    def unread_count(self, fs: str, *, by_id: bool = False) -> int:
        """How many files `unread` gives."""
        return self._count(fs, f"e.kind <> '' AND e.reader <> {READER_VERSION} AND NOT {_NAMELESS if by_id else _SHARED}")

    def sharing_names(self, fs: str, selection: Selection | None = None, *, nameless: bool = False) -> dict[str, int]:
        """Path -> how many files carry it, where it is several and one of them at least is of the selection; sorted.

        `nameless`: only those among whose files there are some that have no id of their own.
        """
        query = (
            "SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns FROM entry AS e "
            f"WHERE {_VISIBLE} AND {_SHARED} ORDER BY e.path"
        )
        with self.using() as connection:
            rows = connection.execute(query, (self._location(fs), OURS_FROM, OURS_TO)).fetchall()
        why_not = (selection or Selection()).compiled().why_not
        numbers = Counter(path for path, *_ in rows)
        return {
            row[0].decode(): numbers[row[0]]
            for row in rows
            if why_not(entry_of(*row[:5]), row[5]) is None and (not nameless or not _ID.fullmatch(row[1]))
        }

    def troubled(self, fs: str, selection: Selection | None = None) -> list[tuple[str, Reading]]:
        """Path and reading of each file of the selection that cannot be read as audio or is suspect, sorted by path."""
        query = (
            "SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, r.reading "
            "FROM entry AS e JOIN reading AS r ON r.entry = e.id "
            f"WHERE e.trouble AND e.reader = ? AND {_VISIBLE} ORDER BY e.path"
        )
        with self.using() as connection:
            rows = connection.execute(query, (READER_VERSION, self._location(fs), OURS_FROM, OURS_TO)).fetchall()
        decoder = msgspec.msgpack.Decoder(Reading)
        why_not = (selection or Selection()).compiled().why_not
        return [
            (path.decode(), decoder.decode(blob))
            for path, remote_id, size, mtime_ns, hashes, since_ns, blob in rows
            if why_not(entry_of(path, remote_id, size, mtime_ns, hashes), since_ns) is None
        ]

    def moved(self, changes: Sequence[Moved], *, only_known: bool = False) -> None:
        """Take over what this program did itself, in the order in which it was done, so that nothing is read again.

        `only_known` passes over files that are not known at their source: those were taken over before.
        """
        with self.writing() as connection:
            for change in changes:
                take_over(connection, change, only_known=only_known)

    def forget(self, refs: Iterable[Ref]) -> None:
        """Drop files that this program deleted or that turned out to be gone. Unknown ones are no error."""
        with self.writing() as connection:
            for ref in refs:
                location = location_of(connection, ref.fs)
                where = "location = ? AND path = ? AND ? IN ('', remote_id)"
                values = location, ref.path.encode(), ref.object_id or ""
                drop_texts(connection, f"SELECT id FROM entry WHERE {where}", values)
                connection.execute(f"DELETE FROM entry WHERE {where}", values)

    def unread(self, fs: str, *, by_id: bool = False) -> Iterator[Unread]:
        """The audio files of `fs` that no reader of this version has read, sorted by path.

        Those that share a name are among them only with `by_id`, where the storage tells files apart by their ids.

        Looked up page by page, so that no view stays open for as long as the reading takes: the log would grow all that time.
        """
        query = (
            f"SELECT e.id, e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, {_UNLIKE if by_id else 0} "
            "FROM entry AS e "
            f"WHERE {_VISIBLE} AND (e.path, e.remote_id) > (?, ?) AND e.kind <> '' AND e.reader <> ? "
            f"AND NOT {_NAMELESS if by_id else _SHARED} "
            "ORDER BY e.path, e.remote_id LIMIT ?"
        )
        location = self._location(fs)
        after: tuple[bytes, str] = (b"", "")
        while True:
            with self.using() as connection:
                rows = connection.execute(query, (location, OURS_FROM, OURS_TO, *after, READER_VERSION, _FETCH)).fetchall()
            if not rows:
                return
            after = rows[-1][1], rows[-1][2]
            for row, path, remote_id, size, mtime_ns, hashes, since_ns, unlike in rows:
                yield Unread(row, entry_of(path, remote_id, size, mtime_ns, hashes), since_ns, bool(unlike))

    def known(self, fs: str, entries: Iterable[Entry], *, by_id: bool = False) -> list[Unread]:
        """Those of these files of `fs` that the catalogue has, to be read once more. `by_id` as for `unread`."""
        query = (
            f"SELECT e.id, e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, {_UNLIKE if by_id else 0} "
            "FROM entry AS e WHERE e.location = ? AND e.path = ? AND e.remote_id = ?"
        )
        location = self._location(fs)
        with self.using() as connection:
            found = [connection.execute(query, (location, entry.path.encode(), entry.id or "")).fetchone() for entry in entries]
        return [Unread(row[0], entry_of(*row[1:6]), row[6], bool(row[7])) for row in found if row is not None]

    def unread_lists(self, fs: str) -> list[Unread]:
        """The lists of `fs` whose content is not known, sorted by path; none of those that share a name or are too large."""
        endings = ", ".join(f"'.{extension}'" for extension in sorted(FORMATS))
        lengths = sorted({len(extension) + 1 for extension in FORMATS})
        called = " OR ".join(f"lower(CAST(substr(e.path, -{length}) AS TEXT)) IN ({endings})" for length in lengths)
        query = (
            "SELECT e.id, e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns FROM entry AS e "
            f"WHERE {_VISIBLE} AND e.kind = '' AND ({called}) AND e.size <= ? AND NOT {_SHARED} "
            "AND NOT EXISTS (SELECT 1 FROM content AS c WHERE c.entry = e.id) ORDER BY e.path"
        )
        with self.using() as connection:
            rows = connection.execute(query, (self._location(fs), OURS_FROM, OURS_TO, MAX_BYTES)).fetchall()
        found = [Unread(row[0], entry_of(*row[1:6]), row[6]) for row in rows]
        return [unread for unread in found if is_list(unread.entry.path)]

    def save_contents(self, contents: Sequence[tuple[Unread, bytes]]) -> None:
        """Keep what lists hold. A file that was listed as something else meanwhile gets nothing."""
        with self.writing() as connection:
            for unread, content in contents:
                connection.execute(
                    f"INSERT OR REPLACE INTO content SELECT id, ? FROM entry WHERE {_UNCHANGED}", (content, *_unchanged(unread))
                )

    def save_readings(self, readings: Sequence[tuple[Unread, Reading]]) -> None:
        """Keep what was read. A file that was listed as something else meanwhile gets nothing."""
        encode = msgspec.msgpack.encode
        with self.writing() as connection:
            for unread, reading in readings:
                trouble = reading.status is Status.UNREADABLE or reading.suspect is not None
                updated = connection.execute(
                    f"UPDATE entry SET reader = ?, trouble = ? WHERE {_UNCHANGED}", (READER_VERSION, trouble, *_unchanged(unread))
                )
                if updated.rowcount:
                    connection.execute("INSERT OR REPLACE INTO reading VALUES (?, ?)", (unread.row, encode(reading)))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection inside a transaction, for the modules of this room."""
        with self._lock, self._database.mapped_errors(), transaction(self._connection):
            yield self._connection

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The connection as it is, to look or to work in temporary tables, for the modules of this room."""
        with self._lock, self._database.mapped_errors():
            yield self._connection

    def _count(self, fs: str, condition: str) -> int:
        query = f"SELECT count(*) FROM entry AS e WHERE {_VISIBLE} AND {condition}"
        with self.using() as connection:
            return int(connection.execute(query, (self._location(fs), OURS_FROM, OURS_TO)).fetchone()[0])

    def _location(self, fs: str) -> int:
        """The number of a location, -1 when it is not known."""
        with self.using() as connection:
            row = connection.execute("SELECT id FROM location WHERE fs = ?", (fs,)).fetchone()
        return int(row[0]) if row else -1
