"""Plan files as users name them: check that one can be written, write it, show it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.actions.session import Session
from orchestrator.config.options.plan_files import ShowOptions
from orchestrator.errors import UsageError
from orchestrator.plan.model import Plan
from orchestrator.plan.plan_file import read_plan, write_plan
from orchestrator.report.plan_view import html_page


def check_plan_file(file: str | None) -> Path | None:
    """The path of a plan file that will be written later. Raises UsageError now for one that cannot be."""
    if file is None:
        return None
    path = Path(file)
    if path.is_dir():
        raise UsageError(f"{file} is a folder; name a file for the plan")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write the plan to {file}: there is no folder {path.parent}")
    return path


def write_plan_file(plan: Plan, file: Path) -> None:
    """Write a plan where the user wants it. Raises UsageError when that fails."""
    try:
        write_plan(plan, file)
    except OSError as error:
        raise UsageError(f"cannot write the plan to {file}: {error.strerror}") from error


def show(options: ShowOptions, session: Session) -> Plan:
    """Show a plan file, or write it as a web page. Raises UsageError and IntegrityError for a file that is not a sound plan."""
    plan = read_plan(Path(options.file))
    session.summary.ops_planned = len(plan.operations)
    if options.html is None:
        session.reporter.plan(plan, everything=True)
        if any(name.startswith("skipped.") for name in plan.header.counts):
            session.reporter.note("a plan file does not say which files were skipped; the command that made it names them")
        return plan
    try:
        Path(options.html).write_text(html_page(plan), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {options.html}: {error.strerror}") from error
    session.reporter.note(f"written to {options.html}")
    return plan
