"""Before a duplicate is quarantined or deleted, check that the copy to keep is still there, unchanged since the plan was made.

A hash that the storage gives for free decides; without one, size and modification time do. Without these, with `--verify full`,
and before anything is deleted for good, the kept copy is read in full unless a hash was compared. What was hashed for the plan is
hashed again. A duplicate that does not hold the same bytes is only deleted if the sound of the kept copy was proved.

After each removal, the kept copy is looked at again, on every storage: links that a server follows, shortcuts, overlapping unions
and the disk behind a server show one file under two names, and no listing tells. Duplicates are therefore only deleted for good
after they were quarantined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.apply.journal.records import Stage, VerifyMode
from orchestrator.apply.own_paths import destination_of, trash_of
from orchestrator.apply.protocol.fingerprint import common_hashes, expected, same_file
from orchestrator.apply.protocol.move_file import move_file
from orchestrator.apply.protocol.proven_sound import ProvenSound
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.same_bytes import FULL_HASH, Match, compare
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, is_final
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError, RemoteError
from orchestrator.paths import parent_of, remote_of
from orchestrator.plan.model import KeptCopy, Operation, Verb
from orchestrator.plan.planners.dedup.records import Tier
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import CallResult, StatCall, Storage


class KeptCopies:
    """The kept copies that one run's operations refer to. `transfers` is the number of files read at a time."""

    def __init__(
        self,
        run_id: str,
        operations: Sequence[Operation],
        storages: Mapping[str, Storage],
        shared: SharedLooks,
        *,
        transfers: int,
        verify: VerifyMode,
    ) -> None:
        self._shared = shared
        self._transfers = transfers
        self._storages = storages
        self._verify = verify
        self._sound = ProvenSound()
        any_kept = any(operation.expect.kept and not operation.finishes_move for operation in operations)
        self._moved = {o.src: destination_of(o, run_id) for o in operations if o.verb is Verb.MOVE} if any_kept else {}
        """Where this run may have moved a kept copy in the meantime."""
        self._one_folder: set[tuple[Ref, Ref]] = set()
        """Folder of a duplicate and folder of its kept copy that turned out to be one folder under two names."""

    def check(self, tasks: Sequence[Task]) -> None:
        """Skip the tasks whose kept copy is gone or has changed; set an error where that cannot be found out now."""
        pairs = _with_kept(tasks)
        if not pairs:
            return
        found = self._find({kept.ref for _, kept in pairs})

        def judge(task: Task, kept: KeptCopy) -> None:
            at, outcome = found[kept.ref]
            if _folders(task, kept) in self._one_folder:
                message = f"{task.name}: kept: it and {kept.fs} {kept.path} are in one folder that has two names"
                task.settle(Stage.SKIPPED, ExitCode.SOME_FAILED, message)
            elif isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
                task.error = outcome
            elif isinstance(outcome, Entry) and _have_one_id(task, at, outcome):
                task.settle(Stage.SKIPPED, ExitCode.SOME_FAILED, f"{_same_file(task, kept)}: nothing was changed")
            elif not isinstance(outcome, Entry):
                task.skip(f"{task.name}: kept, because the copy it duplicates is no longer at {kept.fs} {kept.path}")
            else:
                self._compare(task, kept, self._storages[at.fs], outcome)

        with ThreadPoolExecutor(self._transfers) as pool:  # some may have to be read
            for _ in pool.map(judge, *zip(*pairs, strict=True)):
                pass

    def bring_back_one_object(self, tasks: Sequence[Task]) -> None:
        """If the kept copy vanished together with the duplicate, both were one file under two names: move it back."""
        pairs = _with_kept(tasks)
        if not pairs:
            return
        found = self._find({kept.ref for _, kept in pairs})
        for task, kept in pairs:
            outcome = found[kept.ref][1]
            if isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
                if is_final(outcome):
                    message = (
                        f"{task.name}: it is at {task.dst}, but the kept copy {kept.path} cannot be looked at: {outcome.message}"
                    )
                    task.settle(Stage.DONE, ExitCode.SOME_FAILED, message, task.at_target)
                else:
                    task.error = outcome  # the next try finds the operation done, and looks at the kept copy again
            elif not isinstance(outcome, Entry):
                self._bring_back(task, kept)

    def _bring_back(self, task: Task, kept: KeptCopy) -> None:
        """Move a duplicate back, and see whether that brings back its kept copy too."""
        gone = f"{task.name}: the copy to keep, {kept.fs} {kept.path}, vanished together with it"
        if task.route is Route.REMOVE:
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, f"{gone}, and it was already deleted")
            return
        copy, trash = task.at_target or expected(task.operation), trash_of(task.run_id, task.attempt)
        try:
            move_file(task.target, task.dst, task.src, trash, was=copy)
        except RemoteError as error:
            message = f"{gone}; it is at {task.dst} and could not be moved back ({error.message})"
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)
            return
        if isinstance(self._find({kept.ref})[kept.ref][1], Entry):
            self._one_folder.add(_folders(task, kept))
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, f"{_same_file(task, kept)}; it was moved back")
        else:
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, f"{gone}; it was moved back")

    def _find(self, wanted: set[Ref]) -> dict[Ref, tuple[Ref, CallResult]]:
        """Look for each file where it was, or where this run has moved it: its present path and the result of the look."""
        found: dict[Ref, tuple[Ref, CallResult]] = {}
        at = {ref: ref for ref in wanted}
        passed: dict[Ref, set[Ref]] = {ref: {ref} for ref in wanted}
        """Files that swap names lead in a circle."""
        while at:
            by_storage: dict[str, list[Ref]] = {}
            for ref in sorted(at, key=lambda ref: (ref.fs, ref.path, ref.object_id or "")):
                by_storage.setdefault(at[ref].fs, []).append(ref)
            moved_on: dict[Ref, Ref] = {}
            for fs, refs in by_storage.items():
                for ref, outcome in zip(refs, self._look(fs, [at[ref] for ref in refs]), strict=True):
                    next_path = self._moved.get(at[ref])
                    if outcome is None and next_path is not None and next_path not in passed[ref]:
                        passed[ref].add(next_path)
                        moved_on[ref] = next_path
                    else:
                        found[ref] = (at[ref], outcome)
            at = moved_on
        return found

    def _look(self, fs: str, refs: Sequence[Ref]) -> Sequence[CallResult]:
        """Listings may show those that are there; what they do not show is looked at."""
        storage = self._storages[fs]
        listed = self._shared.find(storage, {ref.path for ref in refs})
        unseen = [ref for ref in refs if ref.path not in listed]
        try:
            looks = iter(storage.batch([StatCall(ref.path, ref.object_id) for ref in unseen]) if unseen else ())
        except RemoteError as error:
            looks = iter([error] * len(unseen))
        return [listed[ref.path] if ref.path in listed else next(looks) for ref in refs]

    def _compare(self, task: Task, kept: KeptCopy, storage: Storage, now: Entry) -> None:
        before = Entry(kept.path, kept.size, kept.mtime, kept.hash)
        try:
            if same_file(before, now, storage.capabilities.mtime_precision_ns) and (
                not self._must_be_read(task, kept, before, now, storage) or _reads_well(task, kept, storage, now)
            ):
                self._prove(task, kept, storage, now)
                return
        except NotFoundError:
            pass  # it vanished between two looks
        except OrchestratorError as error:
            task.error = error
            return
        why = "other bytes are at" if _unproven(task, kept) else "the copy it duplicates has changed:"
        task.skip(f"{task.name}: kept, because {why} {kept.fs} {kept.path}")

    def _prove(self, task: Task, kept: KeptCopy, storage: Storage, now: Entry) -> None:
        """Skip a delete for good unless both files hold the same bytes, or the sound of the kept copy is proved."""
        if task.route is not Route.REMOVE or kept.tier == Tier.BYTES:
            return
        known_by_tags = f"it only has the same tags as {kept.path}"
        why = known_by_tags if kept.tier != Tier.AUDIO else self._sound.why_not(kept.ref, storage, now)
        if why is not None:
            task.settle(Stage.SKIPPED, ExitCode.SOME_FAILED, f"{task.name}: stays in the quarantine, because {why}")

    def _must_be_read(self, task: Task, kept: KeptCopy, before: Entry, now: Entry, storage: Storage) -> bool:
        """Whether a look at the kept copy does not prove enough."""
        if _unproven(task, kept):
            return True
        if common_hashes(before.hashes, now.hashes):
            return False
        if kept.tier == Tier.BYTES and before.hashes and storage.capabilities.local:
            return True  # the plan's hash was computed: see `orchestrator.catalogue.content_hashes`
        if task.route is Route.REMOVE or self._verify == "full" or before.mtime_ns is None or now.mtime_ns is None:
            return True
        # A server that does not store our times still shows with its own whether the file was written to.
        return storage.capabilities.mtime_precision_ns is None and before.mtime_ns != now.mtime_ns


