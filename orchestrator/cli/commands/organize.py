"""`organize` and `plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.organize import OrganizeChoices, OrganizeOptions, PlanOptions
from orchestrator.errors import UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.scan import Wishes
    from orchestrator.actions.session import Session
    from orchestrator.plan.model import Plan


def _wishes(options: OrganizeChoices, *, no_scan: bool = False) -> Wishes:
    from orchestrator.actions.scan import Wishes  # noqa: PLC0415 - the rooms are imported when a command runs

    return Wishes(
        layout=options.layout,
        copy=options.copy if options.copy or options.move else None,
        cloud_only=options.cloud_only,
        untagged=options.untagged,
        leftovers=options.leftovers,
        playlists=options.playlists,
        include=options.include,
        exclude=options.exclude,
        settle=options.settle,
        reading=options.reading,
        no_scan=no_scan,
        dedup=options.dedup,
        keep=options.keep,
        reference=options.reference,
        same_format_only=options.same_format_only,
    )


@command("organize", OrganizeOptions)
def organize_command(session: Session, options: OrganizeOptions) -> int:
    """Put a music library in order, where it lies or at another place.

    Reads the tags of SOURCE, plans what goes where, shows that, asks, and does it. TARGET is SOURCE unless given. Nothing is
    ever deleted or overwritten, and `undo` takes it back.
    """
    from orchestrator.actions import change, organize, scan  # noqa: PLC0415 - the rooms are imported when a command runs

    session.need_consent()
    check_plan_file(options.plan_file)
    wanted = _wishes(options)
    at_source, at_target = scan.places(session, options.source, options.target)
    if session.options.dry_run:
        plan, code = organize.make_plan(session, at_source, at_target, wanted)
        session.reporter.plan(plan)
        keep_plan_file(options.plan_file, plan)
        return organize.dry_end(session, plan, code)
    if at_target != at_source:
        scan.check_target(at_target)
    with session.lock():
        before = change.finish_unfinished(session, at_source, at_target)
        if before not in change.GOES_ON:
            return before
        plan, code = organize.make_plan(session, at_source, at_target, wanted)
        session.reporter.plan(plan)
        keep_plan_file(options.plan_file, plan)
        if not plan.operations:
            return worst([before, code])
        if not session.agreed(f"Make these {len(plan.operations)} changes?"):
            session.reporter.note("nothing was changed")
            return worst([before, code])
        return worst([before, code, change.carry_out(session, plan, verify_full=options.verify == "full", fresh=True)])


@command("plan", PlanOptions)
def plan_command(session: Session, options: PlanOptions) -> int:
    """Compute what `organize` would do, change nothing.

    The file can be looked at with `show` and carried out with `apply`, which checks that nothing has changed meanwhile. With
    --no-scan layouts can be tried out on a large library in seconds, after one scan.
    """
    from orchestrator.actions import organize, scan  # noqa: PLC0415 - the rooms are imported when a command runs

    output = options.output
    check_plan_file(output)
    at_source, at_target = scan.places(session, options.source, options.target)
    plan, code = organize.make_plan(session, at_source, at_target, _wishes(options, no_scan=options.no_scan))
    session.reporter.plan(plan)
    keep_plan_file(output, plan)
    if output is not None:
        session.reporter.note(f"plan written to {output}; `music-orchestrator apply {output}` carries it out")
    return organize.dry_end(session, plan, code)


def check_plan_file(file: str | None) -> None:
    """Refuse before any work what could not be written after it."""
    if file is not None and Path(file).is_dir():
        raise UsageError(f"{file} is a folder; name a file for the plan")
    if file is not None and not Path(file).parent.is_dir():
        raise UsageError(f"cannot write the plan to {file}: there is no folder {Path(file).parent}")


def keep_plan_file(file: str | None, plan: Plan) -> None:
    """Write the plan where the user wants it. Raises UsageError where that cannot be."""
    if file is None:
        return
    from orchestrator.plan.plan_file import write_plan  # noqa: PLC0415 - only when wanted

    try:
        write_plan(plan, Path(file))
    except OSError as error:
        raise UsageError(f"cannot write the plan to {file}: {error.strerror}") from error
