"""What every changing command does: finish what was interrupted, plan, show, ask, and carry out, all under one lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from orchestrator.actions.plan_files import check_output_file, write_plan_file
from orchestrator.actions.session import Session
from orchestrator.errors import ExitCode, SafetyLimitError, UsageError, worst
from orchestrator.foreign_folders import innermost_foreign_folder
from orchestrator.paths import parent_of
from orchestrator.plan.build import with_full_reads
from orchestrator.plan.model import IS_CLUTTER, Operation, Plan, Verb, updated_lists
from orchestrator.report.reporter import Offer
from orchestrator.user_paths import user_path
from orchestrator.wording import money_text, number_text, size_text

SKIPS_THAT_COUNT = frozenset(
    {"unreadable", "untagged", "unclear", "doubtful-text", "unsupported-name", "conflict", "deleted", "other-name"}
)
"""A run that skips a file for one of these reasons ends with 3. The other reasons are choices of the user."""


class Planned(msgspec.Struct, frozen=True):
    """A plan, and what making it came to."""

    plan: Plan
    exit_code: ExitCode = ExitCode.DONE
    """3 when something had to be skipped."""
    nothing_to_do: str | None = None
    """What to say instead of showing a plan without operations."""


class ChangeResult(msgspec.Struct, frozen=True):
    """What a changing command came to."""

    exit_code: ExitCode
    plan: Plan | None = None
    """None when an interrupted run could not be finished, so no plan was made."""
    run: str | None = None
    """The id of the run, for `runs show` and `undo`; None when nothing was carried out."""


def changes_question(plan: Plan) -> str:
    """What to ask before an ordinary plan is carried out."""
    number = len(plan.operations)
    return "Make this change?" if number == 1 else f"Make these {number:,} changes?"


def change(
    session: Session,
    make_plan: Callable[[], Planned],
    *,
    command: str,
    touching: Collection[str],
    question: Callable[[Plan], str] = changes_question,
    limited: bool = True,
    shown_over_limit: bool = False,
    fresh: bool = False,
    undoes: str | None = None,
    verify_full: bool = False,
    plan_file: Path | None = None,
    review: Callable[[Planned], Planned | None] | None = None,
    before: Callable[[Plan], object] = lambda _: None,
    afterwards: Callable[[str], ExitCode] | None = None,
) -> ChangeResult:
    """Make a plan, show it, ask, and carry it out; with --dry-run, only make and show it.

    `touching` lists the locations, in canonical form, whose interrupted runs are finished first. `limited`: --max-delete applies.
    `shown_over_limit`: a plan over --max-delete is shown before it is refused, because it is what the command searched for.
    `fresh`: `make_plan` lists the storages, which thus are known to answer. `review` lets a person decide otherwise than the
    plan, and returns the plan of that, or None to change nothing. `before` gets a plan that is about to be carried
    out, or that has no operations. `afterwards` gets the id of a run that went well, still under the lock. Raises LockedError
    when another run holds the lock, SafetyLimitError for a plan over --max-delete.
    """
    session.will_plan()
    if session.options.dry_run:
        if session.journal.unfinished():
            from orchestrator.actions.execution import report_interrupted_runs  # noqa: PLC0415 - slow to import

            report_interrupted_runs(session, touching)
        return preview(
            session,
            make_plan,
            limited=limited,
            shown_over_limit=shown_over_limit,
            verify_full=verify_full,
            plan_file=plan_file,
            review=review,
        )
    from orchestrator.actions.execution import (  # noqa: PLC0415 - slow to import, and a dry run does not need it
        MAY_CONTINUE,
        carry_out,
        finish_interrupted_runs,
        note_exit_code,
    )

    with session.lock(command):
        finished = finish_interrupted_runs(session, touching)
        if finished not in MAY_CONTINUE:
            return ChangeResult(finished)
        planned = _reviewed(session, make_plan(), review)
        if isinstance(planned, ChangeResult):
            return planned
        plan, so_far = with_full_reads(planned.plan) if verify_full else planned.plan, worst([finished, planned.exit_code])
        if not plan.operations:
            before(plan)
        if not plan.operations and planned.nothing_to_do is not None:
            session.reporter.note(planned.nothing_to_do)
            return ChangeResult(so_far, plan)
        _show(session, plan, limited=limited, shown_over_limit=shown_over_limit, plan_file=plan_file)
        if not plan.operations or not agreed(session, question(plan), plan):
            return ChangeResult(so_far, plan)
        _check_time(session)
        before(plan)
        result = carry_out(session, plan, command=command, undoes=undoes, verify_full=verify_full, fresh=fresh)
        if result.run is not None:
            note_exit_code(session, result.run, so_far)
        codes = [so_far, result.exit_code]
        if afterwards is not None and result.exit_code in MAY_CONTINUE and result.run is not None:
            codes.append(afterwards(result.run))
            note_exit_code(session, result.run, worst(codes))
        return ChangeResult(worst(codes), plan, result.run)


def preview(
    session: Session,
    make_plan: Callable[[], Planned],
    *,
    limited: bool = True,
    shown_over_limit: bool = False,
    verify_full: bool = False,
    plan_file: Path | None = None,
    review: Callable[[Planned], Planned | None] | None = None,
) -> ChangeResult:
    """Make a plan, let it be reviewed, and show it. With --dry-run and --exit-code, a plan with operations ends with 10."""
    planned = _reviewed(session, make_plan(), review)
    if isinstance(planned, ChangeResult):
        return planned
    if verify_full:
        planned = msgspec.structs.replace(planned, plan=with_full_reads(planned.plan))
    _show(session, planned.plan, limited=limited, shown_over_limit=shown_over_limit, plan_file=plan_file)
    if not planned.plan.operations and planned.nothing_to_do is not None:
        session.reporter.note(planned.nothing_to_do)
    pending = planned.plan.operations and session.options.dry_run and session.options.exit_code
    return ChangeResult(worst([planned.exit_code, ExitCode.PENDING if pending else ExitCode.DONE]), planned.plan)


def _reviewed(session: Session, made: Planned, review: Callable[[Planned], Planned | None] | None) -> Planned | ChangeResult:
    """The plan after its review, if there is something to review; the end of the command if nothing is to be changed."""
    planned = made if review is None or not made.plan.operations else review(made)
    if planned is None:
        session.reporter.note("nothing was changed")
        return ChangeResult(made.exit_code, made.plan)
    return planned


def agreed(session: Session, question: str, plan: Plan | None = None) -> bool:
    """Ask, unless --yes was given; after a no, say that nothing was changed. All lines of `plan` can be seen, and be saved."""
    if session.options.yes:
        return True
    offers: dict[str, Offer] = {}
    if plan is not None:
        offers = {
            "all lines": Offer(partial(session.reporter.plan, plan, everything=True), "show each change, then ask again"),
            "write plan": Offer(
                partial(offer_to_write, session, lambda: plan), "write the plan to a file for `apply`, then ask again"
            ),
        }
    began = time.monotonic()
    try:
        answer = session.reporter.confirm(question, offers)
    finally:
        session.summary.waited_s += time.monotonic() - began
    if not answer:
        session.reporter.note("nothing more was changed" if session.summary.ops_done else "nothing was changed")
    return answer


def offer_to_write(session: Session, make_plan: Callable[[], Plan]) -> bool:
    """Write a plan to a new file that the person names, as `plan` does, and say whether that was done."""
    from orchestrator.actions.mirror_record import with_mirrored  # noqa: PLC0415 - slow to import, and few plans are written here

    named = session.reporter.ask("Write the plan to which new file?")
    if not named:
        return False
    file = user_path(named)
    if file.exists():
        session.reporter.warning(f"{named} exists already")
        return False
    try:
        check_output_file(str(file), "plan")
        write_plan_file(with_mirrored(make_plan()), file)
    except UsageError as error:
        session.reporter.warning(error.message)
        return False
    session.reporter.note(f"plan written to {file}; `music-orchestrator apply {file}` carries it out")
    return True


def code_of_skipped(plan: Plan) -> ExitCode:
    """How a run ends that leaves what this plan skips."""
    return ExitCode.SOME_FAILED if any(one.code in SKIPS_THAT_COUNT for one in plan.skipped) else ExitCode.DONE


def report_skipped(session: Session, plan: Plan) -> ExitCode:
    """Report each file that had to be skipped."""
    location = plan.header.source
    counted = [one for one in plan.skipped if one.code in SKIPS_THAT_COUNT]
    for one in counted:
        if one.code != "unclear":
            session.problems.report(one.code, one.reason, one.path, location=location)
    # All files of such a folder stay for one reason.
    folders = {parent_of(one.path): one for one in reversed(counted) if one.code == "unclear"}
    for folder in sorted(folders):
        session.problems.report("unclear", folders[folder].reason, folder, location=location)
    session.summary.ops_skipped += len(counted)
    return code_of_skipped(plan)


def created_now() -> str:
    """This moment, in the form that plans record."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _show(session: Session, plan: Plan, *, limited: bool, shown_over_limit: bool, plan_file: Path | None) -> None:
    session.summary.ops_planned += len(plan.operations)
    session.summary.estimate = plan.header.estimate
    if limited and not shown_over_limit:
        _check_limit(session, plan)
    session.reporter.plan(plan)
    _check_bill(session, plan)
    if limited and shown_over_limit:
        _check_limit(session, plan)
    if plan_file is not None:
        write_plan_file(plan, plan_file)


