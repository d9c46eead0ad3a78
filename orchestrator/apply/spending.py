"""What a command has spent, and whether the next operations would exceed --max-cost, --max-transfer or --max-duration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from orchestrator.apply.protocol.task import Task
from orchestrator.apply.results import Problem
from orchestrator.deadline import Deadline
from orchestrator.errors import ExitCode
from orchestrator.plan.estimate import estimate, passes_through
from orchestrator.plan.model import Operation
from orchestrator.prices import Spent
from orchestrator.storage.protocol import Storage
from orchestrator.wording import counted, money_text, number_text, size_text

_SHARE = 1 / 3
"""How much of what may still be spent one window may cost: up to three times as much is no excess yet."""


class Limits(msgspec.Struct, frozen=True):
    """What the runs of a command may spend; None: no limit."""

    cost: float | None = None
    """In the currency of the prices."""
    transfer: int | None = None
    """Bytes that are sent and received, those of repeated transfers included."""
    deadline: Deadline | None = None
    """When nothing more may begin."""
    requests_sent: Callable[[], int] = lambda: 0
    """How many requests were sent to remotes so far, by this run and before it."""
    spent: Spent = msgspec.field(default_factory=Spent)
    """By the runs of the command; kept up to date."""


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
        """Of this run."""
        self._before = limits.spent.cost
        """Of the runs before it."""
        self._chosen = 0
        """Bytes of the window that is being chosen."""
        self._chosen_cost = 0.0
        self._factor = 1.0
        """How many requests were sent for one that was estimated, if more."""
        self._reason = ""

    def fits(self, operation: Operation) -> bool:
        """Whether one more operation may go into the window that is being chosen; if so, its bytes and costs are counted."""
        return self._fits_cost(operation) and self._fits_transfer(operation)

    def _fits_cost(self, operation: Operation) -> bool:
        """Whether the window stays small beside what is left: what it really costs shows at its end."""
        if self._limits.cost is None:
            return True
        cost = self._chosen_cost + float(estimate([operation], self._capabilities, begun=True)["cost"] or 0) * self._factor
        if self._chosen_cost and cost > (self._limits.cost - self._cost_so_far()) * _SHARE:
            return False
        self._chosen_cost = cost
        return True

    def _fits_transfer(self, operation: Operation) -> bool:
        if self._limits.transfer is None or not passes_through(operation, self._capabilities):
            return True
        size = operation.size or 0
        if self._limits.spent.transfer + size > self._limits.transfer:
            self.refused = True
            self._reason = f"--max-transfer {size_text(self._limits.transfer)}: the next file has {size_text(size)}"
            return False
        if self._limits.spent.transfer + self._chosen + size > self._limits.transfer:
            return False  # for now: what a killed run had already sent is not sent again
        self._chosen += size
        return True

    def allows(self, tasks: Sequence[Task]) -> bool:
        """Whether the operations left of a window, maybe none, may cost what they cost; if so, they are counted."""
        self._chosen, self._chosen_cost = 0, 0.0
        if tasks and self._limits.deadline is not None and self._limits.deadline.passed:
            self._reason = str(self._limits.deadline)
            self.refused = True
            return False
        if self._limits.cost is None or not tasks:
            return True
        expected = estimate([task.operation for task in tasks], self._capabilities, begun=self._begun)
        cost, currency = expected["cost"], str(expected["currency"] or "USD")
        if cost is None:
            self._reason = (
                "--max-cost: the prices of every remote must be known: `music-orchestrator remotes check` says how to set them"
            )
        elif (spent := self._cost_so_far()) + (following := float(cost) * self._factor) > self._limits.cost:
            self._reason = (
                f"--max-cost {number_text(self._limits.cost)}: about {money_text(spent, currency)} was spent, "
                f"and the next {counted(len(tasks), 'operation')} would cost about {money_text(following, currency)}"
            )
        else:
            self._begun = True
            self._requests += float(expected["requests"] or 0)
            self._cost += float(cost)
            return True
        self.refused = True
        return False

    def note(self, tasks: Sequence[Task]) -> None:
        """Count what was transferred, as often as it was, and what that cost."""
        if self._requests:
            self._factor = max(1.0, (self._limits.requests_sent() - self._sent_before) / self._requests)
            self._limits.spent.cost = self._cost_so_far()
        if self._limits.transfer is not None:
            through = [task for task in tasks if passes_through(task.operation, self._capabilities)]
            self._limits.spent.transfer += sum((task.operation.size or 0) * task.changes_sent for task in through)

    def problems(self) -> Iterator[Problem]:
        """What was refused, and what goes on with it."""
        if self.refused:
            sent = (
                f", and {size_text(self._limits.spent.transfer)} were sent and received"
                if self._limits.transfer is not None
                else ""
            )
            text = f"stopped before a limit is exceeded: {self._reason}{sent}; `music-orchestrator resume` continues"
            yield Problem(None, ExitCode.SAFETY_LIMIT, text)

    def _cost_so_far(self) -> float:
        """The money so far: as estimated, or more if more requests were sent, by tries that failed for example."""
        return self._before + self._cost * self._factor
