"""Which directories a listing shows to be what a plan moves whole (see `orchestrator.plan.folder_moves`). Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import attrgetter

from orchestrator.paths import case_key, parents_of
from orchestrator.plan.folder_moves import FEWEST_FILES, MovableDirectory, movable_directories, with_parents
from orchestrator.plan.model import KEPT_FOLDERS, Header, Operation, folders_of
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

_IN_A_WINDOW = 20
"""So many take a few seconds at the pace of Google Drive."""

IsExpected = Callable[[Operation, Entry], bool]
"""Whether a listed file is the one that an operation expects."""


def movable_on(storages: Mapping[str, Storage], operations: Sequence[Operation], header: Header) -> list[MovableDirectory]:
    """The directories that a plan amounts to moving, on these storages. Not what holds a folder that the plan keeps."""
    found = movable_directories(operations, {fs: storage.capabilities for fs, storage in storages.items()})
    kept = {
        (fs, above)
        for fs, folders in folders_of(header, KEPT_FOLDERS).items()
        for one in folders
        for above in (one, *parents_of(one))
    }
    return [one for one in found if (one.fs, one.source) not in kept]


def windows_of(directories: Iterable[MovableDirectory]) -> Iterator[tuple[str, list[MovableDirectory]]]:
    """They are looked at together, and moved before what was seen is old: (location, some of its directories)."""
    for fs, here in groupby(directories, key=attrgetter("fs")):
        while window := [*islice(here, _IN_A_WINDOW)]:
            yield fs, window


def as_listed(
    directory: MovableDirectory, there: Sequence[Entry], at_target: Iterable[Entry] | None, is_expected: IsExpected
) -> Iterator[MovableDirectory]:
    """The directory, or those in it, that hold only the files of their operations, and whose target is free.

    `there` is everything listed below its source, `at_target` everything below its target, None if that does not exist.
    """
    if any(case_key(entry.path) == case_key(directory.target) for entry in at_target or ()):
        return  # a file has that name
    taken = None if at_target is None else {name for entry in at_target for name in with_parents(case_key(entry.path))}
    yield from _free(directory, there, taken, is_expected)


def _free(
    directory: MovableDirectory, there: Sequence[Entry], taken: set[str] | None, is_expected: IsExpected
) -> Iterator[MovableDirectory]:
    if len(directory.operations) < FEWEST_FILES:
        return
    if taken is None and _holds_only_its_files(directory, there, is_expected):
        yield directory
        return
    below: dict[str, list[Operation]] = defaultdict(list)
    for operation in directory.operations:
        name, slash, _ = operation.src.path[len(directory.source) + 1 :].partition("/")
        if slash:
            below[name].append(operation)
    for name, operations in sorted(below.items()):
        source, target = f"{directory.source}/{name}", f"{directory.target}/{name}"
        lower = MovableDirectory(directory.fs, source, target, tuple(operations))
        still_taken = taken if taken and case_key(target) in taken else None
        yield from _free(lower, [entry for entry in there if entry.path.startswith(f"{source}/")], still_taken, is_expected)


def _holds_only_its_files(directory: MovableDirectory, there: Sequence[Entry], is_expected: IsExpected) -> bool:
    wanted = {operation.src.path: operation for operation in directory.operations}
    if len(there) != len(wanted):
        return False
    return {entry.path for entry in there if entry.path in wanted and is_expected(wanted[entry.path], entry)} == wanted.keys()
