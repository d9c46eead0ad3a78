"""`dedup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.commands.organize import check_plan_file, keep_plan_file
from orchestrator.cli.completion import complete_location
from orchestrator.cli.framework import command
from orchestrator.cli.options import keep_options, reading_option
from orchestrator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.dedup import DedupQuestion
    from orchestrator.actions.session import Session
    from orchestrator.plan.model import Plan
    from orchestrator.plan.planners.dedup.records import Duplicates


@command("dedup")
@click.argument("locations", nargs=-1, required=True, metavar="LOCATION...", shell_complete=complete_location)
@click.option(
    "--dedup",
    "action",
    type=click.Choice(["report", "quarantine"]),
    help="Only tell (the default), or put duplicates away.",
)
@click.option("--delete", is_flag=True, help="Delete for good what went to quarantine, each after its twin was verified.")
@keep_options
@click.option("--include", metavar="GLOB", multiple=True, help="Only files that match. May be given several times.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="No files that match. May be given several times.")
@click.option("--settle", metavar="TIME", help="Leave files alone that are younger, such as 5m.")
@reading_option
@click.option("--plan", "plan_file", metavar="FILE", help="Write the plan there as well.")
@click.option("--verify", type=click.Choice(["full"]), help="Read the copies that stay, where no hash speaks for them.")
def dedup_command(
    session: Session,
    *,
    locations: tuple[str, ...],
    action: str | None,
    delete: bool,
    keep: str | None,
    reference: tuple[str, ...],
    same_format_only: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    settle: str | None,
    reading: str | None,
    plan_file: str | None,
    verify: str | None,
) -> int:
    """Find duplicates in one or several LOCATIONs, by content, audio and tags.

    Without more it only tells. With --dedup quarantine each duplicate goes into the quarantine of the location it lies in, once
    the copy that stays was looked at again; `undo` brings it back. A complete album is never broken.
    """
    from orchestrator.actions.dedup import DedupQuestion, find  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.actions.scan import Wishes  # noqa: PLC0415

    if delete and action == "report":
        raise UsageError("--delete does not go with --dedup report, which only tells")
    acts = delete or action == "quarantine"
    if acts:
        session.need_consent()
    check_plan_file(plan_file)
    asked = DedupQuestion(
        session,
        locations,
        Wishes(include=include, exclude=exclude, settle=settle, reading=reading),
        keep=keep,
        references=reference,
        same_format_only=same_format_only,
    )
    if not acts or session.options.dry_run:
        found, plan, code = find(asked)
        _show(session, found, plan, acts=acts)
        keep_plan_file(plan_file, plan)
        return worst([code, ExitCode.PENDING]) if acts and plan.operations and session.options.exit_code else code
    return _act(asked, plan_file, delete=delete, verify_full=verify == "full")


def _act(asked: DedupQuestion, plan_file: str | None, *, delete: bool, verify_full: bool) -> ExitCode:
    from orchestrator.actions import change  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.actions.dedup import delete_for_good, find  # noqa: PLC0415

    session = asked.session
    with session.lock():
        before = change.finish_unfinished(session, *asked.places)
        if before not in change.GOES_ON:
            return before
        found, plan, code = find(asked)
        _show(session, found, plan, acts=True)
        keep_plan_file(plan_file, plan)
        so_far = worst([before, code])
        if not plan.operations:
            return so_far
        number = sum(1 for operation in plan.operations if operation.expect.kept)
        ending = " and then delete them for good? No undo brings them back." if delete else "?"
        if not session.agreed(f"Put these {number} duplicates into quarantine{ending}"):
            session.reporter.note("nothing was changed")
            return so_far
        done = change.carry_out(session, plan, verify_full=verify_full, fresh=True)
        if delete and done in change.GOES_ON and session.summary.run is not None:
            done = worst([done, delete_for_good(session, session.summary.run)])
        return worst([so_far, done])


def _show(session: Session, found: Duplicates, plan: Plan, *, acts: bool) -> None:
    """Tell what was found and, where something is to be done about it, the plan. Raises SafetyLimitError for --max-delete."""
    from orchestrator.actions.dedup import show_duplicates  # noqa: PLC0415 - only when a command runs
    from orchestrator.actions.organize import check_limit  # noqa: PLC0415

    show_duplicates(session, found, goes=acts)
    if acts:
        session.summary.ops_planned += len(plan.operations)
        session.reporter.plan(plan)
        check_limit(session, plan)
