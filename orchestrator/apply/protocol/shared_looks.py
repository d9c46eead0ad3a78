"""Look at the files of a bucket by listings of the folders that hold them, where these cost less than a look at each file.

A listing only counts for the files that it shows with a hash. All others are looked at one by one: files under another
spelling, files without a hash, and those of a folder whose listing fails or is longer than expected. OWN_DIRECTORY may hold any
number of files of other runs, so in it only the folders are listed in which this run has put files aside.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

import msgspec

from orchestrator.apply.own_paths import QUARANTINE, deleted_of, destination_of
from orchestrator.apply.protocol.routes import COPIES, has_common_hash, is_copied_by_bucket
from orchestrator.apply.protocol.task import Listed, Task
from orchestrator.errors import RemoteError, TooManyFilesError, UsageError
from orchestrator.foreign_folders import innermost_foreign_folder
from orchestrator.paths import is_ours, parent_of, parents_of
from orchestrator.plan.model import Operation
from orchestrator.plan.request_rates import LOOKS_PER_PAGE, pages_of, worth_listing
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

_LISTINGS = 4
"""So many for one window at most: each is a process, and takes as long as dozens of looks."""
_FAILURES = 2
"""After so many, a location is not listed again in this start of the run."""
_UPLOADED_IN_PARTS = 200 * 1024**2
"""rclone uploads what is larger in parts to S3: then a listing looks at it once more for its hash."""
_CURRENT_S = 10.0
"""How long a listing stands for a look before a delete, from its beginning."""

_CLOCK = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Where there is one, a clock that goes on while the machine sleeps: a listing from before that is old."""

Ends = Callable[[Task], Iterable[tuple[Storage, str]]]
"""What is to be seen of a task: storage and path of its source, its destination, or both."""


class _Choice(msgspec.Struct, frozen=True):
    """How to look at files below a folder. Costs are counted in looks."""

    looks: int
    """What a look at each of them costs."""
    cost: int
    folders: tuple[str, ...] = ()
    """What is listed for that; the rest is looked at."""


