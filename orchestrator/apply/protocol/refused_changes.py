"""Remotes that refuse every delete or every write, such as a bucket whose key lacks that right.

Where every delete is refused, a move would leave one more copy behind. So after the first window in which a remote refused every
delete, a run moves no more files out of it; it sends no more files to an object store that refused them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.protocol.routes import COPIES, Route
from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode
from orchestrator.paths import parent_of
from orchestrator.profiles import load_profile
from orchestrator.storage.local_path import local_path, why_not_deletable
from orchestrator.storage.protocol import Storage
from orchestrator.wording import counted

_FEWEST = 2
"""Refusals in one window; a single one may concern only that file (retention)."""


class RefusedChanges:
    """Those of one start of a run."""

    def __init__(self) -> None:
        self._why: dict[str, str] = {}
        """Location -> what is missing there, in words."""
        self._stopped: Counter[str] = Counter()
        """Location -> the operations that were not begun there, because it refuses deletes."""
        self._closed: Counter[str] = Counter()
        """The same for locations that refuse writes."""
        self._right: dict[str, str] = {}
        """Location -> the right to write, which is missing there."""

    def note(self, tasks: Sequence[Task]) -> None:
        """Count what a window came to."""
        refused = Counter(task.source.fs for task in tasks if task.delete_refused)
        deleted = {task.source.fs for task in tasks if task.route is Route.TRANSFER and task.succeeded}
        for task in tasks:
            if task.delete_refused:
                self._why[task.source.fs] = _why_refused(task.source, task.src)
        for fs, number in refused.items():
            if number >= _FEWEST and fs not in deleted:
                self._stopped.setdefault(fs, 0)
        self._note_writes(tasks)

    def _note_writes(self, tasks: Sequence[Task]) -> None:
        refused = [task.target for task in tasks if task.write_refused]
        written = {task.target.fs for task in tasks if task.succeeded}
        for target in refused:
            right = load_profile(target.capabilities.remote_type).write_right
            if right and target.fs not in written and sum(one.fs == target.fs for one in refused) >= _FEWEST:
                self._right[target.fs] = right
                self._closed.setdefault(target.fs, 0)

    def skip(self, tasks: Sequence[Task]) -> list[Task]:
        """Set the verdict on those that would delete or write on a remote that refuses it, and return them."""
        skipped = [task for task in tasks if task.route is Route.TRANSFER and task.source.fs in self._stopped]
        for task in skipped:
            self._stopped[task.source.fs] += 1
            task.settle(Stage.SKIPPED, ExitCode.AUTH, f"not begun, because {task.source.fs} refuses to delete files")
        unwritten = [task for task in tasks if task.verdict is None and task.route in COPIES and task.target.fs in self._closed]
        for task in unwritten:
            self._closed[task.target.fs] += 1
            task.settle(Stage.SKIPPED, ExitCode.AUTH, f"not begun, because {task.target.fs} refuses files")
        return skipped + unwritten

    def problems(self) -> Iterator[Problem]:
        """One for each location that refused every delete, or every write."""
        for fs, not_begun in self._closed.items():
            why = f"the account lacks the right to write ({self._right[fs]}){_left(not_begun)}"
            message = f"{fs}: refuses files: {why}. Grant it, then run the command again"
            yield Problem(None, ExitCode.AUTH, message)
        for fs, not_begun in self._stopped.items():
            message = (
                f"{fs}: refuses to delete files: {self._why[fs]}{_left(not_begun)}. "
                "Change that, then run the command again to finish, or `undo` to delete the copies"
            )
            yield Problem(None, ExitCode.AUTH, message)


def _left(not_begun: int) -> str:
    return f"; {counted(not_begun, 'operation')} not started" if not_begun else ""


def left_marker(storage: Storage, path: str) -> Problem:
    """What to say when the marker of a run may not be deleted at its end."""
    message = f"stays there, marked as ended: it could not be deleted: {_why_refused(storage, path)}"
    return Problem(path, ExitCode.SOME_FAILED, f"{path}: {message}. Allow to delete what is in {parent_of(path)}")


def _why_refused(source: Storage, path: str) -> str:
    """What is missing, as far as it can be known, in the words of the kind of storage."""
    file = local_path(source, path)
    if file is not None:
        return why_not_deletable(file) or "the message for each file gives the reason"
    right = load_profile(source.capabilities.remote_type).delete_right
    if right or not source.capabilities.empty_directories:
        named = f" ({right})" if right else ""
        return f"the account lacks that right{named}, or they are under retention"
    return "the user of this remote may not write to their folders, or the server is read-only"
