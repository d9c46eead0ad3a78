"""Output for people: progress, tree and tables on a terminal; plain lines on a pipe. rich is imported on a terminal only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO, cast

from orchestrator.plan.model import ENTRIES_WITHOUT_FILE, Plan
from orchestrator.progress import Activity, NoProgress
from orchestrator.report import plan_view
from orchestrator.report.finding import Finding
from orchestrator.report.findings_view import finding_lines
from orchestrator.report.journald import is_journal, priority
from orchestrator.report.live_progress import LiveProgress
from orchestrator.report.outline_view import outline_lines
from orchestrator.report.output import Output, all_written
from orchestrator.report.plan_outline import outline
from orchestrator.report.problem_groups import Problem, problem_lines
from orchestrator.report.reporter import (
    Column,
    Offer,
    Summary,
    duration_text,
    printable,
    stage_text,
    width_of,
    with_location,
    with_path,
)
from orchestrator.report.summary_view import ending
from orchestrator.report.table_view import show_table, table_texts
from orchestrator.report.typed_ahead import discard_typed_ahead
from orchestrator.report.wrapping import wrapped
from orchestrator.wording import counted

SHORTENED_LINES = 200
"""How many changes of a plan are shown on a pipe: nobody reads 100,000 lines in a mail from cron."""

_OF_THE_REMOTE = frozenset({"unreachable", "auth"})
"""Codes of errors whose cause is the remote: they concern as many files as were under way."""
_NAMED = 5
"""So many files with such an error are named."""

SHORTENED_ROWS = 20
"""How many rows of each table are shown when there are several tables."""


_VERBATIM = frozenset({"config", "config-value", "schedule-file", "schema", "text"})
"""Kinds of documents that people copy."""


class TextReporter(NoProgress):
    """Results go to stdout; progress, questions and errors to stderr."""

    def __init__(self, stdout: TextIO, stderr: TextIO, stdin: TextIO, *, verbose: int = 0, quiet: bool = False) -> None:
        self._output = Output(stdout)
        self._side = Output(stderr)
        self._stdin = stdin
        self._verbose = verbose
        self._quiet = quiet
        self._terminal = stdout.isatty()
        self._journal = is_journal(stderr)
        self._live = LiveProgress(self._side) if stderr.isatty() and not quiet and os.environ.get("TERM") != "dumb" else None
        self.log_stream = stderr if self._live is None else cast("TextIO", self._live.stream)
        """Where others may write lines without disturbing what is drawn."""
        self._lock = threading.Lock()
        self._stage_name: str | None = None
        self._stage_start = 0.0
        self._items = 0
        self._group = ""  # of the last check
        self._plan_shown = False
        self._waiting = 0  # files that a remote did not let us change
        self._held: list[Problem] = []  # on a terminal, until it is known which ones the plan shows as well

    @property
    def can_ask(self) -> bool:
        """Whether stdin is a terminal."""
        return self._stdin.isatty()

    @property
    def can_show_screen(self) -> bool:
        """Whether all of stdin, stdout and stderr are a terminal that can be drawn on."""
        return self._live is not None and self._terminal and self.can_ask

    def begin_screen(self) -> None:
        """Stop drawing, and show what was held back."""
        self._end()
        self._show_held()
        self._output.flush()

    def stage(
        self, name: str, total: int | None = None, sizes: Mapping[str, int] | None = None, *, at: Collection[str] = ()
    ) -> None:
        """Show it on a terminal until it ends; on a pipe, print a line with -v."""
        self._show_held()
        with self._lock:
            self._end_stage()
            self._stage_name, self._stage_start, self._items = name, time.monotonic(), 0
            if self._live is not None:
                self._live.stage(name, total, sizes, at)
            elif self._verbose:
                self._side.line(stage_text(name, total, sizes))
                self._side.flush()

    def advance(self, items: int = 1, size: int = 0) -> None:
        """Show it."""
        with self._lock:
            self._items += items
        if self._live is not None:
            self._live.advance(items, size)

    def wait(self, reason: str, seconds: float) -> None:
        """Show it."""
        if self._live is not None:
            self._live.wait(reason, seconds)

    def watch(self, look: Callable[[], Activity | None]) -> None:
        """Show it."""
        if self._live is not None:
            self._live.watch(look)

    def note(self, message: str, *, in_plan: bool = False) -> None:
        """Print it, unless quiet; on a terminal, not if the plan says it."""
        if not (self._quiet or (in_plan and self._terminal)):
            self._print(printable(message))

    def warning(self, message: str, path: str | None = None) -> None:
        """Print it to stderr."""
        self._print_problem("warning", message, path)

    def finding(self, kind: str, message: str, path: str) -> None:
        """Print it to stderr, unless quiet: it may stay true forever, and cron should not repeat it."""
        if not self._quiet and not self._holds(Problem(kind, kind, message, path)):
            self._print_problem(kind, message, path)

    def error(
        self,
        code: str,
        message: str,
        path: str | None = None,
        location: str | None = None,
        *,
        known: bool = False,
    ) -> None:
        """Print it to stderr, on one line; on a terminal, files with the same error together. What is known not if quiet.

        Of the files that a remote did not let us change, only the first are named.
        """
        if known and self._quiet:
            return
        if path and code in _OF_THE_REMOTE and not self._verbose:
            with self._lock:
                self._waiting += 1
            if self._waiting > _NAMED:
                return
        if path and self._holds(Problem("error", code, message, path, location)):
            return
        self._print_problem("error", with_location(message, path, location), None)

    def check(self, finding: Finding) -> None:
        """Print it below the heading of its group: on a terminal wrapped, on a pipe as one line, and its remedy as another."""
        self._end()
        if finding.group != self._group:
            self._output.line(finding.group)
            self._group = finding.group
        for line in finding_lines(finding, wrap=self._terminal):
            self._output.line(line)
        self._output.flush()

    def plan(self, plan: Plan, *, everything: bool = False) -> None:
        """Show the tree (terminal) or the lines (pipe), and then what matters: what changes, what stays, what it costs."""
        if self._quiet and not everything:
            return
        verbose = everything or self._verbose > 0
        self._plan_shown = True
        if self._terminal:
            said = {(one.path, one.reason) for one in plan.skipped}
            self._held = [one for one in self._held if (one.path, one.message) not in said and not _says(plan, one)]
            self._end()
            self._show_held()
            from orchestrator.report.plan_screen import show_plan  # noqa: PLC0415 - only on a terminal

            show_plan(self._output, plan, everything=verbose, paged=everything and self.can_ask, remarks=self._verbose > 0)
        else:
            self._end()
            self._plan_in_lines(plan, verbose, everything=everything)
        self._output.flush()

    def _plan_in_lines(self, plan: Plan, verbose: bool, *, everything: bool) -> None:
        if not plan.operations and not everything:
            self._print_skipped(plan, verbose)
            for sentence in plan_view.nothing_to_do(plan):
                self._print(sentence)
            return
        self._lines(plan, None if verbose else SHORTENED_LINES)
        self._print_skipped(plan, verbose)
        if verbose:
            facts = plan_view.facts(plan)
            width = max(len(name) for name, _ in facts)
            for name, value in facts:
                self._output.line(f"{name:<{width}}  {value}")
        for line in outline_lines(outline(plan)):
            self._output.line(line.text + line.aside)

    def table(
        self,
        kind: str,  # noqa: ARG002 - for programs
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        empty: str,
        title: str = "",
    ) -> None:
        """Print a table with headings; on a pipe, as tab-separated lines that begin with the title."""
        self._end()
        self._show_held()  # what was asked for comes last, where it is read
        if not rows:
            if empty:
                self.note(empty)
            return
        columns = [column for column in columns if not (column.on_pipe and self._terminal)]
        shown = rows[:SHORTENED_ROWS] if title and not self._verbose else rows
        texts = table_texts(columns, shown, grouped=self._terminal)
        if not self._terminal:
            for cells in [[column.title for column in columns], *texts]:
                self._output.line("\t".join([title, *cells] if title else cells))
        else:
            if title:
                self._output.line(f"\n{title}")
            show_table(self._output, columns, texts)
        self._print_rest(len(rows) - len(shown))
        self._output.flush()

    def document(self, kind: str, text: str, fields: Mapping[str, Any]) -> None:  # noqa: ARG002 - the fields are for programs
        """Print the text unescaped: it is our own. On a terminal, wrap what is no file."""
        self._end()
        self._show_held()
        width = None if kind in _VERBATIM or not self._terminal else self._output.window()[0]
        for line in text.rstrip("\n").split("\n"):
            indent = line[: len(line) - len(line.lstrip())]
            for part in [line] if width is None else wrapped(line, width, rest=f"{indent}  "):
                self._output.line(part)
        self._output.flush()

    def confirm(self, question: str, offers: Mapping[str, Offer] = {}) -> bool:
        """Ask on stderr; only "y" and "yes" mean yes. After "?", explain the answers and ask again."""
        while True:
            answer = self.ask(question, _choices(offers)).lower()
            chosen = next(
                (offer for word, offer in offers.items() if answer and answer in (word[0], word.split()[0], word)), None
            )
            if answer in _ASKS_WHAT:
                self._explain(offers)
            elif chosen is None:
                return answer in ("y", "yes")
            else:
                chosen.do()

    def _explain(self, offers: Mapping[str, Offer]) -> None:
        meanings = {"yes": "go on", "no": "change nothing; so does any other answer"}
        meanings |= {word: offer.meaning for word, offer in offers.items()}
        for word, meaning in meanings.items():
            self._side.line(f"{word[0]}  {meaning}")

    def ask(self, question: str, choices: str = "") -> str:
        """Ask on stderr, with the choices on a line of their own if there is no room."""
        self._end()
        self._show_held()
        self._output.flush()
        asked = f"{printable(question)} {choices}".rstrip()
        if self._side.isatty() and width_of(asked) >= self._side.window()[0] - len("yes"):
            asked = "\n".join([*wrapped(printable(question), self._side.window()[0]), choices])
        discard_typed_ahead(self._stdin)
        self._side.write(f"{asked} ")
        self._side.flush()
        if self._side.gone:
            return ""
        answer = ""
        try:
            answer = self._stdin.readline()
        finally:
            if not answer.endswith("\n"):
                self._side.line("")  # after Ctrl-C and Ctrl-D, what follows is not to stand behind the question
        return answer.strip()

    def summary(self, summary: Summary) -> None:
        """Print up to three lines, on a pipe one, unless quiet and there was nothing to do."""
        self._end()
        self._show_held()
        self._count_waiting(summary.run)
        texts = ending(summary, planned=not self._plan_shown)
        # What a step of a job has planned and not done is in the error that stopped it, which is reported once.
        pending = summary.ops_planned and summary.run is None and summary.command != "run"
        # What failed as before is no news: the command then ends with 0.
        failed = summary.ops_failed and summary.exit_code
        if texts and (not self._quiet or summary.ops_done or failed or pending):
            for text in texts if self._terminal else ["; ".join(texts)]:
                self._print(text)
        self._output.flush()

    def _count_waiting(self, run: str | None) -> None:
        more, self._waiting = self._waiting - _NAMED, 0
        if more > 0:
            listed = f": `music-orchestrator runs show {run} --left` lists them" if run is not None else ""
            self._print_problem("error", f"{counted(more, 'more file')} could not be changed either{listed}", None)

    def close(self) -> bool:
        """Remove the progress bars. Returns whether all output could be written."""
        self._end()
        self._show_held()
        return all_written(self._output, self._side, stderr_counts=True)

    def _print(self, text: str) -> None:
        lines = wrapped(text, self._output.window()[0]) if self._terminal else [text]
        with self._above():
            for line in lines:
                self._output.line(line)
            if self._live is not None:
                self._output.flush()

    def _print_problem(self, level: str, message: str, path: str | None) -> None:
        text = f"{level}: {printable(with_path(message, path))}"
        self._print_side(f"{priority(level)}{text}" if self._journal else text)

    def _print_side(self, text: str) -> None:
        with self._above():
            self._output.flush()
            for line in wrapped(text, self._side.window()[0], rest="  ") if self._side.isatty() else [text]:
                self._side.line(line)
            self._side.flush()

    def _holds(self, problem: Problem) -> bool:
        """Keep it for later, to show files with the same problem together; not where each gets its line."""
        wanted = self._terminal and self._side.isatty() and not (self._verbose or self._quiet)
        if wanted:
            with self._lock:
                self._held.append(problem)
        return wanted

    def _show_held(self) -> None:
        with self._lock:
            held, self._held = self._held, []
        for line in problem_lines(held, self._side.window()[0]):
            self._print_side(line)

    def _above(self) -> AbstractContextManager[None]:
        return nullcontext() if self._live is None else self._live.above()

    def _end_stage(self) -> None:
        if self._stage_name is not None and self._verbose and self._live is None:
            taken = time.monotonic() - self._stage_start
            done = f"{self._items} done" if self._items else "done"
            self._side.line(f"{self._stage_name}: {done} in {duration_text(taken)}")
        self._stage_name = None

    def _end(self) -> None:
        with self._lock:
            self._end_stage()
        if self._live is not None:
            self._live.end()

    def _print_skipped(self, plan: Plan, everything: bool) -> None:
        for skipped in plan.skipped:
            if everything or skipped.code == "playlist":
                word = "" if skipped.code == ENTRIES_WITHOUT_FILE else "skipped "  # such a list may move
                self._output.line(f"{word}{printable(skipped.path)}: {printable(skipped.reason)}")
        left = [] if everything else list(plan_view.left_files(plan))
        for line in left[:SHORTENED_ROWS]:
            self._output.line(line)
        self._print_rest(len(left) - len(left[:SHORTENED_ROWS]))

    def _lines(self, plan: Plan, limit: int | None) -> None:
        changes = list(plan_view.lines(plan, remarks=self._verbose > 0))
        for line in changes[:limit]:
            self._output.line(line)
        self._print_rest(len(changes) - len(changes[:limit]))

    def _print_rest(self, number: int) -> None:
        if number:
            self._output.line(f"... and {number:,} more; -v shows all")


_ASKS_WHAT = frozenset({"?", "h", "help"})


def _choices(offers: Mapping[str, Offer]) -> str:
    if not offers:
        return "[y/N]"
    return " ".join([*(f"[{word[0]}]{word[1:]}" for word in ("yes", "no", *offers)), "[?]"])


def _says(plan: Plan, problem: Problem) -> bool:
    """Whether the outline of a plan says this as well."""
    return problem.code in {one.code for one in plan.skipped} or (problem.code == "suspect" and bool(plan.suspect))
