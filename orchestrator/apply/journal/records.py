"""What the apply room writes down and hands out: journal records, runs, problems, results."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from orchestrator.errors import ExitCode
from orchestrator.plan.model import Header, Operation
from orchestrator.records import Entry, Ref


class Stage(StrEnum):
    """How far an operation has come. DONE, FAILED and SKIPPED are verdicts: nothing follows them."""

    INTENT = "intent"
    """About to be sent. Whether it was sent, only a look at both ends tells."""
    VERIFIED = "verified"
    """The destination was compared with the source and, if local, is on the disk: the source may go."""
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not sent, because something was not as the plan expected, or because an operation before it did not come through."""

    @property
    def verdict(self) -> bool:
        """Whether the operation is over."""
        return self in {Stage.DONE, Stage.FAILED, Stage.SKIPPED}


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """At work, or killed at it."""
    INTERRUPTED = "interrupted"
    """Stopped in good order with operations left over."""
    FINISHED = "finished"
    FAILED = "failed"
    """Finished, and some operations failed or were skipped."""

    @property
    def unfinished(self) -> bool:
        """Whether `resume` has something to do."""
        return self in {RunState.RUNNING, RunState.INTERRUPTED}


class Record(msgspec.Struct, frozen=True, omit_defaults=True, tag="step", gc=False):
    """One step of one operation."""

    operation: str
    step: Stage
    attempt: int = 1
    entry: Entry | None = None
    """VERIFIED and DONE: the destination as it was seen."""
    code: int = 0
    """FAILED and SKIPPED: the exit code that it stands for."""
    message: str | None = None


class RunCounts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run came to, in counts of operations and bytes."""

    planned: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    bytes_moved: int = 0
    exit_code: int = 0


class StateChange(msgspec.Struct, frozen=True, omit_defaults=True, tag="state"):
    """A run's new state."""

    state: RunState
    at: float
    """Seconds since 1970, UTC."""
    summary: RunCounts | None = None


VerifyMode = Literal["fast", "full"]
"""fast: a common hash, a hash of the local side, else the size. full: read both files where no hash is to be had."""


class RunStart(msgspec.Struct, frozen=True):
    """What a run was started with; never changes."""

    id: str
    command: str
    created: float
    """Seconds since 1970, UTC."""
    header: Header
    operations: int
    operations_sha256: str
    undoes: str | None = None
    """The run that this one takes back."""
    verify: VerifyMode = "fast"
    """How copies are checked, also after an interruption."""


class Run(msgspec.Struct, frozen=True):
    """One run as the history shows it."""

    id: str
    command: str
    created: float
    changed: float
    """When its state last changed, seconds since 1970, UTC."""
    state: RunState
    header: Header
    operations: int
    undoes: str | None
    verify: VerifyMode
    summary: RunCounts | None

    @property
    def source(self) -> str:
        """The location that the plan was made from."""
        return self.header.source

    @property
    def target(self) -> str:
        """The location that the plan was made for."""
        return self.header.target


class OperationState(msgspec.Struct, frozen=True, gc=False):
    """An operation's last record."""

    step: Stage
    attempt: int
    entry: Entry | None = None
    code: int = 0
    message: str | None = None


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One operation that came through: what undo needs to know of it."""

    operation: Operation
    now: Ref
    """Where the file was put (for a quarantine the place inside it)."""
    entry: Entry | None
    """The file as it was seen there; its path is that of `now`. None for a file that was removed."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """A file that lies elsewhere now, for the catalogue."""

    src: Ref
    dst: Ref
    entry: Entry | None
    """As seen at the destination."""
    copied: bool
    """Whether the source is still there."""
    content: bytes | None = None
    """What was written there, where that is not what the source holds."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that did not go as planned; `path` is what it is about, if anything."""

    path: str | None
    code: ExitCode
    message: str


class RunResult(msgspec.Struct, frozen=True):
    """What a run came to, all its earlier starts included."""

    run: str | None
    """None when there was nothing to do and so no run."""
    command: str
    state: RunState
    planned: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    done_now: int = 0
    """Operations that this start, not an earlier one, brought through."""
    bytes_moved: int = 0
    problems: tuple[Problem, ...] = ()
    exit_code: ExitCode = ExitCode.DONE

    @property
    def pending(self) -> int:
        """Operations without a verdict; `resume` takes them up."""
        return self.planned - self.done - self.failed - self.skipped
