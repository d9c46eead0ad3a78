"""Listings of single directories, many in one request to rclone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from orchestrator.errors import AuthError, NotFoundError, OrchestratorError, RateLimitError, RemoteError, TransientError
from orchestrator.paths import case_key, parent_of
from orchestrator.rclone.rc_client import RcClient
from orchestrator.records import Entry
from orchestrator.storage.rclone_backed.rc_batches import Answer, send_all
from orchestrator.storage.rclone_backed.rc_calls import RcCalls

WORTH_A_LISTING = 4
"""This many looks cost more than one listing, which shows one or two thousand files at once."""

_FILES_LIKE_A_LOOK = 200
"""So many files of a listing take as long as one look: a WebDAV server sends them all at once, half a KB each."""

Listed: TypeAlias = Sequence[Entry] | OrchestratorError


class DirectoryListings:
    """The files directly in directories of one location."""

    def __init__(self, client: RcClient, calls: RcCalls) -> None:
        self._client = client
        self._calls = calls
        self._sizes: dict[str, int] = {}
        """Directory -> how many files a look found in it."""

    def list(self, directories: Collection[str], concurrency: int, *, folders: bool = False) -> dict[str, Listed]:
        """Directory -> its files (none for a directory that does not exist), or the error.

        `folders`: the directories in it as well, each with a "/" at its end.
        """
        if not directories:
            return {}
        answers = self._ask(directories, concurrency, filesOnly=not folders)
        return {directory: self._listed(answer) for directory, answer in zip(directories, answers, strict=True)}

    def below(self, directories: Collection[str], concurrency: int = 8) -> dict[str, Sequence[Entry] | None]:
        """Directory -> all files in it and below, None for one that does not exist. Raises errors.

        Several directories in one are looked for together, with one listing of that one, and where files can share a name, all
        but a directory that is asked for alone, which is found as any later call finds it: it may be one of two of the name. The
        listing costs no more there, and shows a file of the name, too; such a file is shown itself.
        """
        inside: dict[str, list[str]] = {}
        for directory in directories:
            inside.setdefault(parent_of(directory), []).append(directory)
        can = self._calls.capabilities
        all_listed = can.duplicate_names and len(directories) > 1
        listed_first = [parent for parent, children in inside.items() if all_listed or len(children) > 1]
        above = self.list(listed_first, concurrency, folders=True)
        key_of = case_key if can.case_insensitive else str
        shown = {parent: {key_of(one.path): one for one in _found(listed)} for parent, listed in above.items()}
        looked_at = [one for one in directories if (names := shown.get(parent_of(one))) is None or key_of(f"{one}/") in names]
        answers = self._ask(looked_at, concurrency, recurse=True)
        files = {one: shown.get(parent_of(one), {}).get(key_of(one)) for one in directories}
        found: dict[str, Sequence[Entry] | None] = {one: None if file is None else [file] for one, file in files.items()}
        for directory, answer in zip(looked_at, answers, strict=True):
            if not isinstance(answer, NotFoundError):
                found[directory] = _found(self._listed(answer))
        return found

    def looks(self, paths: Iterable[str], concurrency: int, *, sure: bool) -> dict[str, Entry | RemoteError | None]:
        """Path -> what a look would find, for those paths where one listing of their directory saves requests.

        `sure`: what is not listed under this spelling does not exist.
        """
        members: dict[str, list[str]] = {}
        for path in dict.fromkeys(paths):
            members.setdefault(parent_of(path), []).append(path)
        many = {
            directory: inside
            for directory, inside in members.items()
            if len(inside) >= max(WORTH_A_LISTING, self._sizes.get(directory, 0) / _FILES_LIKE_A_LOOK)
        }
        found: dict[str, Entry | RemoteError | None] = {}
        for directory, files in self.list(many, concurrency).items():
            if isinstance(files, OrchestratorError):
                if isinstance(
                    files, TransientError | RateLimitError | AuthError
                ):  # other errors may be about a file with that name
                    found |= dict.fromkeys(many[directory], files)
                continue
            self._sizes[directory] = len(files)
            by_path: dict[str, list[Entry]] = {}
            for entry in files:
                by_path.setdefault(entry.path, []).append(entry)
            for path in many[directory]:
                same = by_path.get(path, [])
                if len(same) == 1:
                    found[path] = same[0]
                elif not same and (sure or not files):  # otherwise it may exist under another spelling
                    found[path] = None
        return found

    def namesakes(self, paths: Sequence[str], concurrency: int = 8) -> Mapping[str, Sequence[Entry] | OrchestratorError]:
        """Path -> every file with that name, and a directory with a "/" at its end; or the error of the listing."""
        listed = self.list(dict.fromkeys(parent_of(path) for path in paths), concurrency, folders=True)

        def called(path: str) -> Sequence[Entry] | OrchestratorError:
            files = listed[parent_of(path)]
            return files if isinstance(files, OrchestratorError) else [one for one in files if one.path in {path, f"{path}/"}]

        return {path: called(path) for path in paths}

    def _ask(self, directories: Collection[str], concurrency: int, **options: bool) -> Sequence[Answer]:
        bodies = [self._calls.stat(directory) for directory in directories]
        for body in bodies:
            body["opt"] |= options
        requests = [("operations/list", body) for body in bodies]
        alone = int(self._calls.capabilities.by_id)  # it finds the root for the others
        first = send_all(self._client, requests[:alone], concurrency, repeatable=True)
        return [*first, *send_all(self._client, requests[alone:], concurrency, repeatable=True)]

    def _listed(self, answer: Answer) -> Listed:
        if isinstance(answer, OrchestratorError):
            return () if isinstance(answer, NotFoundError) else answer
        files = [entry for item in answer["list"] if (entry := self._calls.entry(item)) is not None]
        return files + [Entry(f"{item['Path']}/") for item in answer["list"] if item["IsDir"]]


def _found(listed: Listed) -> Sequence[Entry]:
    if isinstance(listed, OrchestratorError):
        raise listed
    return listed
