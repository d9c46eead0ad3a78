"""Lines for systemd's journal: each begins with its priority, as sd-daemon(3) has it, and the journal takes that away again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

PRIORITIES: Mapping[str, str] = {"error": "<3>", "warning": "<4>", "note": "<6>"}
"""Of the levels that are reported; findings about files are warnings."""


def is_journal(stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Whether a stream leads to the journal: systemd names the device and inode of that in JOURNAL_STREAM."""
    named = (os.environ if environment is None else environment).get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


def priority(level: str) -> str:
    """The prefix of a line with this level."""
    return PRIORITIES.get(level, PRIORITIES["warning"])
