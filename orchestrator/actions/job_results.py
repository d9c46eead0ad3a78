"""What the steps of a job came to."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from orchestrator.errors import ExitCode


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one step came to."""

    job: str
    number: int
    """Counted from 1; 0 is what waited in the queue for the job, and was done before."""
    command: str
    exit_code: ExitCode | None
    """None: it was not started, because the job had ended before it."""
    run: str | None = None
    """The id of its run, if it changed something."""
    duration_s: float = 0.0


class JobOutcome(NamedTuple):
    """What a job adds to its report while it is done."""

    codes: list[ExitCode]
    steps: list[StepResult]
