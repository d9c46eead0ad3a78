"""What runs have taken out of the library: list it, bring it back, delete it for good. Each way is a plan like any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Fact
from orchestrator.apply.own_paths import DAMAGED, QUARANTINE, TRASH
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.plan.estimate import estimate
from orchestrator.plan.model import TEMPORARY, Expect, Header, Operation, Plan, Skipped, Verb, is_temporary, operation_id
from orchestrator.plan.plan_file import seal
from orchestrator.records import OWN_DIRECTORY, Capabilities, Entry, Ref
from orchestrator.storage.protocol import Storage


class QuarantinedFile(msgspec.Struct, frozen=True):
    """One file in the quarantine or in the trash of a run."""

    id: str
    """Its path below our own directory: what `quarantine restore` takes."""
    kind: str
    """"quarantine": a run took it out. "trash": it lay in the way of a run. "damaged": a copy that did not arrive well.
    "temporary": a file of the library that a run took only half the way to its new place."""
    run: str
    path: str
    """Where it was in the library, or was to be. Of "temporary" only the journal knows it and the run: else both are empty."""
    entry: Entry
    """As it lies there now."""


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


def plan_restore(storage: Storage, items: Sequence[QuarantinedFile], *, tool_version: str, created: str) -> Plan:
    """The plan that moves items back to where they were: of several for one path the newest, the others are skipped."""
    newest = {item.path: item for item in items if item.path}
    operations = [_operation(storage, item, Verb.MOVE, item.path, "restored from the quarantine") for item in newest.values()]
    skipped = [
        Skipped(item.path, "other", f"{item.id}: a newer one of that name is restored")
        for item in items
        if item.path and newest[item.path] is not item
    ]
    unknown = "the journal of this machine does not tell where it was; move it by hand"
    skipped += [Skipped(item.entry.path, "other", f"{item.id}: {unknown}") for item in items if not item.path]
    return _plan(storage, operations, skipped, action="restore", tool_version=tool_version, created=created)


def plan_emptying(storage: Storage, items: Sequence[QuarantinedFile], *, tool_version: str, created: str) -> Plan:
    """The plan that deletes items for good; no undo brings them back. What waits at a temporary name stays."""
    waiting = [item for item in items if item.kind == "temporary"]
    operations = [
        _operation(storage, item, Verb.DELETE, item.entry.path, "deleted from the quarantine")
        for item in items
        if item not in waiting
    ]
    stays = "a run has left it there half-way, it belongs to the library; `quarantine restore` brings it back"
    skipped = [Skipped(item.path or item.entry.path, "other", f"{item.id}: {stays}") for item in waiting]
    return _plan(storage, operations, skipped, action="empty", tool_version=tool_version, created=created)


def is_restore(header: Header) -> bool:
    """Whether this is the plan of a `quarantine restore`."""
    return header.options.get("quarantine") == "restore"


def plan_deleting_duplicates(facts: Iterable[Fact], header: Header, *, tool_version: str, created: str) -> Plan:
    """The plan that deletes for good the duplicates that a run put away, each only while its twin is there unchanged.

    `header` is that of the run's plan. No undo brings them back.
    """
    operations = []
    for fact in facts:
        known, entry = fact.operation, fact.entry
        if known.verb is Verb.QUARANTINE and known.expect.kept and entry is not None:
            expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns, kept=known.expect.kept)
            identity = operation_id(Verb.DELETE, fact.now, fact.now)
            reason = f"deleted for good: {known.reason}"
            operations.append(Operation(identity, Verb.DELETE, fact.now, fact.now, entry.size, expect, reason, known.group))
    operations.sort(key=lambda operation: (operation.src.fs, operation.src.path))
    capabilities = {fs: msgspec.convert(known, Capabilities) for fs, known in header.capabilities.items()}
    made = msgspec.structs.replace(
        header,
        tool_version=tool_version,
        created=created,
        options={**header.options, "quarantine": "delete duplicates"},
        counts={"files": header.counts.get("files", 0), str(Verb.DELETE): len(operations)},
        estimate=estimate(operations, capabilities),
    )
    return seal(Plan(made, tuple(operations)))


def _operation(storage: Storage, item: QuarantinedFile, verb: Verb, destination: str, reason: str) -> Operation:
    src, dst = Ref(storage.fs, item.entry.path), Ref(storage.fs, destination)
    expect = Expect(hash=item.entry.hashes, mtime=item.entry.mtime_ns)
    return Operation(operation_id(verb, src, dst), verb, src, dst, item.entry.size, expect, reason, item.run)


def _plan(
    storage: Storage,
    operations: list[Operation],
    skipped: list[Skipped],
    *,
    action: str,
    tool_version: str,
    created: str,
) -> Plan:
    operations.sort(key=lambda operation: operation.src.path)
    header = Header(
        tool_version=tool_version,
        created=created,
        source=storage.fs,
        target=storage.fs,
        options={"quarantine": action},
        config_sha256="",
        capabilities={storage.fs: msgspec.to_builtins(storage.capabilities)},
        counts=dict(Counter(str(operation.verb) for operation in operations)),
        estimate=estimate(operations, {storage.fs: storage.capabilities}),
    )
    return seal(Plan(header, tuple(operations), tuple(skipped)))


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
