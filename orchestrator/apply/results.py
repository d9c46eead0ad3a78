"""What a run reports: its result, its problems, and the files that it changed."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from orchestrator.apply.journal.records import RunState
from orchestrator.errors import ExitCode, worst
from orchestrator.records import Entry, Ref


class FileChange(msgspec.Struct, frozen=True, gc=False):
    """A file that the run moved, copied or wrote, for the catalogue."""

    src: Ref
    dst: Ref
    entry: Entry | None
    """The file as seen at `dst`."""
    copied: bool
    """Whether the file at `src` is still there."""
    content: bytes | None = None
    """The content written at `dst`, where it differs from that of `src`."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that did not go as planned."""

    path: str | None
    """The file it concerns; None for a whole remote."""
    code: ExitCode
    message: str
    fs: str | None = None
    """The location of `path`; None: that of the operation's source."""
    missing: Ref | None = None
    """A file that the run had put there, and that is nowhere to be found at its end."""


class RunResult(msgspec.Struct, frozen=True):
    """What became of a run. The counts include its earlier starts."""

    run: str | None
    """None when there was nothing to do, so that no run was recorded."""
    command: str
    state: RunState
    planned: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    done_now: int = 0
    """Operations completed by this start, without those of earlier starts."""
    bytes_moved: int = 0
    problems: tuple[Problem, ...] = ()
    exit_code: ExitCode = ExitCode.DONE
    notes: tuple[str, ...] = ()
    """What is worth a warning, but is no failure of any file."""

    @property
    def pending(self) -> int:
        """Operations without a verdict, which `resume` continues with."""
        return self.planned - self.done - self.failed - self.skipped


def outcome(codes: Set[ExitCode], *, complete: bool, stopped: bool, any_done: bool) -> tuple[ExitCode, RunState]:
    """The exit code and the state of a run, from the codes of its problems.

    `complete`: every operation has its verdict, there was no stop, and every remote could be checked at the end. `any_done`: at
    least one operation succeeded.
    """
    found = {*codes, *([ExitCode.INTERRUPTED] if stopped else [])}
    if ExitCode.STALE in found and any_done:
        found = (found - {ExitCode.STALE}) | {ExitCode.SOME_FAILED}
    if not complete:
        return worst(found), RunState.INTERRUPTED
    return worst(found), RunState.FAILED if found else RunState.FINISHED
