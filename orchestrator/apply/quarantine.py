"""What runs have moved out of the library: list it, and find what a user names. Plans for it: `plan.planners.quarantine`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.own_paths import DAMAGED, QUARANTINE, TRASH
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.plan.model import TEMPORARY, is_temporary
from orchestrator.plan.planners.quarantine import QuarantinedFile
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import Storage


def list_items(storage: Storage, journal: Journal | None = None) -> list[QuarantinedFile]:
    """Everything that runs have put away or left behind on this storage, sorted by run and path.

    Raises the storage's errors, NotFoundError for a place that is not there.
    """
    items = [item for prefix in (QUARANTINE, TRASH) for entry in _listed(storage, prefix) if (item := _item(entry)) is not None]
    if left := [*_listed(storage, TEMPORARY)]:
        origins = _origins(journal, storage.fs) if journal is not None else {}
        items += [_left(entry, *origins.get(entry.path, ("", ""))) for entry in left]
    if not items:
        next(iter(storage.list()), None)
    return sorted(items, key=lambda item: (item.run, item.path, item.id))


def choose(items: Sequence[QuarantinedFile], wanted: Iterable[str]) -> list[QuarantinedFile]:
    """The items that a user names: by id, by run, or by the path in the library (then the newest of that path).

    Raises UsageError for a name that fits none.
    """
    chosen: dict[str, QuarantinedFile] = {}
    for text in wanted:
        by_path = [item for item in items if item.path == text and item.kind != "damaged"]
        found = [item for item in items if text in {item.id, item.run}] or by_path[-1:]
        if not found:
            raise UsageError(f"nothing in the quarantine is called {text!r}: `quarantine list` shows what there is")
        chosen.update((item.id, item) for item in found)
    return [*chosen.values()]


def _item(entry: Entry) -> QuarantinedFile | None:
    """None for a file that no run of ours has put there."""
    identity = entry.path.removeprefix(OWN_DIRECTORY + "/")
    kind, _, rest = identity.partition("/")
    run, _, path = rest.partition("/")
    if kind == "quarantine" and run.endswith(DAMAGED):
        kind, run = "damaged", run.removesuffix(DAMAGED)
    if kind in {"trash", "damaged"}:
        path = path.partition("/")[2]  # the number of the attempt goes before it
    return QuarantinedFile(identity, kind, run, path, entry) if run and path else None


def _left(entry: Entry, run: str, path: str) -> QuarantinedFile:
    return QuarantinedFile(entry.path.removeprefix(OWN_DIRECTORY + "/"), "temporary", run, path, entry)


def _origins(journal: Journal, fs: str) -> dict[str, tuple[str, str]]:
    """Temporary name -> the run that used it last, and where it took the file from."""
    origins: dict[str, tuple[str, str]] = {}
    for run in journal.runs():
        for operation in journal.plan(run.id).operations:
            if operation.dst.fs == fs and is_temporary(operation.dst.path):
                _, path = origins.get(operation.src.path, ("", operation.src.path))
                origins[operation.dst.path] = run.id, path
    return origins


def _listed(storage: Storage, prefix: str) -> Iterator[Entry]:
    try:
        yield from storage.list(prefix)
    except NotFoundError:
        return
