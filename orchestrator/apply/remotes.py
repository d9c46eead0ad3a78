"""Which remotes still take part in a run: refused credentials, a full disk or a dead line stop one, not the others."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apply.records import Problem
from orchestrator.apply.task import Task
from orchestrator.errors import AuthError, ExitCode, OrchestratorError, QuotaError, RateLimitError, RemoteError, TransientError
from orchestrator.storage.base import PROBE, Storage


class Remotes:
    """The remotes that were stopped, and why."""

    def __init__(self) -> None:
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
        elif isinstance(task.trouble, AuthError) and self.open_for(task):
            error = task.trouble
            guilty = _ends(task)
            if len(guilty) > 1:  # a copy between two remotes does not tell which of them refused
                guilty = [storage for storage in guilty if isinstance(_answer(storage), AuthError)] or guilty
            for storage in guilty:
                self._stopped[storage.fs] = error

    def probe(self, task: Task) -> None:
        """After the last try: ask the task's remotes whether they are there at all, and stop those that do not answer."""
        if not isinstance(task.trouble, TransientError | RateLimitError):
            return
        for storage in _ends(task):
            if storage.fs not in self._stopped and isinstance(error := _answer(storage), TransientError | AuthError):
                self._stopped[storage.fs] = error

    def codes(self) -> set[ExitCode]:
        """The exit codes that the stopped remotes stand for."""
        return {error.exit_code for error in self._stopped.values()} | ({ExitCode.SOME_FAILED} if self._full else set())

    def problems(self, pending: int) -> Iterable[Problem]:
        """One a remote."""
        for stopped, code in ((self._stopped, None), (self._full, ExitCode.SOME_FAILED)):
            for fs, error in stopped.items():
                message = f"{fs}: {error.message}; {pending} operations wait for `resume`"
                yield Problem(None, code or error.exit_code, message)


def _ends(task: Task) -> list[Storage]:
    return [task.source] if task.source is task.target else [task.source, task.target]


def _answer(storage: Storage) -> RemoteError | None:
    try:
        storage.stat(PROBE)
    except RemoteError as error:
        return error
    return None
