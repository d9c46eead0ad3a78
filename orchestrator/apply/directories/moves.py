"""Move a directory with all that lies in it in one request, as far as the operations of a plan come to just that.

The operations keep their protocol: a look at both ends, the intents, the request, a look, the verdicts. Only that a listing looks
at all of them, and one request moves them. What has no verdict then was begun, and is decided as any other: by its own two ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apply.directories.whole import WholeDirectory, as_listed
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, Stage
from orchestrator.apply.protocol.fingerprint import expected, same_file
from orchestrator.apply.protocol.task import LOOK, Task, worth_another_try
from orchestrator.errors import (
    AuthError,
    DestinationExistsError,
    NotFoundError,
    QuotaError,
    RemoteError,
    UnsupportedError,
)
from orchestrator.plan.model import Operation
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage


class DirectoryMoves:
    """The protocol for the directories of one run."""

    def __init__(self, run_id: str, journal: Journal) -> None:
        self._run_id = run_id
        self._journal = journal

    def ready(self, directory: WholeDirectory, storage: Storage) -> list[WholeDirectory]:
        """Look: the directory, or those below it, in which nothing but the expected files lies, and whose target is not there.

        Raises the storage's errors.
        """
        precision = storage.capabilities.mtime_precision_ns

        def is_right(operation: Operation, entry: Entry) -> bool:
            return same_file(expected(operation), entry, precision)

        there = _listed(storage, directory.source)
        return [*as_listed(directory, there, _listed(storage, directory.target), is_right)] if there else []

    def try_once(self, directory: WholeDirectory, tasks: Sequence[Task]) -> None:
        """Move it; the operations whose files are seen to have arrived get their verdict, durable when this returns."""
        for task in tasks:
            task.attempt += 1
            task.spent += LOOK
        self._journal.append(self._run_id, [Record(task.operation.id, Stage.INTENT, task.attempt) for task in tasks])
        storage = tasks[0].target
        try:
            storage.move_directory(directory.source, directory.target)
            arrived = storage.batch([task.target_look for task in tasks])
        except (DestinationExistsError, UnsupportedError):  # nothing has changed: they go one by one
            for task in tasks:
                task.attempt, task.trust_listing = 0, False
            return
        except RemoteError as error:
            stays = worth_another_try(error) or isinstance(error, AuthError | QuotaError | NotFoundError)
            for task in tasks:
                task.trouble = error if stays else None  # no: that was about the directory, their own may be well
            return
        precision = storage.capabilities.mtime_precision_ns
        for task, there in zip(tasks, arrived, strict=True):
            if isinstance(there, Entry) and same_file(expected(task.operation), there, precision):
                task.settle(Stage.DONE, entry=there)
            elif isinstance(there, RemoteError):
                task.trouble = there
        self._journal.append(self._run_id, [task.verdict for task in tasks if task.verdict is not None])


def _listed(storage: Storage, directory: str) -> list[Entry] | None:
    """All that lies below it; None where there is no such directory."""
    try:
        return [*storage.list(directory)]
    except NotFoundError:
        return None
