"""The one interface for output; `text_reporter`, `json_reporter` and `log_reporter` implement it. Nothing else prints."""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

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
from orchestrator.paths import join_location, without_path
from orchestrator.plan.model import Plan
from orchestrator.progress import Activity, Progress
from orchestrator.report.finding import Finding
from orchestrator.wording import counted, size_text


class Column(msgspec.Struct, frozen=True):
    """One column of a table: the key of the row, and the heading for people."""

    key: str
    title: str
    right: bool = False
    """Right-aligned, for numbers."""
    whole: bool = False
    """Never wrapped: people copy it."""
    heading: bool = False
    """On a terminal, rows that have this in common are shown together below it."""
    gives_way: bool = False
    """Shortened in its middle where the window is too narrow for all columns."""
    on_pipe: bool = False
    """Left out on a terminal, where the other columns say it."""
    spare: bool = False
    """Left out where the window is too narrow, the last one first."""
    text: Callable[[Mapping[str, Any]], str] | None = None
    """Makes the text that people read instead of the row's value."""


class Offer(NamedTuple):
    """Something that a person may choose to see or do before answering a question."""

    do: Callable[[], object]
    meaning: str
    """What it does, for who asks."""


class Summary(msgspec.Struct, kw_only=True):
    """How a command ended: the last object of `--json`. Filled in while the command runs."""

    command: str | None = None
    run: str | None = None
    """The run's id, if the command changed something or would have."""
    exit_code: int = 0
    files_seen: int = 0
    files_read: int = 0
    """Files whose tags were read now, not taken from the catalogue."""
    bytes_read: int = 0
    """Bytes downloaded to read tags."""
    ops_planned: int = 0
    ops_done: int = 0
    ops_failed: int = 0
    ops_skipped: int = 0
    bytes_moved: int = 0
    duration_s: float = 0.0
    foreign_folders: int = 0
    """Folders of other programs that scans have skipped."""
    queued: int = 0
    """Pairs of locations that were queued, because a remote could not be reached."""
    estimate: dict[str, float | int | str | None] | None = None
    """What the plan says that it costs (see `Header.estimate`), or the scan if the command is only that."""
    waited_s: float = 0.0
    """How long a person took to answer: no part of `duration_s`, and not in `--json`, where nobody is asked."""
    for_good: bool = False
    """Whether files were deleted for good, which no undo brings back. For people only."""
    each_way: dict[str, int] = {}
    """Of a sync, what was done on each side, or is planned with --dry-run: "a_added", "bytes_to_b" ..."""

    def fields(self) -> dict[str, Any]:
        """What programs get: without what is for people only."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if name not in ("waited_s", "for_good")}


def with_path(message: str, path: str | None) -> str:
    """The message, after the path that it is about unless it names that itself.

    A file may be called as a word of the message ("link", "9.txt" in "99.txt"): only a path that the message begins with, or
    that has a slash and stands between other words, counts as named.
    """
    if not path:
        return message
    begins = message.partition(": ")[0]
    if message.startswith(f"{path}:") or begins == path or begins.endswith((f"/{path}", f":{path}")):
        return message
    if "/" in path and re.search(rf"(?<![^\s`'\"(]){re.escape(path)}(?![^\s`'\":,;)])", message):
        return message
    return f"{path}: {message}"


def with_location(message: str, path: str | None, location: str | None) -> str:
    """The message after the path that it is about, in its location, unless it names that itself.

    A path without the location may be that of another file in the message, such as the destination.
    """
    if location is None or not path:
        return with_path(message, path)
    full = join_location(location, path)
    message = without_path(message, path)
    return message if message.startswith(f"{full}:") or full in message.split() else f"{full}: {message}"


class Reporter(Progress, Protocol):
    """Where a command reports what it does. File names are hostile: each implementation escapes them."""

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to answer `confirm`."""

    @property
    def can_show_screen(self) -> bool:
        """Whether a program that fills the whole terminal can be shown."""

    def begin_screen(self) -> None:
        """Leave the terminal to such a program, until the next report."""

    def watch(self, look: Callable[[], Activity | None]) -> None:
        """Show what rclone does, too: `look` says it at any time, and raises OrchestratorError if it does not answer."""

    def note(self, message: str, *, in_plan: bool = False) -> None:
        """Report something worth knowing. `in_plan`: the plan that follows says it to people."""

    def warning(self, message: str, path: str | None = None) -> None:
        """Report something that needs attention but stops nothing."""

    def finding(self, kind: str, message: str, path: str) -> None:
        """Report something odd about a file; it stops nothing. `kind` ("suspect") is the type of the JSON object."""

    def error(
        self, code: str, message: str, path: str | None = None, location: str | None = None, *, known: bool = False
    ) -> None:
        """Report what failed: one item (named by `path`) or the whole command. `code` is a word of `error_code`.

        `location` is where the path is, if that has to be said. `known`: it was reported before, so that people who want to
        hear little do not see it again.
        """

    def check(self, finding: Finding) -> None:
        """Report one thing that was checked. Those of one group come one after the other."""

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """Show a plan. People get a shortened form unless `everything` is set."""

    def table(
        self, kind: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, empty: str, title: str = ""
    ) -> None:
        """Show records of one kind. People read `empty` (if not "") when there are none.

        `title` is for one table of several: people see only the first rows of a long one, unless they asked for more with -v.
        """

    def document(self, kind: str, text: str, fields: Mapping[str, Any]) -> None:
        """Show one text to people, and give programs the same as fields."""

    def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:
        """Ask the person at the terminal. `offers`: what else the person may choose before the answer, by its word."""

    def ask(self, question: str) -> str:
        """What the person at the terminal types; "" for nothing."""

    def summary(self, summary: Summary) -> None:
        """Report how the command ended. Called once, last."""

    def close(self) -> bool:
        """Tidy up the terminal. Returns whether all output could be written."""


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
    """The word for an error in `--json`."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return "unexpected"


def unexpected_text(error: Exception) -> str:
    """What to report of an error that is a bug of ours: what it is, and its place in the code."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
    return f"unexpected {type(error).__name__} at {place}: {error}; use -v or --log-file for details"


_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text on one line, with control, direction and invisible characters escaped."""
    if text.isprintable():  # then it has none of them
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


def width_of(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def shortened(text: str, columns: int) -> str:
    """A printable text in at most so many columns: its middle is left out, so that both ends of a path can be read."""
    if width_of(text) <= columns:
        return text
    begin, end = list(text[: len(text) // 2]), list(text[len(text) // 2 :])
    while width_of("".join(begin)) + width_of("".join(end)) + 1 > columns and (begin or end):
        if len(begin) >= len(end):
            begin.pop()
        else:
            end.pop(0)
    while end and unicodedata.combining(end[0]):
        end.pop(0)  # it would combine with the dots
    return f"{''.join(begin)}…{''.join(end)}"


def stage_text(name: str, total: int | None, sizes: Mapping[str, int] | None) -> str:
    """One line that says what begins: see `Progress.stage`."""
    if total is None:
        return f"{name} ..."
    ways = "".join(f", {size_text(size)} to {printable(location)}" for location, size in sorted((sizes or {}).items()))
    return f"{name}: {counted(total, 'item')}{ways}"


def age_text(seconds: float) -> str:
    """How long ago something was, for people."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "now"


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