def _check_bill(session: Session, plan: Plan) -> None:
    """Compare the plan, and what the command has spent on a run before it, with the limits. Raises SafetyLimitError."""
    estimate, cost, size, spent = plan.header.estimate, session.max_cost, session.max_transfer, session.spent
    if cost is not None and estimate.get("requests"):
        known = estimate.get("cost")
        if known is None:
            raise SafetyLimitError(
                "--max-cost: the costs of this plan are unknown, because a remote has no prices "
                "(`remotes: <remote>: {prices: NAME}` in the config); nothing was changed"
            )
        if float(known) + spent.cost > cost:
            currency = str(estimate.get("currency") or "USD")
            used = money_text(spent.cost, currency) if float(known) <= cost else ""
            said = f"the plan would cost about {money_text(float(known), currency)}, {_and_before(used)}"
            raise SafetyLimitError(f"{said}more than --max-cost {number_text(cost)} allows; {_nothing(used)}")
    sent = int(estimate.get("bytes") or 0)
    if size is not None and sent and sent + spent.transfer > size:
        used = size_text(spent.transfer) if sent <= size else ""
        said = f"the plan would transfer {size_text(sent)}, {_and_before(used)}"
        raise SafetyLimitError(f"{said}more than --max-transfer {size_text(size)} allows; {_nothing(used)}")