class SharedLooks:
    """Those of one start of a run.

    `listed` is the number of files that the plan was made from. If it is not known (None), nothing is listed.
    """

    def __init__(
        self,
        run_id: str,
        operations: Sequence[Operation],
        listed: int | None,
        *,
        clock: Callable[[], float] = _CLOCK,
    ) -> None:
        self._run_id = run_id
        self._aside = f"{QUARANTINE}/{run_id}", deleted_of(run_id)
        self._operations = operations
        self._listed = listed
        self._clock = clock
        self._changes: dict[str, Counter[str]] = {}
        """Location -> folder -> how many operations change something below it."""
        self._others: dict[str, int] = {}
        """Location -> how many of its files no operation takes away."""
        self._hashes_asked: Counter[tuple[str, str]] = Counter()
        """Location and folder -> how many looks its last listing took for hashes."""
        self._too_long: dict[str, set[str]] = defaultdict(set)
        self._failures: Counter[str] = Counter()

    def look(self, tasks: Iterable[Task], ends: Ends) -> None:
        """Set `listed` of each task for which listings cost less, with what they show; on the others, set it to None."""
        wanted: dict[str, set[str]] = defaultdict(set)
        storages: dict[str, Storage] = {}
        asked: list[Task] = []
        for task in tasks:
            task.listed = None
            if not _may_be_listed(task):
                continue
            asked.append(task)
            for storage, path in ends(task):
                storages[storage.fs] = storage
                wanted[storage.fs].add(path)
        began = self._clock()
        found: dict[tuple[str, str], Entry | None] = {}
        for fs, paths in wanted.items():
            for path, entry in self._find(storages[fs], paths):
                found[fs, path] = entry
        for task in asked:
            source, target = (task.source.fs, task.src), (task.target.fs, task.dst)
            if source in found or target in found:
                free = target in found and found[target] is None
                task.listed = Listed(found.get(source), found.get(target), free, began)

    def find(self, storage: Storage, paths: Collection[str]) -> dict[str, Entry]:
        """Those of the files that listings show, where these cost less than a look at each."""
        if not _shows_as_much_as_looks(storage):
            return {}
        return {path: entry for path, entry in self._find(storage, paths) if entry is not None}

    def is_current(self, listed: Listed) -> bool:
        """Whether what was listed may still stand for a look before a delete."""
        return self._clock() - listed.began_s < _CURRENT_S

    def _find(self, storage: Storage, paths: Collection[str]) -> Iterator[tuple[str, Entry | None]]:
        """Each path that listings decide about, and the file there."""
        exact = not storage.capabilities.case_insensitive
        aside = [(root, {path for path in paths if _is_below(path, root)}) for root in self._aside]
        shown = {path for path in paths if not is_ours(path) and innermost_foreign_folder(path) is None}
        for root, members in (*aside, ("", shown)):
            for folder in self._folders(storage, members, root):
                inside = {path for path in members if _is_below(path, folder)}
                entries = self._list(storage, folder, inside)
                if entries is None:
                    continue
                for path in inside:
                    entry = entries.get(path)
                    if entry is None and exact and path.isascii():
                        yield path, None
                    elif entry is not None and entry.hashes:
                        yield path, entry

    def _list(self, storage: Storage, folder: str, inside: set[str]) -> dict[str, Entry] | None:
        """Those of the files that are there; None if that could not be found out."""
        limit = worth_listing(storage.capabilities, len(inside))
        entries: dict[str, Entry] = {}
        hashes_asked = 0
        try:
            for entry in storage.list(folder, at_most=limit):
                hashes_asked += not entry.hashes or (entry.size or 0) >= _UPLOADED_IN_PARTS
                if entry.path in inside:
                    entries[entry.path] = entry
        except TooManyFilesError:
            self._too_long[storage.fs].add(folder)
            return None
        except (RemoteError, UsageError):  # the looks will show what is wrong
            self._failures[storage.fs] += 1
            return None
        self._hashes_asked[storage.fs, folder] = hashes_asked
        return entries

    def _folders(self, storage: Storage, paths: Collection[str], root: str) -> Sequence[str]:
        """The folders at or below the root to list, so that looks and listings together cost least."""
        if self._listed is None or not worth_listing(storage.capabilities, len(paths)) or self._failures[storage.fs] >= _FAILURES:
            return ()
        direct = Counter(map(parent_of, paths))
        above_files = {above for folder in direct for above in (folder, *parents_of(folder, root=True))}
        folders = {folder for folder in above_files if _is_below(f"{folder}/", root)} | {root}
        below: dict[str, list[_Choice]] = defaultdict(list)
        for folder in sorted(folders, key=lambda one: -_depth(one)):
            choice = self._cheapest(storage, folder, direct[folder], below.pop(folder, []))
            if folder == root:
                saved = {one: sum(_is_below(path, one) for path in paths) - self._cost(storage, one) for one in choice.folders}
                return sorted(saved, key=lambda one: (-saved[one], one))[:_LISTINGS]
            below[parent_of(folder)].append(choice)
        return ()

    def _cheapest(self, storage: Storage, folder: str, files: int, inside: Iterable[_Choice]) -> _Choice:
        """`files` are directly in the folder."""
        looks = cost = files
        chosen: tuple[str, ...] = ()
        for choice in inside:
            looks += choice.looks
            cost += choice.cost
            chosen += choice.folders
        price = self._cost(storage, folder)
        too_long = any(_is_below(f"{one}/", folder) for one in self._too_long[storage.fs])
        if price < cost and not too_long:
            return _Choice(looks, price, (folder,))
        return _Choice(looks, cost, chosen)

    def _cost(self, storage: Storage, folder: str) -> int:
        """What a listing of the folder costs: as many looks as cost the same."""
        pages = pages_of(storage.capabilities, self._files_below(storage.fs, folder))
        return LOOKS_PER_PAGE * pages + self._hashes_asked[storage.fs, folder]

    def _files_below(self, fs: str, folder: str) -> int:
        """How many files are there at most, as far as the plan shows."""
        if fs not in self._changes:
            self._changes[fs] = changes = Counter[str]()
            leaving = 0
            for one in self._operations:
                ends = [ref.path for ref in (one.src, destination_of(one, self._run_id)) if ref.fs == fs]
                changes.update({above for path in ends for above in parents_of(path, root=True)})
                leaving += one.src.fs == fs
            self._others[fs] = max(0, (self._listed or 0) - leaving)
        return self._changes[fs][folder] + (0 if is_ours(folder) else self._others[fs])


def _may_be_listed(task: Task) -> bool:
    """Whether a listing shows as much of both ends as a look: a hash, and the present."""
    if task.route not in COPIES or not is_copied_by_bucket(task.source, task.target):
        return False
    shown = _shows_as_much_as_looks(task.source) and _shows_as_much_as_looks(task.target)
    return shown and has_common_hash(task.operation, task.source, task.target)


def _shows_as_much_as_looks(storage: Storage) -> bool:
    return storage.capabilities.current_listings and storage.capabilities.flat_listing


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0
