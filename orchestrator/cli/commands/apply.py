"""`show` and `apply`: plan files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.completion import complete_file
from orchestrator.cli.framework import command
from orchestrator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("show")
@click.argument("file", shell_complete=complete_file)
@click.option("--html", metavar="OUT", help="Write it as one self-contained web page.")
def show_command(session: Session, *, file: str, html: str | None) -> int:
    """Show a plan file: what it comes to, and every change."""
    from orchestrator.plan.plan_file import read_plan  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.report.plan_view import html_page  # noqa: PLC0415

    plan = read_plan(Path(file))
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


@command("apply")
@click.argument("file", shell_complete=complete_file)
@click.option("--verify", type=click.Choice(["full"]), help="Read every copied file again to compare it.")
def apply_command(session: Session, *, file: str, verify: str | None) -> int:
    """Carry out exactly the plan in FILE.

    Before each change both ends are looked at: what is no longer as the plan saw it is left alone and named.
    """
    from orchestrator.actions import change, organize  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.plan.plan_file import read_plan  # noqa: PLC0415

    session.need_consent()
    plan = read_plan(Path(file))
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
        return worst([before, change.carry_out(session, plan, verify_full=verify == "full")])
