"""Bring what was copied to a local disk onto the disk: rclone never does, and the source is about to be deleted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from orchestrator.apply.local_disk import local_path
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import IntegrityError


def make_durable(tasks: Iterable[Task]) -> None:
    """Fsync every local destination and all directories above it, each directory once.

    Those above the location's root, too: the run may have made it, and some of them. A task whose file cannot be synced gets the
    error as its trouble: its source stays.
    """
    directories: dict[Path, list[Task]] = {}
    above: set[Path] = set()
    spelled_otherwise = False
    for task in tasks:
        place = local_path(task.target, task.dst)
        if place is None:
            continue
        file = Path(place)
        try:
            _sync(file, os.O_RDONLY)
        except FileNotFoundError:
            spelled_otherwise = True
            continue
        except OSError as error:
            _trouble(task, error)
            continue
        depth = task.dst.count("/") + 1
        for directory in file.parents[:depth]:
            directories.setdefault(directory, []).append(task)
        above.update(file.parents[depth:])
    if spelled_otherwise:
        os.sync()  # rclone spells some names (control characters, bytes that are not UTF-8) otherwise than the disk
    for directory in sorted(directories, key=lambda path: len(path.parts), reverse=True):
        try:
            _sync(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            for task in directories[directory]:
                _trouble(task, error)
    _sync_above(above)


def _sync_above(directories: Iterable[Path]) -> None:
    """Those that are not part of the location, and need not be on a file system that syncs directories."""
    for directory in sorted(directories, key=lambda path: len(path.parts), reverse=True):
        if os.access(directory, os.W_OK):  # else nothing of ours was made in it
            try:
                _sync(directory, os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                os.sync()


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _trouble(task: Task, error: OSError) -> None:
    reason = error.strerror or str(error)
    task.trouble = IntegrityError(f"{task.dst}: cannot be brought onto the disk ({reason}); its source is kept", path=task.dst)
