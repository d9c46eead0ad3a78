"""The plan file: JSON Lines, the same bytes for the same inputs, bound to its own content by `plan_id`.

`plan_id` is the sha256 over the header without `created` and `plan_id`, then all bytes after the header.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.errors import IntegrityError, UsageError
from orchestrator.paths import path_problem
from orchestrator.plan.model import FORMAT, TEMPORARY, Header, Operation, Plan, Verb, is_temporary, operation_id
from orchestrator.records import OWN_DIRECTORY, Ref

_UNHASHED = frozenset({"created", "plan_id"})
_VERSION = re.compile(r"music-orchestrator-plan/\d+")
_DAMAGED = "the plan is damaged or was edited; make it again with `plan`"


def check_directory(given: str, where: str) -> str:
    """The folder below the target that a setting (`where`) names. Raises UsageError for what is none."""
    text = given.strip("/")
    if given.startswith("/") or path_problem(text):
        raise UsageError(f"{where}: {given!r} must be a path below the target, without '..'")
    return text


def seal(plan: Plan) -> Plan:
    """The plan with the `plan_id` that its content asks for."""
    return msgspec.structs.replace(
        plan, header=msgspec.structs.replace(plan.header, plan_id=_plan_id(plan.header, _lines(plan.operations)))
    )


def write_plan(plan: Plan, file: Path) -> None:
    """Write the plan, sealed, readable by its owner only. The file is there whole or not at all."""
    sealed = seal(plan)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".new")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(msgspec.json.encode(sealed.header, order="deterministic") + b"\n")
            stream.writelines(_lines(sealed.operations))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def read_plan(file: Path) -> Plan:
    """The plan in a file, checked through and through; `skipped` is empty, for it is not part of the file.

    Raises UsageError for a file that cannot be read or a format that is not known, IntegrityError for everything that a
    plan must not be: edited, cut, reordered, with paths that leave their locations.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the plan {file}: {error.strerror}") from error
    first, newline, rest = content.partition(b"\n")
    header = _read_header(first)
    if not newline or (rest and not rest.endswith(b"\n")):
        raise IntegrityError(f"{_DAMAGED}: it is cut")
    if msgspec.json.encode(header, order="deterministic") != first:
        raise IntegrityError(f"{_DAMAGED}: its header was changed")
    if _plan_id(header, [rest]) != header.plan_id:
        raise IntegrityError(f"{_DAMAGED}: plan_id does not match")
    try:
        operations = msgspec.json.Decoder(Operation).decode_lines(rest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{_DAMAGED}: {error}") from error
    plan = Plan(header, tuple(operations))
    verify(plan)
    return plan


def verify(plan: Plan) -> None:
    """Raise IntegrityError for operations that no planner makes, whatever `plan_id` says."""
    known = set(locations_of(plan.header))
    destinations: set[tuple[bool, str, str, str | None]] = set()
    ids = {operation.id for operation in plan.operations}
    if len(ids) != len(plan.operations):
        raise IntegrityError(f"{_DAMAGED}: an operation is there twice")
    removed = {operation.src for operation in plan.operations if operation.verb in {Verb.QUARANTINE, Verb.DELETE}}
    for operation in plan.operations:
        for ref in (operation.src, operation.dst):
            if ref.fs not in known:
                raise IntegrityError(f"{_DAMAGED}: operation {operation.id} works at {ref.fs}, outside of its source and target")
            problem = path_problem(ref.path)
            if problem:
                raise IntegrityError(f"{_DAMAGED}: the path {ref.path!r} is refused: {problem}", path=ref.path)
        _check_work(operation)
        away, dst = operation.verb in {Verb.QUARANTINE, Verb.DELETE}, operation.dst
        destination = (away, dst.fs, dst.path, None if away else dst.object_id)
        if destination in destinations:
            raise IntegrityError(f"{_DAMAGED}: two operations end at {operation.dst.path!r}", path=operation.dst.path)
        destinations.add(destination)
        if not ids.issuperset(operation.depends):
            raise IntegrityError(f"{_DAMAGED}: operation {operation.id} depends on one that is not there")
        _check_twin(operation, known, removed)


def _check_twin(operation: Operation, known: Collection[str], removed: Collection[Ref]) -> None:
    twin = operation.expect.kept
    if twin is msgspec.UNSET:
        return
    if twin.fs not in known or path_problem(twin.path):
        raise IntegrityError(f"{_DAMAGED}: operation {operation.id} names a twin outside of its locations", path=twin.path)
    if twin.ref in removed:
        raise IntegrityError(f"{_DAMAGED}: {twin.path!r} is to stay as a twin, and the plan removes it", path=twin.path)


def locations_of(header: Header) -> list[str]:
    """The locations that a plan is about: source and target, and those that a plan over several names among its options."""
    named = header.options.get("locations")
    several = [fs for fs in named if isinstance(fs, str)] if isinstance(named, list) else []
    return list(dict.fromkeys([header.source, header.target, *several]))


def _check_work(operation: Operation) -> None:
    if operation.id != operation_id(operation.verb, operation.src, operation.dst):
        raise IntegrityError(f"{_DAMAGED}: operation {operation.id} is not what its id says")
    if operation.verb is not Verb.QUARANTINE and _is_private(operation.dst.path):
        raise IntegrityError(f"{_DAMAGED}: nothing may be put at {operation.dst.path!r}", path=operation.dst.path)
    if operation.verb is Verb.REWRITE:
        # What a list becomes is written aside; only the move that follows gives it a name of the library.
        sound = operation.written() is not None and is_temporary(operation.dst.path)
    else:
        sound = operation.content is msgspec.UNSET
    if not sound:
        raise IntegrityError(f"{_DAMAGED}: operation {operation.id} writes what it should not", path=operation.src.path)


def _is_private(path: str) -> bool:
    first, _, _ = path.partition("/")
    return first == OWN_DIRECTORY and re.fullmatch(re.escape(TEMPORARY) + "/[0-9a-f]{20}", path) is None


def _lines(operations: Iterable[Operation]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder(order="deterministic").encode
    for operation in operations:
        yield encode(operation) + b"\n"


def _plan_id(header: Header, lines: Iterable[bytes]) -> str:
    fields = {name: value for name, value in msgspec.to_builtins(header, order="deterministic").items() if name not in _UNHASHED}
    digest = sha256(msgspec.json.encode(fields) + b"\n")
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def _read_header(line: bytes) -> Header:
    try:
        fields: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{_DAMAGED}: {error}") from error
    form = fields.get("format") if isinstance(fields, dict) else None
    if form != FORMAT:
        if isinstance(form, str) and (_VERSION.fullmatch(form) or _differences(form) > 1):
            raise UsageError(f"this plan has the format {form!r}, this version knows {FORMAT!r}")
        raise IntegrityError(f"{_DAMAGED}: it does not begin as a plan does")
    try:
        return msgspec.convert(fields, Header)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{_DAMAGED}: {error}") from error


def _differences(form: str) -> int:
    """In how many characters a format differs from ours: one is damage, more is another format."""
    return abs(len(form) - len(FORMAT)) + sum(ours != theirs for ours, theirs in zip(FORMAT, form, strict=False))
