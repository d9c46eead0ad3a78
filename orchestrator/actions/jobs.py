"""Do jobs of the config: their steps in order, under one lock, in one session."""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial

import msgspec

from orchestrator.actions.job_check import job_problems
from orchestrator.actions.job_duplicates import copying_no_duplicates, named_before
from orchestrator.actions.job_reports import JobReports
from orchestrator.actions.job_results import JobOutcome, StepResult
from orchestrator.actions.job_steps import beginning_of_labels, check_step, do_step, label_of, max_delete_of, names_of_pairs
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import anything_due, interrupted_syncs
from orchestrator.config.jobs import Job, PlacedStep, as_job, placed_steps
from orchestrator.config.options.jobs import RunOptions
from orchestrator.config.options.queue import QueueFlushOptions
from orchestrator.config.problems import refuse
from orchestrator.config.setting_syntax import parse_duration
from orchestrator.deadline import Deadline
from orchestrator.errors import ExitCode, InterruptedRunError, OrchestratorError, UsageError, worst
from orchestrator.job_history.store import GOES_ON
from orchestrator.prices import Spent
from orchestrator.report.reporter import error_code, unexpected_text

_log = logging.getLogger(__name__)


class JobsResult(msgspec.Struct, frozen=True):
    """What `run` came to."""

    exit_code: ExitCode
    steps: tuple[StepResult, ...] = ()


def run(options: RunOptions, session: Session) -> JobsResult:
    """Do these jobs, or all. Nobody is asked: that the config has the job is the consent.

    Raises UsageError for a job that does not exist or cannot be done, ConfigError for one with a mistake, LockedError when
    another run holds the lock, InterruptedRunError.
    """
    wait_s = parse_duration(options.wait, "--wait", unit_needed=True)
    parse_duration(options.max_duration, "--max-duration", unit_needed=True)
    jobs = chosen_jobs(session, options.jobs)
    if session.options.dry_run:
        return _run(options, session, jobs, wait_s, None)
    with JobReports(session, jobs) as reports:
        return _run(options, session, jobs, wait_s, reports)


def _run(options: RunOptions, session: Session, jobs: Mapping[str, Job], wait_s: float, reports: JobReports | None) -> JobsResult:
    refuse(job_problems(session.loaded_config, [*jobs]))
    _check_steps(session, [*jobs])
    if options.wait is None:
        wait_s = max(parse_duration(job.wait) for job in jobs.values())
    with session.using(yes=True), session.problems.only_as_news():
        if reports is None:
            return _Jobs(session, options).do(jobs)
        with session.lock(f"run {' '.join(options.jobs)}".strip(), wait_s):
            reports.begin()
            return _Jobs(session, options, reports).do(jobs)


HOW_TO_WRITE_ONE = "write one, such as: music-orchestrator config set jobs.nightly '[{organize: {source: ~/Music}}]'"


def chosen_jobs(session: Session, names: Sequence[str]) -> dict[str, Job]:
    """These jobs of the config, or all. Raises UsageError for one that it does not have."""
    known = session.config.jobs
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else jobs_there(session)
            raise UsageError(f"there is no job {name}; {hint}")
    if not known:
        raise UsageError(jobs_there(session))
    return {name: as_job(known[name]) for name in names or known}


def jobs_there(session: Session) -> str:
    """Which jobs the config has; otherwise how to write one."""
    file = session.loaded_config.path
    if session.config.jobs:
        return f"{file} has {', '.join(session.config.jobs)}"
    if not file.exists():
        return f"there are no jobs, and no config file {file}; {HOW_TO_WRITE_ONE}"
    return f"{file} has no `jobs:` yet; {HOW_TO_WRITE_ONE}"


def _check_steps(session: Session, names: Sequence[str]) -> None:
    """Look at all steps, remotes included, so that none is done if another one cannot be. Raises UsageError."""
    for placed in placed_steps(session.config.jobs, names):
        try:
            check_step(placed.step, session)
        except UsageError as error:
            error.message = f"{session.loaded_config.label(*placed.key)}: {error.message}"
            raise


