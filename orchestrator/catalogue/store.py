"""The catalogue: which files were listed, when, and what each audio file says about itself.

It is a cache, but two facts exist only here: what a file was at the last look, so that unchanged files are not read again; and
which files a location had, so that a disk that is not mounted does not look like an emptied library.

A Catalogue may be used from several threads; each call is one transaction.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import msgspec

from orchestrator.catalogue.database import DIGESTS, CatalogueDatabase
from orchestrator.catalogue.rows import IS_OURS, Moved, Unread, drop_content, entry_of, hashes_text, location_of, record_move
from orchestrator.catalogue.selection import Selection
from orchestrator.foreign_folders import IsHidden
from orchestrator.plan.companions.playlists.format import MAX_BYTES
from orchestrator.plan.companions.playlists.formats import ENDS, may_be_list
from orchestrator.records import Entry, Item, Ref
from orchestrator.sqlite import transaction
from orchestrator.tags.version import READER_VERSION
from orchestrator.track import Reading, Status

_FETCH = 2000

_VISIBLE = f"e.location = ? AND NOT {IS_OURS}"
_SHARED = "EXISTS (SELECT 1 FROM entry AS o WHERE o.location = e.location AND o.path = e.path AND o.id <> e.id)"
"""Another file has the same name: a request for the name returns either of them."""
_ID = re.compile(r"[A-Za-z0-9_-]+")
_DIFFERS = (
    "EXISTS (SELECT 1 FROM entry AS o WHERE o.location = e.location AND o.path = e.path AND o.id <> e.id "
    "AND (o.hashes = '' OR o.hashes <> e.hashes OR o.size IS NOT e.size))"
)
"""The other file may also have other content; otherwise it does not matter which of them is read."""
_INDISTINGUISHABLE = f"({_SHARED} AND (e.remote_id = '' OR e.remote_id GLOB '*[^A-Za-z0-9_-]*'))"
"""It shares its name and has no id of its own: a shortcut, for which rclone gives two ids."""


_UNCHANGED = "id = ? AND path = ? AND size IS ? AND mtime_ns IS ? AND hashes = ?"


def _unchanged(unread: Unread) -> tuple[object, ...]:
    """The values of _UNCHANGED."""
    entry = unread.entry
    return unread.row, entry.path.encode(), entry.size, entry.mtime_ns, hashes_text(entry.hashes)


def _sharing_texts(reading: Reading) -> Reading:
    """The reading, with one text in memory for all tracks whose numbers are written alike: "01", "03/12"."""
    if reading.track is not None and reading.track.track_text is not None:
        msgspec.structs.force_setattr(reading.track, "track_text", sys.intern(reading.track.track_text))
    return reading


class Catalogue:
    """See the module. `path` is the file; it and its directory are created if needed.

    Raises UsageError when it cannot be opened, IntegrityError when it is damaged. Every method raises LockedError when another
    process keeps it locked, and QuotaError when the disk is full.
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
        """Check the whole file. Raises IntegrityError when it is damaged."""
        with self._lock, self._database.mapped_errors():
            said = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise self._database.damaged(said)

    def entries(self, fs: str, selection: Selection | None = None) -> Iterator[Item]:
        """Every file of `fs`, sorted by path, as it is now: later writes do not show.

        Audio without a reading was not read: it is not a file without tags. Files that the `selection` leaves out have
        `skipped_because` set.
        """
        skip_reason = None if selection is None or selection.everything else selection.compiled().skip_reason
        decoder = msgspec.msgpack.Decoder(Reading)
        query = (
            "SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, CASE e.reader WHEN ? THEN r.reading END, "
            "c.content FROM entry AS e LEFT JOIN reading AS r ON r.entry = e.id LEFT JOIN content AS c ON c.entry = e.id "
            f"WHERE {_VISIBLE} ORDER BY e.path, e.remote_id"
        )
        with self._database.mapped_errors():
            # A separate connection: one consistent view, whatever this process writes meanwhile.
            connection = self._database.connect()
            try:
                cursor = connection.execute(query, (READER_VERSION, self._location(fs)))
                while rows := cursor.fetchmany(_FETCH):
                    for path, remote_id, size, mtime_ns, hashes, since_ns, blob, content in rows:
                        entry = entry_of(path, remote_id, size, mtime_ns, hashes)
                        reading = None if blob is None else _sharing_texts(decoder.decode(blob))
                        yield Item(entry, reading, None if skip_reason is None else skip_reason(entry, since_ns), content)
            finally:
                connection.close()

    def count(self, fs: str) -> int:
        """How many files `fs` has: those of the last scan, and our own changes since."""
        return self._count(fs, "1")

    def audio_count(self, fs: str) -> int:
        """How many of them are audio."""
        return self._count(fs, "e.kind <> ''")

    def generation(self, fs: str) -> int:
        """How many complete listings of `fs` the catalogue has saved; 0 for an unknown location."""
        with self.using() as connection:
            row = connection.execute("SELECT generation FROM location WHERE fs = ?", (fs,)).fetchone()
        return int(row[0]) if row else 0

    def unread_count(self, fs: str, *, by_id: bool = False) -> int:
        """How many files `unread` returns."""
        return self._count(
            fs, f"e.kind <> '' AND e.reader <> {READER_VERSION} AND NOT {_INDISTINGUISHABLE if by_id else _SHARED}"
        )

    def sharing_names(
        self, fs: str, selection: Selection | None = None, *, only_indistinguishable: bool = False
    ) -> dict[str, int]:
        """Path -> how many files have it, for paths of several files of which the selection includes at least one; sorted.

        `only_indistinguishable`: only paths where some file has no id of its own.
        """
        query = (
            "SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns FROM entry AS e "
            f"WHERE {_VISIBLE} AND {_SHARED} ORDER BY e.path"
        )
        with self.using() as connection:
            rows = connection.execute(query, (self._location(fs),)).fetchall()
        skip_reason = (selection or Selection()).compiled().skip_reason
        numbers = Counter(path for path, *_ in rows)
        return {
            row[0].decode(): numbers[row[0]]
            for row in rows
            if skip_reason(entry_of(*row[:5]), row[5]) is None and (not only_indistinguishable or not _ID.fullmatch(row[1]))
        }

    def unreadable_or_suspect(self, fs: str, selection: Selection | None = None) -> list[tuple[str, Reading]]:
        """Path and reading of each file of the selection that cannot be read as audio or is suspect, sorted by path."""
        query = (
            "SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, r.reading "
            "FROM entry AS e JOIN reading AS r ON r.entry = e.id "
            f"WHERE e.trouble AND e.reader = ? AND {_VISIBLE} ORDER BY e.path"
        )
        with self.using() as connection:
            rows = connection.execute(query, (READER_VERSION, self._location(fs))).fetchall()
        decoder = msgspec.msgpack.Decoder(Reading)
        skip_reason = (selection or Selection()).compiled().skip_reason
        return [
            (path.decode(), decoder.decode(blob))
            for path, remote_id, size, mtime_ns, hashes, since_ns, blob in rows
            if skip_reason(entry_of(path, remote_id, size, mtime_ns, hashes), since_ns) is None
        ]

    def record_moves(self, changes: Sequence[Moved], *, only_known: bool = False) -> None:
        """Save what this program itself moved and copied, in that order, so that nothing is read again.

        `only_known` skips files that are unknown at their source: those were saved before.
        """
        with self.writing() as connection:
            for change in changes:
                record_move(connection, change, only_known=only_known)

    def forget(self, refs: Iterable[Ref]) -> None:
        """Remove files that this program deleted or that no longer exist. Unknown files are no error."""
        with self.writing() as connection:
            for ref in refs:
                location = location_of(connection, ref.fs)
                where = "location = ? AND path = ? AND ? IN ('', remote_id)"
                values = location, ref.path.encode(), ref.object_id or ""
                drop_content(connection, f"SELECT id FROM entry WHERE {where}", values)
                connection.execute(f"DELETE FROM entry WHERE {where}", values)

    def unread(self, fs: str, *, by_id: bool = False) -> Iterator[Unread]:
        """The audio files of `fs` that this version of the reader has not read, sorted by path.

        Files that share a name are included only with `by_id`: the storage can read each by its id.

        Looked up page by page: a view that stays open while files are read would let the log grow.
        """
        query = (
            f"SELECT e.id, e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, {_DIFFERS if by_id else 0} "
            "FROM entry AS e "
            f"WHERE {_VISIBLE} AND (e.path, e.remote_id) > (?, ?) AND e.kind <> '' AND e.reader <> ? "
            f"AND NOT {_INDISTINGUISHABLE if by_id else _SHARED} "
            "ORDER BY e.path, e.remote_id LIMIT ?"
        )
        location = self._location(fs)
        after: tuple[bytes, str] = (b"", "")
        while True:
            with self.using() as connection:
                rows = connection.execute(query, (location, *after, READER_VERSION, _FETCH)).fetchall()
            if not rows:
                return
            after = rows[-1][1], rows[-1][2]
            for row, path, remote_id, size, mtime_ns, hashes, since_ns, unlike in rows:
                yield Unread(row, entry_of(path, remote_id, size, mtime_ns, hashes), since_ns, bool(unlike))

    def to_read_again(self, fs: str, entries: Iterable[Entry], *, by_id: bool = False) -> list[Unread]:
        """Those of `entries` that the catalogue knows, as files to read again. `by_id` as for `unread`."""
        query = (
            f"SELECT e.id, e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns, {_DIFFERS if by_id else 0} "
            "FROM entry AS e WHERE e.location = ? AND e.path = ? AND e.remote_id = ?"
        )
        location = self._location(fs)
        with self.using() as connection:
            found = [connection.execute(query, (location, entry.path.encode(), entry.id or "")).fetchone() for entry in entries]
        return [Unread(row[0], entry_of(*row[1:6]), row[6], bool(row[7])) for row in found if row is not None]

    def reading(self, fs: str, entry: Entry) -> Reading | None:
        """What this version of the reader has read from a file that is still as this entry; None if that is unknown."""
        query = (
            "SELECT r.reading FROM entry AS e JOIN reading AS r ON r.entry = e.id WHERE e.location = ? AND e.path = ? "
            "AND e.remote_id = ? AND e.size IS ? AND e.mtime_ns IS ? AND e.hashes = ? AND e.reader = ?"
        )
        facts = (entry.path.encode(), entry.id or "", entry.size, entry.mtime_ns, hashes_text(entry.hashes), READER_VERSION)
        location = self._location(fs)
        with self.using() as connection:
            row = connection.execute(query, (location, *facts)).fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Reading)

    def unread_lists(self, fs: str) -> list[Unread]:
        """The playlists, cue sheets, checksums of `fs` with unknown content, by path; none that share a name or are too large."""
        endings = ", ".join(f"'{end}'" for end in sorted(ENDS))
        lengths = sorted(set(map(len, ENDS)))
        has_ending = " OR ".join(f"lower(CAST(substr(e.path, -{length}) AS TEXT)) IN ({endings})" for length in lengths)
        query = (
            "SELECT e.id, e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.since_ns FROM entry AS e "
            f"WHERE {_VISIBLE} AND e.kind = '' AND ({has_ending}) AND e.size <= ? AND NOT {_SHARED} "
            "AND NOT EXISTS (SELECT 1 FROM content AS c WHERE c.entry = e.id) ORDER BY e.path"
        )
        with self.using() as connection:
            rows = connection.execute(query, (self._location(fs), MAX_BYTES)).fetchall()
        found = [Unread(row[0], entry_of(*row[1:6]), row[6]) for row in rows]
        return [unread for unread in found if may_be_list(unread.entry.path)]

    def save_contents(self, contents: Sequence[tuple[Unread, bytes]]) -> None:
        """Save the content of lists, except of files that a later listing changed."""
        with self.writing() as connection:
            for unread, content in contents:
                connection.execute(
                    f"INSERT OR REPLACE INTO content SELECT id, ? FROM entry WHERE {_UNCHANGED}", (content, *_unchanged(unread))
                )

    def save_readings(self, readings: Sequence[tuple[Unread, Reading]]) -> None:
        """Save readings, except of files that a later listing changed."""
        encode = msgspec.msgpack.encode
        with self.writing() as connection:
            for unread, reading in readings:
                trouble = reading.status is Status.UNREADABLE or reading.suspect is not None
                updated = connection.execute(
                    f"UPDATE entry SET reader = ?, trouble = ? WHERE {_UNCHANGED}", (READER_VERSION, trouble, *_unchanged(unread))
                )
                if updated.rowcount:
                    connection.execute("INSERT OR REPLACE INTO reading VALUES (?, ?)", (unread.row, encode(reading)))

    def forget_hidden(self, fs: str, is_hidden: IsHidden) -> None:
        """Remove the files that listings leave out by now (see HiddenFolders)."""
        with self.writing() as connection:
            known = connection.execute(f"SELECT e.id, e.path FROM entry AS e WHERE {_VISIBLE}", (self._location(fs),))
            for row in [(row,) for row, path in known if is_hidden(path.decode())]:
                drop_content(connection, "?", row)
                connection.execute("DELETE FROM entry WHERE id = ?", row)

    def digests(self, fs: str) -> dict[tuple[str, str], tuple[str, str]]:
        """The hashes that were computed: path and kind -> stamp and value."""
        with self.writing() as connection:
            connection.execute(DIGESTS)
            rows = connection.execute("SELECT path, kind, stamp, value FROM digest WHERE fs = ?", (fs,)).fetchall()
        return {(path.decode(), kind): (stamp, value) for path, kind, stamp, value in rows}

    def save_digests(self, fs: str, digests: Iterable[tuple[str, str, str, str]]) -> None:
        """Save computed hashes as (path, kind, stamp, value); those of files that are gone are dropped."""
        gone = "DELETE FROM digest WHERE fs = ? AND path NOT IN (SELECT path FROM entry WHERE location = ?)"
        location = self._location(fs)
        with self.writing() as connection:
            connection.execute(DIGESTS)
            connection.execute(gone, (fs, location))
            rows = ((fs, path.encode(), kind, stamp, value) for path, kind, stamp, value in digests)
            connection.executemany("INSERT OR REPLACE INTO digest VALUES (?, ?, ?, ?, ?)", rows)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection, inside a transaction; for the modules of this room."""
        with self._lock, self._database.mapped_errors(), transaction(self._connection):
            yield self._connection

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The connection, to look or to use temporary tables; for the modules of this room."""
        with self._lock, self._database.mapped_errors():
            yield self._connection

    def _count(self, fs: str, condition: str) -> int:
        query = f"SELECT count(*) FROM entry AS e WHERE {_VISIBLE} AND {condition}"
        with self.using() as connection:
            return int(connection.execute(query, (self._location(fs),)).fetchone()[0])

    def _location(self, fs: str) -> int:
        """The number of a location, -1 when it is unknown."""
        with self.using() as connection:
            row = connection.execute("SELECT id FROM location WHERE fs = ?", (fs,)).fetchone()
        return int(row[0]) if row else -1
