"""What a message about the end of jobs says: a title, and ten lines at most, without secrets and control characters."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from orchestrator.config.notify import Event
from orchestrator.errors import MEANINGS, ExitCode
from orchestrator.job_history.store import JobRun
from orchestrator.rclone.redact import one_line
from orchestrator.report.reporter import duration_text, printable
from orchestrator.wording import counted, size_text

MOST_LINES = 10
_MOST_ERRORS = 5
_LONGEST_LINE = 300
"""Characters. Some services cut whole messages at 1,000 or 2,000."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended, and what there is to say about it."""

    run: JobRun
    changes: Sequence[tuple[str, int]] = ()
    """Where something was changed, and how much was planned there; those with the most changes first."""
    errors: Sequence[str] = ()
    error_count: int = 0
    """Of all, also of those that are not in `errors`."""
    killed_before: str = ""
    """When the run began that was killed before this one, if one was."""
    failed_before: int = 0
    """How many runs in a row have failed before this one."""
    failing_since: str = ""
    """When the first of these began."""
    told: bool = False
    """It failed, as was announced before. It was done: that it had failed was announced."""

    @property
    def recovered(self) -> bool:
        """Whether people wait to hear that all is well again."""
        return self.run.succeeded and self.told and not self.killed_before

    @property
    def event(self) -> Event | None:
        """What kind of news it is; None: it was announced before.

        A run that was killed could not report itself, so the next one reports a failure.
        """
        if self.killed_before or not (self.run.succeeded or self.told):
            return "failure"
        if self.run.changed or self.run.exit_code == ExitCode.SOME_FAILED:
            return "news"
        return "success" if self.run.succeeded else None

    def wanted(self, on: Collection[Event]) -> bool:
        """Whether there is to be a message of it. Who hears of a failure hears of its end as well."""
        return self.event in on or (self.recovered and "failure" in on)


class Message(msgspec.Struct, frozen=True):
    """One message, as text."""

    event: Event
    title: str
    body: str


def message_of(endings: Sequence[Ending], host: str) -> Message:
    """The message about one job, or about several that ended alike (one run, refused before any began)."""
    first = endings[0] if len(endings) == 1 else msgspec.structs.replace(endings[0], failed_before=0)
    names = ", ".join(ending.run.job for ending in endings)
    title = f"music-orchestrator on {host}: {names} {_what(first)}"
    return Message(first.event or "failure", _safe(title), "\n".join(_safe(line) for line in _lines(first)) or _safe(title))


def _what(ending: Ending) -> str:
    run = ending.run
    changes = f": {counted(run.changed, 'change')}" if run.changed else ""
    if not run.succeeded:
        failed = f"{'still fails' if ending.failed_before else 'failed'} ({_code_text(run)})"
        return failed + (changes if ending.event == "news" else "")
    if ending.killed_before:
        return "was killed before, and is done now"
    problems = ", with problems" if run.exit_code else ""
    if ending.recovered:
        return f"is back to normal after {counted(max(1, ending.failed_before), 'failed run')}{problems}{changes}"
    if run.changed:
        return f"done{changes}"
    return f"done{problems}" if problems else "done: nothing to do"


def _code_text(run: JobRun) -> str:
    code = ExitCode(run.exit_code or 0)
    return f"{int(code)}: {MEANINGS[code]}"


def _lines(ending: Ending) -> list[str]:
    lines = []
    if ending.killed_before:
        lines.append(f"the run of {ending.killed_before} was killed, or the machine went down; this one went on from there")
    if ending.failed_before and (ending.recovered or not ending.run.succeeded):
        lines.append(f"{counted(ending.failed_before, 'run')} before this one failed, since {ending.failing_since}")
    if facts := _facts(ending.run):
        lines.append(facts)
    errors = [f"error: {error}" for error in ending.errors[:_MOST_ERRORS]]
    if more := ending.error_count - len(errors):
        errors.append(f"... and {counted(more, 'more error')}")
    lines += errors
    if ending.run.runs:
        lines.append(f"{'run' if len(ending.run.runs) == 1 else 'runs'} {', '.join(ending.run.runs)}")
    changes = ending.changes if ending.run.changed else ()
    room = MOST_LINES - len(lines)
    shown = list(changes[: room if len(changes) <= room else max(0, room - 1)])
    lines += [f"{name or '(top)'}: {counted(number, 'change')}" for name, number in shown]
    if room > 0 and len(shown) < len(changes):
        lines.append(f"... and {counted(len(changes) - len(shown), 'more folder')}")
    return lines[:MOST_LINES]


def _facts(run: JobRun) -> str:
    parts = [counted(run.changed, "change")] if run.changed else []
    parts += [f"{number} {word}" for number, word in ((run.failed, "failed"), (run.skipped, "skipped")) if number]
    parts += [f"{size_text(run.bytes_moved)} moved"] if run.bytes_moved else []
    if not parts and run.number is None:  # it was refused before it began
        return ""
    return f"{', '.join(parts) or 'no changes'}; took {duration_text(run.duration_s)}"


def _safe(text: str) -> str:
    line = printable(one_line(text))
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
