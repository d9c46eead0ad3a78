"""Which of the listed files a download program is still writing, by the files that it keeps beside them.

Such a file may have its full size from the beginning, and nothing else shows that most of it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from orchestrator.paths import parents_of
from orchestrator.records import Item

UNFINISHED: Final = "still being downloaded: "
"""How the reason begins for which such a file is skipped."""
_MARKS: Final = (".aria2", ".part")
"""What aria2 and browsers append to the name of a file, or of the folder of a torrent, until all of it is there."""


def with_downloads_skipped(items: Sequence[Item]) -> list[Item]:
    """The items of one listing; those of unfinished downloads are skipped, with the files that show it."""
    marks: dict[str, str] = {}
    for item in items:
        path = item.entry.path
        for mark in _MARKS:
            if path.endswith(mark):
                marks[path.removesuffix(mark)] = path
    if not marks:
        return [*items]
    there = {item.entry.path for item in items}
    folders = {folder for item in items for folder in parents_of(item.entry.path)}
    marks = {path: mark for path, mark in marks.items() if path in there or path in folders}
    marks |= {mark: mark for mark in marks.values()}
    return [_marked(item, marks) for item in items]


def _marked(item: Item, marks: dict[str, str]) -> Item:
    path = item.entry.path
    mark = next((marks[one] for one in (path, *parents_of(path)) if one in marks), None)
    return item if mark is None or item.skipped_because is not None else replace(item, skipped_because=f"{UNFINISHED}{mark}")
