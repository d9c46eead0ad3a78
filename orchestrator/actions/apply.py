"""Carry out a plan file."""

from __future__ import annotations

from orchestrator.actions.change import ChangeResult, Planned, change, preview
from orchestrator.actions.mirror_record import begin_mirrors, saved_mirrored
from orchestrator.actions.place_ids import check_mirror
from orchestrator.actions.run_results import undone_by
from orchestrator.actions.session import Session
from orchestrator.actions.sync_record import begin_sync, check_saved_record, count_each_way, moves_files, saved_record
from orchestrator.config.options.plan_files import ApplyOptions
from orchestrator.errors import UsageError
from orchestrator.foreign_folders import HiddenFolders
from orchestrator.plan.model import Plan, mirrors_of
from orchestrator.plan.plan_file import read_plan
from orchestrator.user_paths import user_path
from orchestrator.wording import counted


def apply(options: ApplyOptions, session: Session) -> ChangeResult:
    """Carry out exactly the plan in a file. What is no longer as the plan expects is skipped and reported.

    Raises UsageError and IntegrityError for a file that is not a sound plan, and what `change` raises.
    """
    planned = Planned(read_plan(user_path(options.file)))
    session.need_consent("apply")
    _warn_if_applied(session, planned.plan)
    _check_foreign_folders(session, planned.plan)
    record, mirrored = saved_record(planned.plan), saved_mirrored(planned.plan)

    def checked() -> Planned:
        if record is not None:
            check_saved_record(session, planned.plan, record)
        for fs in sorted(mirrors_of(planned.plan.header)):
            target, mirror = session.locations(planned.plan.header.target, fs)
            check_mirror(session, mirror, target)
        return planned

    def begin(plan: Plan) -> None:
        if record is not None:
            begin_sync(session, plan, record)
        begin_mirrors(session, plan, mirrored)

    if planned.plan.operations or record is not None:
        result = change(
            session,
            checked,
            command="apply",
            touching=planned.plan.header.locations,
            verify_full=options.verify == "full" or moves_files(planned.plan),
            before=begin,
        )
    else:
        result = preview(session, lambda: planned)
    count_each_way(session, result.plan)
    return result


def _warn_if_applied(session: Session, plan: Plan) -> None:
    """Say so if a run has carried out this plan, and was not undone: its files are gone from where the plan has them."""
    runs = session.journal.runs()
    undone = undone_by(runs)
    for run in reversed(runs):
        same = (run.header.plan_id, run.header.created) == (plan.header.plan_id, plan.header.created)
        if same and run.summary is not None and run.summary.done and run.id not in undone:
            session.reporter.warning(
                f"run {run.described} has carried out this plan: `music-orchestrator undo {run.id}` reverses it"
            )
            return


def _check_foreign_folders(session: Session, plan: Plan) -> None:
    """Raise UsageError for a plan that takes files from recycle bins and the like, which nothing has opened.

    Such a plan was made by a version that did not know these folders.
    """
    opened = plan.header.options.get("opened", ())
    hidden = HiddenFolders((*opened, *session.config.include), litter=False)
    inside = [operation.src.path for operation in plan.operations if hidden.hides(operation.src.path)]
    if inside:
        raise UsageError(
            f"this plan changes {counted(len(inside), 'file')} in folders of other programs, such as {inside[0]}: "
            "make it again with `plan`, which leaves them out"
        )
