"""Show a plan file."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.actions.session import Session
from orchestrator.config.options.plan_files import ShowOptions
from orchestrator.plan.model import Plan
from orchestrator.plan.plan_file import read_plan
from orchestrator.user_paths import user_path
from orchestrator.wording import counted


def show(options: ShowOptions, session: Session) -> Plan:
    """Show a plan file, or write it as a web page. Raises UsageError and IntegrityError for a file that is not a sound plan."""
    plan = read_plan(user_path(options.file))
    plan = replace(plan, skipped=plan.header.skipped)
    session.summary.ops_planned = len(plan.operations)
    if options.html is not None:
        from orchestrator.actions.pages import save_plan_page  # noqa: PLC0415 - slow to import

        save_plan_page(session, plan, user_path(options.html))
        return plan
    session.reporter.plan(plan, everything=True)
    skipped = sum(number for name, number in plan.header.counts.items() if name.startswith("skipped."))
    if unnamed := skipped - len(plan.skipped):
        session.reporter.note(f"{counted(unnamed, 'skipped file')} not in the plan file; the command that made it names them")
    return plan
