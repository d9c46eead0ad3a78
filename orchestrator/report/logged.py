"""A reporter that also writes to the log file what it passes on, from the first note to the summary."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

import orchestrator
from orchestrator.errors import MEANINGS, ExitCode
from orchestrator.plan.model import Plan
from orchestrator.progress import Outcome
from orchestrator.report.finding import Finding
from orchestrator.report.forwarding import ForwardingReporter
from orchestrator.report.log import ROOT
from orchestrator.report.reporter import Reporter, Summary, duration_text, printable, with_location
from orchestrator.wording import counted

_log = logging.getLogger(f"{ROOT}.reported")


class LoggedReporter(ForwardingReporter):
    """See the module."""

    def __init__(self, to: Reporter) -> None:
        super().__init__(to)
        self._run: str | None = None
        """The run that what is reported now belongs to."""

    def run(self, run: str | None) -> None:
        """Log that it begins, or is continued."""
        self._run = run
        if run is not None:
            self._write(logging.INFO, "the run begins")
        super().run(run)

    def outcome(self, outcome: Outcome) -> None:
        """Log it."""
        if _log.isEnabledFor(logging.INFO):
            done = outcome.result == "done"
            text = f"{outcome.verb} {outcome.source} -> {outcome.destination}: {outcome.result}"
            fields = msgspec.structs.asdict(outcome)
            why = f" ({message})" if (message := fields.pop("message")) else ""
            self._write(logging.INFO if done else logging.WARNING, text + why, **fields)
        super().outcome(outcome)

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """Log how large it is, and each file that it leaves alone."""
        operations = counted(len(plan.operations), "operation")
        self._write(logging.INFO, f"plan {plan.header.plan_id[:12]}: {operations}, {len(plan.skipped)} skipped")
        for one in plan.skipped:
            self._write(logging.INFO, f"skipped: {one.reason}", one.path, plan.header.source, code=one.code)
        super().plan(plan, everything=everything)

    def note(self, message: str, *, in_plan: bool = False) -> None:
        """Log it, also if it is not shown."""
        self._write(logging.INFO, message)
        super().note(message, in_plan=in_plan)

    def warning(self, message: str, path: str | None = None) -> None:
        """Log it."""
        self._write(logging.WARNING, message, path)
        super().warning(message, path)

    def finding(self, kind: str, message: str, path: str) -> None:
        """Log it with its kind."""
        self._write(logging.WARNING, f"{kind}: {message}", path, kind=kind)
        super().finding(kind, message, path)

    def error(
        self, code: str, message: str, path: str | None = None, location: str | None = None, *, known: bool = False
    ) -> None:
        """Log it with its code."""
        self._write(logging.ERROR, message, path, location, code=code)
        super().error(code, message, path, location, known=known)

    def check(self, finding: Finding) -> None:
        """Log it."""
        self._write(finding.log_level, finding.one_line)
        super().check(finding)

    @contextmanager
    def logging_summary(self, summary: Summary, words: str) -> Iterator[None]:
        """Log that the command with these words begins, and at the end of the block what is then in its summary."""
        self._write(logging.INFO, f"{summary.command} begins (version {orchestrator.__version__}): {words}")
        yield
        self._run = summary.run
        code = ExitCode(summary.exit_code)
        text = f"{summary.command} ended with {int(code)} ({MEANINGS[code]}) after {duration_text(summary.duration_s)}"
        self._write(logging.INFO, text, summary=summary.fields())

    def _write(self, level: int, message: str, path: str | None = None, location: str | None = None, **fields: Any) -> None:
        given = (("run", self._run), ("path", path), ("location", location))
        fields |= {key: value for key, value in given if value is not None}
        _log.log(level, "%s", printable(with_location(message, path, location)), extra={"fields": fields})
