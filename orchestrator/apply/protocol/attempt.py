"""One try at a window of operations: look, decide, send, verify, make durable, give names, delete sources, record the verdicts.

Whatever goes wrong on the way leaves a task without a verdict. The next try, by this process or by `resume`, looks at all ends
again and decides again: a lost reply and a power failure are handled in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Record, Stage, VerifyMode
from orchestrator.apply.protocol.attributes import keep_attributes, shelter
from orchestrator.apply.protocol.both_ends import decide, look_at_all_ends
from orchestrator.apply.protocol.cut_copies import settle_cut_copy
from orchestrator.apply.protocol.delete_sources import bring_back_sources, delete_sources
from orchestrator.apply.protocol.durable import sync_copies, sync_names
from orchestrator.apply.protocol.empty_folders import clear_empty_folder
from orchestrator.apply.protocol.give_names import give_back_caught_names, give_names
from orchestrator.apply.protocol.kept_copies import KeptCopies
from orchestrator.apply.protocol.make_way import make_way, put_back
from orchestrator.apply.protocol.next_action import Action
from orchestrator.apply.protocol.roots import Roots
from orchestrator.apply.protocol.routes import COPIES, Route
from orchestrator.apply.protocol.send import send
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, still_open, without_error
from orchestrator.apply.protocol.twins import tell_twins_apart
from orchestrator.apply.protocol.verdicts import conclude, conclude_failed_look, settle_taken_away
from orchestrator.apply.protocol.verify_arrival import settle_copy_of_changed, take_back_uploads, verify_arrivals
from orchestrator.errors import (
    DestinationExistsError,
    InUseError,
    OrchestratorError,
    PermanentError,
    RateLimitError,
    TransientError,
)


class Attempts:
    """The tries of one run. `transfers` is the number of requests at a time."""

    def __init__(
        self,
        run_id: str,
        journal: Journal,
        kept_copies: KeptCopies,
        shared: SharedLooks,
        roots: Roots,
        *,
        transfers: int,
        verify: VerifyMode,
    ) -> None:
        self._roots = roots
        self._run_id = run_id
        self._journal = journal
        self._kept_copies = kept_copies
        self._shared = shared
        self._transfers = self._at_once = self._most = transfers
        self._verify = verify

    def adapt_to(self, errors: Iterable[OrchestratorError | None]) -> None:
        """Send fewer requests at a time after a try with these errors.

        Half as many if a remote asked for that, and one more again after each try in which none did. Only in the next try one
        alone if requests were in each other's way.
        WebDAV servers lock a folder while they create it, and rclone asks for the folder of each file.
        """
        met = {type(error) for error in errors}
        wanted = self._transfers // 2 if RateLimitError in met else self._transfers + 1
        self._transfers = min(self._most, max(1, wanted))
        self._at_once = 1 if InUseError in met else self._transfers

    def try_once(self, tasks: Sequence[Task]) -> None:
        """Try each task once. Verdicts are durable when this returns; a task without a verdict has an error."""
        earlier = {task.operation.id: task.error for task in tasks}
        for task in tasks:
            task.error = None
        actions = self._decide_all(tasks, earlier)
        already_done = [task for task in still_open(tasks) if actions[task.operation.id] is Action.DONE]
        unfinished = [task for task in still_open(tasks) if actions[task.operation.id] is not Action.DONE]
        self._kept_copies.check(unfinished)
        for task in unfinished:
            conclude_failed_look(task)
        unfinished = still_open(unfinished)

        def that_need(*wanted: Action) -> list[Task]:
            return [task for task in unfinished if actions[task.operation.id] in wanted]

        sent = self._send(that_need(Action.SEND), earlier)
        copied = still_open(sent) + that_need(Action.VERIFY)
        self._secure_copies(copied)
        self._give_names(still_open(copied) + that_need(Action.GIVE, Action.DELETE_SOURCE))
        self._delete_sources(copied + that_need(Action.GIVE, Action.DELETE_SOURCE))
        give_back_caught_names([task for task in already_done if task.begun], self._run_id)
        bring_back_sources(that_need(Action.BRING_BACK_SOURCE))
        take_back_uploads(that_need(Action.PUT_BACK), self._run_id)
        succeeded = still_open(already_done + unfinished)
        self._kept_copies.bring_back_one_object(succeeded)
        for task in still_open(succeeded):
            task.settle(Stage.DONE, entry=task.at_target)
        put_back(tasks, concurrency=self._at_once)
        self._journal.append(self._run_id, [task.verdict for task in tasks if task.verdict is not None])

    def _decide_all(self, tasks: Sequence[Task], earlier: dict[str, OrchestratorError | None]) -> dict[str, Action]:
        """Look at all ends; the next action by operation id, and verdicts where nothing is left to do."""
        look_at_all_ends(tasks, self._shared, concurrency=self._at_once)
        tell_twins_apart([task for task in without_error(tasks) if task.begun])
        actions = {task.operation.id: decide(task) for task in still_open(tasks)}
        for task in still_open(tasks):
            settle_cut_copy(task, actions[task.operation.id])
            settle_copy_of_changed(task, actions[task.operation.id], self._run_id)
            settle_taken_away(task, actions[task.operation.id])
        for task in still_open(tasks):
            if isinstance(earlier[task.operation.id], PermanentError | DestinationExistsError) and clear_empty_folder(
                task, self._run_id
            ):
                earlier[task.operation.id] = None
            if actions[task.operation.id] in {Action.SKIP_SOURCE_GONE, Action.LOST}:
                task.error = next(iter(self._roots.replaced([task.source.fs, task.target.fs]).values()), None)
        for task in still_open(tasks):
            conclude(task, actions[task.operation.id], earlier[task.operation.id])
        for task in tasks:
            if task.error is not None:
                conclude_failed_look(task)
        return actions

    def _send(self, tasks: Sequence[Task], earlier: dict[str, OrchestratorError | None]) -> list[Task]:
        """Send what the request budget allows, and verify what arrived; gives the tasks that were sent."""
        for task in tasks:
            if not task.may_be_sent():
                task.error = earlier[task.operation.id] or TransientError(f"{task.name}: refused too often", path=task.name)
        sent = still_open(tasks)
        shelter(sent)
        check = partial(verify_arrivals, run_id=self._run_id, mode=self._verify, shared=self._shared, concurrency=self._at_once)
        send(sent, self._run_id, self._journal, concurrency=self._at_once, check=check)
        return sent

    def _secure_copies(self, tasks: Sequence[Task]) -> None:
        """Complete and sync copies, then record as VERIFIED those that are to get names, or whose source is to be deleted."""
        keep_attributes(tasks)
        sync_copies(task for task in tasks if task.route in COPIES or task.route is Route.WRITE)
        verified = [task for task in without_error(tasks) if task.route is Route.TRANSFER or task.unnamed]
        self._journal.append(
            self._run_id, [Record(task.operation.id, Stage.VERIFIED, task.attempt, task.copy) for task in verified]
        )
        for task in verified:
            task.verified = task.copy

    def _give_names(self, tasks: Sequence[Task]) -> None:
        """Give staged copies their names, and make the names durable.

        Replacing ones in small groups: a name that is to change its file has none for a moment.
        """
        replacing = [task for task in still_open(tasks) if task.replaces and task.unnamed]
        for start in range(0, len(replacing), self._at_once):
            group = replacing[start : start + self._at_once]
            make_way(group, concurrency=self._at_once)
            give_names(still_open(group), self._run_id, concurrency=self._at_once)
        others = [task for task in still_open(tasks) if not task.replaces]
        give_names(others, self._run_id, concurrency=self._at_once)
        give_back_caught_names(still_open(tasks), self._run_id)
        sync_names(task for task in still_open(tasks) if task.route in COPIES or task.route is Route.WRITE)

    def _delete_sources(self, tasks: Sequence[Task]) -> None:
        moved = [task for task in still_open(tasks) if task.route is Route.TRANSFER]
        delete_sources(moved, self._shared, concurrency=self._at_once)
