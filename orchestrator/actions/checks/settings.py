"""The config, and what it names on this machine: the log, the file for Prometheus, where messages go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from orchestrator.actions.broken_ways import broken_ways
from orchestrator.actions.config_check import config_problems, config_warnings
from orchestrator.actions.job_check import job_problems, sends_messages
from orchestrator.actions.session import Session
from orchestrator.atomic_file import METRICS, check_addable, check_replaceable
from orchestrator.config.jobs import as_job
from orchestrator.config.notify import Notify, notify_problems
from orchestrator.config.problems import refuse
from orchestrator.config.references import Reference, References
from orchestrator.errors import AuthError, ExitCode, OrchestratorError
from orchestrator.report.finding import Finding
from orchestrator.user_paths import user_path


def check_config(session: Session) -> Iterator[Finding]:
    """Check the file by itself. Raises ConfigError for what is wrong in it."""
    loaded = session.loaded_config
    found = str(loaded.path) if loaded.exists else f"{loaded.path}: no file, all defaults"
    problems = [*config_problems(loaded), *job_problems(loaded)]
    yield Finding("config", ok=True, message=found)
    for warning in config_warnings(loaded):
        yield Finding("config", ok=False, message=warning)
    refuse(problems)


def check_log(session: Session) -> Iterator[Finding]:
    """Check the log file and the file for Prometheus."""
    log, prometheus = session.log_file, session.config.prometheus
    if log is not None:
        yield _file("log file", log, ExitCode.USAGE, session.named_setting("log_file"), check_addable)
    if prometheus is not None:
        file = user_path(prometheus).absolute()
        metrics = partial(check_replaceable, kind=METRICS)
        yield _file("prometheus", file, ExitCode.SOME_FAILED, session.loaded_config.label("prometheus"), metrics)


def _file(check: str, file: Path, code: ExitCode, setting: str, may_be_written: Callable[[Path], None]) -> Finding:
    """Whether a file can be written. `may_be_written` raises FileExistsError for one of another kind."""
    folder = file.parent
    if not folder.is_dir():
        why, remedy = f"there is no folder {folder}", f"`mkdir -p {folder}`, or correct {setting}"
    elif file.is_dir():
        why, remedy = "it is a folder", f"name a file in it: {setting}"
    elif not os.access(file if file.exists() else folder, os.W_OK):
        why, remedy = "its permissions forbid it, or its disk is read-only", f"fix them, or choose another file: {setting}"
    else:
        try:
            with suppress(PermissionError):
                may_be_written(file)
        except FileExistsError as error:
            return Finding(check, ok=False, message=f"{file}: {error.strerror}", remedy=f"correct {setting}", code=code)
        return Finding(check, ok=True, message=str(file))
    return Finding(check, ok=False, message=f"{file} cannot be written: {why}", remedy=remedy, code=code)


def check_messages(session: Session) -> Iterator[Finding]:
    """Check where the ends of jobs are reported: nothing is sent. What did not work at the last run is a finding."""
    config = session.config
    from orchestrator.notify.apprise_messages import MISSING, installed  # noqa: PLC0415 - beside its use

    can_send = installed()
    if sends_messages(config) and not can_send:
        yield Finding("messages", ok=False, message=MISSING, code=ExitCode.SOME_FAILED)
    references = _references()
    named = [("notify", config.notify), *((f"jobs.{name}.notify", as_job(job).notify) for name, job in config.jobs.items())]
    for label, notify in named:
        if notify is not None:
            yield from _of_notify(label, notify, references, can_send=can_send)
    with suppress(OrchestratorError):  # of the history of jobs, which has a check of its own
        for one in broken_ways(session):
            if one.label.rpartition(".")[2].isdecimal() or one.label.endswith(".healthcheck"):
                message = f"{one.label} did not work at the last run: {one.reason}"
                yield Finding("messages", ok=False, message=message, code=ExitCode.SOME_FAILED)


def _of_notify(label: str, notify: Notify, references: References, *, can_send: bool) -> Iterator[Finding]:
    wrong = {below for below, _ in notify_problems(notify)}  # reported with the config
    for number, url in enumerate(notify.urls):
        if ("urls", str(number)) not in wrong:
            yield from _of_address(f"{label}.urls.{number}", url, references, can_send=can_send)
    if notify.healthcheck is not None and ("healthcheck",) not in wrong:
        yield from _of_address(f"{label}.healthcheck", notify.healthcheck, references, can_send=False)


def _of_address(label: str, url: str | Reference, references: References, *, can_send: bool) -> Iterator[Finding]:
    try:
        address = references.text(url, label) if isinstance(url, Reference) else url
    except AuthError as error:
        yield Finding("messages", ok=False, message=error.message, code=error.exit_code)
        return
    if can_send:
        from orchestrator.notify.apprise_messages import is_known  # noqa: PLC0415 - slow to import

        if not is_known(address):
            yield Finding(
                "messages",
                ok=False,
                message=f"{label}: apprise does not take this address",
                remedy="correct its first word and its parts as https://github.com/caronc/apprise/wiki says",
                code=ExitCode.USAGE,
            )
            return
    yield Finding("messages", ok=True, message=f"{label}: its form is right; nothing was sent")


def _references() -> References:
    from orchestrator.rclone.secret_command import printed_by  # noqa: PLC0415 - most configs have no references

    return References(os.environ, printed_by)
