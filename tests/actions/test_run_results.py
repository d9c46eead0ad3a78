"""What `runs` says became of a run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from orchestrator.actions.run_results import run_result, undone_by
from orchestrator.apply.journal.records import Run, RunCounts, RunState
from orchestrator.plan.build import build_plan

HEADER = build_plan([], source="/m", target="/m", options={}, capabilities={}, tool_version="0", created="").header


def a_run(state: RunState, counts: RunCounts | None = None, **more: Any) -> Run:
    values = {"id": "r1", "command": "organize", "created": 1.0, "changed": 2.0, "operations": 282, "undoes": None} | more
    return Run(state=state, header=HEADER, verify="fast", summary=counts, **values)


UNDO = a_run(RunState.FINISHED, id="20261130-192219-b4d183")
HALF_AN_UNDO = a_run(RunState.FAILED, id="20261130-192219-b4d183")


@pytest.mark.parametrize(
    ("run", "facts", "result"),
    [
        (a_run(RunState.INTERRUPTED), {"done": 100}, "interrupted at 100 of 282"),
        (a_run(RunState.RUNNING), {"done": 100}, "interrupted at 100 of 282"),
        (a_run(RunState.RUNNING), {"done": 100, "in_progress": True}, "running: 100 of 282"),
        (a_run(RunState.FINISHED, RunCounts(282, 282)), {"done": 282}, "done"),
        (a_run(RunState.FINISHED, RunCounts(282, 282, exit_code=3)), {"done": 282}, "done, some skipped (exit 3)"),
        (a_run(RunState.FAILED, RunCounts(282, 280, 2, exit_code=3)), {"done": 280}, "done with 2 failed (exit 3)"),
        (a_run(RunState.FAILED, RunCounts(282, 279, 2, 1)), {"done": 279}, "done with 2 failed, 1 skipped"),
        (a_run(RunState.FAILED, RunCounts(282, 0, 282, exit_code=4)), {"done": 0}, "nothing done: 282 failed (exit 4)"),
        (a_run(RunState.FAILED, RunCounts(282, 282, exit_code=9)), {"done": 282}, "done (exit 9)"),
        (a_run(RunState.FAILED, RunCounts(282, 5)), {"done": 5}, "given up at 5 of 282"),
        (a_run(RunState.FINISHED, RunCounts(282, 282)), {"done": 282, "undone_by": UNDO}, f"undone by {UNDO.id}"),
        (a_run(RunState.FINISHED, RunCounts(9, 9)), {"done": 9, "undone_by": HALF_AN_UNDO}, f"partly undone by {UNDO.id}"),
    ],
)
def test_the_history_says_what_became_of_a_run(run: Run, facts: dict[str, Any], result: str) -> None:
    assert run_result(run, **facts) == result


def test_a_run_whose_undo_was_undone_is_not_undone() -> None:
    counts = RunCounts(9, 9)
    first = a_run(RunState.FINISHED, counts, id="first", created=1.0)
    undo = a_run(RunState.FINISHED, counts, id="undo", created=2.0, undoes="first")
    redo = a_run(RunState.FINISHED, counts, id="redo", created=3.0, undoes="undo")
    again = a_run(RunState.FINISHED, counts, id="again", created=4.0, undoes="first")
    assert undone_by([first, undo]) == {"first": undo}
    assert undone_by([first, undo, redo]) == {"undo": redo}
    back = msgspec.structs.replace(redo, created=0.0)
    assert undone_by([first, undo, back]) == {"undo": back}, "the clock was set back"
    assert undone_by([first, undo, redo, again]) == {"undo": redo, "first": again}
