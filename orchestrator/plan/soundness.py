"""What holds for every sound plan. Checked when a plan file is read, and again before the first change of a run."""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

from orchestrator.errors import IntegrityError
from orchestrator.paths import is_ours, path_problem
from orchestrator.plan.model import TEMPORARY, Operation, Plan, Verb, is_temporary, operation_id
from orchestrator.records import Ref

_TEMPORARY_NAME = re.compile(re.escape(TEMPORARY) + "/[0-9a-f]{20}")
_KINDS = {Verb.QUARANTINE: "leaves", Verb.DELETE: "leaves", Verb.REPLACE: "is replaced"}


def damaged(what: str, *, path: str | None = None) -> IntegrityError:
    """The error for a plan that is not as a planner made it."""
    return IntegrityError(f"the plan is damaged or was edited, make it again: {what}", path=path)


def check_plan(plan: Plan, *, own_directory: bool = False) -> None:
    """Raise IntegrityError for operations that no planner makes.

    `own_directory`: operations may put files anywhere below OWN_DIRECTORY, as those of undo and quarantine do. A plan file may
    not: it could replace what an earlier run has quarantined.
    """
    known = frozenset(plan.header.locations)
    ids = {operation.id for operation in plan.operations}
    if len(ids) != len(plan.operations):
        raise damaged("an operation is in it twice")
    removed = {operation.src for operation in plan.operations if _KINDS.get(operation.verb) == "leaves"}
    destinations: set[tuple[str, str, str, str | None]] = set()
    for operation in plan.operations:
        _check_paths(operation, known, own_directory=own_directory)
        _check_work(operation)
        if not ids.issuperset(operation.depends):
            raise damaged(f"operation {operation.id} waits for one that is not in the plan")
        _check_kept_copy(operation, known, removed)
        # A file may be moved, and then get another content where it is.
        kind, dst = _KINDS.get(operation.verb, "arrives"), operation.dst
        if operation.finishes_move:
            kind = "is compared"
        destination = (kind, dst.fs, dst.path, None if kind == "leaves" else dst.object_id)
        if destination in destinations:
            raise damaged(f"two operations put a file at {dst.path!r}", path=dst.path)
        destinations.add(destination)


def _check_paths(operation: Operation, known: Collection[str], *, own_directory: bool) -> None:
    for ref in (operation.src, operation.dst):
        if ref.fs not in known:
            raise damaged(f"operation {operation.id} works at {ref.fs}, which is not one of the plan's locations")
        problem = path_problem(ref.path)
        if problem:
            raise damaged(f"the path {ref.path!r} is refused: {problem}", path=ref.path)
    path = operation.dst.path
    if not own_directory and operation.verb is not Verb.QUARANTINE and _is_reserved(path):
        raise damaged(f"no operation may put a file at {path!r}", path=path)


def _is_reserved(path: str) -> bool:
    return is_ours(path) and _TEMPORARY_NAME.fullmatch(path) is None


def _check_work(operation: Operation) -> None:
    src, dst = operation.src, operation.dst
    if operation.id != operation_id(operation.verb, src, dst):
        raise damaged(f"operation {operation.id} does not match its id")
    if src == dst and operation.verb in {Verb.MOVE, Verb.COPY, Verb.REPLACE}:
        raise damaged(f"{src.path!r} is moved onto itself", path=src.path)
    if (operation.verb is Verb.REPLACE) != (operation.expect.replaced is not msgspec.UNSET):
        raise damaged(f"operation {operation.id} does not say what it replaces, or replaces nothing", path=dst.path)
    if operation.verb is Verb.REWRITE:
        # The new content is written to a temporary name; the move after it gives it its name in the library.
        sound = operation.content_bytes() is not None and is_temporary(dst.path)
    else:
        sound = operation.content is msgspec.UNSET
    if not sound:
        raise damaged(f"operation {operation.id} does not say what to write, or writes where it must not", path=src.path)


def _check_kept_copy(operation: Operation, known: Collection[str], removed: Collection[Ref]) -> None:
    kept = operation.expect.kept
    if kept is msgspec.UNSET:
        return
    if kept.fs not in known or path_problem(kept.path):
        raise damaged(f"operation {operation.id} names a kept copy outside the plan's locations", path=kept.path)
    if kept.ref in removed:
        raise damaged(f"{kept.path!r} is to be kept, and the plan removes it", path=kept.path)
