"""Reads and writes common states: entry by entry, each only when both sides were verified alike.

A run first writes what it expects (`expect`), and afterwards, or when it is resumed, what of that was done (`settle`). So an
operation that failed leaves its entry as it was, and the next sync sees the same difference again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import msgspec

from orchestrator.common_state.database import CommonStateDatabase
from orchestrator.common_state.edited_meanwhile import edited_meanwhile
from orchestrator.common_state.in_memory import FilesNow, in_memory_once
from orchestrator.common_state.recording import DiskLook, Expected, FileRead, Seen, files_in, record_link, with_two_names
from orchestrator.common_state.soundness import Digest, KnownRows, checksum_of, is_sound, stored_path
from orchestrator.plan.model import CompletedOperation
from orchestrator.plan.planners.sync.records import FolderPair, Link, Row, change_of
from orchestrator.records import Ref
from orchestrator.sqlite import DamagedDatabaseError, transaction

_P = ParamSpec("_P")
_R = TypeVar("_R")

_IN_ORDER = "ORDER BY second_path"
"""The order of an index: SQLite need not sort the bodies, which takes as long as reading them."""


class Pair(msgspec.Struct, frozen=True):
    """The two sides of a sync, as the user named them: the ids of the places and where they are now."""

    ids: tuple[str, str]
    fs: tuple[str, str]

    @property
    def name(self) -> str:
        """The same in whatever order, and under whatever names, the places are given."""
        return " ".join(sorted(self.ids))

    @property
    def swapped(self) -> bool:
        """Whether the sides stand in the other order in the database."""
        return self.ids[0] > self.ids[1]


class SyncCount(NamedTuple):
    """Which sync of a pair a place has seen last, by a number in a file there. A backup of the place holds an older one."""

    name: str
    """Of the file: another one for each record of the pair, on whichever machine."""
    written: int
    """What is there for sure, or more."""
    last: int
    """What may be there, if a write of it was cut off."""


def _once_more(method: Callable[Concatenate[CommonState, _P], _R]) -> Callable[Concatenate[CommonState, _P], _R]:
    """Damage that shows only in use: the database is moved aside, and the method is called with a new, empty one."""

    @wraps(method)
    def with_new_database(state: CommonState, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(state, *args, **kwargs)
        except DamagedDatabaseError as error:
            state.begin_again(error)
            return method(state, *args, **kwargs)

    return with_new_database


class CommonState:
    """The common states of all pairs, in one database. One that turns out to be damaged is moved aside: see `moved_aside`."""

    def __init__(self, file: Path, *, checked: bool = False) -> None:
        """Open the database, or create it. `checked`: this program has opened it before. Raises UsageError."""
        self._database = CommonStateDatabase(file)
        self._connection, self.moved_aside = self._database.open_or_replace(checked=checked)
        """Where a damaged database was moved: every pair is as in a first run."""

    def __enter__(self) -> CommonState:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def begin_again(self, error: DamagedDatabaseError) -> None:
        """Move the damaged database aside, and go on with a new one. Raises `error` if it is about another one."""
        if error.file != self._database.path:
            raise error
        self._connection.close()
        self._connection, self.moved_aside = self._database.replace()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.mapped_errors(), transaction(self._connection):
            yield self._connection

    # Places.

    @_once_more
    def id_at(self, fs: str) -> str | None:
        """The id of the place that was last seen at a location; None if none was."""
        return next((identity for where, identity, _ in self._places() if where == fs), None)

    @_once_more
    def last_name_of(self, identity: str) -> str | None:
        """The location under which the place with an id was last synced; None if it never was."""
        return next((where for where, one, last in self._places() if one == identity and last), None)

    def _places(self) -> list[tuple[str, str, bool]]:
        """Every location with the id of its place, and whether that was last seen there. Damage to any of them is found."""
        with self._database.mapped_errors():
            rows = self._connection.execute("SELECT fs, id, last, checksum FROM place").fetchall()
        if not all(is_sound(checksum, fs, identity) for fs, identity, _, checksum in rows):
            raise self._database.damaged("the record of a place was changed")
        return [(fs, identity, bool(last)) for fs, identity, last, _ in rows]

    @_once_more
    def remember_places(self, pair: Pair) -> None:
        """Record which place is where now."""
        with self._writing() as connection:
            connection.execute("UPDATE place SET last = 0 WHERE id IN (?, ?)", pair.ids)
            connection.executemany(
                "INSERT OR REPLACE INTO place (fs, id, last, checksum) VALUES (?, ?, 1, ?)",
                [(fs, identity, checksum_of(fs, identity)) for fs, identity in zip(pair.fs, pair.ids, strict=True)],
            )

    @_once_more
    def refused(self, place: str | None) -> tuple[str, ...]:
        """The paths that the remote of a place has refused."""
        with self._database.mapped_errors():
            found = self._connection.execute("SELECT path, checksum FROM refused WHERE place = ? ORDER BY path", (place or "",))
            return tuple(path.decode() for path, checksum in found if is_sound(checksum, place, path))

    @_once_more
    def remember_refused(self, files: Iterable[Ref]) -> None:
        """Record files that remotes have refused because of their names; those of no known place are passed over."""
        places = {fs: identity for fs, identity, _ in self._places()}
        found = [(places[ref.fs], ref.path.encode()) for ref in files if ref.fs in places]
        rows = [(*one, checksum_of(*one)) for one in found]
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO refused (place, path, checksum) VALUES (?, ?, ?)", rows)

    @_once_more
    def count(self, pair: Pair, place: str) -> SyncCount | None:
        """The number of the last sync of a pair that one of its places should have; None if it was never given one."""
        with self._database.mapped_errors():
            row = self._connection.execute(
                "SELECT checksum, name, written, last FROM count WHERE pair = ? AND place = ?", (pair.name, place)
            ).fetchone()
        sound = row is not None and is_sound(row[0], pair.name, place, *map(str, row[1:]))
        return SyncCount(*row[1:]) if sound else None

    @_once_more
    def remember_count(self, pair: Pair, place: str, count: SyncCount) -> None:
        """Record it."""
        key = (pair.name, place)
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO count (pair, place, name, written, last, checksum) VALUES (?, ?, ?, ?, ?, ?)",
                (*key, *count, checksum_of(*key, *map(str, count))),
            )

    # Entries.

    @_once_more
    def rows(self, pair: Pair, now: tuple[FilesNow, FilesNow] = ({}, {})) -> KnownRows:
        """The common state of a pair, its files in the order of the pair's sides. Damaged entries are left out.

        `now`: the files of both sides as they are now. What has not changed since is in memory only once.
        """
        rows: list[Row] = []
        after_runs: dict[int, str] = {}
        damaged = 0
        digest = Digest()
        name, swapped = pair.name, pair.swapped
        with self._database.mapped_errors():
            found = self._connection.execute(
                f"SELECT number, after_run, body, checksum FROM entry WHERE pair = ? {_IN_ORDER}", (name,)
            )
            for number, after_run, body, checksum in found:
                digest.add(number, checksum)
                if is_sound(checksum, name, after_run, body):
                    files = files_in(body)
                    rows.append(Row(number, in_memory_once(files[::-1] if swapped else files, now)))
                    after_runs[number] = after_run
                else:
                    damaged += 1
        return KnownRows(tuple(rows), after_runs, damaged, digest.value())

    @_once_more
    def digest(self, pair: Pair) -> str:
        """The same as long as no entry of a pair is recorded or dropped; "" if it has none."""
        digest = Digest()
        with self._database.mapped_errors():
            for row in self._connection.execute(f"SELECT number, checksum FROM entry WHERE pair = ? {_IN_ORDER}", (pair.name,)):
                digest.add(*row)
        return digest.value()

    @_once_more
    def forget(self, pair: Pair) -> None:
        """Forget the common state of a pair, and what its places have refused: its next sync is as a first one."""
        with self._writing() as connection:
            connection.execute("DELETE FROM entry WHERE pair = ?", (pair.name,))
            connection.execute("DELETE FROM refused WHERE place IN (?, ?)", pair.ids)
            connection.execute("DELETE FROM empty_folder WHERE pair = ?", (pair.name,))

    @_once_more
    def empty_folders(self, pair: Pair) -> tuple[FolderPair, ...]:
        """The folders without files that both sides had after their last sync, or that one of them still has."""
        with self._database.mapped_errors():
            found = self._connection.execute("SELECT first_path, second_path FROM empty_folder WHERE pair = ?", (pair.name,))
            read = [(stored_path(first), stored_path(second)) for first, second in found]
        return tuple(_ordered((one, two), pair) for one, two in read if one is not None and two is not None)

    @_once_more
    def remember_empty_folders(self, pair: Pair, folders: Collection[FolderPair]) -> None:
        """Record these instead."""
        if set(folders) == set(self.empty_folders(pair)):
            return
        rows = [(pair.name, *(path.encode() for path in _ordered(paths, pair))) for paths in folders]
        with self._writing() as connection:
            connection.execute("DELETE FROM empty_folder WHERE pair = ?", (pair.name,))
            connection.executemany("INSERT INTO empty_folder (pair, first_path, second_path) VALUES (?, ?, ?)", rows)

    @_once_more
    def forget_files(self, files: Iterable[Ref]) -> int:
        """Forget the entries of these files in every pair, as in a first run; how many. For what an undo has taken back."""
        forgotten = 0
        with self._writing() as connection:
            for ref in files:
                place = connection.execute("SELECT id FROM place WHERE fs = ?", (ref.fs,)).fetchone()
                for column, pattern in (("first_path", "{} %"), ("second_path", "% {}")) if place else ():
                    gone = connection.execute(
                        f"DELETE FROM entry WHERE {column} = ? AND pair LIKE ?", (ref.path.encode(), pattern.format(place[0]))
                    )
                    forgotten += gone.rowcount
        return forgotten

    @_once_more
    def expect(self, plan_id: str, pair: Pair, links: Iterable[Link]) -> None:
        """Write, before the first change of a run, what it will have done to a pair. What its earlier runs left is forgotten."""
        bodies = [msgspec.msgpack.encode(Expected(_turned(link, pair), _ordered(pair.fs, pair))) for link in links]
        with self._writing() as connection:
            connection.execute("DELETE FROM expected WHERE pair = ?", (pair.name,))
            connection.executemany(
                "INSERT INTO expected (plan, pair, body, checksum) VALUES (?, ?, ?, ?)",
                [(plan_id, pair.name, body, checksum_of(pair.name, body)) for body in bodies],
            )

    @_once_more
    def expected_plans(self, pair: Pair) -> frozenset[str]:
        """The plans of a pair that were begun and not settled: their runs are not over, or were killed after their end."""
        with self._database.mapped_errors():
            found = self._connection.execute("SELECT DISTINCT plan FROM expected WHERE pair = ?", (pair.name,))
            return frozenset(plan for (plan,) in found)

    @_once_more
    def forget_plan(self, plan_id: str) -> None:
        """Forget what was expected of a plan: it was taken back."""
        with self._writing() as connection:
            connection.execute("DELETE FROM expected WHERE plan = ?", (plan_id,))

    def record(self, pair: Pair, links: Iterable[Link], after_run: str = "") -> int:
        """Record what was seen to be so without any operation, after this run of the program; how many entries."""
        self.expect("", pair, links)
        return self.settle("", (), lambda _: None, after_run=after_run)

    @_once_more
    def settle(
        self,
        plan_id: str,
        completed: Iterable[CompletedOperation],
        look: DiskLook,
        read: FileRead = lambda _: {},
        after_run: str = "",
        *,
        refused: Collection[Ref] = (),
        keeps_times: Callable[[str], bool] = lambda _: True,
    ) -> int:
        """Record what the run of a plan has done of what was expected, and forget the rest; how many entries were recorded.

        `completed`: all its operations that have succeeded. Nothing for a plan of which nothing is expected (any more). `read` is
        asked where neither side has a hash: without one, a rename on a disk cannot be told from an edit. `after_run`: the newest
        run. `refused`: destinations of renames that a remote has refused because of their names; these entries have two names
        from now on. `keeps_times`: whether a rename at a location may leave the time of the file as it was; there, a file with
        another time keeps its old one in the record, so that the next sync sees an edit: see `edited_meanwhile`.
        """
        arrived: dict[Ref, CompletedOperation] = {}
        done = set()
        for one in completed:
            arrived[one.destination] = one
            done.add(change_of(one.operation))
        with self._writing() as connection:
            found = connection.execute("SELECT pair, body, checksum FROM expected WHERE plan = ? ORDER BY number", (plan_id,))
            links: list[tuple[str, Expected]] = []
            for pair, body, checksum in found.fetchall():
                if not is_sound(checksum, pair, body):
                    continue
                wanted = msgspec.msgpack.decode(body, type=Expected)
                whole = done.issuperset(wanted.link.changes)
                known = wanted if whole else with_two_names(connection, pair, wanted, refused)
                if known is not None:
                    links.append((pair, known))
            renamed = ((one.link, one.places) for _, one in links if one.link.changes and one.link.paths)
            seen = Seen(arrived, edited_meanwhile(renamed, arrived, read, keeps_times), look, read)
            for pair, known in links:
                record_link(connection, (pair, after_run), known, seen)
            connection.execute("DELETE FROM expected WHERE plan = ?", (plan_id,))
        return len(links)


def _ordered(values: tuple[str, str], pair: Pair) -> tuple[str, str]:
    return (values[1], values[0]) if pair.swapped else values


def _turned(link: Link, pair: Pair) -> Link:
    """A link with its sides in the order of the database."""
    if not pair.swapped:
        return link
    return msgspec.structs.replace(link, paths=link.paths and _ordered(link.paths, pair), files=(link.files[1], link.files[0]))
