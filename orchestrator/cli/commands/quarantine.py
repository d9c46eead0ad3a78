"""`quarantine`: what runs have put aside at a location. Deleting it for good is the only thing here that no undo takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orchestrator
from orchestrator.cli.framework import command, group
from orchestrator.config.options.quarantine import QuarantineEmptyOptions, QuarantineListOptions, QuarantineRestoreOptions
from orchestrator.errors import ExitCode, worst

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.actions.session import Session
    from orchestrator.location import Location
    from orchestrator.plan.model import Plan
    from orchestrator.plan.planners.quarantine import QuarantinedFile


@group("quarantine", default="list")
def quarantine_command() -> None:
    """Show, bring back or delete what runs have put aside. Without a command: list."""


@command("list", QuarantineListOptions, parent=quarantine_command, title="quarantine list")
def list_command(session: Session, options: QuarantineListOptions) -> int:
    """List what lies in the quarantine of LOCATION."""
    from orchestrator.report.reporter import Column  # noqa: PLC0415 - the rooms are imported when a command runs

    (place,) = session.places(options.location)
    rows = [
        {"id": item.id, "kind": item.kind, "run": item.run, "path": item.path, "size": item.entry.size}
        for item in _items(session, place)
    ]
    columns = [
        *(Column("run", "run"), Column("kind", "kind"), Column("size", "bytes", right=True)),
        *(Column("path", "was at"), Column("id", "item")),
    ]
    session.reporter.table("quarantined", columns, rows, empty="the quarantine is empty")
    return ExitCode.DONE


@command("restore", QuarantineRestoreOptions, parent=quarantine_command, title="quarantine restore")
def restore_command(session: Session, options: QuarantineRestoreOptions) -> int:
    """Bring each ITEM back to where it was: an item or a run of `quarantine list`, or a file's old path."""

    def plan(place: Location) -> Plan:
        from orchestrator.actions.organize import now_text  # noqa: PLC0415
        from orchestrator.apply.quarantine import choose  # noqa: PLC0415 - only when called
        from orchestrator.plan.planners.quarantine import plan_restore  # noqa: PLC0415 - only when called

        storage = session.storage(place)
        chosen = choose(_items(session, place), options.items)
        return plan_restore(
            chosen, fs=storage.fs, capabilities=storage.capabilities, tool_version=orchestrator.__version__, created=now_text()
        )

    return _change(session, options.location, plan, "Bring these {} files back?")


@command("empty", QuarantineEmptyOptions, parent=quarantine_command, title="quarantine empty")
def empty_command(session: Session, options: QuarantineEmptyOptions) -> int:
    """Delete for good what lies in the quarantine of LOCATION."""

    def plan(place: Location) -> Plan:
        from orchestrator.actions.organize import now_text  # noqa: PLC0415
        from orchestrator.plan.planners.quarantine import plan_emptying  # noqa: PLC0415 - only when called

        storage = session.storage(place)
        return plan_emptying(
            _items(session, place),
            fs=storage.fs,
            capabilities=storage.capabilities,
            tool_version=orchestrator.__version__,
            created=now_text(),
        )

    return _change(session, options.location, plan, "Delete these {} files for good? No undo brings them back.")


def _items(session: Session, place: Location) -> list[QuarantinedFile]:
    from orchestrator.actions.scan import reaching  # noqa: PLC0415
    from orchestrator.apply.quarantine import list_items  # noqa: PLC0415 - only when called

    with reaching(session, place):
        return list_items(session.storage(place), session.journal)


def _change(session: Session, location: str, make: Callable[[Location], Plan], question: str) -> int:
    from orchestrator.actions import change, organize  # noqa: PLC0415 - the rooms are imported when a command runs

    session.need_consent()
    (place,) = session.places(location)
    if session.options.dry_run:
        plan = make(place)
        session.summary.ops_planned = len(plan.operations)
        session.reporter.plan(plan)
        return organize.dry_end(session, plan, ExitCode.DONE)
    with session.lock():
        before = change.finish_unfinished(session, place)
        if before not in change.GOES_ON:
            return before
        plan = make(place)
        session.summary.ops_planned += len(plan.operations)
        if not plan.operations and not plan.skipped:
            session.reporter.note("the quarantine is empty")
            return before
        session.reporter.plan(plan)
        if not plan.operations:
            return before
        if not session.agreed(question.format(len(plan.operations))):
            session.reporter.note("nothing was changed")
            return before
        return worst([before, change.carry_out(session, plan)])
