"""Playlists, cue sheets and lists of checksums whose entries were updated when their files moved: the same but for the names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from orchestrator.paths import parent_of
from orchestrator.plan.companions.playlists.formats import kind_of
from orchestrator.plan.companions.playlists.meaning import Library, Meaning, NoFile
from orchestrator.plan.companions.playlists.rewrite import TakenApart, taken_apart
from orchestrator.plan.companions.playlists.roots import Root
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Known, Proof, Wanted, same_hashes


class ReadList(NamedTuple):
    """A list and its content."""

    file: Known
    content: bytes


def match_lists(found: Matching, source: str, target: str, ours: Iterable[ReadList], theirs: Iterable[ReadList]) -> None:
    """Prove the lists of the source that are not proved, by those of the target. `source` and `target` are the locations."""
    wanted = {file.path: file for file in found.source}
    known = {file.path: file for file in found.target}

    def are_the_same(mine: Meaning | NoFile, other: Meaning | NoFile) -> bool:
        if not isinstance(mine, Meaning) or not isinstance(other, Meaning) or mine.extension != other.extension:
            return False
        file, copy = wanted[mine.path], known[other.path]
        return file.proof is not None and (file.twin is copy or same_hashes(file, copy) is not None)

    def is_updated(mine: TakenApart, other: TakenApart) -> bool:
        pairs = zip_longest(mine.values, other.values, mine.meanings, other.meanings)
        return all(value == new or are_the_same(*meanings) for value, new, *meanings in pairs)

    copies: dict[tuple[str | None, tuple[str, ...]], list[tuple[Known, TakenApart]]] = defaultdict(list)
    for one, apart in _apart(theirs, Library(Root(target), known.keys())):
        copies[kind_of(one.path), apart.frame].append((one, apart))
    for one, apart in _apart(ours, Library(Root(source), wanted.keys())):
        for copy, other in copies.get((kind_of(one.path), apart.frame), ()):
            if is_updated(apart, other) and isinstance(one, Wanted):
                one.proof, one.twin, one.reason, one.why = Proof.LIST, copy, None, ""
                break


def _apart(lists: Iterable[ReadList], library: Library) -> Iterable[tuple[Known, TakenApart]]:
    for file, content in lists:
        found = taken_apart(file.path, content, library, library.root.base(parent_of(file.path)))
        if found is not None and found.values:
            yield file, found
