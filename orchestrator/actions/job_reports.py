"""Record how jobs end, and report it: history, messages, health checks, the file for Prometheus.

Nothing of this keeps a job from being done or changes an exit code: what goes wrong is a warning.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from orchestrator.actions.problems import standing
from orchestrator.actions.session import Session
from orchestrator.config.jobs import Job
from orchestrator.config.notify import Notify, healthcheck_problem, url_problem
from orchestrator.config.references import Reference, References
from orchestrator.errors import ExitCode, InterruptedRunError, OrchestratorError, UsageError, worst
from orchestrator.job_history.store import GOES_ON, JobHistory, JobRun
from orchestrator.notify.delivery import Delivery
from orchestrator.notify.message import Ending, Message, message_of
from orchestrator.rclone.known_secrets import hide
from orchestrator.rclone.redact import one_line
from orchestrator.report.listening import ListeningReporter
from orchestrator.report.reporter import printable, unexpected_text

_log = logging.getLogger(__name__)

_COUNTS = {"changed": "ops_done", "failed": "ops_failed", "skipped": "ops_skipped", "bytes_moved": "bytes_moved"}
"""Field of JobRun -> field of the summary, which counts on over all jobs."""
_TOKEN = 8
"""A part of an address that is so long may be its secret."""


class JobOutcome(NamedTuple):
    """What a job adds to its report while it is done."""

    codes: list[ExitCode]
    runs: list[str]


class _HealthCheck:
    """One address to call, for all jobs that name it: the first one starts it, and it fails if one of them fails."""

    def __init__(self, label: str, url: str | Reference) -> None:
        self.label = label
        self.url = url
        self.codes: list[ExitCode] = []
        self.started: Delivery | None = None


class JobReports:
    """The reports of one call of `run`; a context manager around all of it, which sends what there is to send at its end."""

    def __init__(self, session: Session, jobs: Mapping[str, Job]) -> None:
        self._session = session
        self._jobs = jobs
        self._listening = ListeningReporter(session.reporter, plans=any(self._notify(name)[1].urls for name in jobs))
        self._began = False
        self._endings: list[Ending] = []
        self._killed: dict[str, str] = {}
        self._broken_history = self._failed = False
        self._references: References | None = None
        self._checks: dict[bytes, _HealthCheck] = {}
        for name in jobs:
            where, notify = self._notify(name)
            if notify.healthcheck is not None:
                self._checks.setdefault(
                    msgspec.json.encode(notify.healthcheck), _HealthCheck(f"{where}.healthcheck", notify.healthcheck)
                )

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
                    self._send()
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
        self._start_check(name)
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

    # Everything else.

    def _notify(self, name: str) -> tuple[str, Notify]:
        """Where the end of a job is to be reported, and the key that says so."""
        own = self._jobs[name].notify
        return (f"jobs.{name}.notify", own) if own is not None else ("notify", self._session.config.notify)

    def _secret(self, url: str | Reference, label: str) -> str:
        """The address itself. Nothing that is printed from now on repeats it. Raises AuthError."""
        if isinstance(url, Reference):
            url = self._secrets().text(url, label)
        hide(url)
        parts = urlsplit(url)
        values = [one.partition("=")[2] for one in parts.query.split("&")]
        for secret in (parts.username or "", parts.password or "", *parts.path.split("/"), *values):
            if len(secret) >= _TOKEN:
                hide(secret)
        return url

    def _secrets(self) -> References:
        if self._references is None:
            from orchestrator.rclone.secret_command import printed_by  # noqa: PLC0415 - most configs have no references

            self._references = References(os.environ, printed_by)
        return self._references

    def _start_check(self, name: str) -> None:
        check = self._check_of(name)
        if check is not None and check.started is None:
            check.started = self._call(check, None)

    def _check_of(self, name: str) -> _HealthCheck | None:
        url = self._notify(name)[1].healthcheck
        return None if url is None else self._checks[msgspec.json.encode(url)]

    def _call(self, check: _HealthCheck, code: ExitCode | None) -> Delivery:
        """Call it in the background: at the start, or with the code at the end."""
        from orchestrator.notify import health_check  # noqa: PLC0415 - most configs have none

        moment: health_check.Moment = "start" if code is None else "success" if code in GOES_ON else "failure"
        before = check.started

        def send(until: float) -> None:
            if reason := healthcheck_problem(check.url):
                raise UsageError(reason)
            url = health_check.address(self._secret(check.url, check.label), moment, int(code or 0))
            if before is not None:
                before.problem()  # calls must arrive in order
            if url is not None:
                health_check.call(url, until)

        return Delivery(check.label, send)

    def _send(self) -> None:
        """Send messages and end health checks, all at the same time; what did not work are warnings."""
        for ending in self._endings:
            check = self._check_of(ending.run.job)
            if check is not None:
                check.codes.append(ExitCode(ending.run.exit_code or 0))
        started = [check.started for check in self._checks.values() if check.started is not None]
        on_their_way = [self._call(check, worst(check.codes)) for check in self._checks.values() if check.codes]
        on_their_way += self._messages()
        problems = {delivery.label: problem for delivery in (*started, *on_their_way) if (problem := delivery.problem())}
        for label, problem in problems.items():
            self._session.reporter.warning(f"{label}: {problem}")

    def _messages(self) -> list[Delivery]:
        wanted = [
            (where, notify, message)
            for where, notify, endings in self._reported_together()
            for message in [message_of(endings, socket.gethostname())]
            if message.event in notify.on and notify.urls
        ]
        if not wanted:
            return []
        from orchestrator.notify.apprise_messages import MISSING, installed  # noqa: PLC0415 - most runs send none

        if not installed():
            self._session.reporter.warning(f"{wanted[0][0]}.urls: {MISSING}")
            return []
        return [
            self._message(f"{where}.urls.{number}", url, message)
            for where, notify, message in wanted
            for number, url in enumerate(notify.urls)
        ]

    def _message(self, label: str, url: str | Reference, message: Message) -> Delivery:
        from orchestrator.notify.apprise_messages import send as send_message  # noqa: PLC0415 - as above

        def send(_until: float) -> None:
            if reason := url_problem(url):
                raise UsageError(reason)
            send_message(self._secret(url, label), message)

        return Delivery(label, send)

    def _reported_together(self) -> Iterator[tuple[str, Notify, Sequence[Ending]]]:
        """Each job has a message of its own; jobs that were all refused for one reason share one."""
        if self._began:
            for ending in self._endings:
                yield *self._notify(ending.run.job), [ending]
            return
        groups: dict[str, list[Ending]] = {}
        for ending in self._endings:
            groups.setdefault(self._notify(ending.run.job)[0], []).append(ending)
        for where, endings in groups.items():
            yield where, self._notify(endings[0].run.job)[1], endings

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
