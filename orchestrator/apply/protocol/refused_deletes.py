"""Remotes that refuse every delete, such as a bucket whose key lacks that right: there, a move would leave one more copy behind.

So a run stops moving files out of a remote after the first window in which it refused every delete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator.apply.journal.records import Stage
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode
from orchestrator.profiles import load_profile
from orchestrator.storage.local_path import local_path, why_not_deletable
from orchestrator.storage.protocol import Storage
from orchestrator.wording import counted

_FEWEST = 2
"""Refused deletes in one window; a single one may concern only that file (retention)."""


class RefusedDeletes:
    """Those of one start of a run."""

    def __init__(self) -> None:
        self._why: dict[str, str] = {}
        """Location -> what is missing there, in words."""
        self._stopped: Counter[str] = Counter()
        """Location -> the operations that were not begun there."""

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

    def skip(self, tasks: Sequence[Task]) -> list[Task]:
        """Set the verdict on those that would delete their source on a stopped remote, and return them."""
        skipped = [task for task in tasks if task.route is Route.TRANSFER and task.source.fs in self._stopped]
        for task in skipped:
            self._stopped[task.source.fs] += 1
            task.settle(Stage.SKIPPED, ExitCode.AUTH, f"not begun, because {task.source.fs} refuses to delete files")
        return skipped

    def problems(self) -> Iterator[Problem]:
        """One for each location that refused every delete."""
        for fs, not_begun in self._stopped.items():
            left = f"; {counted(not_begun, 'operation')} not started" if not_begun else ""
            message = (
                f"{fs}: refuses to delete files: {self._why[fs]}{left}. "
                "Change that, then run the command again to finish, or `undo` to delete the copies"
            )
            yield Problem(None, ExitCode.AUTH, message)


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
