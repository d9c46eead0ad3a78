"""The one place that runs a command: reporter, signals, errors to exit codes, summary."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from orchestrator.actions.session import Session
from orchestrator.config.options.common import CommonOptions
from orchestrator.errors import ExitCode, InterruptedRunError, OrchestratorError
from orchestrator.report.human import HumanReporter
from orchestrator.report.json_lines import JsonLinesReporter
from orchestrator.report.reporter import Reporter, Summary, error_code

json_output: TextIO | None = None
"""The real stdout while `--json` keeps everybody else from it."""


def run_command(name: str, options: CommonOptions, body: Callable[[Session], int]) -> int:
    """Run `body` with a session; report what it raises; end with the summary and its exit code."""
    reporter = _reporter(options)
    session = Session(name, options, reporter)
    began = time.monotonic()
    with _signals(session):
        code = _carry_out(session, lambda opened: _begin(opened, body))
        session.closing = True
        ending = _carry_out(session, _close)
    code = ending if code == ExitCode.DONE else code
    session.summary.exit_code = int(code)
    session.summary.duration_s = round(time.monotonic() - began, 3)
    return _end(reporter, session.summary)


def refuse(message: str, command: str | None, stdout: TextIO, *, as_json: bool) -> int:
    """End a command line that cannot be read: error, summary, 2."""
    reporter = _new_reporter(stdout, as_json=as_json, verbose=0, quiet=False)
    reporter.error("usage", message)
    return _end(reporter, Summary(command=command, exit_code=ExitCode.USAGE))


def say_text(stdout: TextIO, command: str | None, text: str) -> int:
    """With `--json`, give what click wrote (`--help`, `--version`) as an object."""
    reporter = _new_reporter(stdout, as_json=True, verbose=0, quiet=False)
    reporter.document("text", text, {"text": text})
    return _end(reporter, Summary(command=command))


def _end(reporter: Reporter, summary: Summary) -> int:
    """The summary, and the exit code: what went well and could not be told has not gone well."""
    reporter.summary(summary)
    return summary.exit_code if reporter.close() or summary.exit_code != ExitCode.DONE else ExitCode.UNEXPECTED


def _carry_out(session: Session, body: Callable[[Session], int]) -> int:
    try:
        return body(session)
    except InterruptedRunError as error:
        session.reporter.error(error_code(error), error.message, error.path)
        return ExitCode.INTERRUPTED
    except OrchestratorError as error:
        if session.stop.is_set():
            # What fails because we stop is not worth a word.
            session.reporter.error("interrupted", "interrupted")
            return ExitCode.INTERRUPTED
        session.reporter.error(error_code(error), error.message, error.path)
        return error.exit_code
    except KeyboardInterrupt:
        session.reporter.error("interrupted", "interrupted; `music-orchestrator resume` goes on")
        return ExitCode.INTERRUPTED
    except Exception as error:  # a bug of ours: it ends as every command does, with its place in the code
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        logging.getLogger(__name__).exception("unexpected")
        session.reporter.error("unexpected", f"unexpected {type(error).__name__} at {place}: {error}; -v or --log-file says more")
        return ExitCode.UNEXPECTED


def _begin(session: Session, body: Callable[[Session], int]) -> int:
    session.check_options()
    session.start_log()
    return body(session)


def _close(session: Session) -> int:
    session.close()
    return ExitCode.DONE


def _reporter(options: CommonOptions) -> Reporter:
    stdout = json_output if options.json and json_output is not None else sys.stdout
    return _new_reporter(stdout, as_json=bool(options.json), verbose=options.verbose, quiet=bool(options.quiet))


def _new_reporter(stdout: TextIO, *, as_json: bool, verbose: int, quiet: bool) -> Reporter:
    if as_json:
        return JsonLinesReporter(stdout, sys.stderr, verbose=verbose, quiet=quiet)
    return HumanReporter(stdout, sys.stderr, sys.stdin, verbose=verbose, quiet=quiet)


@contextmanager
def _signals(session: Session) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP set the stop event; where no one waits for it, they end the command at once.

    While operations are under way, the executor finishes what it has begun; a second signal ends that too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if session.closing:
            return
        again = session.stop.is_set()
        session.stop.set()
        if again or not session.applying:
            raise InterruptedRunError("interrupted; nothing is lost, `music-orchestrator resume` finishes what was begun")

    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup the run outlives its terminal
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
