"""Directories that must be removed during a run, because a file or another spelling of the directory is to have their name.

On a storage that ignores case, a plan may change the spelling of a directory, `beck/x` -> `Beck/x`: while the old directory
exists, the file would land in it and the old spelling would stay. And no storage can put a file where a directory is. The plan
moves everything out of such a directory first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from orchestrator.apply.directories.emptied import depth, remove_if_empty
from orchestrator.apply.own_paths import destination_of
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import RemoteError
from orchestrator.paths import case_key, join_location, parent_of, parents_of
from orchestrator.plan.model import LEAVING_THE_SOURCE, Operation
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage


class DirectoriesInTheWay:
    """Counts the files that are still in these directories, and removes each directory after its last file has left."""

    def __init__(
        self, operations: Sequence[Operation], storages: Mapping[str, Storage], run_id: str, done: Collection[str]
    ) -> None:
        self._storages = storages
        self._run_id = run_id
        self.removed_any = False
        """Whether any were removed, or moved to the trash."""
        self._files: Counter[Ref] = Counter()
        """Directory -> the files that have yet to leave it."""
        destinations = [destination_of(operation, run_id) for operation in operations]
        respelled = _Respelled(destinations, storages)
        replaced = _ReplacedByFile(operations, destinations, storages)
        for operation in operations:
            if operation.verb in LEAVING_THE_SOURCE:
                continue
            for directory in {*respelled.above(operation.src), *replaced.above(operation.src)}:
                self._files[directory] += operation.id not in done

    def begin(self) -> None:
        """Remove what an earlier start of the run emptied but did not remove."""
        emptied = (ref for ref, files in self._files.items() if not files)
        for ref in sorted(emptied, key=lambda ref: depth(ref.path), reverse=True):
            self._remove(ref)

    def file_left(self, task: Task) -> None:
        """A file has left its directory. If the directory cannot be removed now, only its old spelling stays."""
        for directory in parents_of(task.src):
            ref = Ref(task.source.fs, directory)
            if ref not in self._files:
                continue
            self._files[ref] -= 1
            if not self._files[ref]:
                self._remove(ref)

    def _remove(self, ref: Ref) -> None:
        self.removed_any = True
        with suppress(RemoteError):
            remove_if_empty(self._storages[ref.fs], [ref.path], self._run_id, Obstacles())


class _Respelled:
    """Directories that have another spelling after the plan."""

    def __init__(self, destinations: Iterable[Ref], storages: Mapping[str, Storage]) -> None:
        self._case_insensitive = {
            fs
            for fs, storage in storages.items()
            if storage.capabilities.case_insensitive and storage.capabilities.empty_directories
        }
        self._spellings: dict[tuple[str, str], set[str]] = {}
        for destination in destinations:
            if destination.fs in self._case_insensitive:
                for directory in parents_of(destination.path):
                    self._spellings.setdefault((destination.fs, case_key(directory)), set()).add(directory)

    def above(self, src: Ref) -> Iterator[Ref]:
        """Those that contain a file, and the directories in them, deepest first."""
        if src.fs not in self._case_insensitive:
            return

        def is_respelled(directory: str) -> bool:
            wanted = self._spellings.get((src.fs, case_key(directory)))
            return wanted is not None and directory not in wanted

        yield from _up_to_highest(src, is_respelled)


class _ReplacedByFile:
    """Directories whose name a file has after the plan, and the directories in them."""

    def __init__(self, operations: Iterable[Operation], destinations: Iterable[Ref], storages: Mapping[str, Storage]) -> None:
        self._storages = {fs: storage for fs, storage in storages.items() if storage.capabilities.empty_directories}
        directories = {(o.src.fs, parent_of(o.src.path)) for o in operations if o.src.fs in self._storages}
        left = {self._absolute(fs, above) for fs, directory in directories for above in parents_of(f"{directory}/")}
        self._names = {self._absolute(one.fs, one.path) for one in destinations if one.fs in self._storages} & left

    def above(self, src: Ref) -> Iterator[Ref]:
        """Those that contain a file, deepest first."""
        if not self._names or src.fs not in self._storages:
            return
        yield from _up_to_highest(src, lambda directory: self._absolute(src.fs, directory) in self._names)

    def _absolute(self, fs: str, path: str) -> str:
        """A path that can be compared between locations inside each other, equal for names that the storage treats as one."""
        whole = join_location(fs, path)
        return case_key(whole) if self._storages[fs].capabilities.case_insensitive else whole


def _up_to_highest(src: Ref, is_in_the_way: Callable[[str], bool]) -> Iterator[Ref]:
    """The directories that contain a file, from its own to the highest that is in the way, which must be empty to be removed."""
    directories = [*parents_of(src.path)]
    highest = max((number for number, one in enumerate(directories) if is_in_the_way(one)), default=-1)
    yield from (Ref(src.fs, one) for one in directories[: highest + 1])
