"""Directories that a run has emptied go; those that were empty before, and every root, stay.

Where the removal of a directory would take along what was not seen in it, they go whole into the trash of the run instead, by one
rename; and there, below OWN_DIRECTORY, no directory is ever removed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from orchestrator.apply.own_paths import emptied_of, place
from orchestrator.apply.protocol.last_proof import Proof
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import NotFoundError, RemoteError
from orchestrator.paths import case_key, is_ours, join_location, parent_of, parents_of
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage


def remove_emptied(outcome: Proof, storages: Mapping[str, Storage], run_id: str) -> None:
    """Remove, deepest first, the directories that lost their last file. Raises the storages' errors."""
    for fs in sorted({ref.fs for ref in outcome.gone}):
        storage = storages[fs]
        if storage.capabilities.empty_directories:
            gone, there = ([ref for ref in refs if ref.fs == fs] for refs in (outcome.gone, outcome.there))
            _remove(storage, _emptied(storage, gone, there), run_id)


def _emptied(storage: Storage, gone: Iterable[Ref], there: Iterable[Ref]) -> set[str]:
    kept = {directory for ref in there for directory in parents_of(ref.path)}
    emptied = {directory for ref in gone for directory in parents_of(ref.path)} - kept - {ref.path for ref in there}
    if storage.capabilities.case_insensitive:
        names = {*map(case_key, kept)}
        emptied = {directory for directory in emptied if case_key(directory) not in names}
    return emptied


def _remove(storage: Storage, directories: Iterable[str], run_id: str) -> None:
    """Remove those that are empty, or hold nothing but others of them that are."""
    deepest_first = sorted(directories, key=_depth, reverse=True)
    if storage.capabilities.rmdir_is_recursive:
        _put_away(storage, [directory for directory in deepest_first if not is_ours(directory)], run_id)
        return
    for directory in deepest_first:
        storage.remove_directory(directory)  # leaves alone what is not empty


def _put_away(storage: Storage, deepest_first: Iterable[str], run_id: str) -> None:
    if not storage.capabilities.directory_move or storage.capabilities.duplicate_names:
        return  # they stay: of two folders of one name rclone may look into one and rename the other
    spelled = case_key if storage.capabilities.case_insensitive else str
    empty: dict[str, str] = {}
    staying: set[str] = set()
    for directory in deepest_first:
        name = spelled(directory)
        inside = None if name in staying else storage.entries(directory)
        if inside is None:
            continue
        if all(entry.endswith("/") and spelled(f"{directory}/{entry[:-1]}") in empty for entry in inside):
            empty[name] = directory
        else:
            staying.update(parents_of(name))
    trash = emptied_of(run_id, secrets.token_hex(4))
    for name, directory in empty.items():
        if parent_of(name) not in empty:
            with suppress(NotFoundError):
                storage.move_directory(directory, f"{trash}/{directory}")


class DirectoriesInTheWay:
    """Directories that must be gone before what is to have their name can come; the plan lets everything leave them first.

    A directory that a plan spells anew on a storage that ignores case, `beck/x` -> `Beck/x`: else the file lands in the old one
    and the old spelling stays. And a directory whose name a file is to have: no storage puts a file there before.
    """

    def __init__(
        self, operations: Sequence[Operation], storages: Mapping[str, Storage], run_id: str, done: Collection[str]
    ) -> None:
        self._storages = storages
        self._run_id = run_id
        self._files: Counter[Ref] = Counter()
        """Directory -> the files that are still to leave it."""
        destinations = [place(operation, run_id) for operation in operations]
        respelled = _Respelled(destinations, storages)
        replaced = _Replaced(operations, destinations, storages)
        for operation in operations:
            if operation.verb in {Verb.COPY, Verb.REWRITE}:
                continue
            for directory in {*respelled.above(operation.src), *replaced.above(operation.src)}:
                self._files[directory] += operation.id not in done

    def begin(self) -> None:
        """Remove what an earlier start of the run emptied and left."""
        for ref in sorted(
            (ref for ref, files in self._files.items() if not files), key=lambda ref: _depth(ref.path), reverse=True
        ):
            self._remove(ref)

    def left(self, task: Task) -> None:
        """A file has left its directory. A remote that does not answer now only leaves the old spelling."""
        for directory in parents_of(task.src):
            ref = Ref(task.source.fs, directory)
            if ref not in self._files:
                continue
            self._files[ref] -= 1
            if not self._files[ref]:
                self._remove(ref)

    def _remove(self, ref: Ref) -> None:
        with suppress(RemoteError):
            _remove(self._storages[ref.fs], [ref.path], self._run_id)


class _Respelled:
    """Directories that have another spelling after the plan."""

    def __init__(self, destinations: Iterable[Ref], storages: Mapping[str, Storage]) -> None:
        self._careless = {
            fs
            for fs, storage in storages.items()
            if storage.capabilities.case_insensitive and storage.capabilities.empty_directories
        }
        self._spelling: dict[tuple[str, str], set[str]] = {}
        for destination in destinations:
            if destination.fs in self._careless:
                for directory in parents_of(destination.path):
                    self._spelling.setdefault((destination.fs, case_key(directory)), set()).add(directory)

    def above(self, src: Ref) -> Iterator[Ref]:
        """Those that a file lies in, deepest first."""
        for directory in parents_of(src.path) if src.fs in self._careless else ():
            wanted = self._spelling.get((src.fs, case_key(directory)))
            if wanted and directory not in wanted:
                yield Ref(src.fs, directory)


class _Replaced:
    """Directories that a file takes the place of after the plan, and those below them."""

    def __init__(self, operations: Iterable[Operation], destinations: Iterable[Ref], storages: Mapping[str, Storage]) -> None:
        self._fs = {fs: storage for fs, storage in storages.items() if storage.capabilities.empty_directories}
        lain_in = {(o.src.fs, parent_of(o.src.path)) for o in operations if o.src.fs in self._fs}
        left = {self._absolute(fs, above) for fs, directory in lain_in for above in parents_of(f"{directory}/")}
        self._names = {self._absolute(one.fs, one.path) for one in destinations if one.fs in self._fs} & left

    def above(self, src: Ref) -> Iterator[Ref]:
        """Those that a file lies in, deepest first."""
        if not self._names or src.fs not in self._fs:
            return
        directories = [*parents_of(src.path)]
        highest = max((n for n, one in enumerate(directories) if self._absolute(src.fs, one) in self._names), default=-1)
        yield from (Ref(src.fs, one) for one in directories[: highest + 1])

    def _absolute(self, fs: str, path: str) -> str:
        """Comparable for nested locations of one remote, and the same for names that the storage takes for one."""
        whole = join_location(fs, path)
        return case_key(whole) if self._fs[fs].capabilities.case_insensitive else whole


def _depth(directory: str) -> tuple[int, str]:
    return directory.count("/"), directory
