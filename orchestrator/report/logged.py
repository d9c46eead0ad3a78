"""A reporter that also writes to the log file what it passes on, from the first note to the summary."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

import orchestrator
from orchestrator.errors import MEANINGS, ExitCode
from orchestrator.report.forwarding import ForwardingReporter
from orchestrator.report.log import REPORTED
from orchestrator.report.reporter import Summary, duration_text, printable, with_location

_log = logging.getLogger(REPORTED)


class LoggedReporter(ForwardingReporter):
    """See the module."""

    def note(self, message: str) -> None:
        """Log it, also if it is not shown."""
        _write(logging.INFO, message)
        super().note(message)

    def warning(self, message: str, path: str | None = None) -> None:
        """Log it."""
        _write(logging.WARNING, message, path)
        super().warning(message, path)

    def finding(self, kind: str, message: str, path: str) -> None:
        """Log it with its kind."""
        _write(logging.WARNING, f"{kind}: {message}", path, kind=kind)
        super().finding(kind, message, path)

    def error(
        self, code: str, message: str, path: str | None = None, location: str | None = None, *, known: bool = False
    ) -> None:
        """Log it with its code."""
        _write(logging.ERROR, message, path, location, code=code)
        super().error(code, message, path, location, known=known)

    @contextmanager
    def logging_summary(self, summary: Summary) -> Iterator[None]:
        """Log that the command begins, and at the end of the block what is then in its summary."""
        _write(logging.INFO, f"{summary.command} begins (version {orchestrator.__version__})")
        yield
        code = ExitCode(summary.exit_code)
        text = f"{summary.command} ended with {int(code)} ({MEANINGS[code]}) after {duration_text(summary.duration_s)}"
        _write(logging.INFO, text, summary=msgspec.to_builtins(summary))


def _write(level: int, message: str, path: str | None = None, location: str | None = None, **fields: Any) -> None:
    fields |= {key: value for key, value in (("path", path), ("location", location)) if value is not None}
    _log.log(level, "%s", printable(with_location(message, path, location)), extra={"fields": fields})
