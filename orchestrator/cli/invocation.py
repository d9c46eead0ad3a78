"""Run a command: choose the reporter, handle signals, turn errors into exit codes, and end with the summary."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from orchestrator.actions.session import Session
from orchestrator.cli.signals import signals_handled
from orchestrator.config.environment import misspelled_variables
from orchestrator.config.options.common import CommonOptions
from orchestrator.errors import ConfigError, ExitCode, InterruptedRunError, OrchestratorError, UsageError
from orchestrator.report.json_reporter import JsonReporter
from orchestrator.report.log import logging_to
from orchestrator.report.logged import LoggedReporter
from orchestrator.report.reporter import Reporter, Summary, error_code, unexpected_text
from orchestrator.report.text_reporter import TextReporter
from orchestrator.user_paths import user_path

json_output: TextIO | None = None
"""The real stdout, while `--json` keeps all other output away from it."""


def run_command(name: str, options: CommonOptions, body: Callable[[Session], int], words: Sequence[str] = ()) -> int:
    """Run `body` with a session; report what it raises; end with the summary and its exit code. `words`: the command line."""
    reporter = _reporter(options)
    session = Session(options, reporter)
    session.summary.command = name
    reporter.watch(session.activity)
    began = time.monotonic()
    with signals_handled(session):
        code = _exit_code_of(session, lambda opened: _start(name, words, opened, body, _log_stream(reporter)))
        session.summary.exit_code = int(code)
        session.summary.duration_s = round(time.monotonic() - began - session.summary.waited_s, 3)
        session.closing = True
        ending = _exit_code_of(session, _close)
    session.summary.exit_code = int(ending if code == ExitCode.DONE else code)
    return _end(reporter, session.summary)


def report_usage_error(message: str, command: str | None, stdout: TextIO, *, as_json: bool) -> int:
    """End a command line that click does not accept: an error, the summary, exit code 2."""
    reporter = _new_reporter(stdout, as_json=as_json, verbose=0, quiet=False)
    reporter.error("usage", message)
    return _end(reporter, Summary(command=command, exit_code=ExitCode.USAGE))


def report_text(stdout: TextIO, command: str | None, text: str) -> int:
    """With `--json`, report what click printed (`--help`, `--version`) as an object."""
    reporter = _new_reporter(stdout, as_json=True, verbose=0, quiet=False)
    reporter.document("text", text, {"text": text})
    return _end(reporter, Summary(command=command))


def _end(reporter: Reporter, summary: Summary) -> int:
    """Report the summary and return the exit code. A run whose output could not be written did not succeed."""
    reporter.summary(summary)
    return summary.exit_code if reporter.close() or summary.exit_code != ExitCode.DONE else ExitCode.UNEXPECTED


def _exit_code_of(session: Session, body: Callable[[Session], int]) -> int:
    try:
        return body(session)
    except InterruptedRunError as error:
        session.reporter.error(error_code(error), error.message, error.path)
        return ExitCode.INTERRUPTED
    except OrchestratorError as error:
        if session.stop.is_set():
            # Errors caused by the interruption itself are not reported.
            session.reporter.error("interrupted", "interrupted")
            return ExitCode.INTERRUPTED
        for one in (error, *(error.more if isinstance(error, ConfigError) else ())):
            session.reporter.error(error_code(one), one.message, one.path)
        return error.exit_code
    except KeyboardInterrupt:
        session.reporter.error("interrupted", "interrupted; `music-orchestrator resume` does the rest")
        return ExitCode.INTERRUPTED
    except Exception as error:  # a bug of ours: it is reported like any other error, with its place in the code
        logging.getLogger(__name__).exception("unexpected")
        session.reporter.error("unexpected", unexpected_text(error))
        return ExitCode.UNEXPECTED


def _start(name: str, words: Sequence[str], session: Session, body: Callable[[Session], int], stderr: TextIO) -> int:
    session.check_options()
    for variable, near in misspelled_variables(os.environ).items():
        session.reporter.warning(f"the variable {variable} has no effect: did you mean {near}?")
    problems: list[str] = []
    try:
        _open_log(name, words, session, stderr, problems)
        return session.problems.exit_code(ExitCode(body(session)))
    finally:
        _report_log(name, session, problems)


def _open_log(name: str, words: Sequence[str], session: Session, stderr: TextIO, problems: list[str]) -> None:
    """Open the log file; what keeps it from being written, now or later, is added to `problems`.

    Raises UsageError if it cannot be opened; not for `run`, where nobody is there to mend it, and `status`, which shows that.
    """
    verbose = session.options.verbose

    def failed(error: OSError) -> None:
        problems.append(f"cannot write the log file {file}: {error.strerror}")

    try:
        file = _log_file(name, session)
        log_format = session.config.log_format if file is not None and not _mends_config(name) else "text"
        session.enter(logging_to(file, stderr, verbose=verbose, log_format=log_format, failed=failed))
    except ConfigError:
        raise
    except UsageError as error:
        if name not in {"run", "status"}:
            raise
        problems.append(error.message)
        session.enter(logging_to(None, stderr, verbose=verbose))
        return
    if file is not None:
        session.reporter = logged = LoggedReporter(session.reporter)
        session.enter(logged.logging_summary(session.summary, _without_secrets(name, words)))


def _report_log(name: str, session: Session, problems: Sequence[str]) -> None:
    """Warn of a log file that could not be written; cron hears of it once."""
    has_log = session.options.log_file or (name == "run" and session.config.log_file)
    if name != "run" or not has_log or session.options.dry_run:
        for problem in problems:
            (session.reporter.note if name == "status" else session.reporter.warning)(problem)
        return
    from orchestrator.actions.broken_ways import warn_of_ways  # noqa: PLC0415 - most runs have no log file

    history = None
    with suppress(OrchestratorError):  # `run` itself has reported that
        history = session.job_history
    try:
        warn_of_ways(session, {"log_file": problems[0] if problems else None}, history)
    except OrchestratorError as error:
        session.reporter.warning(error.message)


def _without_secrets(name: str, words: Sequence[str]) -> str:
    """The command line for the log."""
    if name == "config set":
        return name  # the value may be one
    from orchestrator.rclone.redact import redact  # noqa: PLC0415 - for the log only

    return redact(shlex.join(words))


def _log_stream(reporter: Reporter) -> TextIO:
    """Where the log of -v goes."""
    return reporter.log_stream if isinstance(reporter, TextReporter) else sys.stderr


def _log_file(name: str, session: Session) -> Path | None:
    """The log file. Commands that fix the config must run with a broken one, so they take it from the options alone."""
    if not _mends_config(name):
        return session.log_file
    chosen = session.options.log_file
    return user_path(chosen).absolute() if chosen else None


def _mends_config(name: str) -> bool:
    return name == "doctor" or name.startswith("config")


def _close(session: Session) -> int:
    session.close()
    return ExitCode.DONE


def _reporter(options: CommonOptions) -> Reporter:
    stdout = json_output if options.json and json_output is not None else sys.stdout
    return _new_reporter(stdout, as_json=bool(options.json), verbose=options.verbose, quiet=bool(options.quiet))


def _new_reporter(stdout: TextIO, *, as_json: bool, verbose: int, quiet: bool) -> Reporter:
    if as_json:
        return JsonReporter(stdout, sys.stderr, verbose=verbose, quiet=quiet)
    return TextReporter(stdout, sys.stderr, sys.stdin, verbose=verbose, quiet=quiet)
