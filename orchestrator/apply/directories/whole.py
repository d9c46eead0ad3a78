"""Which operations of a plan move whole directories: pure.

A plan moves files. Where all that it takes out of a directory goes to the same names in another, a remote that counts requests
can move the directory instead: one request for an album. What else lies in it, the plan does not know: only a listing does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from orchestrator.paths import case_key, is_ours, parents_of, remote_of, split_path
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import Storage

FEWEST_FILES = 4
"""On Google Drive a directory takes 31 calls with all looks before and after, as many as four files that move one by one; on
Dropbox 13, and four files 20. And it is one change instead of four: both allow fewer changes than looks."""


class WholeDirectory(msgspec.Struct, frozen=True):
    """A directory that could move as one: `operations` take files from below `source` to the same names below `target`."""

    fs: str
    source: str
    target: str
    operations: tuple[Operation, ...]


def whole_directories(operations: Sequence[Operation], storages: Mapping[str, Storage]) -> list[WholeDirectory]:
    """The highest such directories, as far as the plan alone tells: nothing else in it begins or ends in one of them.

    Names that some storage takes for one count as one. Only where no other location of the remote takes part, which might lie in
    this one.
    """
    ends = [*_ends(operations)]
    remotes = Counter(remote_of(fs) for fs in {end.fs for end in ends})
    awaited = {identity for operation in operations for identity in operation.depends}
    found: list[WholeDirectory] = []
    for fs, storage in sorted(storages.items()):
        can = storage.capabilities
        if can.move and can.directory_move and can.by_directory and remotes[remote_of(fs)] == 1:
            free = [one for one in operations if one.src.fs == one.dst.fs == fs and one.id not in awaited and _is_plain(one)]
            found += _highest(fs, free, [end.path for end in ends if end.fs == fs])
    return found


def as_listed(
    directory: WholeDirectory,
    there: Sequence[Entry],
    at_target: Iterable[Entry] | None,
    is_right: Callable[[Operation, Entry], bool],
) -> Iterator[WholeDirectory]:
    """The directory, or those below it, that hold nothing but the files of their operations and whose target is free.

    `there` is all that is listed below its source, `at_target` below its target; None: there is no such directory. `is_right`
    tells whether a file is the one that an operation expects.
    """
    taken = None if at_target is None else {name for entry in at_target for name in _above(case_key(entry.path))}
    yield from _free(directory, there, taken, is_right)


def _free(
    directory: WholeDirectory, there: Sequence[Entry], taken: set[str] | None, is_right: Callable[[Operation, Entry], bool]
) -> Iterator[WholeDirectory]:
    if len(directory.operations) < FEWEST_FILES:
        return
    wanted = {operation.src.path: operation for operation in directory.operations}
    if taken is None and len(there) == len(wanted):
        found = {entry.path for entry in there if entry.path in wanted and is_right(wanted[entry.path], entry)}
        if found == wanted.keys():
            yield directory
            return
    below: dict[str, list[Operation]] = defaultdict(list)
    for operation in directory.operations:
        name, slash, _ = operation.src.path[len(directory.source) + 1 :].partition("/")
        if slash:
            below[name].append(operation)
    for name, operations in sorted(below.items()):
        source, target = f"{directory.source}/{name}", f"{directory.target}/{name}"
        lower = WholeDirectory(directory.fs, source, target, tuple(operations))
        still_taken = taken if taken and case_key(target) in taken else None
        yield from _free(lower, [entry for entry in there if entry.path.startswith(f"{source}/")], still_taken, is_right)


def _highest(fs: str, operations: Sequence[Operation], ends: Iterable[str]) -> Iterator[WholeDirectory]:
    """`operations` are those that may go with a directory, `ends` the paths at which any operation begins or ends."""
    files = {case_key(path) for path in ends}
    inside: Counter[str] = Counter()
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for path in ends:
        for directory in _above(path):
            inside[case_key(directory)] += 1
            spellings[case_key(directory)].add(directory)
    pairs: defaultdict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in operations:
        for pair in _pairs(operation.src.path, operation.dst.path):
            pairs[pair].append(operation)
    gone: set[str] = set()
    for (source, target), members in sorted(pairs.items(), key=lambda item: item[0][0].count("/")):
        alone = len(members) == inside[case_key(source)] == inside[case_key(target)]  # nor does one lie in the other, then
        on_the_way = [*parents_of(source), *parents_of(target)]
        free = not any(case_key(directory) in files or len(spellings[case_key(directory)]) > 1 for directory in on_the_way)
        if alone and free and len(members) >= FEWEST_FILES and members[0].id not in gone:
            gone.update(operation.id for operation in members)
            yield WholeDirectory(fs, source, target, tuple(members))


def _is_plain(operation: Operation) -> bool:
    """Whether it is a move of a file known by its name, that waits for nothing and looks at nothing else."""
    ends = (operation.src, operation.dst)
    by_name = not any(end.object_id or is_ours(end.path) for end in ends)
    return operation.verb is Verb.MOVE and by_name and not (operation.depends or operation.expect.kept)


def _ends(operations: Iterable[Operation]) -> Iterator[Ref]:
    """Where operations begin and end, and the copies that they look at."""
    for operation in operations:
        yield from (operation.src, operation.dst)
        if operation.expect.kept:
            yield operation.expect.kept.ref


def _pairs(source: str, target: str) -> Iterator[tuple[str, str]]:
    """The directories, lowest first, that moving would take the one path to the other."""
    while True:
        source, name = split_path(source)
        target, other = split_path(target)
        if name != other or not source or not target:
            return
        yield source, target


def _above(path: str) -> Iterator[str]:
    """A path, and the directories above it."""
    yield path
    yield from parents_of(path)
