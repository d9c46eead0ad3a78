"""Small plans for the tests of apply, and what to compare storages with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec

from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import VerifyMode
from orchestrator.apply.protocol.backoff import Backoff
from orchestrator.apply.results import RunResult
from orchestrator.apply.resume import resume
from orchestrator.apply.settings import Settings
from orchestrator.apply.spending import Limits
from orchestrator.plan.model import Expect, Header, KeptCopy, Operation, Plan, Replaced, Verb, locations_of, operation_id
from orchestrator.plan.ordering import Move, order
from orchestrator.plan.planners.quarantine import QuarantinedFile, plan_emptying, plan_restore
from orchestrator.records import Ref
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.forwarding import unwrapped

JournalKind = TypeVar("JournalKind", bound=Journal)

NOW = {"tool_version": "0", "created": "2026-01-01T00:00:00Z"}

UNLIMITED = Limits()
WITHOUT_WAITS = Backoff(sleep=lambda _: None)


def operation(
    verb: Verb, source: Storage, src: str, target: Storage, dst: str, *, depends: Iterable[Operation] = ()
) -> Operation:
    """An operation that expects the file that is at `src` now."""
    return expecting(verb, source, src, Ref(source.fs, src), Ref(target.fs, dst), depends=depends)


def expecting(verb: Verb, seen_on: Storage, seen: str, src: Ref, dst: Ref, *, depends: Iterable[Operation] = ()) -> Operation:
    """An operation that expects at `src` the file that is at `seen` now."""
    entry = seen_on.stat(seen)
    assert entry is not None
    return Operation(
        id=operation_id(verb, src, dst),
        verb=verb,
        src=src,
        dst=dst,
        size=entry.size,
        expect=Expect(entry.hashes, entry.mtime_ns),
        reason="test",
        group="",
        depends=tuple(other.id for other in depends),
    )


def duplicate(storage: Storage, src: str, kept_on: Storage, kept: str, *, tier: str = "T0") -> Operation:
    """A quarantine that expects the kept copy as it is now."""
    entry = kept_on.stat(kept)
    assert entry is not None
    made = operation(Verb.QUARANTINE, storage, src, storage, src)
    expect = msgspec.structs.replace(made.expect, kept=KeptCopy(kept_on.fs, kept, entry.size, entry.hashes, entry.mtime_ns, tier))
    return msgspec.structs.replace(made, expect=expect)


def move(storage: Storage, src: str, dst: str, *, depends: Iterable[Operation] = ()) -> Operation:
    return operation(Verb.MOVE, storage, src, storage, dst, depends=depends)


def replacing(source: Storage, src: str, target: Storage, dst: str, *, seen: str | None = None) -> Operation:
    """A replacement that expects both files as they are now; `seen`: where the one to be replaced still is."""
    old = target.stat(seen or dst)
    assert old is not None
    made = operation(Verb.REPLACE, source, src, target, dst)
    replaced = Replaced(old.size, old.hashes, old.mtime_ns)
    return msgspec.structs.replace(made, expect=msgspec.structs.replace(made.expect, replaced=replaced))


def finishing(source: Storage, src: str, target: Storage, dst: str, *, depends: Iterable[Operation] = ()) -> Operation:
    """A move whose file the target has already."""
    made = operation(Verb.MOVE, source, src, target, dst, depends=depends)
    kept = KeptCopy(target.fs, dst, made.size)
    return msgspec.structs.replace(made, expect=msgspec.structs.replace(made.expect, kept=kept))


def rewrite(storage: Storage, src: str, dst: str, content: bytes) -> tuple[Operation, ...]:
    """The operations that write a new list, quarantine the old one, and give the new one its name."""
    entry = storage.stat(src)
    assert entry is not None
    ends = Ref(storage.fs, src), Ref(storage.fs, dst)
    return tuple(order([Move(Verb.MOVE, *ends, entry.size, Expect(entry.hashes, entry.mtime_ns), "", "", content=content)]))


def through_temporary_name(storage: Storage, src: str, dst: str) -> tuple[Operation, Operation]:
    """The two halves of a rename that cannot be done in one."""
    temporary = f".music-orchestrator/tmp/{operation_id('move', Ref(storage.fs, src), Ref(storage.fs, dst))}"
    first = move(storage, src, temporary)
    second = expecting(Verb.MOVE, storage, src, Ref(storage.fs, temporary), Ref(storage.fs, dst), depends=[first])
    return first, second


def plan(
    *operations: Operation, source: str = "memory:library", target: str | None = None, storages: Iterable[Storage] = ()
) -> Plan:
    header = Header(
        tool_version="0",
        created="2026-01-01T00:00:00Z",
        source=source,
        target=target or source,
        locations=tuple(locations_of(operations)),
        options={},
        config_sha256="",
        capabilities={storage.fs: msgspec.to_builtins(storage.capabilities) for storage in storages},
        counts={"files": len(operations)},
        estimate={},
    )
    return Plan(header, operations)


def restoring(storage: Storage, files: Sequence[QuarantinedFile]) -> Plan:
    """The plan that brings files back from the quarantine."""
    return plan_restore(files, fs=storage.fs, capabilities=storage.capabilities, **NOW)


def emptying(storage: Storage, files: Sequence[QuarantinedFile]) -> Plan:
    """The plan that deletes files in the quarantine for good."""
    return plan_emptying(files, fs=storage.fs, capabilities=storage.capabilities, **NOW)


def contents(*storages: MemoryStorage) -> Counter[str]:
    """How many files have each content, our own directory included."""
    return Counter(
        sha256(content).hexdigest()
        for storage in storages
        for path, content in storage.snapshot().items()
        if not path.endswith(".partial")
    )


def library(storage: MemoryStorage) -> dict[str, bytes]:
    """What a user sees: everything outside our own directory."""
    return {path: content for path, content in storage.snapshot().items() if not path.startswith(".music-orchestrator/")}


def folders(storage: MemoryStorage) -> set[str]:
    """The directories to compare: all, or only those that a user sees where our own cannot be removed."""
    every = storage.directories()
    return {
        path for path in every if not (storage.capabilities.rmdir_is_recursive and f"{path}/".startswith(".music-orchestrator/"))
    }


@cache
def _empty_journal() -> bytes:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "journal"
        Journal(file).close()
        return file.read_bytes()


def quick(kind: Callable[..., JournalKind], path: Path, *arguments: object) -> JournalKind:
    """A journal that does not wait for the disk: the kills of these tests do not stop the machine."""
    if not path.exists():
        path.write_bytes(_empty_journal())
    journal = kind(path, *arguments)
    journal._connection.execute("PRAGMA synchronous = OFF")
    return journal


def run(
    made: Plan,
    journal: Path,
    *storages: Storage,
    fresh: bool = False,
    window: int = 100,
    verify: VerifyMode = "fast",
    limits: Limits = UNLIMITED,
) -> RunResult:
    with quick(Journal, journal) as opened:
        result = apply_plan(
            made,
            {storage.fs: storage for storage in storages},
            opened,
            settings=Settings(window=window, fresh=fresh, verify=verify, limits=limits),
            backoff=WITHOUT_WAITS,
        )
    check_moves(storages)
    return result


def check_moves(storages: Iterable[Storage]) -> None:
    """Where a move is a copy and a delete, rclone's own compares too little: it must not be asked for one."""
    for storage in storages:
        inner = unwrapped(storage)
        if isinstance(inner, MemoryStorage) and not inner.capabilities.move:
            assert not inner.call_counts["move"], storage.fs


def run_again(journal: Path, *storages: Storage, window: int = 100, limits: Limits = UNLIMITED) -> RunResult:
    by_fs = {storage.fs: storage for storage in storages}
    with quick(Journal, journal) as opened:
        result = resume(None, by_fs.__getitem__, opened, settings=Settings(window=window, limits=limits), backoff=WITHOUT_WAITS)
    check_moves(storages)
    return result


def depending(one: Operation, *others: Operation) -> Operation:
    """The operation, depending on the others."""
    return msgspec.structs.replace(one, depends=tuple(other.id for other in others))
