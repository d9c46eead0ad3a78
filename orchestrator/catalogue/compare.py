"""Compare a complete listing with the catalogue: which files are unchanged, renamed, changed, new and gone.

The listing is streamed into a temporary table, and nothing else is touched until it is complete: a listing that breaks off
changes nothing. The comparison is SQL over both tables, so memory use is the same for a thousand files and a million.

Two files have the same content when
- both have hashes: size and hashes are equal (the time does not matter: touching a file does not change its content);
- neither has: size and time are equal;
- there is no time either: the size is equal, and the id where there is one. Such a remote gives no more, so an edit that keeps
  the exact size is missed, which can misplace a file but cannot lose one. Reading everything at each scan would cost every
  user of such a remote far more than that rare edit.

Which file is which is decided in this order: same path and content, the remote's own id, equal hashes (a rename), same path with
other content (an edit).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from orchestrator.catalogue import comparison_sql as sql
from orchestrator.catalogue.rows import hashes_text, kind_of, location_of
from orchestrator.catalogue.store import Catalogue
from orchestrator.errors import SafetyLimitError
from orchestrator.foreign_folders import ALL_HIDDEN, IsHidden
from orchestrator.records import Entry
from orchestrator.tags.version import READER_VERSION

FEW_FILES = 4
"""So many files may disappear without a question, whatever their share: small locations often change by half."""

AllowGone: TypeAlias = Callable[[int, int], bool]
"""(gone, known) audio files -> whether that many may be gone."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing changed, counted in files."""

    seen: int
    audio: int
    renamed: int = 0
    changed: int = 0
    added: int = 0
    gone: int = 0
    listed_twice: tuple[str, ...] = ()
    """Paths listed more than once for files that nothing distinguishes: only the first of each is saved."""

    @property
    def any(self) -> bool:
        """Whether the location has changed."""
        return bool(self.renamed or self.changed or self.added or self.gone)


class NewListing:
    """One listing to be saved in the catalogue. A context manager; nothing is changed before `commit`."""

    def __init__(self, catalogue: Catalogue, fs: str, is_hidden: IsHidden = ALL_HIDDEN.hides) -> None:
        """`is_hidden`: the files that the listing leaves out (see HiddenFolders). Known ones are forgotten: not "gone"."""
        self._catalogue = catalogue
        self._fs = fs
        self._is_hidden = is_hidden

    def __enter__(self) -> NewListing:
        with self._catalogue.using() as connection:
            for statement in (*sql.DROP_TEMPORARY, *sql.CREATE_TEMPORARY):
                connection.execute(statement)
        return self

    def __exit__(self, *_: object) -> None:
        with self._catalogue.using() as connection:
            for statement in sql.DROP_TEMPORARY:
                connection.execute(statement)

    def add(self, entries: Sequence[Entry]) -> None:
        """Add a part of the listing."""
        rows = [
            (entry.path.encode(), entry.id or "", entry.size, entry.mtime_ns, hashes_text(entry.hashes), kind_of(entry.path))
            for entry in entries
        ]
        with self._catalogue.using() as connection:
            connection.execute("BEGIN")  # one for all rows; it only concerns the temporary table
            connection.executemany(sql.ADD_LISTED, rows)
            connection.execute("COMMIT")

    def keep_known(self, closed: Iterable[str]) -> None:
        """Take what is known below these folders as listed: they could not be listed, so nobody knows what is gone from them."""
        with self._catalogue.using() as connection:
            for folder in closed:
                values = self._fs, folder.encode(), f"{folder}/".encode(), f"{folder}0".encode()  # "0" follows "/"
                connection.execute(sql.KEEP_KNOWN, values)

    def commit(self, now_ns: int, *, allow_emptied: bool = False, allow_gone: AllowGone | None = None) -> Difference:
        """Save the listing in one transaction.

        Raises SafetyLimitError, and changes nothing, when all known music is gone, or half of it and more: the disk may not be
        mounted, or the server may have listed only a part. `allow_emptied` permits both, `allow_gone` may permit the second.
        """
        known = self._catalogue.audio_count(self._fs)
        with self._catalogue.writing() as connection:
            seen, audio = connection.execute(sql.COUNT_LISTED).fetchone()
            location = location_of(connection, self._fs)
            values: dict[str, object] = {"location": location, "now": now_ns, "reader": READER_VERSION}
            if audio * 2 <= known:  # only then it takes the time to look at each path
                known -= self._hidden_in(connection.execute(sql.KNOWN_AUDIO, values))
            if audio == 0 and known > 0 and not allow_emptied:
                raise SafetyLimitError(
                    f"{self._fs} lists no music at all, but had {known} audio files at the last scan: is it mounted, is the path "
                    "right? Nothing was changed."
                )
            gone = known - audio
            too_many_gone = gone > FEW_FILES and gone * 2 >= known and not (allow_gone is not None and allow_gone(gone, known))
            if too_many_gone and not allow_emptied:
                raise SafetyLimitError(
                    f"{self._fs} lists {audio} audio files, but had {known} at the last scan: is the listing complete? "
                    "Nothing was changed."
                )
            connection.execute(sql.NEW_GENERATION, values)
            if _nothing_new(connection, values, seen):
                return Difference(seen=seen, audio=audio)
            return self._save(connection, values)

    def _hidden_in(self, paths: Iterable[tuple[bytes]]) -> int:
        return sum(self._is_hidden(path.decode()) for (path,) in paths)

    def _save(self, connection: sqlite3.Connection, values: dict[str, object]) -> Difference:
        def run(statement: str) -> int:
            return connection.execute(statement, values).rowcount

        listed_twice = tuple(path.decode() for (path,) in connection.execute(sql.LISTED_TWICE))
        if listed_twice:
            run(sql.DROP_REPEATED)
        for statement in sql.PAIRING:
            run(statement)
        hidden = self._hidden_in(connection.execute(sql.GONE, values))
        for statement in sql.DROP_GONE_CONTENT:
            run(statement)
        gone = run(sql.DROP_GONE) - hidden
        for statement in sql.DROP_CHANGED_CONTENT:
            run(statement)
        changed = connection.execute(sql.COUNT_CHANGED).fetchone()[0]
        renamed = run(sql.FREE_KEYS)  # two files may have swapped their names
        run(sql.UPDATE_PAIRED)
        added = run(sql.ADD_NEW)
        for statement in sql.SHARE_READINGS:
            run(statement)
        seen, audio = connection.execute(sql.COUNT_LISTED).fetchone()
        return Difference(
            seen=seen, audio=audio, renamed=renamed, changed=changed, added=added, gone=gone, listed_twice=listed_twice
        )


def _nothing_new(connection: sqlite3.Connection, values: dict[str, object], seen: int) -> bool:
    """The most common case, found quickly: the listed files are exactly the known files."""
    known = connection.execute(sql.COUNT_KNOWN, values).fetchone()[0]
    return bool(known == seen and connection.execute(sql.COUNT_SAME, values).fetchone()[0] == seen)
