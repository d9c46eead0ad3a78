"""Calls that name a file by its id, for remotes on which several files may carry one name (Google Drive).

rclone looks files up by their names. What its drive backend offers beyond that: listings give every file of a name with its id,
`moveid` moves and `copyid` fetches the file of an id. None of these replaces a file: where a name is taken, two carry it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.errors import NotFoundError, OrchestratorError
from orchestrator.rclone import requests
from orchestrator.rclone.client import RcClient, refusal
from orchestrator.storage.base import Call, Entry, MoveCall, Outcome, StatCall


def names_an_object(call: Call) -> bool:
    """Whether a call is about one object, whichever others carry its name."""
    return isinstance(call, StatCall | MoveCall) and call.id is not None


class ById:
    """Carries such calls out at one location."""

    def __init__(
        self, client: RcClient, fs: str, look: Callable[[str], requests.Body], entry: Callable[[dict[str, object]], Entry | None]
    ) -> None:
        """`look` gives the body of an `operations/stat`, `entry` makes an Entry of an answer."""
        self._client = client
        self._fs = fs
        self._look = look
        self._entry = entry

    def batch(self, calls: Sequence[Call], concurrency: int) -> list[Outcome]:
        """Looks first, then moves; outcomes in the order of the calls."""
        looks = [call for call in calls if isinstance(call, StatCall)]
        moves = [call for call in calls if isinstance(call, MoveCall)]
        outcomes = {id(call): outcome for call, outcome in zip(looks, self._looks(looks, concurrency), strict=True)}
        outcomes |= {id(call): outcome for call, outcome in zip(moves, self._moves(moves, concurrency), strict=True)}
        return [outcomes[id(call)] for call in calls]

    def fetch(self, path: str, object_id: str, to: Path) -> None:
        """The whole file, onto this machine."""
        body = requests.by_id("copyid", self._fs, object_id, str(to))
        self._client.call("backend/command", body, about=path)

    def _looks(self, calls: Sequence[StatCall], concurrency: int) -> list[Outcome]:
        """One listing for each directory that is looked into."""
        directories = [*dict.fromkeys(call.path.rpartition("/")[0] for call in calls)]
        bodies = [self._look(directory) for directory in directories]
        listed = dict(zip(directories, self._all("operations/list", bodies, concurrency), strict=True))
        found: dict[tuple[str, str | None], Entry] = {}
        for answer in listed.values():
            if isinstance(answer, dict):
                entries = (self._entry({"item": item}) for item in answer["list"])
                found |= {(entry.path, entry.id): entry for entry in entries if entry is not None}

        def outcome(call: StatCall) -> Outcome:
            answer = listed[call.path.rpartition("/")[0]]
            failed = isinstance(answer, OrchestratorError) and not isinstance(answer, NotFoundError)
            return answer if failed and isinstance(answer, OrchestratorError) else found.get((call.path, call.id))

        return [outcome(call) for call in calls]

    def _moves(self, calls: Sequence[MoveCall], concurrency: int) -> list[Outcome]:
        """The directories are made first, one after another: else several moves at a time would make several of one name."""
        unmade: dict[str, OrchestratorError] = {}
        for directory in dict.fromkeys(call.dst.rpartition("/")[0] for call in calls):
            try:
                self._client.call("operations/mkdir", requests.item(self._fs, directory))
            except OrchestratorError as error:
                unmade[directory] = error
        going = [call for call in calls if call.dst.rpartition("/")[0] not in unmade]
        bodies = [requests.by_id("moveid", self._fs, call.id or "", requests.join(self._fs, call.dst)) for call in going]
        names = [{"srcRemote": call.src, "dstRemote": call.dst} for call in going]
        answers = iter(self._all("backend/command", bodies, concurrency, names))
        outcomes: list[Outcome] = []
        for call in calls:
            answer = unmade.get(call.dst.rpartition("/")[0]) or next(answers)
            outcomes.append(answer if isinstance(answer, OrchestratorError) else None)
        return outcomes

    def _all(
        self,
        method: str,
        bodies: Sequence[requests.Body],
        concurrency: int,
        names: Sequence[dict[str, str]] | None = None,
    ) -> list[requests.Body | OrchestratorError]:
        """The answers; `names` are what errors are about where the bodies do not say it."""
        if not bodies:
            return []
        repeatable = method == "operations/list"
        batch = requests.batch([(method, body) for body in bodies], concurrency)
        results = self._client.call("job/batch", batch, repeatable=repeatable)["results"]
        about = names or [{} for _ in bodies]
        return [
            refusal(result, {**body, **named}) if "error" in result else result
            for body, named, result in zip(bodies, about, results, strict=True)
        ]
