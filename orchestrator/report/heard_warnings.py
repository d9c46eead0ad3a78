"""A reporter that keeps warnings for its caller, and passes everything else on."""

from __future__ import annotations

from orchestrator.report.forwarding import ForwardingReporter
from orchestrator.report.reporter import Reporter, printable, with_path


class HeardWarnings(ForwardingReporter):
    """See the module."""

    def __init__(self, to: Reporter) -> None:
        super().__init__(to)
        self.warnings: list[str] = []
        """Each once, in order."""

    def warning(self, message: str, path: str | None = None) -> None:
        """Keep it."""
        text = printable(with_path(message, path))
        if text not in self.warnings:
            self.warnings.append(text)
