"""One operation on its way through a window: what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.apply.journal.records import OperationState, Record, Stage
from orchestrator.apply.local_disk import local_path, on_one_device
from orchestrator.apply.own_paths import is_removal, place
from orchestrator.apply.protocol.decide import Route
from orchestrator.errors import (
    CorruptTransferError,
    ExitCode,
    OrchestratorError,
    RateLimitError,
    TransientError,
)
from orchestrator.paths import case_key, remote_of
from orchestrator.plan.model import Operation, Verb
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import StatCall, Storage

REQUESTS = 12
"""About so many requests about one operation go out in one start, whatever goes wrong; then it waits for `resume`."""

LOOK = 2
"""Those of a look at both ends, or at one that is refused: to S3 rclone sends twice what was answered with a 5xx."""

CHANGE = 4
"""Those of a move or copy: rclone looks at both ends itself before it sends it, and to S3 sends it twice as well."""

DELETE = 2
"""Those of a delete of the source, as before."""


@dataclass(slots=True)
class Task:
    """An operation, its two storages, and how far it has come."""

    operation: Operation
    route: Route
    source: Storage
    target: Storage
    destination: Ref
    """Where the file goes: for a quarantine the place inside it."""
    trust_listing: bool = False
    """The listing taken under the lock stands for "destination absent"."""
    attempt: int = 0
    """How often it was sent, by this process or an earlier one."""
    verified: Entry | None = None
    """The destination as the journal's VERIFIED has it."""
    at_source: Entry | None = None
    at_target: Entry | None = None
    trouble: OrchestratorError | None = None
    """What stopped the last try; None while all is well."""
    verdict: Record | None = None
    corrupt: int = 0
    """How often a copy arrived damaged."""
    spent: int = 0
    """Requests that it has cost in this start, counted as if all were refused."""
    name: str = ""
    """What a user knows the file by: its path at the source, but where that is a temporary name the one that it left before."""

    @property
    def begun(self) -> bool:
        """Whether it may have been sent before."""
        return self.attempt > 0

    @property
    def src(self) -> str:
        """The path at the source."""
        return self.operation.src.path

    @property
    def dst(self) -> str:
        """The path at the destination."""
        return self.destination.path

    @property
    def object_id(self) -> str | None:
        """The id of the file, where its name is not enough to know it at one of the two ends."""
        return self.operation.src.object_id or self.operation.dst.object_id

    @property
    def source_look(self) -> StatCall:
        """What asks for the file at the source."""
        return StatCall(self.src, self.operation.src.object_id)

    @property
    def target_look(self) -> StatCall:
        """What asks for the file at the destination."""
        return StatCall(self.dst, self.destination.object_id)

    def affords(self, requests: int) -> bool:
        """Whether so many more may go out about it."""
        return self.spent + requests <= REQUESTS

    def hopeless_after(self, error: OrchestratorError) -> bool:
        """Whether what went wrong would only go wrong again."""
        return self.corrupt > 1 or not worth_another_try(error)

    def settle(self, step: Stage, code: ExitCode = ExitCode.DONE, message: str | None = None, entry: Entry | None = None) -> None:
        """Give the verdict."""
        if message and self.name != self.src and self.at_source is not None:
            message = waits_at(message, self.src)
        self.verdict = Record(self.operation.id, step, self.attempt, entry, int(code), message)

    def drift(self, message: str) -> None:
        """Something is not as the plan expected, and nothing was sent."""
        self.settle(Stage.SKIPPED, ExitCode.STALE, message)


def waits_at(message: str, temporary: str) -> str:
    """The message about a file that is left half-way, and how it gets home."""
    return f"{message}; it waits as {temporary}, `quarantine restore` brings it back"


def make_task(
    operation: Operation,
    source: Storage,
    target: Storage,
    run_id: str,
    state: OperationState | None,
    *,
    name: str,
    trust_listing: bool,
) -> Task:
    """The task of an operation, as far as the journal says it has come."""
    destination = place(operation, run_id)
    task = Task(operation, route_of(operation, source, target, destination), source, target, destination, name=name)
    # A move by id has no net under it: where something lies at the destination, two files carry that name afterwards.
    task.trust_listing = trust_listing and task.object_id is None
    if state is not None:
        task.attempt = state.attempt
        task.verified = state.entry if state.step is Stage.VERIFIED else None
    return task


def route_of(operation: Operation, source: Storage, target: Storage, destination: Ref) -> Route:
    """How an operation is carried out between these two storages."""
    if is_removal(operation):
        return Route.REMOVE
    if operation.verb is Verb.REWRITE:
        return Route.WRITE
    if operation.verb is Verb.COPY:
        return Route.COPY
    one_remote = source is target or remote_of(source.fs) == remote_of(target.fs)
    if not (one_remote and source.capabilities.move and target.capabilities.move):
        return Route.TRANSFER
    if source.capabilities.local and not on_one_device(
        local_path(source, operation.src.path), local_path(target, destination.path)
    ):
        return Route.TRANSFER  # a rename would be a copy and a delete there too, but without fsync in between
    return Route.RENAME


def one_object(task: Task) -> bool:
    """Whether both ends may be one and the same object: then a delete of the source would be the end of it.

    Names that differ in case or normalization only, roots that lie in each other, links and mounts.
    """
    source, target = (
        case_key(f"{fs.rstrip('/')}/{path}") for fs, path in ((task.source.fs, task.src), (task.target.fs, task.dst))
    )
    if source == target:
        return True
    one, other = local_path(task.source, task.src), local_path(task.target, task.dst)
    if one is None or other is None:
        return False
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def worth_another_try(error: OrchestratorError) -> bool:
    """Whether the same request may work later."""
    return isinstance(error, (TransientError, RateLimitError, CorruptTransferError))
