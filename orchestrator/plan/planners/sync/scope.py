"""What takes part in a sync, and where nothing is done: unlisted folders, names that several files have, and documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from orchestrator.paths import is_clutter, is_ours, is_rclone_debris, name_of, parents_of, path_problem
from orchestrator.plan.model import Skipped
from orchestrator.plan.planners.sync.records import File, Row, Side

_UNFINISHED = re.compile(
    r"\.(part|aria2|crdownload|download|!qb|!ut|tmp)\Z"  # browsers and torrent clients
    r"|\A(\.syncthing\.|\.~lock\.|\.rclone_temp_put_)"
    r"|\.sync-conflict-[^/]*\Z",  # Syncthing
    re.IGNORECASE,
)


def is_carried(path: str) -> bool:
    """Whether a file of this name is ever carried to the other side."""
    return not (is_ours(path) or is_clutter(path) or is_rclone_debris(path) or _UNFINISHED.search(name_of(path)))


class Scope:
    """What takes part on each side, and the paths that nobody may touch."""

    def __init__(self, sides: tuple[Side, Side]) -> None:
        self._unlisted = frozenset(folder.strip("/") for side in sides for folder in side.unlisted)
        self.skipped: list[Skipped] = []
        self.not_carried = 0
        """Files that are never carried, because of their names."""
        self._shared: tuple[frozenset[str], frozenset[str]] = (_shared(sides[0]), _shared(sides[1]))
        self._documents = frozenset(file.path for side in sides for file in side.files if _is_document(file))
        self.sides: tuple[Side, Side] = (self._reduced(0, sides[0]), self._reduced(1, sides[1]))

    def is_frozen(self, path: str) -> bool:
        """Whether nothing may be done at a path, on either side."""
        if path in self._shared[0] or path in self._shared[1] or path in self._documents:
            return True
        return bool(self._unlisted) and not self._unlisted.isdisjoint((path, *parents_of(path, root=True)))

    def unfrozen(self, files: Sequence[File]) -> list[File]:
        """Those of these files with which something may be done."""
        return [file for file in files if not self.is_frozen(file.path)]

    def has_frozen_path(self, row: Row) -> bool:
        """Whether an entry lies at such a path on either side."""
        return any(self.is_frozen(file.path) for file in row.files)

    def _reduced(self, number: int, side: Side) -> Side:
        """The side without what has no usable name; what is never carried is left out."""
        shared = self._shared[number]
        self.skipped += [
            Skipped(path, "conflict", f"{side.fs}: several files have this name: rename them first") for path in sorted(shared)
        ]
        usable: list[File] = []
        left_out = list(side.left_out)
        for file in side.files:
            path = file.entry.path
            problem = path_problem(path)
            if problem:
                self.skipped.append(Skipped(path, "unsupported-name", f"{side.fs}: {problem}"))
            elif _is_document(file) or not is_carried(path):
                self.not_carried += 1
                left_out.append(file)
            elif path in self._documents:
                why = "an online document (Google Docs, Dropbox Paper) has this name on the other side: rename one of the two"
                self.skipped.append(Skipped(path, "conflict", f"{side.fs}: {why}"))
                left_out.append(file)
            elif path not in shared:
                usable.append(file)
        return msgspec.structs.replace(side, files=usable, left_out=[file for file in left_out if file.path not in shared])


def _is_document(file: File) -> bool:
    """Whether it is a document that only exists online: it has no size, and each download is made on request."""
    return file.entry.size is None


def _shared(side: Side) -> frozenset[str]:
    paths = [file.entry.path for files in (side.files, side.left_out, side.waiting) for file in files]
    if len(set(paths)) == len(paths):
        return frozenset()
    return frozenset(path for path, count in Counter(paths).items() if count > 1)
