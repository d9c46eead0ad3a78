"""Flush copies on a local disk with fsync: rclone does not, and their sources are about to be deleted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from orchestrator.apply.protocol.task import Task
from orchestrator.errors import IntegrityError
from orchestrator.storage.local_path import local_path


def sync_copies(tasks: Iterable[Task]) -> None:
    """Fsync every copy on a local disk, under its staged name or at its destination.

    A task whose file cannot be synced gets an error, so that its source is kept.
    """
    spelled_differently = False
    for task in tasks:
        path = local_path(task.target, (task.staged if task.unnamed else None) or task.dst)
        if path is None:
            continue
        try:
            _sync(Path(path), os.O_RDONLY)
        except FileNotFoundError:
            spelled_differently = True
        except OSError as error:
            _set_error(task, error)
    if spelled_differently:
        os.sync()  # on disk, rclone spells control characters and bytes that are not UTF-8 differently


def sync_names(tasks: Iterable[Task]) -> None:
    """Fsync all directories above every local destination, each directory once.

    That includes the directories above the location's root, because the run may have made them too. Errors as for `sync_copies`.
    """
    directories: dict[Path, list[Task]] = {}
    above_root: set[Path] = set()
    for task in tasks:
        path = local_path(task.target, task.dst)
        if path is None:
            continue
        file = Path(path)
        depth = task.dst.count("/") + 1
        for directory in file.parents[:depth]:
            directories.setdefault(directory, []).append(task)
        above_root.update(file.parents[depth:])
    for directory in _deepest_first(directories):
        try:
            _sync(directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            os.sync()  # spelled differently, as above
        except OSError as error:
            for task in directories[directory]:
                _set_error(task, error)
    _sync_above_root(above_root)


def _sync_above_root(directories: Iterable[Path]) -> None:
    """Sync directories above the location. They may be on a file system that cannot sync directories."""
    for directory in _deepest_first(directories):
        if os.access(directory, os.W_OK):  # otherwise we made nothing in it
            try:
                _sync(directory, os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                os.sync()


def _deepest_first(directories: Iterable[Path]) -> list[Path]:
    return sorted(directories, key=lambda path: len(path.parts), reverse=True)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_error(task: Task, error: OSError) -> None:
    reason = error.strerror or str(error)
    task.error = IntegrityError(f"{task.dst}: cannot be synced to the disk ({reason}); its source was kept", path=task.dst)
