"""Our own log, for `--log-file` and `-v`. Never on stdout; one line a record, names escaped."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Literal, TextIO

from orchestrator.atomic_file import check_addable
from orchestrator.errors import UsageError
from orchestrator.report.journald import PRIORITIES, is_journal
from orchestrator.report.reporter import printable

ROOT = "orchestrator"
LogFormat = Literal["text", "json"]


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.exc_info:
            # People read the traceback of a bug: it keeps its lines.
            return "\n".join(map(printable, text.split("\n")))
        return printable(text)


class _FileLine(_OneLine):
    """Time in UTC, level, process, run (if one has begun), message."""

    def format(self, record: logging.LogRecord) -> str:
        run = getattr(record, "fields", {}).get("run")
        before = f"{_utc(record)} {record.levelname} [{record.process}] " + (f"{run} " if run else "")
        return before + super().format(record)


class _ForJournal(_OneLine):
    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES["error" if record.levelno >= logging.ERROR else "note"]
        return "\n".join(f"{priority}{line}" for line in super().format(record).split("\n"))


class _JsonLine(logging.Formatter):
    """One object a record: `time`, `level`, `pid`, `message`, and the fields of what was reported (see docs/monitoring.md)."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "pid": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=True, default=str)


def _utc(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Lenient(logging.Handler):
    """If the log cannot be written, work goes on without it."""

    failed: Callable[[OSError], None] | None = None
    """Gets the first error, once."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - as logging calls it
        """Report it: a traceback on stderr helps nobody."""
        error = sys.exc_info()[1]
        if self.failed is not None and isinstance(error, OSError):
            report, self.failed = self.failed, None
            report(error)


class _ToFile(_Lenient, WatchedFileHandler):
    """If the file was moved (logrotate), the next record begins a new one."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # from a look at the file, or from opening it again
            self.handleError(record)

    def _open(self) -> Any:
        # A pipe that nobody reads is an error, not a wait; O_NONBLOCK means nothing for files.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding=self.encoding, errors=self.errors)


class _ToStream(_Lenient, logging.StreamHandler[TextIO]):
    pass


@contextmanager
def logging_to(
    file: Path | None,
    stderr: TextIO,
    *,
    verbose: int,
    log_format: LogFormat = "text",
    failed: Callable[[OSError], None] | None = None,
) -> Iterator[None]:
    """Write the log to `file`, and to stderr with `-v`, until the end. Raises UsageError for a file that cannot be written.

    `failed` gets the first error of a file that cannot be written later on.
    """
    logger = logging.getLogger(ROOT)
    handlers: list[logging.Handler] = [logging.NullHandler()]
    if file is not None:
        try:
            with suppress(PermissionError):  # one that may be written, but not read
                check_addable(file)
            to_file = _ToFile(file, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"cannot write the log file {file}: {error.strerror}") from error
        to_file.setFormatter(_JsonLine() if log_format == "json" else _FileLine())
        to_file.failed = failed
        handlers.append(to_file)
    if verbose:
        handlers.append(_ToStream(stderr))
        handlers[-1].setFormatter((_ForJournal if is_journal(stderr) else _OneLine)("%(message)s"))
        handlers[-1].addFilter(lambda record: not hasattr(record, "fields"))  # people see what was reported anyway
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
