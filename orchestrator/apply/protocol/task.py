"""One operation while it is being carried out: its two storages, what was last seen on them, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.apply.journal.records import OperationState, Record, Stage
from orchestrator.apply.local_disk import local_path
from orchestrator.apply.own_paths import destination_of
from orchestrator.apply.protocol.request_budget import LOOK, REQUESTS_PER_OPERATION
from orchestrator.apply.protocol.routes import Route, route_of
from orchestrator.errors import (
    AuthError,
    CorruptTransferError,
    ExitCode,
    OrchestratorError,
    QuotaError,
    RateLimitError,
    TransientError,
)
from orchestrator.paths import case_key
from orchestrator.plan.model import Operation
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import StatCall, Storage


@dataclass(slots=True)
class Task:
    """An operation, its two storages, and how far it has come."""

    operation: Operation
    route: Route
    source: Storage
    target: Storage
    destination: Ref
    """Where the file goes; for a quarantined file its path in the quarantine."""
    trust_listing: bool = False
    """Do not look at the destination before the first try: the listing made under the lock showed that it is free."""
    attempt: int = 0
    """How often it was sent, by this process or an earlier one."""
    verified: Entry | None = None
    """The copy as the journal's VERIFIED record has it."""
    at_source: Entry | None = None
    at_target: Entry | None = None
    error: OrchestratorError | None = None
    """What stopped the last try; None while all is well."""
    verdict: Record | None = None
    damaged_copies: int = 0
    """How many copies arrived damaged."""
    requests_spent: int = 0
    """Requests in this start of the run, counted as in `request_budget`."""
    name: str = ""
    """The path under which a user knows the file: the source path, or for a temporary name the path it came from."""

    @property
    def begun(self) -> bool:
        """Whether it may have been sent before."""
        return self.attempt > 0

    @property
    def succeeded(self) -> bool:
        """Whether it is done."""
        return self.verdict is not None and self.verdict.stage is Stage.DONE

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
        """The id of the file, where several files share its name at the source or the destination."""
        return self.operation.src.object_id or self.operation.dst.object_id

    @property
    def source_look(self) -> StatCall:
        """The request for the file at the source."""
        return StatCall(self.src, self.operation.src.object_id)

    @property
    def target_look(self) -> StatCall:
        """The request for the file at the destination."""
        return StatCall(self.dst, self.destination.object_id)

    def affords(self, requests: int) -> bool:
        """Whether the budget allows so many more requests."""
        return self.requests_spent + requests <= REQUESTS_PER_OPERATION

    def hopeless_after(self, error: OrchestratorError) -> bool:
        """Whether another try would only fail again."""
        return self.damaged_copies > 1 or not worth_another_try(error)

    def may_be_tried(self) -> bool:
        """Whether the budget allows one more try, if only the look that sets the verdict after an error that will not pass."""
        return self.affords(LOOK) or (self.error is not None and self.hopeless_after(self.error) and self.affords(0))

    def settle(
        self, stage: Stage, code: ExitCode = ExitCode.DONE, message: str | None = None, entry: Entry | None = None
    ) -> None:
        """Set the verdict."""
        if message and self.name != self.src and self.at_source is not None:
            message = with_temporary_name(message, self.src)
        self.verdict = Record(self.operation.id, stage, self.attempt, entry, int(code), message)

    def skip(self, message: str) -> None:
        """Set the verdict for a file that is not as the plan expected, and for which nothing was sent."""
        self.settle(Stage.SKIPPED, ExitCode.STALE, message)


def with_temporary_name(message: str, temporary: str) -> str:
    """A message about a file that got only as far as its temporary name, with the way to bring it back."""
    return f"{message}; it is now at {temporary}, `quarantine restore` brings it back"


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
    """The task of an operation, starting from what the journal says about it."""
    destination = destination_of(operation, run_id)
    task = Task(operation, route_of(operation, source, target, destination), source, target, destination, name=name)
    # A move by id has no trash to fall back on: if the destination is taken, two files share the name afterwards.
    task.trust_listing = trust_listing and task.object_id is None
    if state is not None:
        task.attempt = state.attempt
        task.verified = state.entry if state.stage is Stage.VERIFIED else None
    return task


def is_one_object(task: Task) -> bool:
    """Whether source and destination may be the same object, so that deleting the source would delete the only copy.

    This happens with names that differ only in case or Unicode form, with locations inside each other, with links and mounts.
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
    """Whether the same request may succeed later."""
    return isinstance(error, (TransientError, RateLimitError, CorruptTransferError))


def is_final(error: OrchestratorError) -> bool:
    """Whether the request will never succeed, and the error concerns this file only, not the whole remote."""
    return not (worth_another_try(error) or isinstance(error, AuthError | QuotaError))


def without_error(tasks: Iterable[Task]) -> list[Task]:
    """The tasks that can go on."""
    return [task for task in tasks if task.error is None]


def still_open(tasks: Iterable[Task]) -> list[Task]:
    """The tasks that can go on and have no verdict yet."""
    return [task for task in tasks if task.error is None and task.verdict is None]
