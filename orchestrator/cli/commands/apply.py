"""`show` and `apply`: plan files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.plan_files import ApplyOptions, ShowOptions
from orchestrator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("show", ShowOptions)
def show_command(session: Session, options: ShowOptions) -> int:
    """Show a plan file: what it comes to, and every change."""
    from orchestrator.plan.plan_file import read_plan  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.report.plan_view import html_page  # noqa: PLC0415

    plan, html = read_plan(Path(options.file)), options.html
    session.summary.ops_planned = len(plan.operations)
    if html is None:
        session.reporter.plan(plan, everything=True)
        return ExitCode.DONE
    try:
        Path(html).write_text(html_page(plan), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {html}: {error.strerror}") from error
    session.reporter.note(f"written to {html}")
    return ExitCode.DONE


@command("apply", ApplyOptions)
def apply_command(session: Session, options: ApplyOptions) -> int:
    """Carry out exactly the plan in FILE.

    Before each change both ends are looked at: what is no longer as the plan saw it is left alone and named.
    """
    from orchestrator.actions import change, organize  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.plan.plan_file import read_plan  # noqa: PLC0415

    session.need_consent()
    plan = read_plan(Path(options.file))
    session.summary.ops_planned = len(plan.operations)
    organize.check_limit(session, plan)
    session.reporter.plan(plan)
    if session.options.dry_run or not plan.operations:
        return organize.dry_end(session, plan, ExitCode.DONE)
    if not session.agreed(f"Make these {len(plan.operations)} changes?"):
        session.reporter.note("nothing was changed")
        return ExitCode.DONE
    with session.lock():
        before = change.finish_unfinished(session, *session.places(*plan.header.locations))
        if before not in change.GOES_ON:
            return before
        return worst([before, change.carry_out(session, plan, verify_full=options.verify == "full")])
