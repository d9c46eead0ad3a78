"""The plans of `quarantine`: bring back what runs have quarantined, or delete it for good. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from orchestrator.plan.build import build_plan
from orchestrator.plan.model import CompletedOperation, Expect, Header, Operation, Plan, Skipped, Verb, operation_id
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.records import Capabilities, Entry, Ref


class QuarantinedFile(msgspec.Struct, frozen=True):
    """One file in the quarantine or in the trash of a run."""

    id: str
    """Its path below our own directory: what `quarantine restore` takes."""
    kind: str
    """"quarantine": a run moved it there. "trash": it was in the way of a run. "damaged": a copy that did not arrive intact.
    "temporary": a file of the library that a run moved only halfway."""
    run: str
    path: str
    """Where it was in the library, or was to be. Only the journal knows path and run of a "temporary" file: without it both are
    empty."""
    entry: Entry
    """The file as it is listed now."""


def plan_restore(
    files: Sequence[QuarantinedFile], *, fs: str, capabilities: Capabilities, tool_version: str, created: str
) -> Plan:
    """The plan that moves files of the location `fs` back to where they were: of several with one path the newest.

    The others are skipped, and so are those whose path is unknown.
    """
    newest = {file.path: file for file in files if file.path}
    operations = [_operation(fs, file, Verb.MOVE, file.path, "restored from the quarantine") for file in newest.values()]
    skipped = [
        Skipped(file.path, "other", f"{file.id}: a newer file with that path is restored")
        for file in files
        if file.path and newest[file.path] is not file
    ]
    unknown = "the journal on this machine does not know where it was; move it by hand"
    skipped += [Skipped(file.entry.path, "other", f"{file.id}: {unknown}") for file in files if not file.path]
    return _plan(
        operations,
        skipped,
        action="restore",
        fs=fs,
        capabilities=capabilities,
        tool_version=tool_version,
        created=created,
    )


def plan_emptying(
    files: Sequence[QuarantinedFile], *, fs: str, capabilities: Capabilities, tool_version: str, created: str
) -> Plan:
    """The plan that deletes files of the location `fs` for good. Undo cannot bring them back. Files at temporary names stay."""
    halfway = [file for file in files if file.kind == "temporary"]
    operations = [
        _operation(fs, file, Verb.DELETE, file.entry.path, "deleted from the quarantine")
        for file in files
        if file.kind != "temporary"
    ]
    why = "a run moved it only halfway, and it belongs to the library; `quarantine restore` brings it back"
    skipped = [Skipped(file.path or file.entry.path, "other", f"{file.id}: {why}") for file in halfway]
    return _plan(
        operations, skipped, action="empty", fs=fs, capabilities=capabilities, tool_version=tool_version, created=created
    )


DELETABLE_TIERS = frozenset({Tier.BYTES, Tier.AUDIO})
"""The tiers whose duplicates may be deleted for good. For the others, nothing proves that they hold the same sound."""


def deletable(operation: Operation) -> bool:
    """Whether an operation quarantines a duplicate that may then be deleted for good."""
    kept = operation.expect.kept
    return operation.verb is Verb.QUARANTINE and kept is not msgspec.UNSET and kept.tier in DELETABLE_TIERS


def plan_deleting_duplicates(completed: Iterable[CompletedOperation], header: Header, *, tool_version: str, created: str) -> Plan:
    """The plan that deletes for good the duplicates that a run quarantined, each only while its kept copy is there unchanged.

    Those that only have the same tags stay in the quarantine. `header` is that of the run's plan. Undo cannot bring them back.
    """
    operations = []
    for one in completed:
        done, now, entry = one.operation, one.destination, one.entry
        if deletable(done) and entry is not None:
            expect = Expect(hash=entry.hashes, mtime=entry.mtime_ns, kept=done.expect.kept)
            identity = operation_id(Verb.DELETE, now, now)
            reason = f"deleted for good: {done.reason}"
            operations.append(Operation(identity, Verb.DELETE, now, now, entry.size, expect, reason, done.group))
    return build_plan(
        sorted(operations, key=lambda operation: (operation.src.fs, operation.src.path)),
        source=header.source,
        target=header.target,
        locations=header.locations,
        options={**header.options, "quarantine": "delete duplicates"},
        capabilities={fs: msgspec.convert(known, Capabilities) for fs, known in header.capabilities.items()},
        counts={"files": header.counts.get("files", 0)},
        tool_version=tool_version,
        created=created,
        config_sha256=header.config_sha256,
    )


def is_restore(header: Header) -> bool:
    """Whether this is the plan of a `quarantine restore`."""
    return header.options.get("quarantine") == "restore"


def _operation(fs: str, file: QuarantinedFile, verb: Verb, destination: str, reason: str) -> Operation:
    src, dst = Ref(fs, file.entry.path), Ref(fs, destination)
    expect = Expect(hash=file.entry.hashes, mtime=file.entry.mtime_ns)
    return Operation(operation_id(verb, src, dst), verb, src, dst, file.entry.size, expect, reason, file.run)


def _plan(
    operations: Sequence[Operation],
    skipped: Sequence[Skipped],
    *,
    action: Literal["restore", "empty"],
    fs: str,
    capabilities: Capabilities,
    tool_version: str,
    created: str,
) -> Plan:
    return build_plan(
        sorted(operations, key=lambda operation: operation.src.path),
        source=fs,
        target=fs,
        options={"quarantine": action},
        capabilities={fs: capabilities},
        skipped=skipped,
        tool_version=tool_version,
        created=created,
    )
