"""For Python programs: what an action reports goes to the logger "orchestrator"; nothing is printed and nobody is asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.plan.model import Plan
from orchestrator.progress import Activity, NoProgress
from orchestrator.report.finding import Finding
from orchestrator.report.log import ROOT
from orchestrator.report.reporter import Column, Offer, Summary, printable, with_location, with_path


class LogReporter(NoProgress):
    """Notes are logged at the level INFO, findings and warnings at WARNING, errors at ERROR. Results come back as records."""

    can_ask = False
    can_show_screen = False

    def __init__(self) -> None:
        self._logger = logging.getLogger(ROOT)

    def begin_screen(self) -> None:
        """Do nothing: nothing is drawn."""

    def watch(self, look: Callable[[], Activity | None]) -> None:
        """Do nothing: nobody watches."""

    def note(self, message: str, *, in_plan: bool = False) -> None:  # noqa: ARG002 - nobody sees the plan
        """Log it."""
        self._log(logging.INFO, message)

    def warning(self, message: str, path: str | None = None) -> None:
        """Log it."""
        self._log(logging.WARNING, message, path)

    def finding(self, kind: str, message: str, path: str) -> None:
        """Log it with its kind."""
        self._log(logging.WARNING, f"{kind}: {message}", path)

    def error(
        self,
        code: str,
        message: str,
        path: str | None = None,
        location: str | None = None,
        *,
        known: bool = False,  # noqa: ARG002 - programs hear it each time
    ) -> None:
        """Log it with its code."""
        self._log(logging.ERROR, f"{code}: {with_location(message, path, location)}")

    def check(self, finding: Finding) -> None:
        """Log it, if it is not ok."""
        if not finding.ok:
            self._log(finding.log_level, finding.one_line)

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """Do nothing: the plan is in the action's result."""

    def table(
        self, kind: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, empty: str, title: str = ""
    ) -> None:
        """Do nothing: the records are in the action's result."""

    def document(self, kind: str, text: str, fields: Mapping[str, Any]) -> None:
        """Do nothing: the facts are in the action's result."""

    def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:  # noqa: ARG002 - nobody is asked
        """Always no."""
        return False

    def ask(self, question: str) -> str:  # noqa: ARG002 - as above
        """Nothing."""
        return ""

    def summary(self, summary: Summary) -> None:
        """Do nothing."""

    def close(self) -> bool:
        """Nothing to close."""
        return True

    def _log(self, level: int, message: str, path: str | None = None) -> None:
        self._logger.log(level, "%s", printable(with_path(message, path)))
