"""From a scan to a plan, and what a command says of one before, or instead of, carrying it out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

import orchestrator
from orchestrator.actions.dedup import organize_dedup, tell_duplicates, with_ends_seen
from orchestrator.actions.layouts import check_layouts
from orchestrator.actions.scan import Wishes, items_of, look, outside_lists, report_scan, target_items
from orchestrator.actions.session import Session
from orchestrator.errors import ExitCode, SafetyLimitError, worst
from orchestrator.location import Location
from orchestrator.plan.model import Plan, Verb, replaced
from orchestrator.profiles import load_profile

if TYPE_CHECKING:
    from orchestrator.plan.planners.organize.request import OrganizeOptions

SKIPS_THAT_COUNT = frozenset({"unreadable", "untagged", "unsupported-name", "deleted"})
"""Music that had to be skipped makes a run end with 3. What is not music stays by the rules, and that is no failure."""


def make_plan(session: Session, source: Location, target: Location, wishes: Wishes) -> tuple[Plan, ExitCode]:
    """Scan, plan, and report what could not be looked at; gives the plan and what the scan alone comes to."""
    from orchestrator.plan.planners.organize.planner import plan_organize  # noqa: PLC0415 - heavy
    from orchestrator.plan.planners.organize.request import OrganizeRequest  # noqa: PLC0415

    in_place = source.fs == target.fs
    options = organize_options(session, wishes, in_place=in_place)
    dedup = organize_dedup(session, wishes, source, target)
    if dedup is not None and dedup.acts:
        options = msgspec.structs.replace(options, dedup=dedup.options)
    result, capabilities = look(session, source, wishes)
    at_target, target_capabilities = ([], capabilities) if in_place else target_items(session, target, wishes)
    outside = outside_lists(session, wishes)
    items, ends = items_of(session, source, result), ExitCode.DONE
    if dedup is not None and not wishes.no_scan:
        sides = [(source, items, capabilities), (target, at_target, target_capabilities)]
        (items, at_target), ends = with_ends_seen(session, wishes, sides)
    session.reporter.stage("planning")
    request = OrganizeRequest(
        source_fs=source.fs,
        target_fs=target.fs,
        items=items,
        target_entries=at_target,
        source_capabilities=capabilities,
        target_capabilities=target_capabilities,
        target_has_buckets=load_profile(target_capabilities.remote_type).has_buckets,
        external_lists=outside,
        options=options,
        tool_version=orchestrator.__version__,
        created=now_text(),
        config_sha256=session.loaded_config.sha256,
    )
    plan = plan_organize(request)
    if dedup is not None and not dedup.acts:
        tell_duplicates(session, request, dedup.options)
    code = worst([ends, report_scan(session, result), report_skipped(session, plan)])
    session.summary.ops_planned += len(plan.operations)
    check_limit(session, plan)
    return plan, code


def organize_options(session: Session, wishes: Wishes, *, in_place: bool) -> OrganizeOptions:
    """The planner's options: the command line over the config. A layout on the command line stands for all rules."""
    from orchestrator.config.model import LayoutRule  # noqa: PLC0415
    from orchestrator.paths import check_directory  # noqa: PLC0415
    from orchestrator.plan.layout.templates import compile_layout  # noqa: PLC0415 - heavy
    from orchestrator.plan.planners.organize.request import OrganizeOptions  # noqa: PLC0415

    config = session.config
    rules = () if wishes.layout else tuple(LayoutRule(rule.template, rule.when) for rule in config.layouts)
    layout = wishes.layout or config.layout
    if wishes.untagged is not None:
        check_directory(wishes.untagged, "--untagged")
    leftovers = wishes.leftovers or config.leftovers
    if leftovers is not None:
        check_directory(leftovers, "--leftovers" if wishes.leftovers else session.loaded_config.named("leftovers"))
    # A wrong template is found before anything is listed, one of the config where it stands.
    if not wishes.layout:
        check_layouts(session.loaded_config)
    compile_layout(layout, rules)
    return OrganizeOptions(
        layout=layout,
        layouts=rules,
        copy=wishes.copy if wishes.copy is not None else not in_place,
        cloud_only=wishes.cloud_only,
        untagged=wishes.untagged,
        leftovers=leftovers,
        sidecars=tuple(config.sidecars),
        names=config.names,
    )


def undo_plan(session: Session, run_id: str) -> Plan:
    """The plan that takes a run back. Raises UsageError for an unknown run."""
    from orchestrator.apply import undo  # noqa: PLC0415 - heavy

    return undo.undo_plan(session.journal, run_id, tool_version=orchestrator.__version__, created=now_text())


def report_skipped(session: Session, plan: Plan) -> ExitCode:
    """Name each file that had to be skipped."""
    counted = [one for one in plan.skipped if one.code in SKIPS_THAT_COUNT]
    for one in counted:
        session.reporter.error(one.code, one.reason, one.path)
    session.summary.ops_skipped += len(counted)
    return ExitCode.SOME_FAILED if counted else ExitCode.DONE


def check_limit(session: Session, plan: Plan) -> None:
    """Hold the plan against --max-delete. Raises SafetyLimitError."""
    limit = session.max_delete
    if limit is None:
        return
    lists = replaced(plan.operations)
    removed = sum(
        1
        for operation in plan.operations
        if operation.verb is Verb.DELETE or (operation.verb is Verb.QUARANTINE and operation.src not in lists)
    )
    files = plan.header.counts.get("files", 0)
    if not limit.allows(removed, files):
        raise SafetyLimitError(
            f"{removed} of {files} files would be removed, more than --max-delete {limit} allows; nothing was changed"
        )


def dry_end(session: Session, plan: Plan, code: ExitCode) -> ExitCode:
    """How a command ends that only looked."""
    if plan.operations and session.options.dry_run and session.options.exit_code:
        return worst([code, ExitCode.PENDING])
    return code


def now_text() -> str:
    """This moment, as plans have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
