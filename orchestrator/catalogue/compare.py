"""A complete listing meets the catalogue: what is unchanged, renamed, changed, new and gone.

The listing goes into a temporary table as it streams in and nothing else is touched until it is complete, so one that breaks off
half-way changes nothing. The comparison is SQL over both tables: memory stays the same for a thousand files and a million.

Two files have the same content when
- both have hashes: size and hashes are equal (the time does not matter: touching a file changes nothing in it);
- neither has: size and time are equal;
- there is no time either: the size is equal, and the id where there is one. Such a remote tells no more: an edit that keeps the
  size to the byte goes unseen, which can misplace a file and cannot lose one. To read all of it at each scan would cost every
  user of such a remote far more than that rare edit.

Which file is which: the same place and content first, then the remote's own id, then equal hashes (a rename), then the same place
with other content (an edit).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from orchestrator.catalogue import comparison_sql as sql
from orchestrator.catalogue.rows import hashes_text, kind_of, location_of
from orchestrator.catalogue.store import OURS_FROM, OURS_TO, Catalogue
from orchestrator.errors import SafetyLimitError
from orchestrator.records import Entry
from orchestrator.tags.version import READER_VERSION

A_FEW = 4
"""So many files may go without a question, whatever their share: a small place changes by halves in everyday use."""

AllowGone: TypeAlias = Callable[[int, int], bool]
"""Whether it is all right that so many audio files are gone, of so many that were known."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing brought. Files, not bytes."""

    seen: int
    audio: int
    renamed: int = 0
    changed: int = 0
    added: int = 0
    gone: int = 0
    twice: tuple[str, ...] = ()
    """Paths listed more than once with nothing to tell the files apart: only the first of each is known."""

    @property
    def any(self) -> bool:
        """Whether the location is not what it was."""
        return bool(self.renamed or self.changed or self.added or self.gone)


class Staging:
    """One listing on its way into the catalogue. A context manager; without `commit` nothing is changed."""

    def __init__(self, catalogue: Catalogue, fs: str) -> None:
        self._catalogue = catalogue
        self._fs = fs

    def __enter__(self) -> Staging:
        with self._catalogue.using() as connection:
            for statement in (*sql.UNSTAGE, *sql.STAGE):
                connection.execute(statement)
        return self

    def __exit__(self, *_: object) -> None:
        with self._catalogue.using() as connection:
            for statement in sql.UNSTAGE:
                connection.execute(statement)

    def add(self, entries: Sequence[Entry]) -> None:
        """Take in a part of the listing."""
        rows = [
            (entry.path.encode(), entry.id or "", entry.size, entry.mtime_ns, hashes_text(entry.hashes), kind_of(entry.path))
            for entry in entries
        ]
        with self._catalogue.using() as connection:
            connection.execute("BEGIN")  # one for the whole batch; it concerns the temporary table only
            connection.executemany(sql.ADD_LISTED, rows)
            connection.execute("COMMIT")

    def commit(self, now_ns: int, *, allow_emptied: bool = False, allow_gone: AllowGone | None = None) -> Difference:
        """Let the catalogue say what the listing said, all at once.

        Raises SafetyLimitError, and changes nothing, when there is no music any more where there was some, or no more than half
        of it: that is how a disk that is not mounted and a server that gives a part look. `allow_emptied` lets all of it go,
        `allow_gone` may let half and more go.
        """
        known = self._catalogue.audio_count(self._fs)
        with self._catalogue.writing() as connection:
            seen, audio = connection.execute(sql.COUNT_LISTED).fetchone()
            if audio == 0 and known > 0 and not allow_emptied:
                raise SafetyLimitError(
                    f"{self._fs} lists no music at all, and {known} audio files were there at the last scan: is it mounted, is "
                    "the path right? Nothing was changed."
                )
            gone = known - audio
            shrunken = gone > A_FEW and gone * 2 >= known and not (allow_gone is not None and allow_gone(gone, known))
            if shrunken and not allow_emptied:
                raise SafetyLimitError(
                    f"{self._fs} lists {audio} audio files, and {known} were there at the last scan: is that all of it? "
                    "Nothing was changed."
                )
            location = location_of(connection, self._fs)
            values = {"location": location, "now": now_ns, "ours_from": OURS_FROM, "ours_to": OURS_TO, "reader": READER_VERSION}
            connection.execute(sql.TICK, values)
            if _nothing_new(connection, values, seen):
                return Difference(seen=seen, audio=audio)
            return _take_in(connection, values)


def _nothing_new(connection: sqlite3.Connection, values: dict[str, object], seen: int) -> bool:
    """The short way for the most frequent case: every listed file is known just as it is, and no other one is known."""
    known = connection.execute(sql.COUNT_KNOWN, values).fetchone()[0]
    return bool(known == seen and connection.execute(sql.COUNT_SAME, values).fetchone()[0] == seen)


def _take_in(connection: sqlite3.Connection, values: dict[str, object]) -> Difference:
    def run(statement: str) -> int:
        return connection.execute(statement, values).rowcount

    twice = tuple(path.decode() for (path,) in connection.execute(sql.LISTED_TWICE))
    if twice:
        run(sql.DROP_TWICE)
    for statement in sql.PAIRING:
        run(statement)
    for statement in sql.DROP_GONE_TEXTS:
        run(statement)
    gone = run(sql.DROP_GONE)
    for statement in sql.DROP_CHANGED_TEXTS:
        run(statement)
    changed = connection.execute(sql.COUNT_CHANGED).fetchone()[0]
    renamed = run(sql.STEP_ASIDE)  # files may have changed places with one another: no two may meet on one key
    run(sql.TAKE_PLACE)
    added = run(sql.ADD_NEW)
    for statement in sql.READ_TWINS:
        run(statement)
    seen, audio = connection.execute(sql.COUNT_LISTED).fetchone()
    return Difference(seen=seen, audio=audio, renamed=renamed, changed=changed, added=added, gone=gone, twice=twice)
