"""`dedup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.commands.organize import check_plan_file, keep_plan_file
from orchestrator.cli.framework import command
from orchestrator.config.options.dedup import DedupOptions
from orchestrator.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.dedup import DedupQuestion
    from orchestrator.actions.session import Session
    from orchestrator.plan.model import Plan
    from orchestrator.plan.planners.dedup.records import Duplicates


@command("dedup", DedupOptions)
def dedup_command(session: Session, options: DedupOptions) -> int:
    """Find duplicates in one or several LOCATIONs, by content, audio and tags.

    Without more it only tells. With --dedup quarantine each duplicate goes into the quarantine of the location it lies in, once
    the copy that stays was looked at again; `undo` brings it back. A complete album is never broken.
    """
    from orchestrator.actions.dedup import DedupQuestion, find  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.actions.scan import Wishes  # noqa: PLC0415

    if options.delete and options.dedup == "report":
        raise UsageError("--delete does not go with --dedup report, which only tells")
    acts = options.delete or options.dedup == "quarantine"
    if acts:
        session.need_consent()
    check_plan_file(options.plan_file)
    asked = DedupQuestion(
        session,
        options.locations,
        Wishes(include=options.include, exclude=options.exclude, settle=options.settle, reading=options.reading),
        keep=options.keep,
        references=options.reference,
        same_format_only=options.same_format_only,
    )
    if not acts or session.options.dry_run:
        found, plan, code = find(asked)
        _show(session, found, plan, acts=acts)
        keep_plan_file(options.plan_file, plan)
        return worst([code, ExitCode.PENDING]) if acts and plan.operations and session.options.exit_code else code
    return _act(asked, options)


def _act(asked: DedupQuestion, options: DedupOptions) -> ExitCode:
    from orchestrator.actions import change  # noqa: PLC0415 - the rooms are imported when a command runs
    from orchestrator.actions.dedup import delete_for_good, find  # noqa: PLC0415

    session = asked.session
    with session.lock():
        before = change.finish_unfinished(session, *asked.places)
        if before not in change.GOES_ON:
            return before
        found, plan, code = find(asked)
        _show(session, found, plan, acts=True)
        keep_plan_file(options.plan_file, plan)
        so_far = worst([before, code])
        if not plan.operations:
            return so_far
        number = sum(1 for operation in plan.operations if operation.expect.kept)
        ending = " and then delete them for good? No undo brings them back." if options.delete else "?"
        if not session.agreed(f"Put these {number} duplicates into quarantine{ending}"):
            session.reporter.note("nothing was changed")
            return so_far
        done = change.carry_out(session, plan, verify_full=options.verify == "full", fresh=True)
        if options.delete and done in change.GOES_ON and session.summary.run is not None:
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
