"""Record how jobs end, and report it: history, messages, health checks, the file for Prometheus.

Nothing of this keeps a job from being done or changes an exit code: what goes wrong is a warning.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from orchestrator.actions.announcements import Announcements
from orchestrator.actions.problems import standing
from orchestrator.actions.session import Session
from orchestrator.config.jobs import Job
from orchestrator.errors import ExitCode, InterruptedRunError, OrchestratorError, worst
from orchestrator.job_history.store import JobHistory, JobRun
from orchestrator.notify.message import Ending
from orchestrator.rclone.redact import one_line
from orchestrator.report.listening import ListeningReporter
from orchestrator.report.reporter import printable, unexpected_text

_log = logging.getLogger(__name__)

_COUNTS = {"changed": "ops_done", "failed": "ops_failed", "skipped": "ops_skipped", "bytes_moved": "bytes_moved"}
"""Field of JobRun -> field of the summary, which counts on over all jobs."""


class JobOutcome(NamedTuple):
    """What a job adds to its report while it is done."""

    codes: list[ExitCode]
    runs: list[str]


class JobReports:
    """The reports of one call of `run`; a context manager around all of it, which sends what there is to send at its end."""

    def __init__(self, session: Session, jobs: Mapping[str, Job]) -> None:
        self._session = session
        self._jobs = jobs
        self._announcements = Announcements(session, jobs)
        self._listening = ListeningReporter(session.reporter, plans=self._announcements.with_messages)
        self._began = False
        self._endings: list[Ending] = []
        self._killed: dict[str, str] = {}
        self._broken_history = self._failed = False

    def __enter__(self) -> JobReports:
        self._session.reporter = self._listening
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is not None and not self._began:
                self._refused(error)
            if self._endings:
                with self._harmless("the file for Prometheus is not written"):
                    self._write_prometheus()
                with self._harmless("not all messages and health checks were sent"):
                    self._report_silence(self._announcements.end(self._endings, together=not self._began))
        finally:
            self._session.reporter = self._listening.passed_to

    def begin(self) -> None:
        """The lock is held, and all jobs can be done."""
        self._began = True
        history = self._history()
        if history is None:
            return
        with self._history_errors():
            now = time.time()
            history.correct_times(now)
            history.mark_killed()
            for name, job in self._jobs.items():
                history.known_since(name, [job.at] if isinstance(job.at, str) else job.at, now)
                for run in history.take_killed(name):
                    self._killed[name] = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.began))

    @contextmanager
    def job(self, name: str) -> Iterator[JobOutcome]:
        """Record and report one job, done in the block; its codes and runs are put into what the block gets.

        Nothing if the whole run is to stop: then the job does not begin.
        """
        outcome = JobOutcome([], [])
        if self._session.stop.is_set():
            yield outcome
            return
        self._announcements.begin(name)
        run, began, before = self._begun(name), time.monotonic(), self._counts()
        self._listening.forget()
        code = ExitCode.INTERRUPTED
        try:
            yield outcome
            code = worst([*outcome.codes, ExitCode.INTERRUPTED if self._session.stop.is_set() else ExitCode.DONE])
        except Exception as error:
            failed = error.exit_code if isinstance(error, OrchestratorError) else ExitCode.UNEXPECTED
            code = ExitCode.INTERRUPTED if self._session.stop.is_set() else failed
            raise
        finally:
            counts = {key: value - before[key] for key, value in self._counts().items()}
            ended = msgspec.structs.replace(
                run,
                ended=time.time(),
                exit_code=int(code),
                duration_s=round(time.monotonic() - began, 3),
                runs=tuple(outcome.runs),
                why=self._listening.errors[0] if self._listening.errors else "",
                **counts,
            )
            self._ended(ended)

    def _begun(self, name: str) -> JobRun:
        history = self._history()
        if history is not None:
            with self._history_errors():
                return history.begin(name, time.time())
        return JobRun(job=name, began=time.time())

    def _ended(self, run: JobRun) -> None:
        history = self._history()
        if history is not None:
            with self._history_errors():
                history.end(run)
        heard = self._listening
        self._endings.append(
            Ending(
                run=run,
                changes=heard.changes.most_common(),
                errors=tuple(heard.errors),
                error_count=heard.error_count,
                killed_before=self._killed.pop(run.job, ""),
            )
        )

    def _refused(self, error: BaseException) -> None:
        """No job has begun: one cannot be done, or another run holds the lock."""
        code = error.exit_code if isinstance(error, OrchestratorError) else ExitCode.UNEXPECTED
        if isinstance(error, KeyboardInterrupt) or self._session.stop.is_set():
            return  # a person, or a shutdown, needs no report
        text = error.message if isinstance(error, OrchestratorError) else f"unexpected {type(error).__name__}"
        self._listening.forget()
        self._listening.errors, self._listening.error_count = [printable(one_line(text))], 1
        now = time.time()
        for name in self._jobs:
            run = JobRun(job=name, began=now, ended=now, exit_code=int(code), why=self._listening.errors[0])
            self._ended(run)

    def _counts(self) -> dict[str, int]:
        return {key: getattr(self._session.summary, of_summary) for key, of_summary in _COUNTS.items()}

    # The history.

    def _history(self) -> JobHistory | None:
        if not self._broken_history:
            with self._history_errors():
                return self._session.job_history
        return None

    @contextmanager
    def _history_errors(self) -> Iterator[None]:
        """One warning for a history that cannot be read or written; then nothing more is recorded."""
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

    def _report_silence(self, tried: Mapping[str, str | None]) -> None:
        """Warn of the addresses that do not answer: once, and again each week, so that cron does not mail it each night."""
        failed = {label: problem for label, problem in tried.items() if problem is not None}
        news = {*failed}
        if tried and (history := self._history()) is not None:
            with self._history_errors():
                news = history.new_silence(failed, tried.keys() - failed, time.time())
        for label, problem in failed.items():
            (self._session.reporter.warning if label in news else self._session.reporter.note)(f"{label}: {problem}")

    def _write_prometheus(self) -> None:
        file = self._session.config.prometheus
        history = self._history() if file is not None else None
        if file is None or history is None:
            return
        from orchestrator.notify.prometheus import JobFacts, text_of, write  # noqa: PLC0415 - most configs have none

        facts: list[JobFacts] = []
        with self._history_errors():
            for name in self._session.config.jobs:
                ended = next((run for run in history.last(name) if run.ended is not None or run.killed), None)
                facts.append(JobFacts(name, ended, history.last_success(name)))
        problems = Counter(one.location for one in standing(self._session))
        write(Path(file).expanduser().absolute(), text_of(facts, problems))
