"""A reporter that passes everything on: what others do as well is in subclasses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from orchestrator.plan.model import Plan
from orchestrator.progress import Activity, Outcome
from orchestrator.report.finding import Finding
from orchestrator.report.reporter import Column, Offer, Reporter, Summary


class ForwardingReporter:
    """See the module."""

    def __init__(self, to: Reporter) -> None:
        self.passed_to = to

    @property
    def can_ask(self) -> bool:
        """As the reporter behind it."""
        return self.passed_to.can_ask

    @property
    def can_show_screen(self) -> bool:
        """As the reporter behind it."""
        return self.passed_to.can_show_screen

    def begin_screen(self) -> None:
        """Pass it on."""
        self.passed_to.begin_screen()

    def stage(
        self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None, *, at: Collection[str] = ()
    ) -> None:
        """Pass it on."""
        self.passed_to.stage(name, total, sizes, at=at)

    def advance(self, items: int = 1, size: int = 0) -> None:
        """Pass it on."""
        self.passed_to.advance(items, size)

    def wait(self, reason: str, seconds: float) -> None:
        """Pass it on."""
        self.passed_to.wait(reason, seconds)

    def watch(self, look: Callable[[], Activity | None]) -> None:
        """Pass it on."""
        self.passed_to.watch(look)

    def run(self, run: str | None) -> None:
        """Pass it on."""
        self.passed_to.run(run)

    def outcome(self, outcome: Outcome) -> None:
        """Pass it on."""
        self.passed_to.outcome(outcome)

    def note(self, message: str, *, in_plan: bool = False) -> None:
        """Pass it on."""
        self.passed_to.note(message, in_plan=in_plan)

    def warning(self, message: str, path: str | None = None) -> None:
        """Pass it on."""
        self.passed_to.warning(message, path)

    def finding(self, kind: str, message: str, path: str) -> None:
        """Pass it on."""
        self.passed_to.finding(kind, message, path)

    def error(
        self, code: str, message: str, path: str | None = None, location: str | None = None, *, known: bool = False
    ) -> None:
        """Pass it on."""
        self.passed_to.error(code, message, path, location, known=known)

    def check(self, finding: Finding) -> None:
        """Pass it on."""
        self.passed_to.check(finding)

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """Pass it on."""
        self.passed_to.plan(plan, everything=everything)

    def table(
        self, kind: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, empty: str, title: str = ""
    ) -> None:
        """Pass it on."""
        self.passed_to.table(kind, columns, rows, empty=empty, title=title)

    def document(self, kind: str, text: str, fields: Mapping[str, Any]) -> None:
        """Pass it on."""
        self.passed_to.document(kind, text, fields)

    def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:
        """Pass it on."""
        return self.passed_to.confirm(question, offers)

    def ask(self, question: str) -> str:
        """Pass it on."""
        return self.passed_to.ask(question)

    def summary(self, summary: Summary) -> None:
        """Pass it on."""
        self.passed_to.summary(summary)

    def close(self) -> bool:
        """Pass it on."""
        return self.passed_to.close()
