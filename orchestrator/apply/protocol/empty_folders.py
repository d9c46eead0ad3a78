"""An empty folder has the name of a file that is to come. No listing shows it, so no plan knows it: it is removed."""

from __future__ import annotations

import secrets

from orchestrator.apply.own_paths import emptied_of
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import OrchestratorError
from orchestrator.storage.protocol import Storage


def is_folder_at_destination(task: Task) -> bool:
    """Whether a folder has the name of the file."""
    try:
        return _may_be_there(task) and task.target.entries(task.dst) is not None
    except OrchestratorError:
        return False  # the error that led here is reported


def clear_empty_folder(task: Task, run_id: str) -> bool:
    """Remove the folder with the name of the file, and the folders in it, if there are no files in it; whether it was removed.

    Where that might delete a file that has just arrived there, it goes to the trash of the run.
    """
    try:
        folders = _without_files(task.target, task.dst) if _may_be_there(task) else None
        if not folders:
            return False
        if not task.target.capabilities.rmdir_is_recursive:
            return all(task.target.remove_directory(folder) for folder in folders)
        task.target.move_directory(task.dst, f"{emptied_of(run_id, secrets.token_hex(4))}/{task.dst}", seen=True)
    except OrchestratorError:  # the folder stays, and the operation reports that it is in the way
        return False
    return True


def _may_be_there(task: Task) -> bool:
    capabilities = task.target.capabilities
    return task.route is not Route.REMOVE and task.at_target is None and capabilities.empty_directories


def _without_files(storage: Storage, folder: str) -> list[str] | None:
    """A folder and those in it, deepest first; None if there is no such folder, or a file in it."""
    inside = storage.entries(folder)
    if inside is None:
        return None
    found: list[str] = []
    for entry in inside:
        below = _without_files(storage, f"{folder}/{entry[:-1]}") if entry.endswith("/") else None
        if below is None:
            return None
        found += below
    return [*found, folder]
