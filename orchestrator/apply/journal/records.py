"""What the journal stores: runs, their states, and how far each operation has come."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from orchestrator.plan.model import Header
from orchestrator.records import Entry


class Stage(StrEnum):
    """How far an operation has come. DONE, FAILED and SKIPPED are verdicts: no record follows them."""

    INTENT = "intent"
    """About to be sent. Only a look at source and destination shows whether it was."""
    VERIFIED = "verified"
    """The copy was compared with its source and, on a local disk, synced: it may get its final name, and then its source may be
    deleted."""
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not sent, because something differed from the plan or an operation that it depends on did not succeed."""

    @property
    def is_verdict(self) -> bool:
        """Whether the operation is over."""
        return self in {Stage.DONE, Stage.FAILED, Stage.SKIPPED}


class RunState(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    """In progress, or killed before it could end."""
    INTERRUPTED = "interrupted"
    """Stopped cleanly with operations still to do."""
    FINISHED = "finished"
    FAILED = "failed"
    """Finished, but some operations failed or were skipped."""

    @property
    def unfinished(self) -> bool:
        """Whether `resume` has something to do."""
        return self in {RunState.RUNNING, RunState.INTERRUPTED}


class Record(msgspec.Struct, frozen=True, omit_defaults=True, tag="step", gc=False):
    """One stage that one operation reached."""

    operation: str
    stage: Stage = msgspec.field(name="step")
    attempt: int = 1
    entry: Entry | None = None
    """VERIFIED and DONE: the file as seen at the destination."""
    code: int = 0
    """FAILED and SKIPPED: the exit code that the verdict stands for."""
    message: str | None = None
    at: float = 0.0
    """DONE: when it was written, seconds since 1970, UTC; 0 if an older version wrote it."""


class RunCounts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The totals of a run: operations, bytes, and the exit code."""

    planned: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    bytes_moved: int = 0
    exit_code: int = 0
    requests: dict[str, int] = {}
    """Kind of request (see `orchestrator.prices`) -> those that were counted, over all starts."""


class StateChange(msgspec.Struct, frozen=True, omit_defaults=True, tag="state"):
    """A run's new state."""

    state: RunState
    at: float
    """Seconds since 1970, UTC."""
    summary: RunCounts | None = None


VerifyMode = Literal["fast", "full"]
"""How a copy is compared with its source. fast: by a common hash, otherwise by a hash of the local side, otherwise by size.
full: by reading both files where no hash can be compared."""


class RunStart(msgspec.Struct, frozen=True):
    """What a run was started with. It never changes."""

    id: str
    command: str
    created: float
    """Seconds since 1970, UTC."""
    header: Header
    operations: int
    operations_sha256: str
    undoes: str | None = None
    """The run that this one undoes."""
    verify: VerifyMode = "fast"
    """Also applies when the run is resumed."""
    stages_copies: bool = False
    """Copies get their final names once they are verified. False: an older version began the run, and sent them there at once."""
    mounts: dict[str, str] = {}
    """Location on a disk -> where the disk was mounted; empty if an older version began the run."""


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
    starts: int = 1
    """How often it was started: once, and once more with each resume."""

    @property
    def source(self) -> str:
        """The location that the plan was made from."""
        return self.header.source

    @property
    def target(self) -> str:
        """The location that the plan was made for."""
        return self.header.target

    @property
    def described(self) -> str:
        """Id, command and locations, for people: what a run means to do must be clear before it goes on."""
        sync = self.header.options.get("sync")
        moves = isinstance(sync, dict) and sync.get("delete_after")
        command = f"{self.command} --delete-after" if moves else self.command
        return f"{self.id} ({' '.join(dict.fromkeys((command, self.source, self.target)))})"


class OperationState(msgspec.Struct, frozen=True, gc=False):
    """An operation's last record."""

    stage: Stage
    attempt: int
    entry: Entry | None = None
    code: int = 0
    message: str | None = None
    unstaged: bool = False
    """An older version began the run: see `RunStart.stages_copies`."""
