"""The copy that stays: before a duplicate goes, its twin is looked at again, and must be what the plan saw.

A hash that the storage gives for free decides; without one size and modification time do. Where those do not tell either, when
everything is to be verified, and before anything is deleted for good, the twin is read in full unless such a hash was there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.apply.journal.records import Stage, VerifyMode
from orchestrator.apply.own_paths import place
from orchestrator.apply.protocol.decide import Route
from orchestrator.apply.protocol.fingerprint import common_hashes, same_file
from orchestrator.apply.protocol.same_bytes import FULL_HASH, Match, compare
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError, RemoteError
from orchestrator.plan.model import KeptCopy, Operation, Verb
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import CallResult, StatCall, Storage

SAME_BYTES = "T0"


class KeptCopies:
    """The twins of one run's operations. `transfers` is how many of them are read at a time."""

    def __init__(
        self,
        run_id: str,
        operations: Sequence[Operation],
        storages: Mapping[str, Storage],
        *,
        transfers: int,
        verify: VerifyMode,
    ) -> None:
        self._transfers = transfers
        self._storages = storages
        self._verify = verify
        wanted = any(operation.expect.kept for operation in operations)
        self._moved = {o.src: place(o, run_id) for o in operations if o.verb is Verb.MOVE} if wanted else {}
        """Where this run itself may have put a twin since."""

    def check(self, tasks: Sequence[Task]) -> None:
        """Drift where the twin has gone or changed; trouble where that cannot be told now."""
        asking = [(task, twin) for task in tasks if (twin := task.operation.expect.kept)]
        if not asking:
            return
        found = self._find({twin.ref for _, twin in asking})

        def judge(task: Task, twin: KeptCopy) -> None:
            at, outcome = found[twin.ref]
            if isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
                task.trouble = outcome
            elif not isinstance(outcome, Entry):
                task.drift(f"{task.name}: stays, for the copy that was to stay instead is gone: {twin.fs} {twin.path}")
            else:
                self._compare(task, twin, self._storages[at.fs], outcome)

        with ThreadPoolExecutor(self._transfers) as pool:  # some may have to be read
            for _ in pool.map(judge, *zip(*asking, strict=True)):
                pass

    def bring_back_what_was_no_copy(self, tasks: Sequence[Task]) -> None:
        """After a file went: where its twin went with it, the two were one file under two names. It is brought back."""
        # Two paths of one remote location are two files. On a disk links and mounts can show one of them twice.
        apart = [
            (task, twin)
            for task in tasks
            if (twin := task.operation.expect.kept) and (twin.fs != task.source.fs or task.source.capabilities.local)
        ]
        if not apart:
            return
        found = self._find({twin.ref for _, twin in apart})
        for task, twin in apart:
            outcome = found[twin.ref][1]
            if isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
                task.trouble = outcome  # the next try finds the task done, and looks once more
                continue
            if isinstance(outcome, Entry) or task.route is Route.REMOVE:
                continue
            message = f"{task.name}: is one and the same file as {twin.fs} {twin.path}"
            try:
                task.target.move(task.dst, task.src)
                message += "; it was brought back"
            except RemoteError as error:
                message += f"; it lies at {task.dst} and could not be brought back ({error.message})"
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)

    def _find(self, wanted: set[Ref]) -> dict[Ref, tuple[Ref, CallResult]]:
        """Each file where it was, or where this run has put it: its place and what a look at it came to."""
        found: dict[Ref, tuple[Ref, CallResult]] = {}
        at = {ref: ref for ref in wanted}
        while at:
            by_storage: dict[str, list[Ref]] = {}
            for ref in sorted(at, key=lambda ref: (ref.fs, ref.path, ref.object_id or "")):
                by_storage.setdefault(at[ref].fs, []).append(ref)
            following: dict[Ref, Ref] = {}
            for fs, refs in by_storage.items():
                for ref, outcome in zip(refs, self._look(fs, [at[ref] for ref in refs]), strict=True):
                    next_place = self._moved.get(at[ref])
                    if outcome is None and next_place is not None:
                        following[ref] = next_place
                    else:
                        found[ref] = (at[ref], outcome)
            at = following
        return found

    def _look(self, fs: str, refs: Sequence[Ref]) -> Sequence[CallResult]:
        try:
            return self._storages[fs].batch([StatCall(ref.path, ref.object_id) for ref in refs])
        except RemoteError as error:
            return [error] * len(refs)

    def _compare(self, task: Task, twin: KeptCopy, storage: Storage, now: Entry) -> None:
        before = Entry(twin.path, twin.size, twin.mtime, twin.hash)
        try:
            if same_file(before, now, storage.capabilities.mtime_precision_ns) and (
                not self._must_be_read(task, before, now, storage) or _reads(task, twin, storage, now)
            ):
                return
        except NotFoundError:
            pass  # it went between two looks: no longer there is no longer the same
        except OrchestratorError as error:
            task.trouble = error
            return
        task.drift(f"{task.name}: stays, for the copy that was to stay instead has changed: {twin.fs} {twin.path}")

    def _must_be_read(self, task: Task, before: Entry, now: Entry, storage: Storage) -> bool:
        """Whether what a look gives is not enough."""
        if common_hashes(before.hashes, now.hashes):
            return False
        if task.route is Route.REMOVE or self._verify == "full" or before.mtime_ns is None or now.mtime_ns is None:
            return True
        # A server that keeps no times of ours still tells by its own that nobody has written there since.
        return storage.capabilities.mtime_precision_ns is None and before.mtime_ns != now.mtime_ns


def _reads(task: Task, twin: KeptCopy, storage: Storage, now: Entry) -> bool:
    """Read the twin from end to end: as the same bytes where it is to hold those, else as a file that can be read."""
    if twin.tier == SAME_BYTES and task.at_source is not None:
        return compare(task.source, task.at_source, storage, now, read_if_need_be=True) is Match.SAME
    return storage.hash(now.path, FULL_HASH, download=True) is not None
