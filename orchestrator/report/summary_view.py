"""How a command ended, for people."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.report.reporter import Summary, duration_text
from orchestrator.wording import counted, size_text


def run_lines(summary: Summary) -> Iterator[str]:
    """What a run has done, what it left, and how to take it back: a line each, ids never at the edge of a narrow window."""
    done = counted(summary.ops_done, "change", grouped=True)
    if summary.ops_done != summary.ops_planned:
        done = f"{summary.ops_done:,} of {counted(summary.ops_planned, 'change', grouped=True)}"
    moved = f", {size_text(summary.bytes_moved)} moved" if summary.bytes_moved and not summary.for_good else ""
    yield f"{done} made{moved} in {duration_text(summary.duration_s)}"
    left = [
        f"{number:,} {word}"
        for number, word in (
            (summary.ops_failed, "failed"),
            (summary.ops_skipped, "left as it is" if summary.ops_skipped == 1 else "left as they are"),
        )
        if number
    ]
    if left:
        yield f"{', '.join(left)}: `runs show last --left` says why"
    if not summary.for_good:
        yield f"`undo last` takes it back (run {summary.run})"


def summary_parts(summary: Summary) -> list[str]:
    """What is worth saying of any command, in short."""
    parts = []
    if summary.files_seen:
        parts.append(f"{counted(summary.files_seen, 'file')} seen, {summary.files_read} read ({size_text(summary.bytes_read)})")
    if summary.ops_planned and summary.run is None:
        parts.append(f"{counted(summary.ops_planned, 'change')} planned")
    elif summary.ops_planned or summary.ops_done:
        parts.append(f"{summary.ops_done} of {summary.ops_planned} changes done")
    if summary.ops_failed:
        parts.append(f"{summary.ops_failed} failed")
    if summary.ops_skipped:
        parts.append(f"{summary.ops_skipped} skipped")
    if summary.bytes_moved:
        parts.append(f"{size_text(summary.bytes_moved)} moved")
    return parts
