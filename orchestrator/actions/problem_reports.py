"""Report the problems of files, and remember which were reported: `run` and -q only name what is new or has changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from orchestrator.actions.ignored_files import IgnoredFiles
from orchestrator.actions.session_settings import Settings
from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.known_problems.store import PROBLEMS_FILE, KnownProblems, StandingProblem, same_failure, scope_of
from orchestrator.report.reporter import Reporter
from orchestrator.wording import counted

MOST_NAMED = 50
"""New problems of one kind in one location that are named in a mail; the rest is counted. `problems` lists all."""

REMIND_S = 7 * 86400.0
"""After each such time, a part of the work that still fails is reported again: one mail may be overlooked."""

_JUDGED = frozenset({ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE, ExitCode.PENDING})
"""After a command that ends with one of these, what it did not report is gone."""

_OF_FOLDERS = frozenset({"closed", "unclear"})


class Result(Protocol):
    """What an action returns."""

    @property
    def exit_code(self) -> ExitCode:
        """Its exit code."""


ResultT = TypeVar("ResultT", bound=Result)
ReadT = TypeVar("ReadT")
Covers = Callable[[str], bool]
"""Whether a command looks at the file with this path."""


class _Search(msgspec.Struct):
    """A command that looks for problems."""

    scope: str
    covers: Covers
    found: list[StandingProblem] = []


class Told(msgspec.Struct, frozen=True):
    """How much was told so far."""

    new: int = 0
    """What is a reason to end with 3."""
    known: int = 0
    """What was not told, because it was reported before, or is ignored."""


_NOTHING = Told()


def _scope_of(part: str) -> str:
    return f"part\n{part}"


def _always(_path: str) -> bool:
    return True


class ProblemReports:
    """Those of one session."""

    def __init__(self, settings: Settings, reporter: Callable[[], Reporter]) -> None:
        """`reporter` gives that of the session at this moment: `run` listens to it for a while."""
        self._unattended = False
        self._settings = settings
        self._reporter_now = reporter
        self._new = self._known = 0
        self.kept_quiet = 0
        """How many failures of parts of the work people were not told of, because they were before."""
        self._search: _Search | None = None
        self._reported: dict[str, set[tuple[str, str, str]]] = {}
        """Location -> the problems there that were reported before, or a moment ago."""
        self._ignored: IgnoredFiles | None = None
        self._named: Counter[tuple[str, str]] = Counter()

    @property
    def _reporter(self) -> Reporter:
        return self._reporter_now()

    @property
    def only_news(self) -> bool:
        """Whether problems that were reported before are neither told nor counted."""
        options = self._settings.options
        return (self._unattended or bool(options.quiet)) and not options.strict

    @contextmanager
    def only_as_news(self) -> Iterator[None]:
        """During the block, only news is told even without -q."""
        self._unattended = True
        try:
            yield
        finally:
            self._unattended = False

    def report(
        self, code: str, message: str, path: str | None = None, *, location: str | None = None, stands: bool = True
    ) -> None:
        """Report a problem for which the command ends with 3, unless it is no news or the user ignores it.

        `location`, in canonical form. `stands`: until somebody removes the cause. Otherwise, without a location, or outside of
        `looking_for`, a problem is always news.
        """
        if location is None or not stands or self._search is None:
            self.count()
            self._reporter.error(code, message, path, location)
            return
        found = StandingProblem(location, path or "", code, message)
        self._search.found.append(found)
        if self._ignores(found) or (self.only_news and not self._is_new(found)):
            self._known += 1
            return
        self.count()
        options = self._settings.options
        self._named[location, code] += 1
        if self.only_news and not options.json and self._named[location, code] > MOST_NAMED:
            return
        self._reporter.error(code, message, path, location)

    def failed(
        self,
        part: str,
        code: str,
        message: str,
        path: str | None = None,
        *,
        before: tuple[str, float] | None = None,
        shown: str | None = None,
    ) -> None:
        """Report that a part of the work failed as a whole; with -q and for people once, and again after each week.

        Its exit code stays what it is. `before`: a reason that was reported when something else met it, and when that was.
        `shown`: the whole text, if the part and the message do not make one.
        """
        self.count()
        options, found = self._settings.options, StandingProblem("", part, code, message)
        old = False
        if not options.dry_run:
            known, last = self._of_part(part)
            now = time.time()
            since = next((one.since for one in known if one.key == found.key), None)
            if since is None and before is not None and same_failure(before[0]) == same_failure(message):
                since = last = before[1]
                found = msgspec.structs.replace(found, since=since)
            old = since is not None and (last - since) // REMIND_S == (now - since) // REMIND_S
            self._settle(_Search(_scope_of(part), _always, [found]), done=True)
        old = old and not options.strict
        self.kept_quiet += bool(old and options.quiet)
        self._reporter.error(code, shown or f"{part}: {message}", path, known=old)

    def succeeded(self, part: str) -> None:
        """That part of the work did not fail: the next time that it does is news."""
        if not self._settings.options.dry_run and self._of_part(part)[0]:
            self._settle(_Search(_scope_of(part), _always, []), done=True)

    def forget_other_parts(self, beginning: str, parts: Collection[str]) -> None:
        """Forget what failed in parts with this beginning that do not exist any more."""
        nothing: list[StandingProblem] = []
        for one in self._read(KnownProblems.all, nothing):
            if not one.location and one.path.startswith(beginning) and one.path not in parts:
                self.succeeded(one.path)

    def _of_part(self, part: str) -> tuple[list[StandingProblem], float]:
        nothing: tuple[list[StandingProblem], float] = [], 0.0
        return self._read(lambda problems: problems.of_scope(_scope_of(part)), nothing)

    def is_news(self, code: str, message: str, *, location: str, details: str) -> bool:
        """Whether to tell something that stands but is no reason to end with 3; remembers it.

        It has changed if the message or the `details` have.
        """
        if self._search is None:
            return True
        found = StandingProblem(location, "", code, message, details=details)
        self._search.found.append(found)
        return not self.only_news or self._is_new(found)

    def count(self) -> None:
        """Count another reason to end with 3."""
        self._new += 1

    @property
    def told(self) -> Told:
        """How much was told so far."""
        return Told(self._new, self._known)

    def exit_code(self, code: ExitCode, before: Told = _NOTHING) -> ExitCode:
        """What a command ends with: 0 instead of 3 where all that was wrong since `before` is no news."""
        nothing_new = self._new == before.new and self._known > before.known
        return ExitCode.DONE if code == ExitCode.SOME_FAILED and nothing_new else code

    def looking_for(self, command: str, locations: Iterable[str], covers: Covers, work: Callable[[], ResultT]) -> ResultT:
        """Do the work of a command on these locations, and remember the problems that it reports.

        What it reported before and does not report now is gone, if the work was done and `covers` its file.
        """
        search = self._search = _Search(scope_of(command, locations), covers, [])
        self._named.clear()
        done = False
        try:
            result = work()
            done = result.exit_code in _JUDGED
            return result
        finally:
            self._search = None
            self._report_rest()
            self._remember(search, done=done)

    def _report_rest(self) -> None:
        if not self.only_news or self._settings.options.json:
            return
        for (location, code), number in self._named.items():
            if number > MOST_NAMED:
                rest = f"{counted(number - MOST_NAMED, 'more problem')} of this kind"
                self._reporter.error(code, f"{location}: {rest}: `music-orchestrator problems {location}` lists all")

    @property
    def _file(self) -> Path:
        return self._settings.state / PROBLEMS_FILE

    def _is_new(self, found: StandingProblem) -> bool:
        known = self._reported.get(found.location)
        if known is None:
            known = self._reported[found.location] = self._read(lambda problems: problems.at(found.location), set())
        if found.key in known:
            return False
        known.add(found.key)  # a later step of the same run may find it as well
        return True

    def _ignores(self, found: StandingProblem) -> bool:
        if self._ignored is None:
            nothing: dict[str, float] = {}
            patterns = self._read(KnownProblems.ignored, nothing)
            self._ignored = IgnoredFiles((*self._settings.config.ignore, *patterns))
        return self._ignored.match(found.location, found.path)

    def _remember(self, search: _Search, *, done: bool) -> None:
        if search.found or self._file.exists():  # otherwise there is nothing to remember, and nothing to forget
            self._settle(search, done=done)

    def _settle(self, search: _Search, *, done: bool) -> None:
        """An error here is a warning: the worst that follows is that something is told once more."""
        try:
            with self._opened() as problems:
                judged = None if not done else lambda one: one.code in _OF_FOLDERS or not one.path or search.covers(one.path)
                problems.settle(search.scope, search.found, time.time(), judged=judged)
        except OrchestratorError as error:
            self._reporter.warning(error.message)

    def _read(self, read: Callable[[KnownProblems], ReadT], otherwise: ReadT) -> ReadT:
        """As `_remember`: without what is remembered, everything is news."""
        if not self._file.exists():
            return otherwise
        try:
            with self._opened() as problems:
                return read(problems)
        except OrchestratorError as error:
            self._reporter.warning(error.message)
            return otherwise

    def _opened(self) -> KnownProblems:
        problems = KnownProblems(self._file)
        if problems.moved_aside is not None:
            where = f"the record of problems is damaged and was moved to {problems.moved_aside}"
            self._reporter.warning(f"{where}: what still stands is reported once more, and `problems ignore` is forgotten")
        return problems
