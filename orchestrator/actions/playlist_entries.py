"""Which entries of playlists lead to files of this machine outside the library: those are not taken for files of the library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from orchestrator.apply.protocol.task import is_one_file
from orchestrator.paths import is_local, location_prefix
from orchestrator.plan.companions.playlists.external import ExternalList, named_on_this_machine
from orchestrator.plan.companions.playlists.following import lists_of
from orchestrator.records import Item


def existing_elsewhere(locations: Iterable[tuple[str, Sequence[Item]]], external: Iterable[ExternalList]) -> frozenset[str]:
    """The absolute paths that entries of these lists name, that exist on this machine, and are in none of the locations."""
    found: list[ExternalList] = [*external]
    roots: list[str] = []
    for fs, items in locations:
        roots += [os.path.realpath(fs)] if is_local(fs) else []
        lists = ((item.entry.path, item.content) for item in lists_of(items))
        found += [ExternalList(fs, path, content) for path, content in lists if content is not None]

    named = {*named_on_this_machine(found)}
    return frozenset(path for path in named if os.path.lexists(path) and not any(_is_inside(path, root) for root in roots))


def _is_inside(path: str, root: str) -> bool:
    """Whether a path leads into a folder, behind a link or where the folder is mounted a second time."""
    if os.path.realpath(path).startswith(location_prefix(root)):
        return True
    names = path.split("/")
    return any(is_one_file(path, f"{root}/{'/'.join(names[first:])}") for first in range(1, len(names)))
