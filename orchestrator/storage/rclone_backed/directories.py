"""Single directories of rclone's, many listed in one request to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeAlias

from orchestrator.errors import AuthError, NotFoundError, OrchestratorError, RateLimitError, RemoteError, TransientError
from orchestrator.paths import parent_of
from orchestrator.rclone import rc_bodies
from orchestrator.rclone.rc_client import RcClient, refusal
from orchestrator.records import Entry

_WORTH_A_LISTING = 4
"""So many looks cost more than a listing, which shows a thousand files or two at once."""

Listed: TypeAlias = Sequence[Entry] | OrchestratorError


class Folders:
    """The files that lie in directories, those below them left out."""

    def __init__(
        self, client: RcClient, look: Callable[[str], rc_bodies.Body], entry: Callable[[dict[str, Any]], Entry | None]
    ) -> None:
        """`look` gives the body of an `operations/stat`, `entry` makes an Entry of an answer."""
        self._client = client
        self._look = look
        self._entry = entry

    def list(self, directories: Collection[str], concurrency: int) -> dict[str, Listed]:
        """Directory -> its files, none for one that is not there, or what went wrong."""
        if not directories:
            return {}
        bodies = [self._look(directory) for directory in directories]
        batch = rc_bodies.batch([("operations/list", body) for body in bodies], concurrency)
        results = self._client.call("job/batch", batch, repeatable=True)["results"]
        return {
            directory: self._listed(result, body) for directory, body, result in zip(directories, bodies, results, strict=True)
        }

    def looks(self, paths: Iterable[str], concurrency: int, *, case_insensitive: bool) -> dict[str, Entry | RemoteError | None]:
        """What a look at each would find, as far as a listing tells it in fewer requests: where several lie in one directory."""
        members: dict[str, list[str]] = {}
        for path in dict.fromkeys(paths):
            members.setdefault(parent_of(path), []).append(path)
        many = {directory: inside for directory, inside in members.items() if len(inside) >= _WORTH_A_LISTING}
        found: dict[str, Entry | RemoteError | None] = {}
        for directory, files in self.list(many, concurrency).items():
            if isinstance(files, OrchestratorError):
                if isinstance(files, TransientError | RateLimitError | AuthError):  # others may be about a file of that name
                    found |= dict.fromkeys(many[directory], files)
                continue
            by_path: dict[str, list[Entry]] = {}
            for entry in files:
                by_path.setdefault(entry.path, []).append(entry)
            for path in many[directory]:
                same = by_path.get(path, [])
                if len(same) == 1:
                    found[path] = same[0]
                elif not same and not (files and case_insensitive):  # else it may be there under another spelling
                    found[path] = None
        return found

    def _listed(self, result: dict[str, Any], body: rc_bodies.Body) -> Listed:
        if "error" in result:
            error = refusal(result, body)
            return () if isinstance(error, NotFoundError) else error
        return [entry for item in result["list"] if (entry := self._entry({"item": item})) is not None]