class _Jobs:
    """One call of `run`, under the lock."""

    def __init__(self, session: Session, options: RunOptions, reports: JobReports | None = None) -> None:
        """`reports`: None for a dry run, which is none to tell of."""
        self._session = session
        self._options = options
        self._reports = reports
        self._results: list[StepResult] = []
        self._skipped: dict[str, int] = {}
        """Label of a step -> files that it has skipped."""

    def do(self, jobs: Mapping[str, Job]) -> JobsResult:
        """Do what waits, and then these jobs."""
        session = self._session
        session.deadline = _deadline(self._options.max_duration)
        codes = [self._flush([*jobs])]
        for name, job in jobs.items():
            steps = [*placed_steps(session.config.jobs, [name])]
            with self._limits_of(job), self._reported(name) as outcome:
                outcome.codes.extend(self._do_job(name, job, steps))
                outcome.steps.extend(step for step in self._results if step.job == name)
            codes += outcome.codes
        return JobsResult(worst([*codes, ExitCode.INTERRUPTED if session.stop.is_set() else ExitCode.DONE]), tuple(self._results))

    def _flush(self, jobs: Sequence[str]) -> ExitCode:
        """Sync what waits and is due. An error of the queue itself is reported with the first job."""
        code = self._session.problems.exit_code(
            self._caught("queue", lambda: _flush_due(self._session, partial(self._queued, jobs)))
        )
        if code not in GOES_ON and not self._results:
            with self._part(jobs[0]) as outcome:
                outcome.codes.append(code)
        return code

    def _part(self, name: str) -> AbstractContextManager[JobOutcome]:
        return nullcontext(JobOutcome([], [])) if self._reports is None else self._reports.part(name)

    def _reported(self, name: str) -> AbstractContextManager[JobOutcome]:
        return nullcontext(JobOutcome([], [])) if self._reports is None else self._reports.job(name)

    @contextmanager
    def _queued(self, jobs: Sequence[str], names: frozenset[str]) -> Iterator[list[ExitCode]]:
        """Sync what waited for a pair of locations: a part of the job that syncs it, otherwise of the first one."""
        session, began = self._session, time.monotonic()
        steps = [(name, placed.step) for name in jobs for placed in placed_steps(session.config.jobs, [name])]
        job = next((name for name, step in steps if names & names_of_pairs(step, session)), jobs[0])
        with self._part(job) as outcome:
            codes: list[ExitCode] = []
            run_before, before, session.summary.run = session.summary.run, session.problems.told, None
            yield codes
            code = session.problems.exit_code(worst(codes), before)
            outcome.codes.append(code)
            self._ended(StepResult(job=job, number=0, command="queue", exit_code=code), began, run_before)

    def _ended(self, result: StepResult, began: float, run_before: str | None) -> None:
        """Note how a step ended that was done; the summary names the last run."""
        summary = self._session.summary
        self._note(msgspec.structs.replace(result, run=summary.run, duration_s=round(time.monotonic() - began, 3)))
        summary.run = summary.run or run_before

    @contextmanager
    def _limits_of(self, job: Job) -> Iterator[None]:
        """The limits of one job. One that was given on the command line holds for all of them together instead."""
        session, given = self._session, self._session.options
        own = {name: getattr(job, name) for name in ("max_cost", "max_transfer") if getattr(given, name) is None}
        deadline, total = session.deadline, session.spent
        if self._options.max_duration is None:
            session.deadline = _deadline(job.max_duration)
        session.spent = spent = Spent(
            cost=0.0 if "max_cost" in own else total.cost, transfer=0 if "max_transfer" in own else total.transfer
        )
        try:
            with session.using(**own):
                yield
        finally:
            session.deadline, session.spent = deadline, spent

    def _do_job(self, name: str, job: Job, steps: Sequence[PlacedStep]) -> list[ExitCode]:
        session = self._session
        codes: list[ExitCode] = []
        labels = [label_of(name, number, len(steps), one.step) for number, one in enumerate(steps, 1)]
        session.problems.forget_other_parts(beginning_of_labels(name), labels)
        with suppress(OrchestratorError):  # a step will meet it, and report it
            steps = copying_no_duplicates(steps, session)
        for number, (placed, label) in enumerate(zip(steps, labels, strict=True), 1):
            if session.deadline is not None and session.deadline.passed:
                session.reporter.error("safety-limit", f"{label} was not started: {session.deadline}; the next run does it")
                codes.append(ExitCode.SAFETY_LIMIT)
            elif not session.stop.is_set():
                quiet_before = session.problems.kept_quiet
                codes.append(code := self._do_step(label, number, placed))
                for before in named_before(steps, number - 1, session) if self._changed(code) else ():
                    codes.append(self._do_step(labels[before], before + 1, steps[before], again=True))
                    code = worst([code, codes[-1]])
                if code in GOES_ON or job.keep_going:
                    continue
                told = session.problems.kept_quiet == quiet_before
                if number < len(steps) and told and not session.stop.is_set():
                    session.reporter.warning(f"{label} ended with {int(code)}, so the job ends before its next step")
                number += 1  # noqa: PLW2901 - the first step that was not started
            for left, unstarted in enumerate(steps[number - 1 :], number):
                self._note(StepResult(job=name, number=left, command=_command(unstarted), exit_code=None))
            break
        return codes

    def _changed(self, code: ExitCode) -> bool:
        """Whether the last step went well and changed something, and there is time to do another one now."""
        session = self._session
        in_time = session.deadline is None or not session.deadline.passed
        return code in GOES_ON and self._results[-1].run is not None and in_time and not session.stop.is_set()

    def _do_step(self, label: str, number: int, placed: PlacedStep, *, again: bool = False) -> ExitCode:
        session, began, run_before = self._session, time.monotonic(), self._session.summary.run
        before = session.problems.told
        session.reporter.note(f"{label}, once more without the duplicates" if again else label)
        session.forget_folders()
        session.summary.run = None
        limit = session.options.max_delete
        with session.using(max_delete=max_delete_of(placed.step) if limit is None else limit):
            skipped_before = session.summary.ops_skipped
            code = session.problems.exit_code(self._caught(label, lambda: do_step(placed.step, session)), before)
        self._count_skipped(label, skipped_before, again=again)
        self._ended(StepResult(job=placed.job, number=number, command=_command(placed), exit_code=code), began, run_before)
        return code

    def _count_skipped(self, label: str, before: int, *, again: bool) -> None:
        """Count a file once that a step has skipped both times."""
        summary, counted_then = self._session.summary, self._skipped.get(label, 0) if again else 0
        skipped = summary.ops_skipped - before
        summary.ops_skipped = before + max(0, skipped - counted_then)
        self._skipped[label] = max(skipped, counted_then)

    def _note(self, result: StepResult) -> None:
        """Record how a step ended; only programs read it, because people read what the step itself reports."""
        self._results.append(result)
        if self._session.options.json:
            self._session.reporter.document("step", "", msgspec.to_builtins(result))

    def _caught(self, label: str, work: Callable[[], ExitCode]) -> ExitCode:
        """The exit code of a part of the run. Its error is reported, and keeps no other part from being done."""
        session = self._session
        try:
            code = work()
        except InterruptedRunError:  # it ends the whole run
            raise
        except OrchestratorError as error:
            if session.stop.is_set():
                raise
            session.problems.failed(label, error_code(error), error.message, error.path)
            return error.exit_code
        except Exception as error:  # a bug of ours in one job must not keep all others from being done, for ever
            _log.exception("unexpected")
            session.problems.failed(label, "unexpected", unexpected_text(error))
            return ExitCode.UNEXPECTED
        else:
            if code in GOES_ON:
                session.problems.succeeded(label)
            return code


def _flush_due(session: Session, part: Callable[[frozenset[str]], AbstractContextManager[list[ExitCode]]]) -> ExitCode:
    """Sync what waits in the queue and is due; without any, nothing is said."""
    session.problems.forget_other_parts("run ", [f"run {run.id}" for run in interrupted_syncs(session)])
    if not anything_due(session):
        return ExitCode.DONE
    from orchestrator.actions.queue import flush  # noqa: PLC0415 - slow to import, and most runs do not need it

    return flush(QueueFlushOptions(due=True), session, part)


def _deadline(allowed: str | None) -> Deadline | None:
    return Deadline(time.monotonic() + parse_duration(allowed), allowed) if allowed else None


def _command(placed: PlacedStep) -> str:
    return next(iter(placed.step.commands))
