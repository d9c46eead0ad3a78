"""One operation while it is being carried out: its two storages, what was last seen on them, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrator.apply.journal.records import OperationState, Record, Stage
from orchestrator.apply.local_disk import DiskState, file_system_root
from orchestrator.apply.own_paths import destination_of, leaving_source_of, replaced_of, staged_copy_of, trash_of
from orchestrator.apply.protocol.fingerprint import same_content_by_hash, same_file
from orchestrator.apply.protocol.request_budget import CHANGE, KEEP_OLD, LOOK, MAKE_WAY, PUT_BACK, REQUESTS_PER_OPERATION
from orchestrator.apply.protocol.routes import COPIES, Route, has_common_hash, is_copied_by_bucket, is_replaced_in_place, route_of
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
from orchestrator.plan.model import Operation, Verb, is_temporary
from orchestrator.records import Entry, Ref
from orchestrator.storage.local_path import local_path
from orchestrator.storage.protocol import Naming, StatCall, Storage


class Listed(msgspec.Struct, frozen=True):
    """What a listing showed of an operation that a bucket carries out."""

    source: Entry | None
    """None: it showed no such file, or none with a hash. So does the next one."""
    target: Entry | None
    free: bool
    """Whether it showed that the destination is free."""
    began_s: float
    """When it began, on the clock of `SharedLooks`."""


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
    trust_source: bool = False
    """The same for the source: the listing showed the file that the plan expects. It is compared before it is deleted."""
    attempt: int = 0
    """How often it was sent, by this process or an earlier one."""
    began_unstaged: bool = False
    """An older version of this program may have sent a copy straight to its destination."""
    verified: Entry | None = None
    """The copy as the journal's VERIFIED record has it."""
    was_named: bool = False
    """Whether the remote has said that the verified copy got its name."""
    delete_sent: bool = False
    """Whether the source may be gone because of us."""
    vanished: bool = False
    """The source was seen after it was copied, and was gone before we deleted it."""
    at_source: Entry | None = None
    at_staged: Entry | None = None
    at_target: Entry | None = None
    listed: Listed | None = None
    """What a listing has shown since the last step; None: none was made."""
    leaving: Entry | None = None
    """The source in our trash, just before it is deleted."""
    source_id: str | None = None
    """The id that its source had when it was last seen, where files have one."""
    in_trash: Entry | None = None
    """The old content of a replaced file in our trash."""
    on_disk: DiskState | None = None
    """The source as the disk had it before the last look at it; None elsewhere."""
    arrived: bool = False
    """Whether the file at the destination was found to be ours."""
    naming: Naming | None = None
    """How the target gives names; None until a copy needs to know."""
    error: OrchestratorError | None = None
    """What stopped the last try; None while all is well."""
    verdict: Record | None = None
    not_kept: frozenset[str] = frozenset()
    """What belongs to the source, and the target's disk refused for the copy (see `attributes`)."""
    delete_refused: bool = False
    """Whether the copy is at its destination, verified, and the remote will not delete its source."""
    write_refused: bool = False
    """Whether the target does not accept the file, because the right to write is missing."""
    damaged_copies: int = 0
    """How many copies arrived damaged."""
    moved_away: str | None = None
    """Where a file is now that differed from the source at its destination, and may be another program's; None for none."""
    requests_spent: int = 0
    """Requests in this start of the run, counted as in `request_budget`."""
    changes_sent: int = 0
    """How often it was sent in this start of the run."""
    change_tries: int | None = None
    """How often it may be sent in one start of the run; None: as often as the budget allows."""
    run_id: str = ""
    name: str = ""
    """The path under which a user knows the file: the source path, or for a temporary name the path it came from."""

    @property
    def listed_source(self) -> Entry | None:
        """The source as a listing has shown it since the last step."""
        return None if self.listed is None else self.listed.source

    @property
    def listed_target(self) -> Entry | None:
        """The same for the destination."""
        return None if self.listed is None else self.listed.target

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
    def staged(self) -> str | None:
        """The name of ours under which a copy arrives; None if it goes straight to its destination."""
        if self.replaces:
            return None if self.in_place else self.own_name_at_target
        if self.route not in COPIES or self.naming in {Naming.UPLOAD, Naming.REPLACES} or is_temporary(self.dst):
            return None
        return None if is_copied_by_bucket(self.source, self.target) else self.own_name_at_target

    @property
    def replaces(self) -> bool:
        """Whether it gives the file at its destination another content."""
        return self.operation.verb is Verb.REPLACE

    @property
    def in_place(self) -> bool:
        """Whether an upload to its name replaces the content at its destination."""
        return is_replaced_in_place(self.operation, self.source, self.target)

    @property
    def old_name(self) -> str:
        """The name of ours for the content that it replaces."""
        return replaced_of(self.run_id, self.dst)

    @property
    def trash(self) -> str:
        """The directory for files that lie unexpectedly in the way of this attempt."""
        return trash_of(self.run_id, self.attempt)

    def is_old_content(self, there: Entry | None) -> bool:
        """Whether a file at the destination is the one to be replaced.

        Once that was moved to our trash, only what a hash shows to be the same is: a move by copy and delete was cut short.
        """
        if there is None or not self.replaces:
            return False
        if self.in_trash is not None and not self.in_place:
            return same_content_by_hash(self.in_trash, there) is True
        return same_file(self.old_content, there, self.target.capabilities.mtime_precision_ns)

    @property
    def keeps_old_content(self) -> bool:
        """Whether the copy in our trash is that of the file to be replaced, not of one that took its place."""
        return self.in_trash is not None and same_content_by_hash(self.old_content, self.in_trash) is not False

    @property
    def old_content(self) -> Entry:
        """The file to be replaced, as the plan expects it."""
        old = self.operation.expect.replaced
        assert old is not msgspec.UNSET  # noqa: S101 - plans without it are refused
        return Entry(self.dst, old.size, old.mtime, old.hash)

    @property
    def own_name_at_target(self) -> str:
        """A name of ours on the file system of the destination."""
        return staged_copy_of(self.run_id, self.operation.id, self.dst, below=file_system_root(self.target, self.dst))

    @property
    def own_name_at_source(self) -> str:
        """A name of ours on the file system of the source: in our trash, just before it is deleted."""
        return leaving_source_of(self.run_id, self.operation.id, self.src, below=file_system_root(self.source, self.src))

    @property
    def unnamed(self) -> bool:
        """Whether our copy still lies under its staged name."""
        return self.at_staged is not None and self.staged is not None and not self.arrived

    @property
    def copy(self) -> Entry | None:
        """Our copy, wherever it is now."""
        return self.at_staged if self.unnamed else self.at_target

    @property
    def object_id(self) -> str | None:
        """The id of the file, where several files share its name at the source or the destination."""
        return self.operation.src.object_id or self.operation.dst.object_id

    @property
    def leaves_by_trash(self) -> bool:
        """Whether its source is renamed to our trash before it is deleted."""
        return self.route is Route.TRANSFER and self.source.capabilities.move

    @property
    def may_share_name(self) -> bool:
        """Whether its rename to a taken name leaves two files of that name, so that only a look afterwards shows it."""
        return self.route is Route.RENAME and self.object_id is None and self.target.capabilities.by_id

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
        limit = REQUESTS_PER_OPERATION
        if self.replaces:
            limit += PUT_BACK + (KEEP_OLD if self.in_place else 2 * MAKE_WAY)
        return self.requests_spent + requests <= limit

    def may_be_sent(self) -> bool:
        """Whether the budget and the user allow to send it once more."""
        return self.affords(CHANGE) and self.changes_sent != self.change_tries

    def hopeless_after(self, error: OrchestratorError) -> bool:
        """Whether another try would only fail again."""
        return self.damaged_copies > 1 or not worth_another_try(error)

    def may_be_tried(self) -> bool:
        """Whether the budget allows one more try, if only the look that sets the verdict after an error that will not pass."""
        return self.affords(LOOK) or (self.error is not None and self.hopeless_after(self.error) and self.affords(0))

    def settle(
        self, stage: Stage, code: ExitCode = ExitCode.DONE, message: str | None = None, entry: Entry | None = None
    ) -> None:
        """Set the verdict. What was moved away from the destination is always reported."""
        if self.moved_away is not None and self.moved_away not in (message or ""):
            moved = f"{self.dst}: a copy differed from its source afterwards, or was replaced, and was moved to {self.moved_away}"
            message = f"{message}; {moved}" if message else moved
            code = code or ExitCode.SOME_FAILED
        if message and self.name != self.src and self.at_source is not None:
            message = with_temporary_name(message, self.src)
        self.verdict = Record(self.operation.id, stage, self.attempt, entry, int(code), message)

    def add_to_verdict(self, message: str) -> None:
        """Say more in a verdict that was set."""
        if self.verdict is not None:
            said = self.verdict.message
            self.verdict = msgspec.structs.replace(self.verdict, message=f"{said}; {message}" if said else message)

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
    trust_source: bool = False,
    change_tries: int | None = None,
) -> Task:
    """The task of an operation, starting from what the journal says about it."""
    destination = destination_of(operation, run_id)
    task = Task(
        operation, route_of(operation, source, target, destination), source, target, destination, run_id=run_id, name=name
    )
    task.change_tries = change_tries
    # A move by id has no trash to fall back on: if the destination is taken, two files share the name afterwards.
    # What a copy replaces is looked at when the copy is there.
    task.trust_listing = (trust_listing and task.object_id is None) or task.replaces
    # A bucket copies, and before the source is deleted, its hash shows whether it is what was listed and what was copied.
    task.trust_source = (
        trust_source
        and task.route is Route.TRANSFER
        and is_copied_by_bucket(source, target)
        and not operation.expect.kept
        and has_common_hash(operation, source, target)
    )
    if state is not None:
        task.attempt, task.began_unstaged = state.attempt, state.unstaged
        task.verified = state.entry if state.stage is Stage.VERIFIED else None
        task.delete_sent = task.verified is not None
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
    return one is not None and other is not None and is_one_file(one, other)


def is_one_file(one: str, other: str) -> bool:
    """Whether two absolute paths of this machine's disk lead to one file."""
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
