"""One thing that `doctor` has checked."""

from __future__ import annotations

import logging

import msgspec

from orchestrator.errors import ExitCode


class Finding(msgspec.Struct, frozen=True):
    """The result of one check."""

    check: str
    """What was checked: a word, or a kind and a name, such as "location library"."""
    ok: bool
    message: str
    remedy: str = ""
    """What to do, unless the message says it."""
    code: ExitCode = ExitCode.DONE
    """Of a problem; DONE if it is fine, or only a warning."""
    group: str = ""
    """The heading that people see it under."""

    @property
    def level(self) -> str:
        """ok, warning or problem."""
        if self.ok:
            return "ok"
        return "warning" if self.code == ExitCode.DONE else "problem"

    @property
    def log_level(self) -> int:
        """The same for a log."""
        return {"ok": logging.INFO, "warning": logging.WARNING}.get(self.level, logging.ERROR)

    @property
    def one_line(self) -> str:
        """All of it, for a log."""
        return f"{self.check}: {self.message}{f'; {self.remedy}' if self.remedy else ''}"
