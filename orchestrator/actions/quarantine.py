"""What runs have moved into the quarantine of a location: list it, restore it, delete it for good."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import orchestrator
from orchestrator.actions.change import ChangeResult, Planned, change, created_now
from orchestrator.actions.locations import check_location, reaching
from orchestrator.actions.scan_reports import report_quarantines_inside
from orchestrator.actions.session import Session
from orchestrator.apply.quarantine import choose_files, older_than, quarantined_files
from orchestrator.config.options.quarantine import QuarantineEmptyOptions, QuarantineListOptions, QuarantineRestoreOptions
from orchestrator.config.setting_syntax import parse_duration
from orchestrator.location import Location, path_below
from orchestrator.paths import join_path
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.quarantine import QuarantinedFile, plan_emptying, plan_restore
from orchestrator.records import OWN_DIRECTORY
from orchestrator.report.reporter import Column
from orchestrator.wording import size_text

_EMPTY = "the quarantine is empty"
_COLUMNS = (
    Column("run", "run", heading=True),
    Column("kind", "kind", heading=True),
    Column("size", "size", right=True, whole=True, text=lambda row: size_text(row["size"])),
    Column("path", "original path"),
    Column("id", "item", on_pipe=True),
)


def list_quarantine(options: QuarantineListOptions, session: Session) -> list[QuarantinedFile]:
    """List what is in the quarantine of a location. Raises UsageError for a location that is not there."""
    (location,) = session.locations(options.location)
    check_location(session, location)
    items = _old_enough(options, _items(session, location))
    rows = [{"id": item.id, "kind": item.kind, "run": item.run, "path": item.path, "size": item.entry.size} for item in items]
    session.reporter.table("quarantined", _COLUMNS, rows, empty=_nothing(options))
    return items


def _old_enough(options: QuarantineListOptions | QuarantineEmptyOptions, items: list[QuarantinedFile]) -> list[QuarantinedFile]:
    age_s = parse_duration(options.older_than, "--older-than", unit_needed=True)
    return older_than(items, age_s, now_s=time.time()) if options.older_than else items


def _nothing(options: QuarantineListOptions | QuarantineEmptyOptions) -> str:
    if options.older_than:
        return f"nothing in the quarantine is older than {options.older_than} (files of unknown age are kept)"
    return _EMPTY


def restore(options: QuarantineRestoreOptions, session: Session) -> ChangeResult:
    """Move items back to where they were. Each is an item or a run of the list, or a file's old path.

    Raises UsageError for an unknown item, and what `change` raises.
    """
    return _change(
        session,
        options.location,
        "quarantine restore",
        choose=lambda items: choose_files(items, options.items),
        planner=plan_restore,
        question="Restore these {} files?",
    )


def empty(options: QuarantineEmptyOptions, session: Session) -> ChangeResult:
    """Delete for good what is in the quarantine of a location. Raises what `change` raises."""
    return _change(
        session,
        options.location,
        "quarantine empty",
        choose=lambda items: _old_enough(options, items),
        planner=plan_emptying,
        question="Delete these {} files for good? This cannot be undone.",
        nothing_to_do=_nothing(options),
    )


def _items(session: Session, location: Location) -> list[QuarantinedFile]:
    with reaching(session, location):
        files = quarantined_files(session.storage(location), session.journal)
    # Nothing is listed for this: only locations in which runs have worked are known.
    worked_in = {fs for run in session.journal.runs() for fs in (run.source, run.target)}
    inside = sorted({below for fs in worked_in if (below := path_below(fs, location.fs))})
    report_quarantines_inside(session, location, [join_path(below, OWN_DIRECTORY) for below in inside])
    return files


def _change(
    session: Session,
    typed: str,
    command: str,
    *,
    choose: Callable[[list[QuarantinedFile]], Sequence[QuarantinedFile]],
    planner: Callable[..., Plan],
    question: str,
    nothing_to_do: str = _EMPTY,
) -> ChangeResult:
    (location,) = session.locations(typed)
    check_location(session, location)
    session.need_consent(command)

    def make_plan() -> Planned:
        plan = planner(
            choose(_items(session, location)),
            fs=location.fs,
            capabilities=session.storage(location).capabilities,
            tool_version=orchestrator.__version__,
            created=created_now(),
        )
        return Planned(plan, nothing_to_do=None if plan.skipped else nothing_to_do)

    return change(
        session,
        make_plan,
        command=command,
        touching=[location.fs],
        question=lambda plan: question.format(len(plan.operations)),
        limited=False,  # these files left the library before
    )
