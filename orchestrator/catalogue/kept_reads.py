"""What a `verify` that has not come to its end has read of files, so that the next one goes on from there."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.catalogue.content_stamps import identity_and_stamp
from orchestrator.catalogue.database import KEPT_READS
from orchestrator.catalogue.rows import hashes_text
from orchestrator.catalogue.store import Catalogue
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

KEPT_S = 30 * 86400.0
"""How long a read counts: a disk may have lost bytes since. docs/verify.md names it."""
_SAVED_EACH_S, _SAVED_EACH = 2.0, 8
"""So many seconds or reads are lost at most if the program is killed."""

_Key = tuple[str, str, str, str]
"""Location, path, the remote's id or "", kind of the read."""


class _Read(NamedTuple):
    stamp: str
    value: str
    at: float


class KeptReads:
    """The reads of one work, such as one verify of two locations. For one thread."""

    def __init__(self, catalogue: Catalogue, work: str) -> None:
        self._catalogue = catalogue
        self._work = work
        self._known: dict[_Key, _Read] = {}
        self._new: dict[_Key, _Read] = {}
        self._saved = time.monotonic()
        self._stated: dict[tuple[str, str, str], str] = {}
        self.taken: dict[tuple[str, str], float] = {}
        """Location and path -> when an earlier call has read the file, if that was used."""
        self.span: tuple[float, float] | None = None
        """When the first and the last of the reads was made that are used; None as long as there is none."""

    def open(self) -> tuple[int, float]:
        """Take what is known of an earlier call: how many reads, and since when. Older ones are dropped."""
        now = time.time()
        with self._catalogue.writing() as connection:
            connection.execute(KEPT_READS)
            connection.execute("DELETE FROM kept_read WHERE at NOT BETWEEN ? AND ?", (now - KEPT_S, now))
            rows = connection.execute(
                "SELECT fs, path, remote_id, kind, stamp, value, at FROM kept_read WHERE work = ?", (self._work,)
            )
            self._known = {(fs, path.decode(), remote_id, kind): _Read(*read) for fs, path, remote_id, kind, *read in rows}
        return len(self._known), min((read.at for read in self._known.values()), default=now)

    def forget(self) -> None:
        """The work has come to its end, or is to begin again."""
        self._known, self._new = {}, {}
        with self._catalogue.writing() as connection:
            connection.execute(KEPT_READS)
            connection.execute("DELETE FROM kept_read WHERE work = ?", (self._work,))

    def state(self, fs: str, entries: Iterable[Entry]) -> None:
        """Note the hashes that the listing of a location gives: a file with other ones has changed."""
        for entry in entries:
            if entry.hashes:
                self._stated[fs, entry.path, entry.id or ""] = hashes_text(entry.hashes)

    def stamp(self, storage: Storage, entry: Entry) -> str | None:
        """A text that changes whenever the content of a file may have; None if nothing says so. To be taken before the read."""
        return self.with_stated(identity_and_stamp(storage, entry)[1], storage, entry)

    def with_stated(self, stamp: str | None, storage: Storage, entry: Entry) -> str | None:
        """The same, from what `identity_and_stamp` said before the read."""
        stated = self._stated.get((storage.fs, entry.path, entry.id or ""), "")
        if stamp is None:
            return f"{entry.size}:{entry.id or ''}:{stated}" if stated and not storage.capabilities.local else None
        return f"{stamp}:{stated}" if stated else stamp

    def find(self, storage: Storage, entry: Entry, kind: str) -> str | None:
        """What was read of a file, if it has not changed since."""
        read = self._known.get((storage.fs, entry.path, entry.id or "", kind))
        if read is None or read.stamp != self.stamp(storage, entry):
            return None
        self.taken[storage.fs, entry.path] = min(read.at, self.taken.get((storage.fs, entry.path), read.at))
        self._note_time(read.at)
        return read.value

    def keep(self, storage: Storage, entry: Entry, kind: str, value: str | None, stamp: str | None) -> None:
        """Keep what was read of a file a moment ago (None: nothing that could be used again)."""
        now = time.time()
        self._note_time(now)
        if stamp is not None and value is not None:
            self._new[storage.fs, entry.path, entry.id or "", kind] = _Read(stamp, value, now)
        if time.monotonic() - self._saved >= _SAVED_EACH_S or len(self._new) >= _SAVED_EACH:
            self.save()

    def save(self) -> None:
        """Write what is kept."""
        rows = [(self._work, fs, path.encode(), *names, *read) for (fs, path, *names), read in self._new.items()]
        if rows:
            with self._catalogue.writing() as connection:
                connection.executemany("INSERT OR REPLACE INTO kept_read VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._known |= self._new
        self._new = {}
        self._saved = time.monotonic()

    def _note_time(self, at: float) -> None:
        first, last = self.span or (at, at)
        self.span = min(first, at), max(last, at)
