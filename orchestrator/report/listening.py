"""A reporter that remembers what a message about a job is to say."""

from __future__ import annotations

from collections import Counter

from orchestrator.plan.model import Plan
from orchestrator.report import plan_view
from orchestrator.report.forwarding import ForwardingReporter
from orchestrator.report.reporter import Reporter, printable, with_location

REMEMBERED = 100
"""So many errors, and so many groups of changes: a message says only the first ones, and how many there are."""


class ListeningReporter(ForwardingReporter):
    """See the module. `forget` begins again."""

    def __init__(self, to: Reporter, *, plans: bool) -> None:
        """`plans`: whether to remember what they change, which takes time if they are large."""
        super().__init__(to)
        self._plans = plans
        self.forget()

    def forget(self) -> None:
        """Forget what was remembered."""
        self.errors: list[str] = []
        """The first ones, each on one line."""
        self.news: list[str] = []
        """Those of them that were not reported before."""
        self.error_count = 0
        self.changes: Counter[str] = Counter()
        """Folder or other group of a plan -> how many changes were planned in it."""

    def error(
        self, code: str, message: str, path: str | None = None, location: str | None = None, *, known: bool = False
    ) -> None:
        """Remember it, and pass it on."""
        self.error_count += 1
        if len(self.errors) < REMEMBERED:
            self.errors.append(printable(with_location(message, path, location)))
            self.news += [] if known else self.errors[-1:]
        super().error(code, message, path, location, known=known)

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """Remember where it changes something, and pass it on."""
        for step in plan_view.steps(plan) if self._plans and plan.operations else ():
            name = printable(step.group)
            if name in self.changes or len(self.changes) < REMEMBERED:
                self.changes[name] += 1
        super().plan(plan, everything=everything)
