"""The plan file: JSON Lines, the same bytes for the same inputs, bound to its own content by `plan_id`.

`plan_id` is the sha256 over the header without `created` and `plan_id`, then all bytes after the header.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.atomic_file import check_replaceable, write_atomically
from orchestrator.errors import IntegrityError, OrchestratorError, UsageError
from orchestrator.plan.build import encoded, plan_id_of, seal
from orchestrator.plan.model import FORMAT, READABLE_FORMATS, Header, Operation, Plan
from orchestrator.plan.soundness import check_plan, damaged
from orchestrator.user_paths import read_user_file

_KEYS = (b'"capabilities"', b'"format"', b'"plan_id"')
"""Keys of a header. A damaged plan still has some of them."""
_VERSION = re.compile(r"music-orchestrator-plan/([0-9]{1,9})")


def write_plan(plan: Plan, file: Path) -> None:
    """Write the plan, sealed, readable by its owner only. The file appears complete or not at all. Raises OSError."""
    check_replaceable(file, "plan")
    sealed = seal(plan)
    header = msgspec.json.encode(sealed.header, order="deterministic") + b"\n"
    write_atomically(file, itertools.chain([header], encoded(sealed.operations)))


def read_plan(file: Path) -> Plan:
    """The plan in a file, checked completely. `skipped` is empty: it is not part of the file.

    Raises UsageError for a file that cannot be read or has another format, IntegrityError for a plan that was edited, cut or
    reordered, or that is not sound (see `check_plan`).
    """
    try:
        content = read_user_file(file)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: no such file; `music-orchestrator plan SOURCE -o {file}` writes a plan to it") from error
    except OSError as error:
        raise UsageError(f"cannot read the plan {file}: {error.strerror}") from error
    if content.strip() and not content.startswith(b'{"') and not any(key in content for key in _KEYS):
        raise UsageError(f"{file} is no plan file: `music-orchestrator plan SOURCE -o FILE` writes one")
    try:
        return _plan_in(content)
    except (UsageError, IntegrityError) as error:
        error.message = f"{file}: {error.message}"
        raise


def _plan_in(content: bytes) -> Plan:
    first, newline, rest = content.partition(b"\n")
    header = _read_header(first)
    if not newline or (rest and not rest.endswith(b"\n")):
        raise damaged("it is cut")
    if msgspec.json.encode(header, order="deterministic") != first:
        raise damaged("its header was changed")
    if plan_id_of(header, [rest]) != header.plan_id:
        raise damaged("plan_id does not match")
    try:
        operations = msgspec.json.Decoder(Operation).decode_lines(rest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(str(error)) from error
    plan = Plan(header, tuple(operations))
    check_plan(plan)
    return plan


def _read_header(line: bytes) -> Header:
    try:
        fields: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(str(error)) from error
    form = fields.get("format") if isinstance(fields, dict) else None
    if form not in READABLE_FORMATS:
        raise _other_format(form)
    try:
        return msgspec.convert(fields, Header)
    except msgspec.ValidationError as error:
        raise damaged(str(error)) from error


def _other_format(form: object) -> OrchestratorError:
    """The error for a header of another format: exit 2 for a plan of another version, 9 for a damaged one."""
    version = _VERSION.fullmatch(form) if isinstance(form, str) else None
    if version is not None and int(version[1]) < int(FORMAT.rpartition("/")[2]):
        return UsageError("this plan was made by an older version: make it again with `plan`")
    if version is not None or (isinstance(form, str) and not _is_damaged(form)):
        return UsageError(f"this plan has the format {form!r}, and this version reads {FORMAT!r}")
    return damaged("it does not begin as a plan does")


def _is_damaged(form: str) -> bool:
    """Whether this is our format with one byte changed, added or lost.

    A byte that became a backslash makes one character of two: `or` is a carriage return then.
    """
    return any(
        form[:at] == FORMAT[:at] and form[at + theirs :] == FORMAT[at + ours :]
        for at in range(len(FORMAT) + 1)
        for theirs in (0, 1)
        for ours in (0, 1, 2)
    )
