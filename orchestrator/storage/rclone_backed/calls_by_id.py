"""Calls for a file with a certain id, on remotes where several files can have one name (Google Drive).

rclone finds files by their names. Its drive backend can do more: listings give every file with its id, `moveid` moves and
`copyid` fetches the file with an id. Neither replaces a file: if the name is taken, two files have it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import OrchestratorError
from orchestrator.paths import join_location, parent_of
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.rc_client import RcClient
from orchestrator.storage.protocol import Call, CallResult, MoveCall, StatCall
from orchestrator.storage.rclone_backed.directory_listings import DirectoryListings


def has_id(call: Call) -> bool:
    """Whether a call means one file by its id, even if others have the same name."""
    return isinstance(call, StatCall | MoveCall) and call.id is not None


class CallsById:
    """Executes such calls at one location."""

    def __init__(self, client: RcClient, fs: str, listings: DirectoryListings) -> None:
        self._client = client
        self._fs = fs
        self._listings = listings

    def batch(self, calls: Sequence[Call], concurrency: int) -> list[CallResult]:
        """Looks first, then moves; results in the order of the calls."""
        looks = [call for call in calls if isinstance(call, StatCall)]
        moves = [call for call in calls if isinstance(call, MoveCall)]
        results = {id(call): result for call, result in zip(looks, self._looks(looks, concurrency), strict=True)}
        results |= {id(call): result for call, result in zip(moves, self._moves(moves, concurrency), strict=True)}
        return [results[id(call)] for call in calls]

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """Download the whole file."""
        body = rc_bodies.by_id("copyid", self._fs, object_id, str(to))
        self._client.call("backend/command", body, about=path)

    def _looks(self, calls: Sequence[StatCall], concurrency: int) -> list[CallResult]:
        """One listing for each directory."""
        listed = self._listings.list(dict.fromkeys(parent_of(call.path) for call in calls), concurrency)
        found = {
            (entry.path, entry.id): entry
            for entries in listed.values()
            if not isinstance(entries, OrchestratorError)
            for entry in entries
        }

        def result(call: StatCall) -> CallResult:
            entries = listed[parent_of(call.path)]
            return entries if isinstance(entries, OrchestratorError) else found.get((call.path, call.id))

        return [result(call) for call in calls]

    def _moves(self, calls: Sequence[MoveCall], concurrency: int) -> list[CallResult]:
        """First makes the directories, one by one: moves at the same time would make several with one name."""
        failed: dict[str, OrchestratorError] = {}
        for directory in dict.fromkeys(parent_of(call.dst) for call in calls):
            try:
                self._client.call("operations/mkdir", rc_bodies.one_path(self._fs, directory))
            except OrchestratorError as error:
                failed[directory] = error
        sent = [call for call in calls if parent_of(call.dst) not in failed]
        bodies = [rc_bodies.by_id("moveid", self._fs, call.id or "", join_location(self._fs, call.dst)) for call in sent]
        names = [{"srcRemote": call.src, "dstRemote": call.dst} for call in sent]
        results = iter(self._send(bodies, names, concurrency))
        return [failed.get(parent_of(call.dst)) or next(results) for call in calls]

    def _send(self, bodies: Sequence[rc_bodies.Body], names: Sequence[dict[str, str]], concurrency: int) -> list[CallResult]:
        """`names` are the paths for error messages, which the bodies do not hold."""
        if not bodies:
            return []
        batch = rc_bodies.batch([("backend/command", body) for body in bodies], concurrency)
        results = self._client.call("job/batch", batch, repeatable=False)["results"]
        return [
            self._client.refusal(result, {**body, **named}) if "error" in result else None
            for body, named, result in zip(bodies, names, results, strict=True)
        ]
