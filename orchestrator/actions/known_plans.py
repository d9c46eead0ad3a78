"""Knows plans without operations again, so that a job over a library in order need not plan it each time.

The planner is pure: of the same request, the same code makes the same plan. So a digest of both stands for the plan. Only plans
that change nothing and leave nothing open are remembered, one for each pair of source and target. A remembered plan that is
missing, damaged or of another request costs the time of planning, and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import msgspec
from msgspec.structs import replace

import orchestrator
from orchestrator.atomic_file import write_atomically
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.organize.request import OrganizeRequest

FOLDER = "plans-without-changes"
"""In the state directory."""

_USED_BY_PLANNER = ("jinja2", "msgspec", "anyascii")
"""The packages that have a part in what the planner makes."""


class _Remembered(msgspec.Struct, frozen=True):
    made_from: bytes
    plan: Plan


def organize_plan(request: OrganizeRequest, state: Path) -> Plan:
    """What `plan_organize` makes of the request, and raises. `state`: the state directory."""
    file = state / FOLDER / sha256(msgspec.msgpack.encode((request.source_fs, request.target_fs))).hexdigest()[:32]
    made_from = _digest(request)
    known = _remembered(file, made_from)
    if known is not None:
        return replace(known, header=replace(known.header, created=request.created))
    from orchestrator.plan.planners.organize.planner import plan_organize  # noqa: PLC0415 - slow to import

    made = plan_organize(request)
    if not (made.operations or made.undecided or made.undecided_at_mirrors or made.respelled or made.litter):
        with suppress(OSError):  # it is planned again the next time
            file.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(file, [msgspec.msgpack.encode(_Remembered(made_from, made))])
    return made


def _remembered(file: Path, made_from: bytes) -> Plan | None:
    try:
        known = msgspec.msgpack.decode(file.read_bytes(), type=_Remembered)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return known.plan if known.made_from == made_from and not known.plan.operations else None


def _digest(request: OrganizeRequest) -> bytes:
    """Of all that the plan depends on: the request without `created`, and the code. Sets are sorted."""
    encode = msgspec.msgpack.Encoder(order="deterministic").encode
    digest = sha256(encode([sys.version, *_code()]))
    digest.update(encode(replace(request, created="", left=frozenset())))
    digest.update(encode(sorted((ref.path, ref.object_id or "") for ref in request.left)))  # no order is defined for Ref
    return digest.digest()


def _code() -> Iterator[tuple[str, int, int, int]]:
    """Path, size and times of the files of this program, and of the packages that the planner uses: updates change them."""
    folders = [Path(orchestrator.__file__).parent]
    while folders:
        with os.scandir(folders.pop()) as found:
            for entry in sorted(found, key=lambda entry: entry.name):
                if entry.is_dir():
                    folders.append(Path(entry.path))
                elif entry.name.endswith(".py"):
                    yield _stamp(entry.path, entry.stat())
    for package in _USED_BY_PLANNER:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            yield _stamp(spec.origin, Path(spec.origin).stat())


def _stamp(path: str, seen: os.stat_result) -> tuple[str, int, int, int]:
    return path, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
