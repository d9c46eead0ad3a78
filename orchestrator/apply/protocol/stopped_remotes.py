"""Which remotes still take part in a run: refused credentials, a full disk or a dead line stop one, not the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.apply.journal.records import Problem
from orchestrator.apply.protocol.task import Task
from orchestrator.errors import AuthError, ExitCode, OrchestratorError, QuotaError, RateLimitError, RemoteError, TransientError
from orchestrator.storage.protocol import PROBE, Storage


class Remotes:
    """The remotes of a run that were stopped, and why."""

    def __init__(self, storages: Mapping[str, Storage]) -> None:
        self._storages = storages
        self._stopped: dict[str, OrchestratorError] = {}
        self._full: dict[str, OrchestratorError] = {}

    def open_for(self, task: Task) -> bool:
        """Whether a task may still send something."""
        ends = {task.source.fs, task.target.fs}
        return ends.isdisjoint(self._stopped) and task.target.fs not in self._full

    def note(self, task: Task) -> None:
        """Stop what the task's trouble stops."""
        if isinstance(task.trouble, QuotaError):
            self._full.setdefault(task.target.fs, task.trouble)
        elif task.trouble is not None and _ends_it(task.trouble) and self.open_for(task):
            error = task.trouble
            guilty = _ends(task)
            if len(guilty) > 1:  # a copy between two remotes does not tell which of them refused
                guilty = {fs for fs in guilty if isinstance(self._answer(fs), type(error))} or guilty
            self._stopped |= dict.fromkeys(guilty, error)

    def probe(self, tasks: Iterable[Task]) -> None:
        """After a try: wait for the remotes of tasks whose connection was lost, and stop those that do not answer.

        So no task is tried again before its server is known to be there.
        """
        doubtful = {fs for task in tasks if isinstance(task.trouble, TransientError) for fs in _ends(task)}
        for fs in sorted(doubtful - self._stopped.keys()):
            if isinstance(error := self._answer(fs), TransientError | AuthError):
                self._stopped[fs] = error

    def codes(self) -> set[ExitCode]:
        """The exit codes that the stopped remotes stand for."""
        return {error.exit_code for error in self._stopped.values()} | ({ExitCode.SOME_FAILED} if self._full else set())

    def problems(self, pending: int) -> Iterable[Problem]:
        """One a remote."""
        for stopped, code in ((self._stopped, None), (self._full, ExitCode.SOME_FAILED)):
            for fs, error in stopped.items():
                message = f"{fs}: {error.message}; {pending} operations wait for `resume`"
                yield Problem(None, code or error.exit_code, message)

    def _answer(self, fs: str) -> RemoteError | None:
        try:
            self._storages[fs].stat(PROBE)
        except RemoteError as error:
            return error
        return None


def _ends(task: Task) -> set[str]:
    return {task.source.fs, task.target.fs}


def _ends_it(error: OrchestratorError) -> bool:
    """Whether nothing that is sent there now will fare better."""
    return isinstance(error, AuthError) or (isinstance(error, RateLimitError) and error.out_of_reach)
