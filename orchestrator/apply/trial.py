"""Try a location with a file of ours, which is deleted again: whether it can be written to, and what the server's clock says."""

from __future__ import annotations

import calendar
import contextlib
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.apply.preconditions import check_writable
from orchestrator.apply.protocol.stopped_remotes import probe
from orchestrator.errors import (
    AuthError,
    NotFoundError,
    OrchestratorError,
    RateLimitError,
    RemoteError,
    TransientError,
    UsageError,
)
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.protocol import DeleteCall, Naming, Storage

CONTENT = b"music-orchestrator checks this location, and deletes this file again\n"
LEFT_OVER_S = 3600.0
"""The file of a check that began longer ago than this was left by one that was killed."""

_FILE = "probe"
_BEGAN = "%Y%m%d-%H%M%S"
_FOLDER = re.compile(r"check-(\d{8}-\d{6})-[0-9a-f]{8}/")
_SECOND_NS = 10**9


class Trial(msgspec.Struct, kw_only=True):
    """What was found. None: it could not be tried, or is unknown."""

    writable: bool | None = None
    not_writable: str | None = None
    not_readable: str | None = None
    not_deletable: str | None = None
    """Why these were refused, in words. A file that may not be deleted stays: its path is named."""
    naming: Naming | None = None
    clock_s: float | None = None
    """How many seconds the server's clock is ahead of ours; 0 if the difference is within what can be measured."""


ServerTime: TypeAlias = Callable[[str], int | None]
"""A file or folder of ours -> a time by the server's clock, in nanoseconds since 1970; None where it is unknown."""


def try_out(storage: Storage, *, folder_time: ServerTime, answer_time: ServerTime) -> Trial:
    """Write, look at, read and delete a file below OWN_DIRECTORY; delete those that killed checks have left there.

    The file has a name of its own, so that two checks do not meet, and nothing that others put there is written to. It is deleted
    even if the check is interrupted. `folder_time` says when a folder was made, `answer_time` when the server answered a look at
    a file. Raises AuthError, and TransientError and RateLimitError if the location no longer answers.
    """
    began = time.strftime(_BEGAN, time.gmtime())
    folder = f"{OWN_DIRECTORY}/check-{began}-{secrets.token_hex(4)}"
    file = f"{folder}/{_FILE}"
    trial = Trial()
    try:
        check_writable(storage)
    except UsageError as error:
        return Trial(writable=False, not_writable=error.message)
    try:
        before = time.time_ns()
        trial.not_writable = why_refused(storage, lambda: _write(storage, folder, file))
        trial.writable = trial.not_writable is None
        after = time.time_ns()
        if trial.writable:
            trial.not_readable = why_refused(storage, lambda: _read(storage, file))
            looked = time.time_ns()
            trial.clock_s = _ahead_s(answer_time(file), looked, time.time_ns())
            if trial.clock_s is None and storage.capabilities.empty_directories:
                trial.clock_s = _ahead_s(folder_time(folder), before, after)
    finally:
        refused = _removed(storage, folder)
    if trial.writable and refused is not None:
        trial.not_deletable = f"{refused.message}; {file} stays there"
    elif trial.writable:
        why_refused(storage, lambda: setattr(trial, "naming", storage.naming()))
        with contextlib.suppress(RemoteError):  # the next check tries again
            remove_left_over(storage, storage.entries(OWN_DIRECTORY) or ())
    return trial


def why_refused(storage: Storage, request: Callable[[], object]) -> str | None:
    """Why a request is refused or fails, None if it does not.

    Raises AuthError and NotFoundError, and TransientError and RateLimitError if the storage answers nothing else either.
    """
    try:
        request()
    except (AuthError, NotFoundError):
        raise
    except RemoteError as error:
        lost = isinstance(error, TransientError | RateLimitError)
        if lost and isinstance(probe(storage), TransientError | RateLimitError):
            raise
        return error.message
    return None


def remove_left_over(storage: Storage, own: Iterable[str]) -> None:
    """Delete the files of checks that were killed long ago: those with our content, or the beginning of it.

    `own` is what our folder holds. Raises RemoteError.
    """
    for name in own:
        began = _began(name)
        if began is not None and time.time() - began > LEFT_OVER_S:
            folder = f"{OWN_DIRECTORY}/{name.removesuffix('/')}"
            if _is_ours(storage, f"{folder}/{_FILE}"):
                _removed(storage, folder)


def _began(name: str) -> float | None:
    """When the check with this folder began; None if no check has made such a folder."""
    found = _FOLDER.fullmatch(name)
    try:
        return None if found is None else calendar.timegm(time.strptime(found[1], _BEGAN))
    except ValueError:  # the 99th of a month
        return None


def _is_ours(storage: Storage, file: str) -> bool:
    """Whether a file has the content that we write, as far as a killed check came; also if there is none (any more)."""
    try:
        return CONTENT.startswith(storage.read_range(file, 0, len(CONTENT) + 1))
    except NotFoundError:
        return True
    except RemoteError:  # nobody can say whose it is, so it stays: it does no harm
        return False


def _write(storage: Storage, folder: str, file: str) -> None:
    storage.make_directory(folder)
    storage.write(file, CONTENT)


def _read(storage: Storage, file: str) -> None:
    for _ in storage.read(file):
        pass


def _removed(storage: Storage, folder: str) -> OrchestratorError | None:
    """Delete the file and the folders that were made for it; why the file could not be deleted."""
    (refused,) = storage.batch([DeleteCall(f"{folder}/{_FILE}", seen=True)])
    with contextlib.suppress(OrchestratorError):  # an empty folder of ours does no harm
        storage.remove_directory(folder)
        remove_own_directories(storage, [OWN_DIRECTORY])
    return refused if isinstance(refused, OrchestratorError) and not isinstance(refused, NotFoundError) else None


def _ahead_s(made: int | None, before: int, after: int) -> float | None:
    """How far the server's clock is ahead, if it says a time between two of ours. Servers may give whole seconds."""
    if made is None:
        return None
    least, most = made - after, made + _SECOND_NS - before
    return 0.0 if least <= 0 <= most else round((least + most) / 2 / _SECOND_NS, 1)
