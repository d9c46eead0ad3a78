"""What one start of a run has spent, and whether the next operations would exceed --max-cost or --max-transfer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode
from orchestrator.plan.estimate import estimate, passes_through
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
    """The operations of one start of a run, in the order in which they begin. A window is refused as a whole."""

    def __init__(self, limits: Limits, storages: Mapping[str, Storage]) -> None:
        self.refused: str | None = None
        """Why nothing more may begin; None while all may."""
        self._limits = limits
        self._storages = storages
        self._sent_before = limits.requests_sent() if limits.cost is not None else 0
        self._begun = False
        self._requests = 0.0
        """Estimated, as the next one."""
        self._cost = 0.0
        self._bytes = 0

    def allows(self, tasks: Sequence[Task]) -> bool:
        """Whether these may begin; if so, they are counted."""
        if self._limits.cost is None and self._limits.transfer is None:
            return True
        operations = [task.operation for task in tasks]
        capabilities = {fs: self._storages[fs].capabilities for one in operations for fs in (one.src.fs, one.dst.fs)}
        expected = estimate(operations, capabilities, begun=self._begun)
        size, cost, currency = int(expected["bytes"] or 0), expected["cost"], str(expected["currency"] or "USD")
        them = counted(len(tasks), "operation")
        if self._limits.transfer is not None and self._bytes + size > self._limits.transfer:
            self.refused = (
                f"stopped before --max-transfer {size_text(self._limits.transfer)} is exceeded: "
                f"{size_text(self._bytes)} were sent and received, and the next {them} would take {size_text(size)}"
            )
        elif self._limits.cost is not None and cost is None:
            self.refused = "stopped: with --max-cost, the prices of every remote must be known (docs/costs.md)"
        elif self._limits.cost is not None and self._spent() + float(cost or 0) > self._limits.cost:
            self.refused = (
                f"stopped before --max-cost {self._limits.cost:g} is exceeded: about {money_text(self._spent(), currency)} "
                f"was spent, and the next {them} would cost about {money_text(float(cost or 0), currency)}"
            )
        if self.refused is None:
            self._begun = True
            self._requests += float(expected["requests"] or 0)
            self._cost += float(cost or 0)
        return self.refused is None

    def note(self, tasks: Sequence[Task]) -> None:
        """Count what was transferred, as often as it was."""
        if self._limits.transfer is not None:
            self._bytes += sum((task.operation.size or 0) * task.changes_sent for task in tasks if self._passes_through(task))

    def problems(self) -> Iterator[Problem]:
        """What was refused, and what goes on with it."""
        if self.refused is not None:
            yield Problem(None, ExitCode.SAFETY_LIMIT, f"{self.refused}; `music-orchestrator resume` continues")

    def _spent(self) -> float:
        """The money so far: as estimated, or more if more requests were sent, by tries that failed for example."""
        sent = self._limits.requests_sent() - self._sent_before
        return self._cost * max(1.0, sent / self._requests) if self._requests else self._cost

    def _passes_through(self, task: Task) -> bool:
        return passes_through(task.operation, {storage.fs: storage.capabilities for storage in (task.source, task.target)})
