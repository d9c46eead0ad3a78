"""Directories that a run has emptied go; those that were empty before, and every root, stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from orchestrator.apply.paths import folded, is_ours, parents, place
from orchestrator.apply.task import Task
from orchestrator.apply.verification import Outcome
from orchestrator.errors import RemoteError
from orchestrator.plan.model import Operation, Ref, Verb
from orchestrator.storage.base import Storage


def remove_emptied(outcome: Outcome, storages: Mapping[str, Storage]) -> None:
    """Remove, deepest first, the directories that lost their last file. Raises the storages' errors."""
    for fs in sorted({ref.fs for ref in outcome.gone}):
        storage = storages[fs]
        if storage.capabilities.empty_directories:
            _remove(storage, [ref for ref in outcome.gone if ref.fs == fs], [ref for ref in outcome.there if ref.fs == fs])


def _remove(storage: Storage, gone: Iterable[Ref], there: Iterable[Ref]) -> None:
    kept = {directory for ref in there for directory in parents(ref.path)}
    # `remove_directory` leaves alone what is not empty; a directory above is empty only if all that was in it went with us.
    emptied = {directory for ref in gone for directory in parents(ref.path)} - kept
    if storage.capabilities.case_insensitive:
        names = {*map(folded, kept)}
        emptied = {directory for directory in emptied if folded(directory) not in names}
    for directory in sorted(emptied, key=_depth, reverse=True):
        storage.remove_directory(directory)


class RespelledDirectories:
    """Directories that a plan spells anew on a storage that ignores case: `beck/x` -> `Beck/x`.

    There the old directory must be gone before the first file comes home, or the file lands in it and the old spelling stays.
    The plan lets everything leave first; this removes the directory in between.
    """

    def __init__(
        self, operations: Sequence[Operation], storages: Mapping[str, Storage], run_id: str, done: Collection[str]
    ) -> None:
        self._storages = storages
        self._files: Counter[Ref] = Counter()
        """Directory -> the files that are still to leave it."""
        careless = {fs for fs, storage in storages.items() if _ignores_case(storage)}
        spelling: dict[tuple[str, str], set[str]] = {}
        for destination in (place(operation, run_id) for operation in operations):
            if destination.fs in careless:
                for directory in parents(destination.path):
                    spelling.setdefault((destination.fs, folded(directory)), set()).add(directory)
        for operation in operations:
            if operation.src.fs in careless and operation.verb is not Verb.COPY:
                for directory in parents(operation.src.path):
                    wanted = spelling.get((operation.src.fs, folded(directory)))
                    if wanted and directory not in wanted:
                        self._files[Ref(operation.src.fs, directory)] += operation.id not in done

    def begin(self) -> None:
        """Remove what an earlier start of the run emptied and left."""
        for ref in sorted(
            (ref for ref, files in self._files.items() if not files), key=lambda ref: _depth(ref.path), reverse=True
        ):
            self._remove(ref)

    def left(self, task: Task) -> None:
        """A file has left its directory. A remote that does not answer now only leaves the old spelling."""
        for directory in parents(task.src):
            ref = Ref(task.source.fs, directory)
            if ref not in self._files:
                continue
            self._files[ref] -= 1
            if not self._files[ref]:
                self._remove(ref)

    def _remove(self, ref: Ref) -> None:
        with suppress(RemoteError):
            self._storages[ref.fs].remove_directory(ref.path)


def _ignores_case(storage: Storage) -> bool:
    return storage.capabilities.case_insensitive and storage.capabilities.empty_directories


def remove_own(storage: Storage, directories: Iterable[str]) -> None:
    """Remove directories of ours, and those above them that are empty then, OWN_DIRECTORY included."""
    if not storage.capabilities.empty_directories:
        return
    every = {above for directory in directories if is_ours(directory) for above in (directory, *parents(directory))}
    for directory in sorted(every, key=_depth, reverse=True):
        storage.remove_directory(directory)


def _depth(directory: str) -> tuple[int, str]:
    return directory.count("/"), directory
