"""Our own files of one run on the storages: where its copies are staged, and what of them may be deleted at its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.local_disk import file_system_root
from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.apply.own_paths import SOURCES, TRASH, destination_of, staging_of
from orchestrator.apply.protocol.batches import send_one
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.apply.protocol.routes import COPIES, Route, is_copied_by_bucket, is_replaced_in_place, route_of
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError
from orchestrator.paths import join_path, name_of, parent_of, without_partial_suffix
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import StatCall, Storage


class OwnFiles:
    """Where one run may have files of ours. Requests that fail become obstacles; errors that may pass are raised."""

    def __init__(self, run_id: str, operations: Sequence[Operation], storages: Mapping[str, Storage]) -> None:
        self._run_id = run_id
        self._storages = storages
        self._operations = {operation.id for operation in operations}
        self._copies: dict[Ref, dict[str, Operation]] = {}
        """Staging directory -> the operations that copy to it, by their ids."""
        self._leaving: dict[Ref, dict[str, Operation]] = {}
        """Directory for sources that are about to be deleted -> the operations that move them there."""
        for operation in operations:
            source, target = storages[operation.src.fs], storages[operation.dst.fs]
            destination = destination_of(operation, run_id)
            route = route_of(operation, source, target, destination)
            if route not in COPIES or is_replaced_in_place(operation, source, target):
                continue
            if is_copied_by_bucket(source, target) and operation.verb is not Verb.REPLACE:
                continue
            staging = join_path(file_system_root(target, destination.path), staging_of(run_id))
            self._copies.setdefault(Ref(destination.fs, staging), {})[operation.id] = operation
            if route is Route.TRANSFER and source.capabilities.move:
                directory = join_path(file_system_root(source, operation.src.path), f"{TRASH}/{run_id}/{SOURCES}")
                self._leaving.setdefault(Ref(operation.src.fs, directory), {})[operation.id] = operation

    def sweep(self, done: Collection[str], obstacles: Obstacles) -> list[Problem]:
        """Delete the copies that were left under their staged names, but not one whose source is gone. `done`: operations."""
        problems = []
        for directory, operations in sorted(self._copies.items(), key=lambda item: (item[0].fs, item[0].path)):
            storage = self._storages[directory.fs]
            for entry in self._listed(directory, obstacles):
                whole = without_partial_suffix(name_of(entry.path))
                operation = operations.get((whole or name_of(entry.path)).partition(".")[0])
                if operation is None:
                    continue  # a move in two steps that got halfway, or nothing of this run
                with obstacles.named(entry.path, "is a copy that got no name, and could not be deleted"):
                    if whole is None and operation.id not in done and not self._has_source(operation):
                        message = f"{operation.src.path}: is gone; a copy of it, which may be incomplete, is kept as {entry.path}"
                        problems.append(Problem(operation.src.path, ExitCode.SOME_FAILED, message))
                    else:
                        storage.delete(entry.path)
        return problems

    def sweep_ended_runs(self, journal: Journal, obstacles: Obstacles) -> None:
        """Do the same for runs of this journal that have ended, where this run has copied to."""
        ended: set[str] | None = None
        for fs, above in sorted({(directory.fs, parent_of(directory.path)) for directory in self._copies}):
            names: Sequence[str] = ()
            with obstacles.named(above, "cannot be listed, so copies of earlier runs may be left in it"):
                names = self._storages[fs].entries(above) or ()
            for run_id in {name.removesuffix("/") for name in names} - {self._run_id}:
                ended = {run.id for run in journal.runs() if not run.state.unfinished} if ended is None else ended
                if run_id in ended:
                    known = self._storages.keys()
                    operations = [one for one in journal.plan(run_id).operations if {one.src.fs, one.dst.fs} <= known]
                    earlier = OwnFiles(run_id, operations, self._storages)
                    done = {one.operation.id for one in journal.completed(run_id)}
                    earlier.sweep(done, obstacles)
                    left = [entry for directory in earlier._copies for entry in earlier._listed(directory, obstacles)]
                    earlier.remove_directories(() if left else done, obstacles)

    def report_leaving_sources(self, obstacles: Obstacles) -> list[Problem]:
        """Report the files that are still in our trash for sources about to be deleted."""
        problems = []
        for directory, operations in sorted(self._leaving.items(), key=lambda item: (item[0].fs, item[0].path)):
            for entry in self._listed(directory, obstacles):
                operation = operations.get(name_of(entry.path).partition(".")[0])
                path = operation.src.path if operation else entry.path
                message = (
                    f"{path}: was to be deleted after its copy was verified; it, or what replaced it, is kept as {entry.path}"
                )
                problems.append(Problem(path, ExitCode.SOME_FAILED, message))
        return problems

    def remove_directories(self, done: Collection[str], obstacles: Obstacles) -> None:
        """Remove those of the run's directories that are empty. `done`: operations whose files are seen to be where they belong.

        Where this also deletes what was not listed, only the directories for copies, and only if every operation is done: then
        nothing in them is needed.
        """
        for directory in (*self._copies, *self._leaving):
            storage = self._storages[directory.fs]
            with obstacles.named(directory.path, "could not be removed"):
                if not storage.capabilities.rmdir_is_recursive:
                    remove_own_directories(storage, [directory.path])
                elif directory in self._copies and self._operations <= set(done):
                    storage.remove_directory(directory.path)

    def _listed(self, directory: Ref, obstacles: Obstacles) -> list[Entry]:
        found: list[Entry] = []
        with obstacles.named(directory.path, "cannot be listed, so files may be left in it"):
            found += listed(self._storages[directory.fs], directory.path)
        return found

    def _has_source(self, operation: Operation) -> bool:
        found = send_one(self._storages[operation.src.fs], StatCall(operation.src.path, operation.src.object_id))
        if isinstance(found, OrchestratorError):
            if isinstance(found, NotFoundError):
                return False
            raise found
        return found is not None


def listed(storage: Storage, directory: str) -> list[Entry]:
    """All files in a directory; none if it does not exist."""
    try:
        return [*storage.list(directory)]
    except NotFoundError:
        return []
