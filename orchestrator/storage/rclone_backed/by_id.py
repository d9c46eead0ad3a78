"""Calls that name a file by its id, for remotes on which several files may carry one name (Google Drive).

rclone looks files up by their names. What its drive backend offers beyond that: listings give every file of a name with its id,
`moveid` moves and `copyid` fetches the file of an id. None of these replaces a file: where a name is taken, two carry it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import OrchestratorError
from orchestrator.paths import join_location, parent_of
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.rc_client import RcClient, refusal
from orchestrator.storage.protocol import Call, CallResult, MoveCall, StatCall
from orchestrator.storage.rclone_backed.directories import Folders


def names_an_object(call: Call) -> bool:
    """Whether a call is about one object, whichever others carry its name."""
    return isinstance(call, StatCall | MoveCall) and call.id is not None


class ById:
    """Carries such calls out at one location."""

    def __init__(self, client: RcClient, fs: str, folders: Folders) -> None:
        self._client = client
        self._fs = fs
        self._folders = folders

    def batch(self, calls: Sequence[Call], concurrency: int) -> list[CallResult]:
        """Looks first, then moves; outcomes in the order of the calls."""
        looks = [call for call in calls if isinstance(call, StatCall)]
        moves = [call for call in calls if isinstance(call, MoveCall)]
        outcomes = {id(call): outcome for call, outcome in zip(looks, self._looks(looks, concurrency), strict=True)}
        outcomes |= {id(call): outcome for call, outcome in zip(moves, self._moves(moves, concurrency), strict=True)}
        return [outcomes[id(call)] for call in calls]

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """The whole file, onto this machine."""
        body = rc_bodies.by_id("copyid", self._fs, object_id, str(to))
        self._client.call("backend/command", body, about=path)

    def _looks(self, calls: Sequence[StatCall], concurrency: int) -> list[CallResult]:
        """One listing for each directory that is looked into."""
        listed = self._folders.list(dict.fromkeys(parent_of(call.path) for call in calls), concurrency)
        found = {
            (entry.path, entry.id): entry
            for entries in listed.values()
            if not isinstance(entries, OrchestratorError)
            for entry in entries
        }

        def outcome(call: StatCall) -> CallResult:
            entries = listed[parent_of(call.path)]
            return entries if isinstance(entries, OrchestratorError) else found.get((call.path, call.id))

        return [outcome(call) for call in calls]

    def _moves(self, calls: Sequence[MoveCall], concurrency: int) -> list[CallResult]:
        """The directories are made first, one after another: else several moves at a time would make several of one name."""
        unmade: dict[str, OrchestratorError] = {}
        for directory in dict.fromkeys(parent_of(call.dst) for call in calls):
            try:
                self._client.call("operations/mkdir", rc_bodies.one_path(self._fs, directory))
            except OrchestratorError as error:
                unmade[directory] = error
        going = [call for call in calls if parent_of(call.dst) not in unmade]
        bodies = [rc_bodies.by_id("moveid", self._fs, call.id or "", join_location(self._fs, call.dst)) for call in going]
        names = [{"srcRemote": call.src, "dstRemote": call.dst} for call in going]
        answers = iter(self._sent(bodies, names, concurrency))
        return [unmade.get(parent_of(call.dst)) or next(answers) for call in calls]

    def _sent(self, bodies: Sequence[rc_bodies.Body], names: Sequence[dict[str, str]], concurrency: int) -> list[CallResult]:
        """`names` are what errors are about: the bodies do not say it."""
        if not bodies:
            return []
        batch = rc_bodies.batch([("backend/command", body) for body in bodies], concurrency)
        results = self._client.call("job/batch", batch, repeatable=False)["results"]
        return [
            refusal(result, {**body, **named}) if "error" in result else None
            for body, named, result in zip(bodies, names, results, strict=True)
        ]