def _check_time(session: Session) -> None:
    """Raise SafetyLimitError if the command may begin nothing more."""
    if session.deadline is not None and session.deadline.passed:
        raise SafetyLimitError(f"{session.deadline}; nothing was changed")


def _and_before(used: str) -> str:
    """What a command has used before its plan, for an interrupted run or its scan, if the plan alone is allowed."""
    return f"with the {used} that were used before " if used else ""


def _nothing(used: str) -> str:
    return "the plan was not carried out" if used else "nothing was changed"


def _is_litter(operation: Operation) -> bool:
    """Whether it quarantines a thumbnail or the like, which is not counted among the files of the location."""
    return operation.reason == IS_CLUTTER and innermost_foreign_folder(operation.src.path) is not None


def _check_limit(session: Session, plan: Plan) -> None:
    """Compare the plan with --max-delete. Raises SafetyLimitError."""
    limit = session.max_delete
    if limit is None:
        return
    lists = updated_lists(plan.operations)
    removed = sum(
        1
        for operation in plan.operations
        if operation.verb is Verb.DELETE
        or (operation.verb is Verb.QUARANTINE and operation.src not in lists and not _is_litter(operation))
    )
    files = plan.header.counts.get("files", 0)
    if not limit.allows(removed, files):
        raise SafetyLimitError(
            f"{removed} of {files} files would be removed, more than --max-delete {limit} allows; nothing was changed"
        )
