"""One try at a window of operations: look, decide, note the intents, send, verify, make durable, note it, delete sources, judge.

Whatever goes wrong in between leaves a task without a verdict, and the next try - of this process or of a later one - looks at
both ends again and decides anew. So there is one way back into the protocol, whether a reply was lost or the power.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, Stage, VerifyMode
from orchestrator.apply.own_paths import bad_object_of, trash_of
from orchestrator.apply.protocol.decide import Action, End, Route, decide
from orchestrator.apply.protocol.durable import make_durable
from orchestrator.apply.protocol.fingerprint import expected, same_content_by_hash, same_file
from orchestrator.apply.protocol.kept_copies import KeptCopies
from orchestrator.apply.protocol.missing_files import search
from orchestrator.apply.protocol.same_bytes import Match, compare, holds
from orchestrator.apply.protocol.task import CHANGE, DELETE, LOOK, Task, one_object
from orchestrator.errors import (
    CorruptTransferError,
    DestinationExistsError,
    ExitCode,
    IntegrityError,
    NotFoundError,
    OrchestratorError,
    RemoteError,
    TransientError,
)
from orchestrator.records import Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, MoveCall, Storage

_DRIFT = {
    Action.DRIFT_SOURCE_GONE: "the source is gone",
    Action.DRIFT_SOURCE_CHANGED: "the source has changed since the plan was made",
    Action.DRIFT_DESTINATION_EXISTS: "a file has turned up at the destination {dst}",
}


class Steps:
    """The protocol for one run. `transfers` is how many requests go out at a time, `twins` looks at the copies that stay."""

    def __init__(self, run_id: str, journal: Journal, twins: KeptCopies, *, transfers: int, verify: VerifyMode) -> None:
        self._run_id = run_id
        self._journal = journal
        self._twins = twins
        self._transfers = transfers
        self._verify_mode = verify

    def slow_down(self) -> None:
        """Send half as many requests at a time from now on: a remote wants fewer."""
        self._transfers = max(1, self._transfers // 2)

    def try_once(self, tasks: Sequence[Task]) -> None:
        """One try at each; those that come to an end get their verdict, which is durable when this returns.

        The others keep their trouble.
        """
        earlier = {task.operation.id: task.trouble for task in tasks}
        for task in tasks:
            task.trouble = None
        self._look(tasks)
        actions = {task.operation.id: self._action(task) for task in tasks if task.trouble is None}
        for task in tasks:
            if task.trouble is None:
                self._conclude(task, actions[task.operation.id], earlier[task.operation.id])
        found_done = [task for task in _open(tasks) if actions[task.operation.id] is Action.DONE]
        going_on = [task for task in _open(tasks) if actions[task.operation.id] is not Action.DONE]
        self._twins.check(going_on)
        going_on = _open(going_on)

        def wanting(*wanted: Action) -> list[Task]:
            return [task for task in going_on if actions[task.operation.id] in wanted]

        for task in wanting(Action.SEND):
            if not task.affords(CHANGE):
                task.trouble = earlier[task.operation.id] or TransientError(f"{task.name}: was refused too often", path=task.name)
        sent = _open(wanting(Action.SEND))
        self._send(sent)
        self._verify(sent)
        self._hold(_well(sent) + wanting(Action.VERIFY))
        self._delete_sources(_well(sent) + wanting(Action.VERIFY, Action.DELETE_SOURCE))
        through = _open(found_done + going_on)
        self._twins.bring_back_what_was_no_copy(through)
        for task in _open(through):
            task.settle(Stage.DONE, entry=task.at_target)
        self._journal.append(self._run_id, [task.verdict for task in tasks if task.verdict is not None])

    # Looking and deciding.

    def _look(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            task.spent += LOOK
            task.at_source = task.at_target = None
        self._each(tasks, lambda task: (task.source, task.source_look), _note_source)
        targets = [t for t in tasks if t.trouble is None and t.route is not Route.REMOVE and (t.begun or not t.trust_listing)]
        self._each(targets, lambda task: (task.target, task.target_look), _note_target)

    def _action(self, task: Task) -> Action:
        source = self._source_end(task)
        try:
            target = self._target_end(task, source) if task.begun else (End.WRONG if task.at_target else End.ABSENT)
        except NotFoundError as error:
            task.trouble = TransientError(error.message, path=error.path)  # it went away between two looks: look again
            return Action.ALARM
        except OrchestratorError as error:
            task.trouble = error
            return Action.ALARM
        action = decide(task.route, source, target, begun=task.begun, verified=task.verified is not None)
        if task.route is Route.RENAME and action in {Action.VERIFY, Action.DELETE_SOURCE}:
            task.route = Route.TRANSFER  # the rename was a copy, and its delete is still to come
        return action

    def _source_end(self, task: Task) -> End:
        if task.at_source is None:
            return End.ABSENT
        if task.object_id not in {None, task.at_source.id}:
            return End.WRONG  # another file has the name now
        precision = task.source.capabilities.mtime_precision_ns
        return End.RIGHT if same_file(expected(task.operation), task.at_source, precision) else End.WRONG

    def _target_end(self, task: Task, source: End) -> End:
        """What lies at the destination of an operation that was begun: ours, or another's."""
        there = task.at_target
        if there is None:
            return End.ABSENT
        if task.route is Route.WRITE:
            right = holds(task.target, there, _content(task))
        elif task.object_id is not None:
            right = there.id == task.object_id  # it is in one place only
        elif task.verified is not None:
            right = same_file(task.verified, there, task.target.capabilities.mtime_precision_ns)
        elif task.at_source is not None and source is End.RIGHT:
            # Both are there. Nothing may be deleted on the strength of a size: read them if there is no other way.
            right = compare(task.source, task.at_source, task.target, there, read_if_need_be=True) is Match.SAME
        elif task.route is Route.RENAME:
            right = same_file(expected(task.operation), there, task.target.capabilities.mtime_precision_ns)
        else:
            right = same_content_by_hash(expected(task.operation), there) is True
        return End.RIGHT if right else End.WRONG

    def _conclude(self, task: Task, action: Action, earlier: OrchestratorError | None) -> None:
        """Give the verdict where the look at both ends, or what happened before it, leaves nothing to do."""
        last = not task.affords(LOOK)
        if action in _DRIFT:
            task.drift(f"{task.name}: {_DRIFT[action].format(dst=task.dst)}")
        elif action is Action.DONE:
            return  # but for a last look at its twin
        elif isinstance(earlier, DestinationExistsError) and task.at_target is not None:
            # Even one of equal content is not ours: the remote says that it was there before.
            task.drift(f"{task.name}: {_DRIFT[Action.DRIFT_DESTINATION_EXISTS].format(dst=task.dst)}")
        elif action is Action.CONFLICT:
            message = f"{task.name}: another file lies at the destination {task.dst}; both are left as they are"
            if last:
                task.drift(message)
            else:  # it may be the half of a copy that the server still writes, asked for before a connection was lost
                task.trouble = TransientError(message, path=task.name)
        elif action is Action.ALARM:
            if last or isinstance(earlier, NotFoundError):
                self._alarm(task, earlier)
            else:
                task.trouble = TransientError(f"{task.name}: is at neither end", path=task.name)
        elif earlier is not None and self._final(earlier, action, task):
            self._refuse(task, earlier)

    def _final(self, earlier: OrchestratorError, action: Action, task: Task) -> bool:
        """Whether what went wrong before would only go wrong again."""
        if action is Action.VERIFY:  # it has arrived after all
            return isinstance(earlier, IntegrityError)
        return task.hopeless_after(earlier)

    def _refuse(self, task: Task, error: OrchestratorError) -> None:
        if isinstance(error, NotFoundError | DestinationExistsError):
            task.drift(f"{task.name}: {error.message}")
        else:
            task.settle(Stage.FAILED, error.exit_code, f"{task.name}: {error.message}")

    def _alarm(self, task: Task, earlier: OrchestratorError | None) -> None:
        found = search(task)
        if found:
            message = f"{task.name}: is neither there nor at {task.dst}; the same content lies at {', '.join(found)}"
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)
        elif isinstance(earlier, NotFoundError) and task.attempt == 1:
            task.drift(f"{task.name}: the source went away before it could be moved")
        elif task.at_target is not None:
            message = f"{task.name}: another file lies at {task.dst} now, and nothing at {task.src}: it was replaced meanwhile"
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)
        else:
            message = f"{task.name}: is neither there nor at {task.dst}, nor in the trash; look for it before anything else"
            task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)

    # Changing.

    def _send(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            task.attempt += 1
            task.spent += CHANGE
            task.verified = None
        self._journal.append(self._run_id, [Record(task.operation.id, Stage.INTENT, task.attempt) for task in tasks])
        self._each([task for task in tasks if task.route is not Route.WRITE], self._changing_call, _note_trouble)
        self._parallel([task for task in tasks if task.route is Route.WRITE], _write)

    def _changing_call(self, task: Task) -> tuple[Storage, Call]:
        trash = trash_of(self._run_id, task.attempt)
        other = None if task.source is task.target else task.source
        match task.route:
            case Route.RENAME:
                return task.target, MoveCall(task.src, task.dst, trash, other, task.object_id)
            case Route.REMOVE:
                return task.source, DeleteCall(task.src, seen=True)
            case _:  # copies; what is written goes another way
                return task.target, CopyCall(task.src, task.dst, trash, other)

    def _verify(self, sent: Sequence[Task]) -> None:
        """Look at what has arrived. A copy that arrived damaged is put out of the way."""
        arrived = [
            t for t in sent if t.trouble is None or (isinstance(t.trouble, CorruptTransferError) and t.route is not Route.RENAME)
        ]
        complaints = {task.operation.id: task.trouble for task in arrived}
        for task in arrived:
            task.trouble = None
        self._each([t for t in arrived if t.route is not Route.REMOVE], lambda t: (t.target, t.target_look), _note_target)
        renamed = [task for task in _well(arrived) if task.route is Route.RENAME]
        for task in renamed:
            self._check_rename(task)
        removed = [task for task in _well(arrived) if task.route is Route.REMOVE]
        self._each(removed, lambda task: (task.source, task.source_look), _expect_gone)
        copied = [task for task in _well(arrived) if task.route in {Route.COPY, Route.TRANSFER, Route.WRITE}]
        self._parallel(copied, lambda task: self._check_copy(task, complaints[task.operation.id]))

    def _check_rename(self, task: Task) -> None:
        there, was = task.at_target, task.at_source
        if there is None or was is None:
            task.trouble = TransientError(f"{task.dst}: not there, although the remote reported success", path=task.dst)
            return
        if same_file(was, there, task.target.capabilities.mtime_precision_ns):
            return
        if same_content_by_hash(was, there) is False:
            message = f"{task.dst}: is not what was moved there from {task.src}"
            task.trouble = CorruptTransferError(message, path=task.dst)
            return
        # Some servers give a renamed file a new time: then the source, seen before and gone now, is the proof.
        self._each([task], lambda _: (task.source, task.source_look), _expect_gone)

    def _check_copy(self, task: Task, complaint: OrchestratorError | None) -> None:
        there, was = task.at_target, task.at_source
        if there is None or was is None:
            lost = TransientError(f"{task.dst}: not there, although the remote reported success", path=task.dst)
            task.trouble = complaint or lost
            task.corrupt += complaint is not None
            return
        try:
            full = self._verify_mode == "full" or complaint is not None
            if task.route is Route.WRITE:
                if holds(task.target, there, _content(task)):
                    return
            elif compare(task.source, was, task.target, there, read_if_need_be=full) is not Match.DIFFERENT:
                return
        except OrchestratorError as error:
            task.trouble = error
            return
        task.corrupt += 1
        aside = bad_object_of(self._run_id, task.attempt, task.dst)
        message = f"{task.dst}: arrived damaged; the damaged copy is kept as {aside}, the source is untouched"
        try:
            task.target.move(task.dst, aside)
        except RemoteError as error:
            message = f"{task.dst}: arrived damaged and could not be put aside ({error.message}); the source is untouched"
        task.trouble = CorruptTransferError(message, path=task.dst)

    def _hold(self, tasks: Sequence[Task]) -> None:
        """Make copies durable, then note those whose source is to go as verified."""
        copies = [task for task in tasks if task.route in {Route.COPY, Route.TRANSFER, Route.WRITE}]
        make_durable(copies)
        losing = [task for task in _well(tasks) if task.route is Route.TRANSFER]
        records = [Record(task.operation.id, Stage.VERIFIED, task.attempt, task.at_target) for task in losing]
        self._journal.append(self._run_id, records)
        for task in losing:
            task.verified = task.at_target

    def _delete_sources(self, tasks: Sequence[Task]) -> None:
        losing = [task for task in _well(tasks) if task.route is Route.TRANSFER]
        seen = {task.operation.id: task.at_source for task in losing}
        self._each(losing, lambda task: (task.source, task.source_look), _note_source)
        for task in _well(losing):
            before, now = seen[task.operation.id], task.at_source
            if now is None or before is None:
                task.trouble = TransientError(f"{task.name}: went away while it was copied", path=task.name)
            elif not same_file(before, now, task.source.capabilities.mtime_precision_ns):
                message = f"{task.name}: changed while it was copied; the copy of what it was lies at {task.dst}"
                task.settle(Stage.FAILED, ExitCode.SOME_FAILED, message)
            elif one_object(task):
                message = f"{task.src} and {task.dst} are one and the same object: nothing was deleted"
                task.settle(Stage.FAILED, ExitCode.INTEGRITY, message)
        going = _open(losing)
        for task in going:
            task.spent += DELETE
        self._each(going, lambda task: (task.source, DeleteCall(task.src, seen=True)), _note_trouble)

    # Requests.

    def _each(
        self,
        tasks: Sequence[Task],
        call: Callable[[Task], tuple[Storage, Call]],
        note: Callable[[Task, CallResult], None],
    ) -> None:
        """Send one call a task, as one batch a storage, and hand each outcome to its task."""
        batches: dict[str, tuple[Storage, list[Task], list[Call]]] = {}
        for task in tasks:
            storage, request = call(task)
            _, members, requests = batches.setdefault(storage.fs, (storage, [], []))
            members.append(task)
            requests.append(request)
        for storage, members, requests in batches.values():
            outcomes: Iterable[CallResult]
            try:
                outcomes = storage.batch(requests, concurrency=self._transfers)
            except RemoteError as error:
                outcomes = [error] * len(members)  # the batch as such failed: nobody knows how far it came
            for task, outcome in zip(members, outcomes, strict=True):
                note(task, outcome)

    def _parallel(self, tasks: Sequence[Task], work: Callable[[Task], None]) -> None:
        if len(tasks) < 2:
            for task in tasks:
                work(task)
            return
        with ThreadPoolExecutor(max_workers=min(self._transfers, len(tasks))) as pool:
            for _ in pool.map(work, tasks):
                pass


def _content(task: Task) -> bytes:
    content = task.operation.content_bytes()
    if content is None:  # `check_plan` lets no such operation pass
        raise IntegrityError(f"{task.name}: the plan does not say what to write", path=task.name)
    return content


def _write(task: Task) -> None:
    try:
        task.target.write(task.dst, _content(task))
    except OrchestratorError as error:
        task.trouble = error


def _well(tasks: Iterable[Task]) -> list[Task]:
    return [task for task in tasks if task.trouble is None]


def _open(tasks: Iterable[Task]) -> list[Task]:
    return [task for task in tasks if task.trouble is None and task.verdict is None]


def _seen(task: Task, outcome: CallResult) -> Entry | None:
    if isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
        task.trouble = outcome
    return outcome if isinstance(outcome, Entry) else None


def _note_source(task: Task, outcome: CallResult) -> None:
    task.at_source = _seen(task, outcome)


def _note_target(task: Task, outcome: CallResult) -> None:
    task.at_target = _seen(task, outcome)


def _note_trouble(task: Task, outcome: CallResult) -> None:
    if isinstance(outcome, OrchestratorError):
        task.trouble = outcome


def _expect_gone(task: Task, outcome: CallResult) -> None:
    if _seen(task, outcome) is not None:
        task.trouble = TransientError(f"{task.name}: still there, although the remote reported success", path=task.name)
