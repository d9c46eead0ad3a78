"""Our own log, for `--log-file` and `-v`. Never on stdout; one line a record, names escaped."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from orchestrator.errors import UsageError
from orchestrator.report.reporter import printable

ROOT = "orchestrator"


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.exc_info:
            # People read the traceback of a bug: it keeps its lines.
            return "\n".join(map(printable, text.split("\n")))
        return printable(text)


class _Lenient(logging.Handler):
    """If the log cannot be written, work goes on without it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Print nothing: a traceback on stderr helps nobody."""


class _ToFile(_Lenient, logging.FileHandler):
    pass


class _ToStream(_Lenient, logging.StreamHandler[TextIO]):
    pass


@contextmanager
def logging_to(file: Path | None, stderr: TextIO, *, verbose: int) -> Iterator[None]:
    """Write the log to `file`, and to stderr with `-v`, until the end. Raises UsageError for a file that cannot be written."""
    logger = logging.getLogger(ROOT)
    handlers: list[logging.Handler] = [logging.NullHandler()]
    if file is not None:
        try:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            handlers.append(_ToFile(file, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise UsageError(f"cannot write the log file {file}: {error.strerror}") from error
        handlers[-1].setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s"))
    if verbose:
        handlers.append(_ToStream(stderr))
        handlers[-1].setFormatter(_OneLine("%(message)s"))
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
