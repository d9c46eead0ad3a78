"""Check one location: connect to it, try it with a file of ours, and gather what it can do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from orchestrator.actions.locations import check_location, reaching
from orchestrator.actions.session import Session
from orchestrator.apply.guard.marker import mark_at
from orchestrator.apply.trial import ServerTime, Trial, try_out, why_refused
from orchestrator.errors import (
    ArchivedError,
    NotFoundError,
    OrchestratorError,
    PartialListingError,
    RemoteError,
    TransientError,
    UsageError,
)
from orchestrator.location import Location
from orchestrator.rclone.answer_headers import Answer
from orchestrator.records import Quota
from orchestrator.storage.rclone_backed.crypts import Crypts
from orchestrator.storage.rclone_backed.folder_time import folder_time
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from orchestrator.wording import number_text

_CLEAN_UP_S = 5.0
"""How long an interrupted check may take to delete its file."""

_SAMPLES = 3
"""So many files are tried until one can be read: a single one may be damaged, or closed to us."""


def inspect(session: Session, location: Location, *, write: bool = True) -> dict[str, Any]:
    """The facts about a location, by their names in `--json`; None is unknown. Raises the errors of `reaching`.

    `write`: whether to try it with a file of ours.
    """
    storage = session.rclone_storage(location)
    answer = Answer()

    def answer_time(file: str) -> int | None:
        nonlocal answer
        answer = session.rclone.answer_to_look(location.fs, file)
        return answer.date_ns

    with reaching(session, location):
        capabilities = storage.capabilities
        Crypts(session.rclone, location.fs).check()
        seen = _read_some(storage)
        tried = _tried(session, location, storage, answer_time) if write else Trial(not_writable="the config does not name it")
        quota, mark = _quota(storage), mark_at(storage)
    if seen.readable is None and tried.writable:
        seen.readable, seen.not_readable = tried.not_readable is None, tried.not_readable
    return {
        "location": location.fs,
        "profile": storage.profile.type,
        "reachable": True,
        "answered_s": seen.answered_s,
        "empty": seen.empty,
        "readable": seen.readable,
        "not_readable": seen.not_readable,
        "writable": tried.writable,
        "not_writable": tried.not_writable,
        "not_deletable": tried.not_deletable,
        "naming": tried.naming,
        "clock_s": tried.clock_s,
        "run": {"host": mark.host, "run": mark.run, "heartbeat": mark.heartbeat} if mark is not None else None,
        **msgspec.to_builtins(capabilities),
        "encryption": _encryption(session, location, storage),
        "server_encryption": {"by": answer.encryption, "key": answer.encryption_key} if answer.encryption else None,
        "without_tls": session.rclone.hosts_without_tls().get(location.remote or ""),
        "quota": msgspec.to_builtins(quota) if quota else None,
        "policy": storage.profile.policy,
        "requests_per_second": storage.profile.requests_per_second,
    }


def all_well(facts: Mapping[str, Any]) -> bool:
    """Whether nothing is left to do: every file that was tried could be read, and ours was deleted again."""
    return facts["not_readable"] is None and facts["not_deletable"] is None


def inspect_all(
    session: Session, locations: Mapping[str, Location], within_s: float, *, write: bool = True
) -> dict[str, dict[str, Any] | Exception]:
    """`inspect` of each location, all at the same time; its error where it fails, or takes longer than `within_s` seconds."""
    session.rclone  # noqa: B018 - opened once, before the threads use it
    checks = {name: _Check(session, location, write=write) for name, location in locations.items()}
    session.reporter.stage("trying locations", len(checks), at=[location.fs for location in locations.values()])
    until = time.monotonic() + within_s
    try:
        for check in checks.values():
            check.start()
        for check in checks.values():
            check.join(max(0.0, until - time.monotonic()))
            session.reporter.advance()
    except OrchestratorError:  # interrupted: let them delete their files, which needs rclone
        until = time.monotonic() + _CLEAN_UP_S
        for check in checks.values():
            if check.is_alive():
                check.join(max(0.0, until - time.monotonic()))
        raise
    return {name: check.result or _late(locations[name], within_s) for name, check in checks.items()}


def _late(location: Location, within_s: float) -> TransientError:
    return TransientError(f"{location.typed}: no answer within {number_text(within_s)} s")


class _Check(threading.Thread):
    """One check in the background. A thread that still waits for its server does not keep the program from ending."""

    def __init__(self, session: Session, location: Location, *, write: bool) -> None:
        super().__init__(name=f"check {location.fs}", daemon=True)
        self._write = write
        self._session = session
        self._location = location
        self.result: dict[str, Any] | Exception | None = None

    def run(self) -> None:
        """Check it, and keep what was found."""
        try:
            self.result = inspect(self._session, self._location, write=self._write)
        except Exception as error:  # a thread cannot raise: what is no error of ours is raised where the result is looked at
            self.result = error


class _Seen(msgspec.Struct):
    """What the files that were there showed."""

    answered_s: float
    """The seconds until the listing began. The capabilities need no answer from the server; this does."""
    empty: bool = True
    readable: bool | None = None
    """Whether one of them could be read; None: there was none to try."""
    not_readable: str | None = None
    """Why the first one that could not be read was refused."""


def _read_some(storage: RcloneStorage) -> _Seen:
    """Read a byte of the first file; of the next ones only while none can be read."""
    began = time.monotonic()
    seen, tries = _Seen(0.0), 0
    with contextlib.suppress(PartialListingError):
        for entry in storage.list():
            seen.answered_s = seen.answered_s or round(time.monotonic() - began, 3)
            seen.empty &= entry.path.endswith("/")
            if not entry.size:
                continue
            try:
                refused = why_refused(storage, partial(_read_byte, storage, entry.path))
            except NotFoundError:  # archived, or gone since the listing
                continue
            tries += 1
            seen.readable = refused is None
            seen.not_readable = seen.not_readable or refused
            if seen.readable or tries == _SAMPLES:
                break
    seen.answered_s = seen.answered_s or round(time.monotonic() - began, 3)
    return seen


def _read_byte(storage: RcloneStorage, path: str) -> None:
    """Raises NotFoundError for an archived file as well: there is nothing to read."""
    try:
        storage.read_range(path, 0, 1)
    except ArchivedError as error:
        raise NotFoundError(error.message, path=path) from error


def _tried(session: Session, location: Location, storage: RcloneStorage, answer_time: ServerTime) -> Trial:
    try:
        check_location(session, location)
    except UsageError as error:  # nothing may be changed there
        return Trial(not_writable=error.message)
    return try_out(storage, folder_time=lambda folder: folder_time(storage, folder), answer_time=answer_time)


def _quota(storage: RcloneStorage) -> Quota | None:
    try:
        return storage.quota()
    except RemoteError:  # everything else has answered: unknown
        return None


def _encryption(session: Session, location: Location, storage: RcloneStorage) -> dict[str, Any] | None:
    """How rclone encrypts what it sends there; None if it does not."""
    if not any(place.encrypted for place in session.places_of(location.fs)):
        return None
    names = storage.capabilities.encrypted_names
    return {"by": "crypt", "names": names.mode if names is not None else None}
