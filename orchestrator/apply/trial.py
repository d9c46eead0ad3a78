"""Try a location with a file of ours, which is deleted again: whether it can be written to, and what the server's clock says."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.apply.preconditions import check_writable
from orchestrator.errors import (
    AuthError,
    NotFoundError,
    OrchestratorError,
    RateLimitError,
    RemoteError,
    TransientError,
    UsageError,
)
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import DeleteCall, Naming, Storage

CONTENT = b"music-orchestrator checks this location, and deletes this file again\n"
_SECOND_NS = 10**9


class Trial(msgspec.Struct, kw_only=True):
    """What was found. None: it could not be tried, or is unknown."""

    writable: bool | None = None
    not_writable: str | None = None
    not_readable: str | None = None
    not_deletable: str | None = None
    """Why these were refused, in words. A file that may not be deleted stays: its path is named."""
    entry: Entry | None = None
    """How the location shows the file with CONTENT, its hashes included."""
    naming: Naming | None = None
    clock_s: float | None = None
    """How many seconds the server's clock is ahead of ours; 0 if the difference is within what can be measured."""


FolderTime: TypeAlias = Callable[[str], int | None]
"""A folder that was just made -> its time by the server's clock, in nanoseconds since 1970; None where it is unknown."""


def try_out(storage: Storage, folder_time: FolderTime) -> Trial:
    """Write, look at, read and delete a file below OWN_DIRECTORY.

    The file has a name of its own, so that two checks do not meet, and nothing that others put there is written to. It is deleted
    even if the check is interrupted. Raises TransientError, RateLimitError and AuthError.
    """
    folder = f"{OWN_DIRECTORY}/check-{secrets.token_hex(4)}"
    file = f"{folder}/probe"
    trial = Trial()
    try:
        check_writable(storage)
    except UsageError as error:
        return Trial(writable=False, not_writable=error.message)
    try:
        before = time.time_ns()
        trial.not_writable = why_refused(lambda: _write(storage, folder, file))
        trial.writable = trial.not_writable is None
        after = time.time_ns()
        if trial.writable:
            trial.not_readable = why_refused(lambda: _look(storage, file, trial))
            trial.clock_s = _ahead_s(_server_time(storage, folder, trial.entry, folder_time), before, after)
    finally:
        refused = _removed(storage, folder, file)
    if trial.writable and refused is not None:
        trial.not_deletable = f"{refused.message}; {file} stays there"
    elif trial.writable:
        trial.naming = storage.naming()
    return trial


def why_refused(request: Callable[[], object]) -> str | None:
    """Why a request is refused, None if it is not. Raises TransientError, RateLimitError, AuthError and NotFoundError."""
    try:
        request()
    except (TransientError, RateLimitError, AuthError, NotFoundError):
        raise
    except RemoteError as error:
        return error.message
    return None


def _write(storage: Storage, folder: str, file: str) -> None:
    storage.make_directory(folder)
    storage.write(file, CONTENT)


def _look(storage: Storage, file: str, trial: Trial) -> None:
    trial.entry = storage.stat(file)
    for _ in storage.read(file):
        pass


def _removed(storage: Storage, folder: str, file: str) -> OrchestratorError | None:
    """Delete the file and the folders that were made for it; why the file could not be deleted."""
    (refused,) = storage.batch([DeleteCall(file, seen=True)])
    with contextlib.suppress(OrchestratorError):  # an empty folder of ours does no harm
        storage.remove_directory(folder)
        remove_own_directories(storage, [OWN_DIRECTORY])
    return refused if isinstance(refused, OrchestratorError) and not isinstance(refused, NotFoundError) else None


def _server_time(storage: Storage, folder: str, entry: Entry | None, folder_time: FolderTime) -> int | None:
    """When the server says that it made the folder, or got the file; a file's own time would be this machine's."""
    if not storage.capabilities.empty_directories:
        return entry.mtime_ns if entry is not None and not storage.capabilities.own_mtime else None
    return folder_time(folder)


def _ahead_s(made: int | None, before: int, after: int) -> float | None:
    """How far the server's clock is ahead, if it made something between two times of ours. Servers may give whole seconds."""
    if made is None:
        return None
    least, most = made - after, made + _SECOND_NS - before
    return 0.0 if least <= 0 <= most else round((least + most) / 2 / _SECOND_NS, 1)
