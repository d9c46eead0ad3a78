"""How a run ended, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestrator.apply.journal.records import Run, RunCounts, RunState
from orchestrator.errors import ExitCode
from orchestrator.report.reporter import printable


def run_result(run: Run, *, done: int, undone_by: Run | None = None, in_progress: bool = False) -> str:
    """What became of a run: "interrupted at 100 of 282", "done with 2 failed", "undone by RUN".

    `done`: how many of its operations are. `in_progress`: a process carries it out now.
    """
    if run.state.unfinished:
        return f"{'running:' if in_progress else 'interrupted at'} {done:,} of {run.operations:,}"
    if undone_by is not None:
        return f"{'' if undone_by.state is RunState.FINISHED else 'partly '}undone by {undone_by.id}"
    counts = run.summary
    if counts is None:
        return "done"
    exit_code = f" (exit {counts.exit_code})" if counts.exit_code else ""
    return _ended(run, counts, done) + exit_code


def undone_by(runs: Sequence[Run]) -> dict[str, Run]:
    """Run -> the newest run that has undone it, at least in part, and was not undone itself.

    `runs`: in the order in which they were begun. Their times do not tell that: a clock may be set back.
    """
    found: dict[str, Run] = {}
    for run in reversed(runs):
        taken_back = run.id in found and found[run.id].state is RunState.FINISHED
        if run.undoes is not None and not taken_back and (run.summary is None or run.summary.done > 0):
            found.setdefault(run.undoes, run)
    return found


def _ended(run: Run, counts: RunCounts, done: int) -> str:
    if run.state is RunState.FINISHED:
        return "done, some skipped" if counts.exit_code == ExitCode.SOME_FAILED else "done"
    bad = [f"{number:,} {word}" for number, word in ((counts.failed, "failed"), (counts.skipped, "skipped")) if number]
    if done == 0:
        return "nothing done" + (f": {', '.join(bad)}" if bad else "")
    if not bad and done < run.operations:
        return f"given up at {done:,} of {run.operations:,}"
    return f"done with {', '.join(bad)}" if bad else "done"


def run_text(run: Run, row: Mapping[str, Any], result: str) -> str:
    """One run as lines, a title before each."""
    lines = [
        ("run", run.id),
        ("command", run.command),
        ("began", str(row["when"])),
        ("ended", datetime.fromtimestamp(run.changed).astimezone().isoformat(sep=" ", timespec="seconds")),
        ("result", result),
        ("undoes", run.undoes or ""),
        ("location", run.source if run.source == run.target else f"{run.source} -> {run.target}"),
    ]
    return "\n".join(f"{title:<8}  {printable(text)}" for title, text in lines if text)
