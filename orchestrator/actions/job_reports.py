"""Record how jobs end, and report it: history, messages, health checks, the file for Prometheus.

Nothing of this keeps a job from being done or changes an exit code: what goes wrong is a warning.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

import msgspec

from orchestrator.actions.announcements import Announcements
from orchestrator.actions.broken_ways import warn_of_ways
from orchestrator.actions.job_results import JobOutcome
from orchestrator.actions.problems import standing
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import local_time
from orchestrator.config.jobs import Job
from orchestrator.errors import ExitCode, InterruptedRunError, OrchestratorError, UsageError, worst
from orchestrator.job_history.store import JobHistory, JobRun
from orchestrator.known_problems.store import same_failure
from orchestrator.notify.message import Ending
from orchestrator.rclone.redact import one_line
from orchestrator.report.listening import REMEMBERED, ListeningReporter
from orchestrator.report.reporter import printable, unexpected_text
from orchestrator.user_paths import user_path
from orchestrator.wording import counted

_log = logging.getLogger(__name__)

ReadT = TypeVar("ReadT")

_COUNTS = {"changed": "ops_done", "failed": "ops_failed", "skipped": "ops_skipped", "bytes_moved": "bytes_moved"}
"""Field of JobRun -> field of the summary, which counts on over all jobs."""


@dataclass
class _UnderWay:
    """A job that has begun, and what was heard of it so far."""

    run: JobRun
    outcome: JobOutcome = field(default_factory=lambda: JobOutcome([], []))
    counts: Counter[str] = field(default_factory=Counter)
    duration_s: float = 0.0
    errors: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    error_count: int = 0
    changes: Counter[str] = field(default_factory=Counter)

    def add(self, heard: ListeningReporter) -> None:
        """Take over what was heard."""
        self.errors += heard.errors[: REMEMBERED - len(self.errors)]
        self.news += heard.news[: REMEMBERED - len(self.news)]
        self.error_count += heard.error_count
        self.changes.update(heard.changes)
        heard.forget()


class JobReports:
    """The reports of one call of `run`; a context manager around all of it, which sends what there is to send at its end."""

    def __init__(self, session: Session, jobs: Mapping[str, Job]) -> None:
        self._session = session
        self._jobs = jobs
        self._announcements = Announcements(session, jobs)
        self._listening = ListeningReporter(session.reporter, plans=self._announcements.with_messages)
        self._began = False
        self._under_way: dict[str, _UnderWay] = {}
        self._endings: list[Ending] = []
        self._pages: dict[str, str | None] = {}  # what went wrong with each, by the key of the config
        self._broken_history = self._failed = False

    def __enter__(self) -> JobReports:
        self._session.reporter = self._listening
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            for name in [*self._under_way]:  # only what waited in the queue for it was done
                self._under_way[name].outcome.codes.append(ExitCode.INTERRUPTED)
                self._end(name)
            if error is not None and not self._began:
                self._refused(error)
            if self._endings:
                ways = {**self._pages}
                with self._harmless("the file for Prometheus is not written"):
                    ways |= self._write_prometheus()
                with self._harmless("not all messages and health checks were sent"):
                    ways |= self._announcements.end(self._endings, self._remembered, together=not self._began)
                with self._history_errors():
                    warn_of_ways(self._session, ways, self._history())
        finally:
            self._session.reporter = self._listening.passed_to

    def begin(self) -> None:
        """The lock is held, and all jobs can be done."""
        self._began = True
        now = time.time()

        def prepare(history: JobHistory) -> None:
            history.correct_times(now)
            history.mark_killed()
            for name, job in self._jobs.items():
                history.known_since(name, [job.at] if isinstance(job.at, str) else job.at, now)

        self._remembered(prepare, None)

    @contextmanager
    def part(self, name: str) -> Iterator[JobOutcome]:
        """Report what is done in the block as a part of a job, which begins with its first part; `job` ends it.

        Its codes and steps are put into what the block gets. Nothing if the whole run is to stop: then no job begins.
        """
        if self._session.stop.is_set() and name not in self._under_way:
            yield JobOutcome([], [])
            return
        one = self._under_way.get(name) or self._start(name)
        began, before = time.monotonic(), self._counts()
        try:
            yield one.outcome
        except BaseException as error:
            one.outcome.codes.append(_code_of(error))
            raise
        finally:
            one.duration_s += time.monotonic() - began
            one.counts.update({key: value - before[key] for key, value in self._counts().items()})
            one.add(self._listening)

    @contextmanager
    def job(self, name: str) -> Iterator[JobOutcome]:
        """Report what is done in the block as the last part of a job."""
        try:
            with self.part(name) as outcome:
                yield outcome
        finally:
            if name in self._under_way:
                self._end(name)

    def _start(self, name: str) -> _UnderWay:
        self._announcements.begin(name)
        now = time.time()
        run = self._remembered(lambda history: history.begin(name, now), JobRun(job=name, began=now))
        self._under_way[name] = one = _UnderWay(run)
        return one

    def _end(self, name: str) -> None:
        one = self._under_way.pop(name)
        code = ExitCode.INTERRUPTED if self._session.stop.is_set() else worst(one.outcome.codes)
        ended = msgspec.structs.replace(
            one.run,
            ended=time.time(),
            exit_code=int(code),
            duration_s=round(one.duration_s, 3),
            runs=tuple(step.run for step in one.outcome.steps if step.run is not None),
            why=one.errors[0] if one.errors else "",
            **one.counts,
        )
        self._ended(one, ended)
        if self._jobs[name].html is not None:
            with self._harmless(f"the page of {name} is not written"):
                self._pages[f"jobs.{name}.html"] = self._write_page(one, ended, self._jobs[name])

    def _ended(self, one: _UnderWay, run: JobRun) -> None:
        failed: Sequence[JobRun] = self._remembered(lambda history: history.failed_in_a_row(run.job), ())
        killed: Sequence[JobRun] = self._remembered(lambda history: history.take_killed(run.job), ())
        self._remembered(lambda history: history.end(run), None)
        if failed and run.succeeded:  # people who were told once that it fails, and then nothing, are waiting for this
            after = f"{run.job} is back to normal after {counted(len(failed), 'failed run')}"
            fields = {"job": run.job, "failed_runs": len(failed), "since": local_time(failed[-1].began)}
            self._session.reporter.document("recovered", f"{after}, since {_began_at(failed[-1])}", fields)
        self._endings.append(
            Ending(
                run=run,
                changes=one.changes.most_common(),
                errors=tuple(one.errors),
                error_count=one.error_count,
                killed_before=", ".join(map(_began_at, killed)),
                failed_before=len(failed),
                failing_since=_began_at(failed[-1]) if failed else "",
                told=self._told(run, one.news),
            )
        )

    def _told(self, run: JobRun, news: list[str]) -> bool:
        """Whether it was announced before that the job fails; it counts as announced from now on. `news`: the new errors."""
        if run.succeeded:
            return self._remembered(lambda history: history.announced.done(run.job), otherwise=False)
        if not self._announcements.of_failures(run.job):
            return False
        # Whichever run it is that holds the lock.
        reasons = {str(run.exit_code)} if run.exit_code == ExitCode.LOCKED else {*map(same_failure, news)}
        now = time.time()
        return not self._remembered(lambda history: history.announced.failed(run.job, reasons, now), otherwise=True)

    def _refused(self, error: BaseException) -> None:
        """No job has begun: one cannot be done, or another run holds the lock."""
        if isinstance(error, KeyboardInterrupt) or self._session.stop.is_set():
            return  # a person, or a shutdown, needs no report
        text = error.message if isinstance(error, OrchestratorError) else f"unexpected {type(error).__name__}"
        now, why = time.time(), printable(one_line(text))
        for name in self._jobs:
            run = JobRun(job=name, began=now, ended=now, exit_code=int(_code_of(error)), why=why)
            self._ended(_UnderWay(run, errors=[why], news=[why], error_count=1), run)

    def _counts(self) -> dict[str, int]:
        return {key: getattr(self._session.summary, of_summary) for key, of_summary in _COUNTS.items()}

    # The history.

    def _remembered(self, work: Callable[[JobHistory], ReadT], otherwise: ReadT) -> ReadT:
        """What `work` does with the history, or `otherwise` if that cannot be read or written."""
        history = self._history()
        if history is None:
            return otherwise
        with self._history_errors():
            return work(history)
        return otherwise

    def _history(self) -> JobHistory | None:
        if not self._broken_history:
            with self._history_errors():
                return self._session.job_history
        return None

    @contextmanager
    def _history_errors(self) -> Iterator[None]:
        """One warning for a history that cannot be read or written; then nothing more is recorded."""
        self._failed = False
        try:
            with self._harmless("how the jobs end is not recorded"):
                yield
        finally:
            self._broken_history |= self._failed
            self._failed = False

    @contextmanager
    def _harmless(self, what: str) -> Iterator[None]:
        """An error of the block, a bug of ours included, is a warning; an interruption is none."""
        try:
            yield
        except InterruptedRunError:
            raise
        except OrchestratorError as error:
            self._failed = True
            self._session.reporter.warning(f"{what}: {error.message}")
        except Exception as error:
            self._failed = True
            _log.exception("unexpected")
            self._session.reporter.warning(f"{what}: {unexpected_text(error)}")

    def _write_page(self, one: _UnderWay, run: JobRun, job: Job) -> str | None:
        """Write the page of a job. What went wrong, if its file cannot be written."""
        from orchestrator.actions.pages import save_job_page  # noqa: PLC0415 - most jobs have none

        try:
            file = user_path(job.html or "").absolute()
            save_job_page(self._session, job, run, file, steps=one.outcome.steps, errors=one.errors, error_count=one.error_count)
        except UsageError as error:
            return error.message
        return None

    def _write_prometheus(self) -> dict[str, str | None]:
        """Write the file, if there is to be one. What went wrong, by the key of the config."""
        file = self._session.config.prometheus
        if file is None:
            return {}
        from orchestrator.notify.prometheus import JobFacts, text_of, write  # noqa: PLC0415 - most configs have none

        def facts(history: JobHistory) -> list[JobFacts] | None:
            found = []
            for name in self._session.config.jobs:
                ended = next((run for run in history.last(name) if run.ended is not None or run.killed), None)
                found.append(JobFacts(name, ended, history.last_success(name)))
            return found

        known = self._remembered(facts, None)
        if known is None:
            return {}
        problems = Counter(one.location for one in standing(self._session))
        try:
            write(user_path(file).absolute(), text_of(known, problems))
        except UsageError as error:
            return {"prometheus": error.message}
        return {"prometheus": None}


def _code_of(error: BaseException) -> ExitCode:
    """The exit code of a job or a part of it that ended with this."""
    if isinstance(error, OrchestratorError):
        return error.exit_code
    return ExitCode.UNEXPECTED if isinstance(error, Exception) else ExitCode.INTERRUPTED


def _began_at(run: JobRun) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(run.began))
