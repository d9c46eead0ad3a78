"""Which operations of a plan amount to moving whole directories. Pure.

A plan moves files. Where everything that it takes out of a directory gets the same names in another one, a remote that counts
requests can move the directory instead: one request for an album. What else the directory holds, only a listing shows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

import msgspec

from orchestrator.paths import case_key, is_ours, parents_of, remote_of, split_path
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Capabilities, Ref

FEWEST_FILES = 4
"""Moving a directory takes 5 to 9 calls on Google Drive and 4 on Dropbox, with all looks before and after. Some of them are spent
in vain if it holds something else: fewer files than these move one by one."""


class MovableDirectory(msgspec.Struct, frozen=True):
    """A directory that could be moved whole: `operations` take files from `source` to the same names in `target`."""

    fs: str
    source: str
    target: str
    operations: tuple[Operation, ...]


def movable_directories(operations: Sequence[Operation], capabilities: Mapping[str, Capabilities]) -> list[MovableDirectory]:
    """The highest such directories, as far as the plan shows: no other operation begins or ends in source or target.

    Names that some storage treats as one count as one. Only where no other location of the remote takes part, because that could
    be inside this one.
    """
    ends = [*_ends(operations)]
    remotes = Counter(remote_of(fs) for fs in {end.fs for end in ends})
    awaited = {identity for operation in operations for identity in operation.depends}
    found: list[MovableDirectory] = []
    for fs, can in sorted(capabilities.items(), key=itemgetter(0)):
        if _can_move_directories(can) and remotes[remote_of(fs)] == 1:
            free = [one for one in operations if one.src.fs == one.dst.fs == fs and one.id not in awaited and _is_plain_move(one)]
            found += _highest(fs, free, [end.path for end in ends if end.fs == fs])
    return found


def _highest(fs: str, operations: Sequence[Operation], ends: Iterable[str]) -> Iterator[MovableDirectory]:
    """`operations` are those that can be moved with a directory, `ends` the paths at which any operation begins or ends."""
    files = {case_key(path) for path in ends}
    inside: Counter[str] = Counter()
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for path in ends:
        for directory in with_parents(path):
            inside[case_key(directory)] += 1
            spellings[case_key(directory)].add(directory)
    pairs: defaultdict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in operations:
        for pair in _pairs(operation.src.path, operation.dst.path):
            pairs[pair].append(operation)
    covered: set[str] = set()
    for (source, target), members in sorted(pairs.items(), key=lambda item: item[0][0].count("/")):
        # This also excludes that one directory is inside the other.
        alone = len(members) == inside[case_key(source)] == inside[case_key(target)]
        above = [*parents_of(source), *parents_of(target)]
        free = not any(case_key(directory) in files or len(spellings[case_key(directory)]) > 1 for directory in above)
        if alone and free and len(members) >= FEWEST_FILES and members[0].id not in covered:
            covered.update(operation.id for operation in members)
            yield MovableDirectory(fs, source, target, tuple(members))


def _can_move_directories(can: Capabilities) -> bool:
    return can.move and can.directory_move and can.by_directory


def _is_plain_move(operation: Operation) -> bool:
    """Whether it moves a file known by its name, depends on nothing, and has no kept copy to check."""
    by_name = not any(end.object_id or is_ours(end.path) for end in (operation.src, operation.dst))
    return operation.verb is Verb.MOVE and by_name and not (operation.depends or operation.expect.kept)


def _ends(operations: Iterable[Operation]) -> Iterator[Ref]:
    """Where operations begin and end, and the kept copies that they check."""
    for operation in operations:
        yield from (operation.src, operation.dst)
        if operation.expect.kept:
            yield operation.expect.kept.ref


def _pairs(source: str, target: str) -> Iterator[tuple[str, str]]:
    """The pairs of directories, deepest first, such that moving the one to the other takes the file from `source` to `target`."""
    while True:
        source, name = split_path(source)
        target, other = split_path(target)
        if name != other or not source or not target:
            return
        yield source, target


def with_parents(path: str) -> Iterator[str]:
    """A path, and the directories above it."""
    yield path
    yield from parents_of(path)
