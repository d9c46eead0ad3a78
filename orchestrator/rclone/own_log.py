"""What rclone logged, as records of our own log: with their times, and without secrets.

A call that rclone refuses is no error in the log: it is an answer to us, and often to a question ("is there a file?"). The caller
decides what it means.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

from orchestrator.rclone.redact import one_line

_log = logging.getLogger(__name__)

_LINE = re.compile(r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) +(\w+) *: (.*)")
_ANSWER = re.compile(r'rc: ".*": error: ')
_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "NOTICE": logging.INFO}
"""Of rclone's words; its errors are warnings, because what failed is decided and reported by us."""


def log_lines(text: str) -> None:
    """Log each line of a log of rclone, whose times are in UTC."""
    for line in text.splitlines():
        if line:
            _log_line(line)


def _log_line(line: str) -> None:
    found = _LINE.fullmatch(line)
    message = found[3] if found else line  # what follows a line break in a name, or a panic
    level = logging.DEBUG if _ANSWER.match(message) else _LEVELS.get(found[2] if found else "", logging.WARNING)
    if _log.isEnabledFor(level):
        fields = {"program": "rclone"}
        record = _log.makeRecord(
            _log.name, level, __file__, 0, "rclone: %s", (one_line(message),), None, extra={"fields": fields}
        )
        if found:
            record.created = datetime.strptime(found[1], "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
        _log.handle(record)
