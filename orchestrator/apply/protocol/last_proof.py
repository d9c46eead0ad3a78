"""The last proof of a run: what was put somewhere is there, what was taken away is gone, as the remote lists it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from orchestrator.apply.journal.records import Fact, Problem
from orchestrator.apply.own_paths import is_removal
from orchestrator.apply.protocol.fingerprint import same_file
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError
from orchestrator.paths import case_key, is_ours
from orchestrator.plan.model import Verb
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.storage.protocol import StatCall, Storage

_FEW = 200
"""So many looks cost less than any listing."""

_LOOKS_A_LISTED_FILE = 10
"""One listed file costs about a tenth of a look."""


class Proof(msgspec.Struct, frozen=True):
    """What must hold after the operations of a run."""

    there: dict[Ref, Entry | None]
    gone: frozenset[Ref]


def outcome_of(facts: Sequence[Fact]) -> Proof:
    """What the operations that came through, in that order, lead to."""
    there: dict[Ref, Entry | None] = {}
    gone: set[Ref] = set()
    for fact in facts:
        if fact.operation.verb not in {Verb.COPY, Verb.REWRITE}:
            there.pop(fact.operation.src, None)
            gone.add(fact.operation.src)
        if not is_removal(fact.operation):
            there[fact.now] = fact.entry
            gone.discard(fact.now)
    return Proof(there, frozenset(gone))


def verify_outcome(outcome: Proof, storages: Mapping[str, Storage], *, listed: int | None) -> list[Problem]:
    """Compare with the storages: by looks where they are few for the `listed` files of the plan, else by a new listing.

    Raises the storages' errors.
    """
    problems: list[Problem] = []
    for fs in sorted({ref.fs for ref in (*outcome.there, *outcome.gone)}):
        there = {ref: entry for ref, entry in outcome.there.items() if ref.fs == fs}
        gone = {ref for ref in outcome.gone if ref.fs == fs}
        looks = len(there) + len(gone)
        storage = storages[fs]
        if looks <= _FEW or (listed is not None and looks * _LOOKS_A_LISTED_FILE < listed):
            found = _look(storage, [*there, *gone])
        else:
            found = _list(storage, [*there, *gone])
        problems += _compare(storage, there, gone, found)
    return problems


def _look(storage: Storage, refs: Sequence[Ref]) -> dict[Ref, Entry]:
    found = {}
    for ref, outcome in zip(refs, storage.batch([StatCall(ref.path, ref.object_id) for ref in refs]), strict=True):
        if isinstance(outcome, Entry):
            found[ref] = outcome
        elif isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
            raise outcome
    return found


def _list(storage: Storage, refs: Sequence[Ref]) -> dict[Ref, Entry]:
    wanted = {(ref.path, ref.object_id): ref for ref in refs}
    entries = [storage.list()]
    if any(is_ours(ref.path) for ref in refs):
        entries.append(storage.list(OWN_DIRECTORY))
    found = {}
    for listing in entries:
        with suppress(NotFoundError):
            for entry in listing:
                for ref in filter(
                    None, (wanted.get((entry.path, None)), wanted.get((entry.path, entry.id)) if entry.id else None)
                ):
                    found[ref] = entry
    return found


def _compare(storage: Storage, there: Mapping[Ref, Entry | None], gone: set[Ref], found: Mapping[Ref, Entry]) -> list[Problem]:
    problems = []
    for ref, entry in there.items():
        now, path = found.get(ref), ref.path
        if now is None:
            message = f"{path}: was put there, and a new look does not find it"
            problems.append(Problem(path, ExitCode.INTEGRITY, message))
        elif entry is not None and not same_file(entry, now, storage.capabilities.mtime_precision_ns):
            problems.append(Problem(path, ExitCode.SOME_FAILED, f"{path}: was put there, and has changed since"))
    back = sorted({ref.path for ref in gone & found.keys()})
    # There a storage that ignores case finds the file under its old name.
    respelled = {case_key(ref.path) for ref in there} if back else set()
    problems += [
        Problem(path, ExitCode.SOME_FAILED, f"{path}: was moved away, and a file is there again")
        for path in back
        if case_key(path) not in respelled
    ]
    return problems
