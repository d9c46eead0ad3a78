"""Our own log, for `--log-file` and `-v`. Never on stdout; one line a record, names escaped."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Literal, TextIO

from orchestrator.errors import UsageError
from orchestrator.report.journald import PRIORITIES, is_journal
from orchestrator.report.reporter import printable

ROOT = "orchestrator"
REPORTED = "orchestrator.reported"
"""The logger of what people see anyway: it goes to the file only."""

LogFormat = Literal["text", "json"]


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.exc_info:
            # People read the traceback of a bug: it keeps its lines.
            return "\n".join(map(printable, text.split("\n")))
        return printable(text)


class _ForJournal(_OneLine):
    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES["error" if record.levelno >= logging.ERROR else "note"]
        return "\n".join(f"{priority}{line}" for line in super().format(record).split("\n"))


class _JsonLine(logging.Formatter):
    """One object a record: `time`, `level`, `message`, and the fields of what was reported (see docs/json.md)."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=True, default=str)


class _Lenient(logging.Handler):
    """If the log cannot be written, work goes on without it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Print nothing: a traceback on stderr helps nobody."""


class _ToFile(_Lenient, WatchedFileHandler):
    """If the file was moved (logrotate), the next record begins a new one."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # from a look at the file, or from opening it again
            self.handleError(record)

    def _open(self) -> Any:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return super()._open()


class _ToStream(_Lenient, logging.StreamHandler[TextIO]):
    pass


@contextmanager
def logging_to(file: Path | None, stderr: TextIO, *, verbose: int, log_format: LogFormat = "text") -> Iterator[None]:
    """Write the log to `file`, and to stderr with `-v`, until the end. Raises UsageError for a file that cannot be written."""
    logger = logging.getLogger(ROOT)
    handlers: list[logging.Handler] = [logging.NullHandler()]
    if file is not None:
        try:
            handlers.append(_ToFile(file, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise UsageError(f"cannot write the log file {file}: {error.strerror}") from error
        handlers[-1].setFormatter(_JsonLine() if log_format == "json" else _OneLine("%(asctime)s %(levelname)s %(message)s"))
    if verbose:
        handlers.append(_ToStream(stderr))
        handlers[-1].setFormatter((_ForJournal if is_journal(stderr) else _OneLine)("%(message)s"))
        handlers[-1].addFilter(lambda record: record.name != REPORTED)
    before = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            with suppress(OSError):  # as above
                handler.close()
        logger.setLevel(before[0])
        logger.propagate = before[1]
