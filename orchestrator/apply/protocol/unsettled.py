"""The operations that their tries left without a verdict: give them up, or leave them to the next start of the run.

An error that may pass is worth another start, but not one start after another: an operation that always fails, although its
remote answers, would keep the run, and with it the location, unfinished for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import OperationState, Record, Stage
from orchestrator.apply.protocol.make_way import put_back
from orchestrator.apply.protocol.stopped_remotes import StoppedRemotes
from orchestrator.apply.protocol.task import Task, worth_another_try
from orchestrator.apply.protocol.verdicts import give_up, leaves_copy, settle_left_copy
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode, OrchestratorError, QuotaError

_LAST_START = 3
"""If nothing at all succeeds, give up only in this start: the remote, not the file, may be what fails."""


class Unsettled:
    """Those of one start of a run; `states` holds the last records of earlier starts."""

    def __init__(self, run_id: str, journal: Journal, states: Mapping[str, OperationState], stopped: StoppedRemotes) -> None:
        self._run_id = run_id
        self._journal = journal
        self._states = states
        self._stopped = stopped

    def give_up(self, tasks: Sequence[Task], *, others_succeed: bool) -> None:
        """Set the verdicts, durably, on those that will not succeed; the remotes of all these tasks answer."""
        for task in tasks:
            give_up(task)
            if task.verdict is not None or task.error is None or not self._failed_again(task, others_succeed=others_succeed):
                continue
            if leaves_copy(task):
                settle_left_copy(task, task.error)
            else:
                message = f"{task.name}: failed again in another start of the run, and was given up: {_message(task.error)}"
                task.settle(Stage.FAILED, ExitCode.SOME_FAILED, f"{message}{_where(task)}")
        put_back(tasks, concurrency=1)
        self._journal.append(self._run_id, [task.verdict for task in tasks if task.verdict is not None])

    def leave(self, tasks: Sequence[Task], *, noted: Sequence[Task]) -> list[Problem]:
        """Report those that wait for `resume`, and record in the journal that those in `noted` were tried in vain."""
        self._journal.append(self._run_id, [_note(task) for task in noted if task.error is not None and task.verdict is None])
        return [
            Problem(task.name, self._code_of(task, task.error), f"{task.error.message} (`resume` tries it again)")
            for task in tasks
            if task.error is not None and task.verdict is None
        ]

    def _code_of(self, task: Task, error: OrchestratorError) -> ExitCode:
        """The exit code of an operation that waits. An error that another try might have cured says less than what forbade it."""
        return (self._stopped.code_of(task) if worth_another_try(error) else None) or _code(error)

    def _failed_again(self, task: Task, *, others_succeed: bool) -> bool:
        state = self._states.get(task.operation.id)
        if state is None or not state.code:
            return False
        return others_succeed or self._journal.run(self._run_id).starts >= _LAST_START


def _note(task: Task) -> Record:
    """The task's last stage once more, now with its error. Its attempt stays as it was; 0 means that nothing was ever sent."""
    stage = Stage.INTENT if task.verified is None else Stage.VERIFIED
    return Record(task.operation.id, stage, task.attempt, task.verified, int(_code(task.error)), _message(task.error))


def _where(task: Task) -> str:
    return f"; it is at {task.src}, at {task.dst}, or at both" if task.begun else ""


def _code(error: OrchestratorError | None) -> ExitCode:
    return ExitCode.SOME_FAILED if error is None or isinstance(error, QuotaError) else error.exit_code


def _message(error: OrchestratorError | None) -> str:
    return error.message if error is not None else ""
