"""Read the playlists and cue sheets of a location that is not organized itself: they may point at files that move."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.catalogue.reading import read_list
from orchestrator.errors import AuthError, PartialListingError, RemoteError
from orchestrator.foreign_folders import ALL_HIDDEN, HiddenFolders
from orchestrator.globs import compile_globs
from orchestrator.plan.companions.playlists.external import ExternalList
from orchestrator.plan.companions.playlists.format import MAX_BYTES
from orchestrator.plan.companions.playlists.formats import may_be_list
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

_AT_A_TIME = 8


def read_lists(
    storage: Storage, hidden: HiddenFolders = ALL_HIDDEN, exclude: Sequence[str] = ()
) -> tuple[list[ExternalList], list[tuple[str, str]]]:
    """Every playlist and cue sheet, sorted by path, and (path, reason) of those that cannot be read.

    None in `hidden` folders, and none that `exclude` matches. Raises the error of the storage when the listing breaks off,
    and AuthError.
    """
    excluded = compile_globs(exclude)

    def read(entry: Entry) -> ExternalList | str:
        if entry.size is None or entry.size > MAX_BYTES:
            return f"larger than {MAX_BYTES // 1024 // 1024} MiB"
        try:
            return ExternalList(storage.fs, entry.path, read_list(storage, entry))
        except AuthError:
            raise
        except RemoteError as error:
            return error.message

    entries: list[Entry] = []
    unread: list[tuple[str, str]] = []
    try:
        entries.extend(entry for entry in storage.list(hidden=hidden) if may_be_list(entry.path))  # those before an error stay
    except PartialListingError as error:
        unread = [(folder, error.message) for folder in error.closed]
    if excluded is not None:
        entries = [entry for entry in entries if not excluded.search(entry.path)]
        unread = [(folder, reason) for folder, reason in unread if not excluded.search(f"{folder}/")]
    entries.sort(key=lambda entry: entry.path)
    if not entries:
        return [], unread
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        results = [*zip(entries, pool.map(read, entries), strict=True)]
    lists = [result for _, result in results if isinstance(result, ExternalList)]
    return lists, unread + [(entry.path, result) for entry, result in results if isinstance(result, str)]
