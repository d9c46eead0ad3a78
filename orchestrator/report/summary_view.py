"""How a command ended, for people: the same words on a terminal and on a pipe."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.errors import ExitCode
from orchestrator.report.reporter import Summary, duration_text
from orchestrator.wording import counted, size_text


def ending(summary: Summary, *, planned: bool = True) -> list[str]:
    """What was done, what was left, and how to take it back: a text each. Empty if there is nothing to say.

    `planned`: also what is planned and not done, which a plan that was shown has said.
    """
    if summary.run is not None and summary.ops_done:
        return [*_of_run(summary)]
    parts = [*_parts(summary, planned=planned)]
    if not parts:
        return []
    run = f" (run {summary.run})" if summary.run else ""
    return [f"{', '.join(parts)}; took {duration_text(summary.duration_s)}{run}"]


def _of_run(summary: Summary) -> Iterator[str]:
    moved = f", {size_text(summary.bytes_moved)} moved" if summary.bytes_moved and not summary.for_good else ""
    made = f"{_made(summary)}{moved} in {duration_text(summary.duration_s)}"
    if summary.exit_code == ExitCode.INTERRUPTED:  # the error has said what to do
        yield f"{made} (run {summary.run})"
        return
    yield made
    if left := ", ".join(_left(summary)):
        # The last run of a job is only the last of its steps that changed anything.
        yield f"{left}: `{'problems' if summary.command == 'run' else 'runs show last --left'}` says why"
    if summary.command == "run":
        yield f"`runs` lists what jobs did, `undo RUN` takes it back (last run {summary.run})"
    elif not summary.for_good:
        yield f"`undo last` takes it back (run {summary.run})"


def _parts(summary: Summary, *, planned: bool) -> Iterator[str]:
    if summary.files_seen:
        read = f"{summary.files_read:,} read ({size_text(summary.bytes_read)})" if summary.files_read else "none read"
        yield f"{counted(summary.files_seen, 'file')} seen, {read}"
    if summary.run is None and not planned:
        return
    if summary.ops_planned and summary.run is None:
        yield f"{counted(summary.ops_planned, 'change')} planned"
    elif summary.ops_planned or summary.ops_done:
        yield _made(summary)
    yield from _left(summary)


def _made(summary: Summary) -> str:
    if summary.ops_done == summary.ops_planned:
        return f"{counted(summary.ops_done, 'change')} made"
    return f"{summary.ops_done:,} of {counted(summary.ops_planned, 'change')} made"


def _left(summary: Summary) -> Iterator[str]:
    if summary.ops_failed:
        yield f"{summary.ops_failed:,} failed"
    if summary.ops_skipped:
        as_before = "left as it is" if summary.ops_skipped == 1 else "left as they are"
        yield f"{summary.ops_skipped:,} {as_before if summary.ops_planned else 'skipped'}"
