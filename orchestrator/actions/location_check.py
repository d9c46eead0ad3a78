"""Check one location: connect to it, try it with a file of ours, and gather what it can do."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from orchestrator.actions.locations import check_location, reaching
from orchestrator.actions.session import Session
from orchestrator.apply.trial import Trial, try_out, why_refused
from orchestrator.errors import NotFoundError, OrchestratorError, TransientError, UsageError
from orchestrator.location import Location
from orchestrator.records import Entry
from orchestrator.storage.rclone_backed.folder_time import folder_time
from orchestrator.storage.rclone_backed.storage import RcloneStorage

_CLEAN_UP_S = 5.0
"""How long an interrupted check may take to delete its file."""


def inspect(session: Session, location: Location) -> dict[str, Any]:
    """The facts about a location, by their names in `--json`; None is unknown. Raises the errors of `reaching`."""
    storage = session.rclone_storage(location)
    with reaching(session, location):
        capabilities = storage.capabilities
        began = time.monotonic()
        empty, first = _first_file(storage)
        answered_s = round(time.monotonic() - began, 3)
        tried = _tried(session, location, storage)
        not_readable = tried.not_readable if first is None else _not_readable(storage, first)
        quota = storage.quota()
    return {
        "location": location.fs,
        "profile": storage.profile.type,
        "reachable": True,
        "answered_s": answered_s,
        "empty": empty,
        "readable": not_readable is None if first is not None or tried.writable else None,
        "not_readable": not_readable,
        "writable": tried.writable,
        "not_writable": tried.not_writable,
        "not_deletable": tried.not_deletable,
        "naming": tried.naming,
        "clock_s": tried.clock_s,
        **msgspec.to_builtins(capabilities),
        "encryption": _encryption(session, location, storage),
        "without_tls": session.rclone.hosts_without_tls().get(location.remote or ""),
        "quota": msgspec.to_builtins(quota) if quota else None,
        "policy": storage.profile.policy,
        "requests_per_second": storage.profile.requests_per_second,
    }


def inspect_all(session: Session, locations: Mapping[str, Location], within_s: float) -> dict[str, dict[str, Any] | Exception]:
    """`inspect` of each location, all at the same time; its error where it fails, or takes longer than `within_s` seconds."""
    session.rclone  # noqa: B018 - opened once, before the threads use it
    checks = {name: _Check(session, location) for name, location in locations.items()}
    until = time.monotonic() + within_s
    try:
        for check in checks.values():
            check.start()
        for check in checks.values():
            check.join(max(0.0, until - time.monotonic()))
    except OrchestratorError:  # interrupted: let them delete their files, which needs rclone
        until = time.monotonic() + _CLEAN_UP_S
        for check in checks.values():
            if check.is_alive():
                check.join(max(0.0, until - time.monotonic()))
        raise
    late = TransientError(f"no answer within {within_s:g} s")
    return {name: check.result or late for name, check in checks.items()}


class _Check(threading.Thread):
    """One check in the background. A thread that still waits for its server does not keep the program from ending."""

    def __init__(self, session: Session, location: Location) -> None:
        super().__init__(name=f"check {location.fs}", daemon=True)
        self._session = session
        self._location = location
        self.result: dict[str, Any] | Exception | None = None

    def run(self) -> None:
        """Check it, and keep what was found."""
        try:
            self.result = inspect(self._session, self._location)
        except Exception as error:  # a thread cannot raise: what is no error of ours is raised where the result is looked at
            self.result = error


def _first_file(storage: RcloneStorage) -> tuple[bool, Entry | None]:
    """Whether there is no file, and the first one with content. The capabilities need no answer from the server; this does."""
    empty = True
    for entry in storage.list():
        empty &= entry.path.endswith("/")
        if entry.size:
            return False, entry
    return empty, None


def _not_readable(storage: RcloneStorage, first: Entry) -> str | None:
    try:
        return why_refused(lambda: storage.read_range(first.path, 0, 1))
    except NotFoundError:  # gone since the listing
        return None


def _tried(session: Session, location: Location, storage: RcloneStorage) -> Trial:
    try:
        check_location(session, location)
    except UsageError as error:  # nothing may be changed there
        return Trial(not_writable=error.message)
    return try_out(storage, lambda folder: folder_time(storage, folder))


def _encryption(session: Session, location: Location, storage: RcloneStorage) -> dict[str, Any] | None:
    """How rclone encrypts what it sends there; None if it does not."""
    if not any(place.encrypted for place in session.places_of(location.fs)):
        return None
    names = session.rclone.option(location.fs, "filename_encryption") or "standard"
    return {"by": "crypt", "names": names if storage.profile.wraps == "crypt" else None}
