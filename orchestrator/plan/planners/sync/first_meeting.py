"""Files without a common state: which of A and which of B are one entry.

By path, then by a path that differs only in case or Unicode form, then by content: those have different names on the two sides.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from orchestrator.paths import case_key
from orchestrator.plan.planners.sync.evidence import Comparison, content_keys
from orchestrator.plan.planners.sync.matching import pair_off
from orchestrator.plan.planners.sync.records import SIDES, File, SideNumber, other

Met = tuple[File | None, File | None]
"""The two files of a new entry; None where a side has none."""


def meet(
    new: tuple[Sequence[File], Sequence[File]], there: tuple[Sequence[File], Sequence[File]], comparison: Comparison
) -> list[Met]:
    """The new entries.

    `there`: files of each side that have a common state. Another copy of one of them is just a copy; a file that may be one is
    read, so that the copy can be made where the other one is.
    """
    left = tuple({file.path: file for file in files} for files in new)
    met: list[Met] = []

    def join(pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            met.append((left[0].pop(pair[0]), left[1].pop(pair[1])))

    join([(path, path) for path in sorted(left[0].keys() & left[1].keys())])
    join(_unambiguous([{path: [case_key(path)] for path in files} for files in left]))
    for side in SIDES:
        _ask_for_sizes(side, left[side].values(), (*left[other(side)].values(), *there[other(side)]), comparison)
    known = {key for files in there for file in files for key in content_keys(file)} if left[0] and left[1] else set()
    by_content = [
        {path: [key for key in content_keys(file) if key not in known] for path, file in files.items()} for files in left
    ]
    join(pair_off(*by_content))
    join(_unambiguous([{path: _whole_sounds(file) for path, file in files.items()} for files in left]))
    met += [(file, None) for _, file in sorted(left[0].items())]
    met += [(None, file) for _, file in sorted(left[1].items())]
    return met


def _ask_for_sizes(side: SideNumber, files: Iterable[File], others: Iterable[File], comparison: Comparison) -> None:
    """Note those files whose size is that of a file of the other side: they may be the same."""
    sizes = {file.size for file in others} - {0, None}
    for file in files:
        if file.size in sizes:
            comparison.ask_hash(side, file)


def _whole_sounds(file: File) -> list[Hashable]:
    """Sound and tags together, for files without a hash."""
    return [(file.sound, file.size)] if file.sound and not file.hashes else []


def _unambiguous(keys: Sequence[dict[str, list[Hashable]]] | list[dict[str, list[str]]]) -> list[tuple[str, str]]:
    return pair_off(keys[0], keys[1], unambiguous=True)
