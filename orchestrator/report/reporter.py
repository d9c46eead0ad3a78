"""What the program says, as one interface; `human` and `json_lines` implement it. Nothing else prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from orchestrator.errors import (
    AuthError,
    ConfigError,
    CorruptTransferError,
    DestinationExistsError,
    IntegrityError,
    InterruptedRunError,
    LockedError,
    NotFoundError,
    OrchestratorError,
    PermanentError,
    QuotaError,
    RateLimitError,
    SafetyLimitError,
    StalePlanError,
    TransientError,
    UnsupportedError,
    UsageError,
)
from orchestrator.plan.model import Plan
from orchestrator.progress import Progress


class Column(msgspec.Struct, frozen=True):
    """One column of a table: the key of the row, and the heading for people."""

    key: str
    title: str
    right: bool = False
    """Numbers stand at the right."""
    whole: bool = False
    """Never broken into lines: what people copy."""
    text: Callable[[Mapping[str, Any]], str] | None = None
    """What people read instead of the row's value."""


class Summary(msgspec.Struct, kw_only=True):
    """How a command ended: the last object of `--json`. Filled in while the command runs."""

    command: str | None = None
    run: str | None = None
    """The run's id, where something was (or would have been) changed."""
    exit_code: int = 0
    files_seen: int = 0
    files_read: int = 0
    """Files whose tags were read (not taken from the catalogue)."""
    bytes_read: int = 0
    """Bytes of files that came through this machine for their tags."""
    ops_planned: int = 0
    ops_done: int = 0
    ops_failed: int = 0
    ops_skipped: int = 0
    bytes_moved: int = 0
    duration_s: float = 0.0


class Reporter(Progress, Protocol):
    """Where a command says what it does. Names in it are hostile: each implementation makes them harmless."""

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to answer `confirm`."""

    def note(self, message: str) -> None:
        """What is good to know."""

    def warning(self, message: str, path: str | None = None) -> None:
        """What asks for attention but stops nothing."""

    def finding(self, kind: str, message: str, path: str) -> None:
        """What is odd about a file; it stops nothing. `kind` ("suspect") is the type of the JSON object."""

    def error(self, code: str, message: str, path: str | None = None) -> None:
        """What failed: an item (then `path` names it) or the whole command. `code` is a word of `error_code`'s vocabulary."""

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """What a plan would do; for people shortened unless `everything`."""

    def table(
        self, kind: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, empty: str, title: str = ""
    ) -> None:
        """Records of one kind; `empty` is what people read when there are none, if anything.

        `title` is for a table among others: people see the beginning of a long one, unless they ask for more words.
        """

    def document(self, kind: str, text: str, fields: Mapping[str, Any]) -> None:
        """One text for people, the same as fields for programs."""

    def confirm(self, question: str) -> bool:
        """Ask the person at the terminal."""

    def summary(self, summary: Summary) -> None:
        """The end. Called once, last."""

    def close(self) -> bool:
        """Leave the terminal in order; whether all that was said could be written."""


_CODES: tuple[tuple[type[OrchestratorError], str], ...] = (
    (ConfigError, "config"),
    (UsageError, "usage"),
    (TransientError, "unreachable"),
    (RateLimitError, "rate-limit"),
    (AuthError, "auth"),
    (QuotaError, "quota"),
    (NotFoundError, "not-found"),
    (DestinationExistsError, "destination-exists"),
    (CorruptTransferError, "corrupt"),
    (UnsupportedError, "unsupported"),
    (PermanentError, "permanent"),
    (StalePlanError, "stale"),
    (SafetyLimitError, "safety-limit"),
    (LockedError, "locked"),
    (IntegrityError, "integrity"),
    (InterruptedRunError, "interrupted"),
)


def error_code(error: Exception) -> str:
    """The word that `--json` gives for an error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return "unexpected"


_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text on one line, with control, direction and invisible characters written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) if unicodedata.category(character) in _HARMFUL else character for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    named = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}.get(code)
    if named is not None:
        return named
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def size_text(size: int | float | None) -> str:
    """Bytes for people, in powers of 1024."""
    if size is None:
        return "?"
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def duration_text(seconds: float | None) -> str:
    """Seconds for people."""
    if seconds is None:
        return "?"
    if seconds < 0.05:
        return "0 s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
