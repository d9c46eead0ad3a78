"""The long lists of a page: one JSON array a line, which page/data.js reads.

    ["f", number of the folder above, name]     a folder; folders are numbered in the order of these lines
    ["o", verb, folder, name, new folder, new name (0: the same), size, reason, state, message]
    ["d", folder, name, size, reason]           the kept copy of the duplicate in the line before
    ["s", code, folder, name, reason]           a file that stays

Names are escaped for people here; the page never takes one for markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from orchestrator.paths import split_path
from orchestrator.plan.model import Verb
from orchestrator.records import Ref
from orchestrator.report.plan_view import PlanStep
from orchestrator.report.reporter import printable

VERBS = tuple(Verb)


class Rows:
    """Encodes lines; memory grows only with the number of folders."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._encode = msgspec.json.Encoder().encode
        self._folders: dict[tuple[str, str], int] = {}

    def change(self, step: PlanStep, new: tuple[str, str], state: int = 0, message: str | None = None) -> None:
        """A change. `new`: where the file goes, as a location or a heading and the path below it."""
        folder, name = self._place(step.src.fs, _path_of(step.src))
        new_folder, new_name = self._place(*new)
        result = (state, printable(message or "")) if state or message else ()
        verb, becomes = VERBS.index(step.verb), 0 if new_name == name else new_name
        self._line(["o", verb, folder, name, new_folder, becomes, step.size, printable(step.reason), *result])

    def kept_copy(self, kept: Ref, size: int | None, reason: str) -> None:
        """What is kept instead of the file of the change before."""
        self._line(["d", *self._place(kept.fs, _path_of(kept)), size, printable(reason)])

    def left(self, code: str, location: str, path: str, reason: str) -> None:
        """A file that stays."""
        self._line(["s", printable(code), *self._place(location, path), printable(reason)])

    def _place(self, location: str, path: str) -> tuple[int, str]:
        parent, name = split_path(path)
        return self._folder(location, parent), printable(name)

    def _folder(self, location: str, path: str) -> int:
        known = self._folders.get((location, path))
        if known is None:
            above = -1 if not path else self._folder(location, split_path(path)[0])
            self._line(["f", above, printable(split_path(path)[1] if path else location)])
            known = self._folders[location, path] = len(self._folders)
        return known

    def _line(self, values: Sequence[object]) -> None:
        self._write(self._encode(values) + b"\n")


def _path_of(ref: Ref) -> str:
    return ref.path if ref.object_id is None else f"{ref.path} [{ref.object_id}]"
