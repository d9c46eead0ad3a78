"""Sends the calls of a batch that mean files by their paths: looks and deletes together, transfers so that a stop is prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeGuard

from orchestrator.errors import MisplacedError, NotFoundError, OrchestratorError, UnsupportedError
from orchestrator.rclone.rc_client import RcClient
from orchestrator.storage.protocol import Call, CallResult, CopyCall, GiveCall, MoveCall, StatCall
from orchestrator.storage.rclone_backed.directory_listings import DirectoryListings
from orchestrator.storage.rclone_backed.lanes import Lanes, begins
from orchestrator.storage.rclone_backed.rc_batches import send_all
from orchestrator.storage.rclone_backed.rc_calls import RcCalls, failure
from orchestrator.storage.rclone_backed.replacing import replace

_UNSEEN = "NewObject failed"
"""So rclone says that a rename succeeded, but the file is not at its destination."""
_CUT_AT = ";?#"
"""What ends the path of a URL, for a server that does not decode it as it should."""


def unless_misplaced(call: Call, result: CallResult, exists: Callable[[str], bool]) -> CallResult:
    """The result, or the error for a rename after which the server shows nothing at the destination.

    WsgiDAV cuts the destination of a MOVE at `;` and `?`, for example, and answers 201. `exists` looks at one file.
    """
    if not (isinstance(call, MoveCall | GiveCall) and isinstance(result, NotFoundError) and _UNSEEN in result.message):
        return result
    cuts = [call.dst[:end] for end, character in enumerate(call.dst) if character in _CUT_AT]
    there = [cut for cut in cuts if cut and not cut.endswith("/") and exists(cut)]
    where = f"it is probably what is now at {there[-1]}" if there else "look for it in that folder"
    return MisplacedError(f"{call.dst}: the server reported success, but nothing is there; {where}", path=call.dst)


class Sender:
    """For one location."""

    def __init__(
        self, client: RcClient, calls: RcCalls, stop: threading.Event, exists: Callable[[str], bool], listings: DirectoryListings
    ) -> None:
        """`exists` looks at one file; `listings` are for looks where that costs fewer requests."""
        self._client = client
        self._calls = calls
        self._exists = exists
        self._listings = listings
        self._lanes = Lanes(stop, self._one, self.together)

    def send(self, calls: Sequence[Call], concurrency: int) -> Sequence[CallResult]:
        """The results in the order of the calls."""
        if any(map(begins, calls)):
            return self._lanes.send(calls, concurrency)
        can = self._calls.capabilities
        if len(calls) > 1 and self._calls.looks_by_folder and all(isinstance(call, StatCall) for call in calls):
            paths = [call.path for call in calls if isinstance(call, StatCall)]
            sure = can.by_directory and not can.case_insensitive  # that it finds a name under one spelling only
            listed = self._listings.looks(paths, concurrency, sure=sure)
            others = iter(self.together([StatCall(path) for path in paths if path not in listed], concurrency))
            return [listed[path] if path in listed else next(others) for path in paths]
        return self.together(calls, concurrency)

    def together(self, calls: Sequence[Call], concurrency: int) -> list[CallResult]:
        """In one request, unless calls need looks first."""
        if any(map(_replaces, calls)):
            replaced = iter(replace(self._client, self._calls, [call for call in calls if _replaces(call)], concurrency))
            others = iter(self.together([call for call in calls if not _replaces(call)], concurrency))
            return [next(replaced if _replaces(call) else others) for call in calls]
        if not self._calls.has_backup_dir and any(isinstance(call, MoveCall | CopyCall) for call in calls):
            return [self._one(call) for call in calls]
        repeatable = all(isinstance(call, StatCall) for call in calls)
        answers = send_all(self._client, [self._calls.request(call) for call in calls], concurrency, repeatable=repeatable)
        return [
            failure(call, answer) if isinstance(answer, OrchestratorError) else self._calls.result(call, answer)
            for call, answer in zip(calls, answers, strict=True)
        ]

    def _one(self, call: Call) -> CallResult:
        if _replaces(call):
            return replace(self._client, self._calls, [call], 1)[0]
        try:
            if isinstance(call, MoveCall | CopyCall) and not self._calls.has_backup_dir and self._exists(call.dst):
                message = f"{call.dst}: already exists, and {self._calls.fs} has no trash to move it to"
                return UnsupportedError(message, path=call.dst)
            request = self._calls.request(call)
        except OrchestratorError as error:
            return failure(call, error)
        (answer,) = send_all(self._client, [request], 1)
        return failure(call, answer) if isinstance(answer, OrchestratorError) else self._calls.result(call, answer)


def _replaces(call: Call) -> TypeGuard[CopyCall]:
    return isinstance(call, CopyCall) and call.replaces is not None
