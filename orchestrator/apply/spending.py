"""What one start of a run has spent, and whether the next operations would exceed --max-cost or --max-transfer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode
from orchestrator.plan.estimate import estimate, passes_through
from orchestrator.plan.model import Operation
from orchestrator.storage.protocol import Storage
from orchestrator.wording import counted, money_text, size_text


class Limits(msgspec.Struct, frozen=True):
    """What one start of a run may spend; None: no limit."""

    cost: float | None = None
    """In the currency of the prices."""
    transfer: int | None = None
    """Bytes that are sent and received, those of repeated transfers included."""
    requests_sent: Callable[[], int] = lambda: 0
    """How many requests were sent to remotes so far, by this run and before it."""


class Spending:
    """The operations of one start of a run, in the order in which they begin."""

    def __init__(self, limits: Limits, storages: Mapping[str, Storage]) -> None:
        self.refused = False
        """Whether nothing more may begin."""
        self._limits = limits
        self._limited = limits.cost is not None or limits.transfer is not None
        self._capabilities = {fs: one.capabilities for fs, one in storages.items()} if self._limited else {}
        self._sent_before = limits.requests_sent() if limits.cost is not None else 0
        self._begun = False
        self._requests = 0.0
        """Estimated, as the next one."""
        self._cost = 0.0
        self._bytes = 0
        self._chosen = 0
        """Bytes of the window that is being chosen."""
        self._reason = ""

    def fits(self, operation: Operation) -> bool:
        """Whether the bytes of one more operation may go into the window that is being chosen; if so, they are counted."""
        if self._limits.transfer is None or not passes_through(operation, self._capabilities):
            return True
        size = operation.size or 0
        if self._bytes + size > self._limits.transfer:
            self.refused = True
            self._reason = f"--max-transfer {size_text(self._limits.transfer)}: the next file has {size_text(size)}"
            return False
        if self._bytes + self._chosen + size > self._limits.transfer:
            return False  # for now: what a killed run had already sent is not sent again
        self._chosen += size
        return True

    def allows(self, tasks: Sequence[Task]) -> bool:
        """Whether the operations left of a window, maybe none, may cost what they cost; if so, they are counted."""
        self._chosen = 0
        if self._limits.cost is None or not tasks:
            return True
        expected = estimate([task.operation for task in tasks], self._capabilities, begun=self._begun)
        cost, currency = expected["cost"], str(expected["currency"] or "USD")
        if cost is None:
            self._reason = "--max-cost: the prices of every remote must be known (docs/costs.md)"
        elif (spent := self._spent()) + float(cost) > self._limits.cost:
            self._reason = (
                f"--max-cost {self._limits.cost:g}: about {money_text(spent, currency)} was spent, "
                f"and the next {counted(len(tasks), 'operation')} would cost about {money_text(float(cost), currency)}"
            )
        else:
            self._begun = True
            self._requests += float(expected["requests"] or 0)
            self._cost += float(cost)
            return True
        self.refused = True
        return False

    def note(self, tasks: Sequence[Task]) -> None:
        """Count what was transferred, as often as it was."""
        if self._limits.transfer is not None:
            through = [task for task in tasks if passes_through(task.operation, self._capabilities)]
            self._bytes += sum((task.operation.size or 0) * task.changes_sent for task in through)

    def problems(self) -> Iterator[Problem]:
        """What was refused, and what goes on with it."""
        if self.refused:
            sent = f", and {size_text(self._bytes)} were sent and received" if self._limits.transfer is not None else ""
            text = f"stopped before a limit is exceeded: {self._reason}{sent}; `music-orchestrator resume` continues"
            yield Problem(None, ExitCode.SAFETY_LIMIT, text)

    def _spent(self) -> float:
        """The money so far: as estimated, or more if more requests were sent, by tries that failed for example."""
        sent = self._limits.requests_sent() - self._sent_before
        return self._cost * max(1.0, sent / self._requests) if self._requests else self._cost
