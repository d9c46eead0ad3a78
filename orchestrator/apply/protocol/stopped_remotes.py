"""Which remotes no longer take part in a run: refused credentials, a full disk or a lost connection stop one, not the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from orchestrator.apply.protocol.roots import Roots
from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.errors import (
    AuthError,
    ExitCode,
    OrchestratorError,
    QuotaError,
    RateLimitError,
    RemoteError,
    TransientError,
    UsageError,
    worst,
)
from orchestrator.storage.protocol import PROBE, Storage
from orchestrator.wording import counted


class StoppedRemotes:
    """The remotes of a run that were stopped, and why."""

    def __init__(self, storages: Mapping[str, Storage], roots: Roots, mirrors: Collection[str] = ()) -> None:
        self._storages = storages
        self._roots = roots
        self._mirrors = mirrors
        self._stopped: dict[str, OrchestratorError] = {}
        self._full: dict[str, OrchestratorError] = {}

    def allow(self, task: Task) -> bool:
        """Whether a task may still send requests."""
        self._stopped |= self._roots.replaced(_remotes_of(task) - self._stopped.keys())
        return _remotes_of(task).isdisjoint(self._stopped) and task.target.fs not in self._full

    def note_error_of(self, task: Task) -> None:
        """Stop the remote that the task's error concerns as a whole, if it does."""
        if isinstance(task.error, QuotaError):
            self._full.setdefault(task.target.fs, task.error)
        elif task.error is not None and _concerns_whole_remote(task.error) and self.allow(task):
            error = task.error
            # A disk has no credentials. If there are only disks, the error stands all the same: it is none of this one file.
            refusing = {fs for fs in _remotes_of(task) if not self._storages[fs].capabilities.local} or _remotes_of(task)
            if len(refusing) > 1:  # the error of a copy between two remotes does not say which of them refused it
                in_doubt = refusing.intersection(self._mirrors) or refusing  # the others have operations of their own to show it
                refusing = {fs for fs in refusing if isinstance(self._ask(fs), type(error))} or in_doubt
            self._stopped |= dict.fromkeys(refusing, error)

    def stop_unreachable(self, tasks: Iterable[Task]) -> None:
        """After a try: for tasks that lost their connection, wait for their remotes, and stop those that do not answer.

        So no task is tried again before its server is known to answer.
        """
        in_doubt = {fs for task in tasks if isinstance(task.error, TransientError) for fs in _remotes_of(task)}
        for fs in sorted(in_doubt - self._stopped.keys()):
            if isinstance(error := self._ask(fs), TransientError | AuthError):
                self._stopped[fs] = error

    def reason(self, fs: str) -> OrchestratorError | None:
        """Why nothing more is sent to a remote; None if something is."""
        return self._stopped.get(fs) or self._full.get(fs)

    def code(self, fs: str) -> ExitCode:
        """The exit code that a stopped remote stands for."""
        return self._stopped[fs].exit_code if fs in self._stopped else ExitCode.SOME_FAILED

    def code_of(self, task: Task) -> ExitCode | None:
        """The exit code that what stops a task stands for; None if it may still send requests."""
        full = {task.target.fs} & self._full.keys()
        stopped = _remotes_of(task) & self._stopped.keys()
        return worst({self.code(fs) for fs in stopped or full}) if stopped or full else None

    def codes(self) -> set[ExitCode]:
        """Those that the stopped remotes stand for."""
        return {self.code(fs) for fs in (*self._stopped, *self._full)}

    def problems(self, pending: int, *, reported: Collection[str] = ()) -> Iterable[Problem]:
        """One for each stopped remote, but for those that were reported; `pending` operations are left."""
        for stopped, code in ((self._stopped, None), (self._full, ExitCode.SOME_FAILED)):
            for fs, error in stopped.items():
                if fs not in reported:
                    message = f"{fs}: {error.message}; {counted(pending, 'operation')} left for `resume`"
                    yield Problem(None, code or error.exit_code, message)

    def _ask(self, fs: str) -> RemoteError | None:
        return probe(self._storages[fs])


def probe(storage: Storage) -> RemoteError | None:
    """Ask a remote something simple: its error; None if it answers, if only to say that such a file cannot exist."""
    try:
        storage.stat(PROBE)
    except RemoteError as error:
        return error
    except UsageError:
        return None
    return None


def _remotes_of(task: Task) -> set[str]:
    """Those that it needs, that of the kept copy included."""
    kept = task.operation.expect.kept
    return {task.source.fs, task.target.fs} | ({kept.fs} if kept else set())


def _concerns_whole_remote(error: OrchestratorError) -> bool:
    """Whether all further requests to the remote would fail too."""
    return isinstance(error, AuthError) or (isinstance(error, RateLimitError) and error.out_of_reach)
