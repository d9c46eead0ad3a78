"""Move a directory with everything in it in one request, where the operations of a plan amount to exactly that.

The operations keep their protocol: a look at both ends, the intents, the request, a look, the verdicts. The difference is that
one listing shows all of them, and one request moves them. An operation without a verdict afterwards was begun, and is continued
like any other, by a look at its own two ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.apply.directories.movable import as_listed
from orchestrator.apply.folder_look import IDS_HOLD_S
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, Stage
from orchestrator.apply.protocol.fingerprint import expected, same_file
from orchestrator.apply.protocol.request_budget import LOOK
from orchestrator.apply.protocol.task import Task, worth_another_try
from orchestrator.errors import (
    AuthError,
    DestinationExistsError,
    NotFoundError,
    QuotaError,
    RemoteError,
    UnsupportedError,
    UsageError,
)
from orchestrator.plan.folder_moves import MovableDirectory
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import CallResult, Storage


class DirectoryMover:
    """Moves the directories of one run."""

    def __init__(self, run_id: str, journal: Journal) -> None:
        self._run_id = run_id
        self._journal = journal
        self._looked = False
        self.moved: set[Ref] = set()
        """The directories that were moved as a whole, and whose files have all been seen at their destinations."""
        self._there: dict[str, Sequence[Entry]] = {}
        """Source -> the files that the last look has shown in it and below."""

    def ready(self, directories: Sequence[MovableDirectory], storage: Storage) -> list[MovableDirectory]:
        """Look: the directories, or those in them, that hold only the expected files. Raises the storage's errors.

        Whether their targets are free says the request itself: it changes nothing where one is not.
        """
        # Only our own folder was looked up since the run began.
        storage.forget_folders(keep_s=0 if self._looked else IDS_HOLD_S)
        self._looked = True
        found = storage.files_below([one.source for one in directories])
        self._there = {source: files or () for source, files in found.items()}
        return [ready for one in directories for ready in self._listed(one, storage, None)]

    def _listed(
        self, directory: MovableDirectory, storage: Storage, at_target: Sequence[Entry] | None
    ) -> Iterator[MovableDirectory]:
        precision = storage.capabilities.mtime_precision_ns
        there = next((files for source, files in self._there.items() if f"{directory.source}/".startswith(f"{source}/")), ())
        inside = [entry for entry in there if entry.path.startswith(f"{directory.source}/")]
        yield from as_listed(
            directory, inside, at_target, lambda operation, entry: same_file(expected(operation), entry, precision)
        )

    def try_once(self, directory: MovableDirectory, tasks: Sequence[Task]) -> None:
        """Move it. The operations whose files are seen to have arrived get their verdict, durable when this returns."""
        for task in tasks:
            task.attempt += 1
            task.requests_spent += LOOK
        self._journal.append(self._run_id, [Record(task.operation.id, Stage.INTENT, task.attempt) for task in tasks])
        self._try(directory, tasks)

    def _try(self, directory: MovableDirectory, tasks: Sequence[Task]) -> None:
        storage = tasks[0].target
        try:
            storage.move_directory(directory.source, directory.target, seen=True)
            arrived = _look(storage, directory.target, tasks)
        except (DestinationExistsError, UnsupportedError) as error:  # nothing has changed: the files are moved one by one
            free = self._free_inside(directory, storage) if isinstance(error, DestinationExistsError) else []
            by_id = {task.operation.id: task for task in tasks}
            for one in free:
                self._try(one, [by_id.pop(operation.id) for operation in one.operations])
            for task in by_id.values():
                task.attempt, task.trust_listing = 0, False
            return
        except (RemoteError, UsageError) as error:
            applies_to_files = worth_another_try(error) or isinstance(error, AuthError | QuotaError | NotFoundError)
            for task in tasks:
                task.error = error if applies_to_files else None  # any other error concerns the directory only
            return
        self._judge(directory, tasks, arrived, storage)

    def _free_inside(self, directory: MovableDirectory, storage: Storage) -> list[MovableDirectory]:
        """The directories in it that can be moved, as a look at its target shows, which exists."""
        try:
            at_target = storage.files_below([directory.target])[directory.target]
        except (RemoteError, UsageError):
            return []
        return [] if at_target is None else [*self._listed(directory, storage, at_target)]

    def _judge(self, directory: MovableDirectory, tasks: Sequence[Task], arrived: Sequence[CallResult], storage: Storage) -> None:
        precision = storage.capabilities.mtime_precision_ns
        for task, there in zip(tasks, arrived, strict=True):
            if isinstance(there, Entry) and same_file(expected(task.operation), there, precision):
                task.settle(Stage.DONE, entry=there)
            elif isinstance(there, RemoteError):
                task.error = there
        if all(task.succeeded for task in tasks):
            self.moved.add(Ref(directory.fs, directory.source))
        self._journal.append(self._run_id, [task.verdict for task in tasks if task.verdict is not None])


def _look(storage: Storage, directory: str, tasks: Sequence[Task]) -> list[CallResult]:
    """What is at the destinations of the tasks, which are in this directory."""
    found = {entry.path: entry for entry in storage.files_below([directory])[directory] or ()}
    others = [task.target_look for task in tasks if task.dst not in found]  # the server may spell a name in another way
    looked = iter(storage.batch(others) if others else ())
    return [found[task.dst] if task.dst in found else next(looked) for task in tasks]
