"""Carry out a plan file."""

from __future__ import annotations

from pathlib import Path

from orchestrator.actions.change import ChangeResult, Planned, change, preview
from orchestrator.actions.session import Session
from orchestrator.config.options.plan_files import ApplyOptions
from orchestrator.plan.plan_file import read_plan


def apply(options: ApplyOptions, session: Session) -> ChangeResult:
    """Carry out exactly the plan in a file. What is no longer as the plan expects is skipped and reported.

    Raises UsageError and IntegrityError for a file that is not a sound plan, and what `change` raises.
    """
    session.need_consent("apply")
    planned = Planned(read_plan(Path(options.file)))
    if not planned.plan.operations:
        return preview(session, lambda: planned)
    return change(
        session,
        lambda: planned,
        command="apply",
        touching=planned.plan.header.locations,
        verify_full=options.verify == "full",
    )
