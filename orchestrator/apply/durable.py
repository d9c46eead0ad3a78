"""Bring what was copied to a local disk onto the disk: rclone never does, and the source is about to be deleted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from orchestrator.apply.task import Task, local_path
from orchestrator.errors import IntegrityError


def make_durable(tasks: Iterable[Task]) -> None:
    """Fsync every local destination and all directories between it and its root, each directory once.

    A task whose file cannot be synced gets the error as its trouble: its source stays.
    """
    directories: dict[Path, list[Task]] = {}
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
        directory = file.parent
        for _ in task.dst.split("/"):
            directories.setdefault(directory, []).append(task)
            directory = directory.parent
    if spelled_otherwise:
        os.sync()  # rclone spells some names (control characters, bytes that are not UTF-8) otherwise than the disk
    for directory in sorted(directories, key=lambda path: len(path.parts), reverse=True):
        try:
            _sync(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            for task in directories[directory]:
                _trouble(task, error)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _trouble(task: Task, error: OSError) -> None:
    reason = error.strerror or str(error)
    task.trouble = IntegrityError(f"{task.dst}: cannot be brought onto the disk ({reason}); its source is kept", path=task.dst)
