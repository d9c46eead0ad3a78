"""What runs have moved out of the library: list it, and find what a user names. `plan.planners.quarantine` makes plans for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.own_paths import DAMAGED, QUARANTINE, SOURCES, TRASH, leaving_source_of, original_of
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.plan.model import TEMPORARY, is_temporary
from orchestrator.plan.planners.quarantine import QuarantinedFile
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import Storage


def quarantined_files(storage: Storage, journal: Journal | None = None) -> list[QuarantinedFile]:
    """All files that runs have quarantined or left behind on this storage, sorted by run and path.

    Raises the storage's errors, and NotFoundError if the location does not exist.
    """
    entries = [entry for prefix in (QUARANTINE, TRASH) for entry in _listed(storage, prefix)]
    temporary = [*_listed(storage, TEMPORARY)]
    leaving = {entry.path for entry in entries if _is_leaving_source(entry.path)}
    origins = _origins(journal, storage.fs, leaving) if journal is not None and (temporary or leaving) else {}
    files = [file for entry in entries if (file := _from_path(entry, origins))]
    files += [_at_temporary_name(entry, *origins.get(entry.path, (_run_of(entry.path), ""))) for entry in temporary]
    if not files:
        next(iter(storage.list()), None)  # raises NotFoundError if the location does not exist
    return sorted(files, key=lambda file: (file.run, file.path, file.id))


def older_than(files: Sequence[QuarantinedFile], seconds: float, *, now_s: float) -> list[QuarantinedFile]:
    """The files whose run began longer ago than that, by its id. Those of unknown age are not among them. `now_s`: since 1970."""
    begun = {file.run: _begun_s(file.run) for file in files}
    return [file for file in files if (then := begun[file.run]) is not None and now_s - then > seconds]


_FIRST_YEAR = 2025
"""No run of this program began earlier: a machine without a clock of its own starts in 1970, or when its system was made."""


def _begun_s(run: str) -> float | None:
    """When a run began; None if its id does not say that, or says what cannot be."""
    try:
        begun = datetime.strptime(run[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:  # no id of a run of ours
        return None
    return begun.timestamp() if begun.year >= _FIRST_YEAR else None


def choose_files(files: Sequence[QuarantinedFile], wanted: Iterable[str]) -> list[QuarantinedFile]:
    """The files that a user names: by id, by run, or by the path in the library (then the newest with that path).

    "last" is the newest run of which files are there. Raises UsageError for a name that matches none.
    """
    chosen: dict[str, QuarantinedFile] = {}
    last = max((file.run for file in files), default="")
    for text in (last if last and text == "last" else text for text in wanted):
        by_path = [file for file in files if file.path == text and file.kind != "damaged"]
        found = [file for file in files if text in {file.id, file.run}] or by_path[-1:]
        if not found:
            raise UsageError(f"nothing in the quarantine matches {text!r}: `quarantine list` shows what is there")
        chosen.update((file.id, file) for file in found)
    return [*chosen.values()]


def _from_path(entry: Entry, origins: Mapping[str, tuple[str, str]]) -> QuarantinedFile | None:
    """None for a file that no run of ours has put there."""
    identity = entry.path.removeprefix(OWN_DIRECTORY + "/")
    kind, _, rest = identity.partition("/")
    run, _, path = rest.partition("/")
    if kind == "quarantine" and run.endswith(DAMAGED):
        kind, run = "damaged", run.removesuffix(DAMAGED)
    if kind in {"trash", "damaged"} and path:
        path = original_of(entry.path)
    if _is_leaving_source(entry.path):
        path = origins.get(entry.path, ("", path))[1]
    return QuarantinedFile(identity, kind, run, path, entry) if run and path else None


def _at_temporary_name(entry: Entry, run: str, path: str) -> QuarantinedFile:
    return QuarantinedFile(entry.path.removeprefix(OWN_DIRECTORY + "/"), "temporary", run, path, entry)


def _run_of(temporary: str) -> str:
    """The run that staged a copy there; "" for a name of an older version."""
    return temporary.split("/")[2] if temporary.count("/") > 2 else ""


def _is_leaving_source(path: str) -> bool:
    """Whether a run moved the file there just before it was to delete it, as the source of a copy."""
    return path.startswith(f"{TRASH}/") and path.split("/")[3:4] == [SOURCES]


def _origins(journal: Journal, fs: str, in_trash: Collection[str]) -> dict[str, tuple[str, str]]:
    """Temporary name, or name in our trash -> the run that used it last, and the path that it took the file from.

    The name of a staged copy is not one of them: the copy may be incomplete, and its source is where it was.
    """
    origins: dict[str, tuple[str, str]] = {}
    for run in journal.runs():
        for operation in journal.plan(run.id).operations:
            if operation.src.fs == fs and (name := leaving_source_of(run.id, operation.id, operation.src.path)) in in_trash:
                origins[name] = run.id, operation.src.path
            if operation.dst.fs == fs and is_temporary(operation.dst.path):
                _, path = origins.get(operation.src.path, ("", operation.src.path))
                origins[operation.dst.path] = run.id, path
    return origins


def _listed(storage: Storage, prefix: str) -> Iterator[Entry]:
    try:
        yield from storage.list(prefix)
    except NotFoundError:
        return
