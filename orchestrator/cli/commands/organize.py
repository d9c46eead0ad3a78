"""`organize` and `plan`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.completion import complete_location
from orchestrator.cli.framework import command
from orchestrator.cli.options import keep_options, reading_option
from orchestrator.errors import UsageError, worst

if TYPE_CHECKING:
    from orchestrator.actions.session import Session
    from orchestrator.plan.model import Plan


def _wishes_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options that `organize` and `plan` share."""
    for decorate in reversed(
        (
            click.option(
                "--layout",
                metavar="NAME|TEMPLATE",
                help="A preset, such as by-class or plex, or a template: see docs/layouts.md.",
            ),
            click.option("--copy/--move", "copy", default=None, help="Move in place, copy to another target, unless told here."),
            click.option("--cloud-only", is_flag=True, help="Refuse what would bring file contents through this machine."),
            click.option("--untagged", metavar="DIR", help="Put files without tags there; they stay where they are else."),
            click.option("--leftovers", metavar="DIR", help="Put there what nothing claims where music leaves; else it stays."),
            click.option(
                "--playlists", metavar="LOCATION", multiple=True, help="Name the playlists there that lead to what moves"
            ),
            click.option("--include", metavar="GLOB", multiple=True, help="Only files that match. May be given several times."),
            click.option("--exclude", metavar="GLOB", multiple=True, help="No files that match. May be given several times."),
            click.option("--settle", metavar="TIME", help="Leave files alone that are younger, such as 5m."),
            reading_option,
            click.option(
                "--dedup",
                type=click.Choice(["off", "report", "quarantine"]),
                help="Leave duplicates (default), tell them, or put them away.",
            ),
            keep_options,
        )
    ):
        function = decorate(function)
    return function


@command("organize")
@click.argument("source", shell_complete=complete_location)
@click.argument("target", shell_complete=complete_location, required=False)
@_wishes_options
@click.option("--plan", "plan_file", metavar="FILE", help="Write the plan there as well.")
@click.option("--verify", type=click.Choice(["full"]), help="Read every copied file again to compare it.")
def organize_command(
    session: Session, *, source: str, target: str | None, plan_file: str | None, verify: str | None, **wishes: Any
) -> int:
    """Put a music library in order, where it lies or at another place.

    Reads the tags of SOURCE, plans what goes where, shows that, asks, and does it. TARGET is SOURCE unless given. Nothing is
    ever deleted or overwritten, and `undo` takes it back.
    """
    from orchestrator.actions import change, organize, scan  # noqa: PLC0415 - the rooms are imported when a command runs

    session.need_consent()
    check_plan_file(plan_file)
    wanted = scan.Wishes(**wishes)
    at_source, at_target = scan.places(session, source, target)
    if session.options.dry_run:
        plan, code = organize.make_plan(session, at_source, at_target, wanted)
        session.reporter.plan(plan)
        keep_plan_file(plan_file, plan)
        return organize.dry_end(session, plan, code)
    if at_target != at_source:
        scan.check_target(at_target)
    with session.lock():
        before = change.finish_unfinished(session, at_source, at_target)
        if before not in change.GOES_ON:
            return before
        plan, code = organize.make_plan(session, at_source, at_target, wanted)
        session.reporter.plan(plan)
        keep_plan_file(plan_file, plan)
        if not plan.operations:
            return worst([before, code])
        if not session.agreed(f"Make these {len(plan.operations)} changes?"):
            session.reporter.note("nothing was changed")
            return worst([before, code])
        return worst([before, code, change.carry_out(session, plan, verify_full=verify == "full", fresh=True)])


@command("plan")
@click.argument("source", shell_complete=complete_location)
@click.argument("target", shell_complete=complete_location, required=False)
@click.option("-o", "--output", metavar="FILE", help="Where the plan goes; without it, it is only shown.")
@_wishes_options
@click.option("--no-scan", is_flag=True, help="Plan from the catalogue alone: nothing is listed, no remote is asked.")
def plan_command(session: Session, *, source: str, target: str | None, output: str | None, **wishes: Any) -> int:
    """Compute what `organize` would do, change nothing.

    The file can be looked at with `show` and carried out with `apply`, which checks that nothing has changed meanwhile. With
    --no-scan layouts can be tried out on a large library in seconds, after one scan.
    """
    from orchestrator.actions import organize, scan  # noqa: PLC0415 - the rooms are imported when a command runs

    check_plan_file(output)
    at_source, at_target = scan.places(session, source, target)
    plan, code = organize.make_plan(session, at_source, at_target, scan.Wishes(**wishes))
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
