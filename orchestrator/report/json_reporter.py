"""`--json`: JSON lines on stdout and nothing else; questions and progress go to stderr. docs/json.md describes every field."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TextIO

import msgspec

from orchestrator.errors import UsageError
from orchestrator.plan.model import Plan
from orchestrator.progress import Activity, NoProgress
from orchestrator.report.finding import Finding
from orchestrator.report.output import Output, all_written
from orchestrator.report.reporter import Column, Offer, Summary, stage_text


class JsonReporter(NoProgress):
    """One object a line; the last one is the summary."""

    can_ask = False
    can_show_screen = False

    def __init__(self, stdout: TextIO, stderr: TextIO, *, verbose: int = 0, quiet: bool = False) -> None:
        self._output = Output(stdout)
        self._side = Output(stderr)
        self._verbose = verbose
        self._quiet = quiet

    def begin_screen(self) -> None:
        """Nothing is drawn."""

    def stage(
        self,
        name: str,
        total: int | None = None,
        sizes: Mapping[str, int] | None = None,
        *,
        at: Collection[str] = (),  # noqa: ARG002 - for people
    ) -> None:
        """Print a line to stderr with -v."""
        if self._verbose:
            self._side.line(stage_text(name, total, sizes))
            self._side.flush()

    def watch(self, look: Callable[[], Activity | None]) -> None:
        """Print nothing: programs wait for the summary."""

    def note(self, message: str, *, in_plan: bool = False) -> None:  # noqa: ARG002 - for people
        """Write a `note`."""
        if not self._quiet:
            self._write("note", {"message": message})

    def warning(self, message: str, path: str | None = None) -> None:
        """Write a `warning`."""
        self._write("warning", {"message": message, "path": path})

    def finding(self, kind: str, message: str, path: str) -> None:
        """Write one object of that type."""
        self._write(kind, {"message": message, "path": path})

    def error(
        self,
        code: str,
        message: str,
        path: str | None = None,
        location: str | None = None,
        *,
        known: bool = False,  # noqa: ARG002 - programs hear it each time
    ) -> None:
        """Write an `error`."""
        where = {} if location is None else {"location": location}
        self._write("error", {"code": code, "message": message, "path": path, **where})

    def check(self, finding: Finding) -> None:
        """Write a `check`."""
        fields = {name: getattr(finding, name) for name in ("check", "ok", "message")}
        self._write("check", {**fields, "remedy": finding.remedy or None, "level": finding.level, "group": finding.group})

    def plan(self, plan: Plan, *, everything: bool = False) -> None:  # noqa: ARG002 - programs always get everything
        """Write the `plan`, its `operation`s and the files that it skips (`skipped`)."""
        self._write("plan", msgspec.to_builtins(msgspec.structs.replace(plan.header, staying=msgspec.UNSET)))  # they follow
        for operation in plan.operations:
            self._write("operation", msgspec.to_builtins(operation))
        for skipped in plan.skipped:
            self._write("skipped", msgspec.to_builtins(skipped))

    def table(
        self,
        kind: str,
        columns: Sequence[Column],  # noqa: ARG002 - for people
        rows: Sequence[Mapping[str, Any]],
        *,
        empty: str,  # noqa: ARG002
        title: str = "",  # noqa: ARG002
    ) -> None:
        """Write one object a row."""
        for row in rows:
            self._write(kind, row)

    def document(self, kind: str, text: str, fields: Mapping[str, Any]) -> None:  # noqa: ARG002 - for people
        """Write one object."""
        self._write(kind, fields)

    def ask(self, question: str) -> str:  # noqa: ARG002 - nobody is there
        """Nothing."""
        return ""

    def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:  # noqa: ARG002 - nobody is there
        """Refuse: a program cannot answer. Raises UsageError."""
        raise UsageError(f"{question} Add --yes: with --json nobody can answer")

    def summary(self, summary: Summary) -> None:
        """Write the `summary`, the last line."""
        fields = summary.fields()
        each_way = fields.pop("each_way")
        self._write("summary", {**fields, **each_way})
        self._output.flush()

    def close(self) -> bool:
        """Flush the last lines. Returns whether all output could be written."""
        return all_written(self._output, self._side, stderr_counts=False)

    def _write(self, kind: str, fields: Mapping[str, Any]) -> None:
        # Plain ASCII works for every reader, and keeps control and direction characters from terminals.
        self._output.line(json.dumps({"type": kind, **fields}, ensure_ascii=True, default=str))
