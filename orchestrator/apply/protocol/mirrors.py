"""Mirrors during a run: what fails there holds up nothing, and once a mirror is lost or full, its copies are given up.

So a run does not stay unfinished for a mirror. Which copies it lacks, the journal says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Stage
from orchestrator.apply.protocol.stopped_remotes import StoppedRemotes
from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.plan.model import Operation, Plan, mirrors_of
from orchestrator.wording import counted


class Mirrors:
    """Those of one start of a run."""

    def __init__(self, run_id: str, plan: Plan, journal: Journal, stopped: StoppedRemotes) -> None:
        self._run_id = run_id
        self._journal = journal
        self._fs = mirrors_of(plan.header)
        self._stopped = stopped
        self._given_up: Counter[str] = Counter()
        """Mirror -> the copies that were given up."""

    @property
    def away(self) -> frozenset[str]:
        """The mirrors that no longer take part."""
        return frozenset(fs for fs in self._fs if self._stopped.reason(fs) is not None)

    def have(self, operation: Operation) -> bool:
        """Whether it copies to a mirror: no operation is skipped because this one failed."""
        return operation.dst.fs in self._fs

    def said(self, operation: Operation, message: str | None) -> str:
        """The message for people about an operation; for a mirror it says so, because the file itself is where it was to be."""
        fs = operation.dst.fs
        return f"{message or ''} (mirror {fs})" if fs in self._fs and fs not in (message or "") else message or ""

    def others(self, operations: Iterable[Operation]) -> list[Operation]:
        """The operations that are not for mirrors."""
        return [operation for operation in operations if not self.have(operation)]

    def give_up(self, tasks: Sequence[Task], *, tried: bool = False) -> list[Task]:
        """Set the verdicts, durably, on the open tasks of mirrors that no longer take part, and return them.

        `tried`: on those as well that were tried in vain, although all their remotes answer.
        """
        given_up = []
        for task in tasks:
            if not self.have(task.operation) or task.verdict is not None:
                continue
            fs = task.target.fs
            if (error := self._stopped.reason(fs)) is not None:
                self._given_up[fs] += 1
                code = self._stopped.code(fs)
            elif tried and task.error is not None and self._stopped.allow(task):
                error, code = task.error, task.error.exit_code
            else:
                continue
            task.settle(Stage.SKIPPED, code, f"{task.name}: not copied to the mirror {fs}: {error.message}")
            given_up.append(task)
        if given_up:
            self._journal.append(self._run_id, [task.verdict for task in given_up if task.verdict is not None])
        return given_up

    def problems(self) -> Iterator[Problem]:
        """One for each mirror with copies that were given up."""
        for fs, number in self._given_up.items():
            error = self._stopped.reason(fs)
            if error is not None:
                message = f"the mirror {fs}: {error.message}; {counted(number, 'file')} not copied there"
                yield Problem(None, self._stopped.code(fs), message)