def _with_kept(tasks: Sequence[Task]) -> list[tuple[Task, KeptCopy]]:
    """A move that only deletes its source compares both itself."""
    return [(task, kept) for task in tasks if (kept := task.operation.expect.kept) and not task.operation.finishes_move]


def _unproven(task: Task, kept: KeptCopy) -> bool:
    """Whether both should hold the same bytes and the plan had no hash that shows it: it goes by size, tags and sound."""
    return kept.tier == Tier.BYTES and not common_hashes(task.operation.expect.hash, kept.hash)


def _reads_well(task: Task, kept: KeptCopy, storage: Storage, now: Entry) -> bool:
    """Read the kept copy to its end. Where both should hold the same bytes they must; otherwise it must be readable."""
    if kept.tier != Tier.BYTES:
        # Before a delete for good it is read for the proof anyway.
        return task.route is Route.REMOVE or storage.hash(now.path, FULL_HASH, download=True) is not None
    if kept.hash and task.route is not Route.REMOVE and not _unproven(task, kept):
        kind, value = min(kept.hash.items())
        return storage.hash(now.path, kind, download=True) == value.lower()
    return task.at_source is None or compare(task.source, task.at_source, storage, now, read_if_needed=True) is Match.SAME


def _same_file(task: Task, kept: KeptCopy) -> str:
    return f"{task.name}: the same file as {kept.fs} {kept.path}, under another name"


def _folders(task: Task, kept: KeptCopy) -> tuple[Ref, Ref]:
    return Ref(task.source.fs, parent_of(task.src)), Ref(kept.fs, parent_of(kept.path))


def _have_one_id(task: Task, kept_at: Ref, now: Entry) -> bool:
    """Whether the storage itself says that both are one file: a Drive shortcut has the id of its target before a tab."""
    if task.at_source is None or task.at_source.id is None or now.id is None:
        return False
    return remote_of(task.source.fs) == remote_of(kept_at.fs) and task.at_source.id.split("\t")[0] == now.id.split("\t")[0]
