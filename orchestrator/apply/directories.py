"""Directories that a run has emptied go; those that were empty before, and every root, stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.apply.paths import is_ours, parents
from orchestrator.apply.verification import Outcome
from orchestrator.plan.model import Ref
from orchestrator.storage.base import Storage


def remove_emptied(outcome: Outcome, storages: Mapping[str, Storage]) -> None:
    """Remove, deepest first, the directories that lost their last file. Raises the storages' errors."""
    for fs in sorted({ref.fs for ref in outcome.gone}):
        storage = storages[fs]
        if storage.capabilities.empty_directories:
            _remove(storage, [ref for ref in outcome.gone if ref.fs == fs], [ref for ref in outcome.there if ref.fs == fs])


def _remove(storage: Storage, gone: Iterable[Ref], there: Iterable[Ref]) -> None:
    kept = {directory for ref in there for directory in parents(ref.path)}
    left = {next(parents(ref.path), "") for ref in gone} - kept - {""}
    pending = sorted(left, key=_depth, reverse=True)
    seen = set(pending)
    while pending:
        directory = pending.pop(0)
        # `remove_directory` leaves alone what is not empty. Only where it did remove may the parent have become empty.
        if storage.remove_directory(directory) and (above := next(parents(directory), "")) and above not in seen | kept:
            seen.add(above)
            pending.append(above)
            pending.sort(key=_depth, reverse=True)


def remove_own(storage: Storage, directories: Iterable[str]) -> None:
    """Remove directories of ours, and those above them that are empty then, OWN_DIRECTORY included."""
    if not storage.capabilities.empty_directories:
        return
    every = {above for directory in directories if is_ours(directory) for above in (directory, *parents(directory))}
    for directory in sorted(every, key=_depth, reverse=True):
        storage.remove_directory(directory)


def _depth(directory: str) -> tuple[int, str]:
    return directory.count("/"), directory
