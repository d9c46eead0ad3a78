"""Files that users have the program write: check that one can be written; write a plan file."""

from __future__ import annotations

from pathlib import Path

from orchestrator.atomic_file import check_replaceable
from orchestrator.errors import UsageError
from orchestrator.plan.model import Plan
from orchestrator.plan.plan_file import write_plan
from orchestrator.user_paths import user_path


def check_output_file(file: str | None, what: str) -> Path | None:
    """The path of a "plan" or "web page" (`what`) that will be written later. Raises UsageError now for one that cannot be."""
    if file is None:
        return None
    path = user_path(file)
    try:
        if path.is_dir():
            raise UsageError(f"{file} is a folder; name a file for the {what}")
        if not path.parent.is_dir():
            raise UsageError(f"cannot write the {what} to {file}: there is no folder {path.parent}")
        check_replaceable(path, what)
    except OSError as error:
        raise UsageError(f"cannot write the {what} to {file}: {error.strerror}") from error
    return path


def write_plan_file(plan: Plan, file: Path) -> None:
    """Write a plan where the user wants it. Raises UsageError when that fails."""
    try:
        write_plan(plan, file)
    except OSError as error:
        raise UsageError(f"cannot write the plan to {file}: {error.strerror}") from error
