"""The state directory: its rights, its disk, its databases, and what is unfinished in it."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator

from orchestrator.actions.checks.machine import LITTLE_SPACE
from orchestrator.actions.checks.mounts import network_file_system
from orchestrator.actions.common_states import STATE_FILE
from orchestrator.actions.session import CATALOGUE_FILE, Session
from orchestrator.actions.waiting import QUEUE_FILE, name_of_intention, open_queue
from orchestrator.apply.guard.lock import holder_of
from orchestrator.common_state.database import CommonStateDatabase
from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.job_history.database import HistoryDatabase
from orchestrator.job_history.store import HISTORY_FILE
from orchestrator.known_problems.database import ProblemDatabase
from orchestrator.known_problems.store import PROBLEMS_FILE
from orchestrator.report.finding import Finding
from orchestrator.report.reporter import age_text
from orchestrator.sqlite import NEARLY_FULL_BYTES, Database
from orchestrator.sync_queue.database import QueueDatabase
from orchestrator.wording import counted, size_text

LONG_WAITING_S = 7 * 86400.0
"""A sync that has waited for a week waits for something that nobody mends."""

LONG_RUNNING_S = 2 * 86400.0
"""A run that has held the lock for so long keeps each nightly job from its work."""

_OTHERS: dict[str, type[Database]] = {
    QUEUE_FILE: QueueDatabase,
    HISTORY_FILE: HistoryDatabase,
    PROBLEMS_FILE: ProblemDatabase,
    STATE_FILE: CommonStateDatabase,
}
"""The databases beside the catalogue and the journal."""


def check_state(session: Session) -> Iterator[Finding]:
    """Check the directory itself. Raises UsageError if it cannot be used."""
    state = session.state
    yield Finding("state", ok=True, message=str(state))
    if open_to_others := [file for file in sorted(state.iterdir()) if file.is_file() and file.stat().st_mode & 0o077]:
        shown = ", ".join(map(str, open_to_others))
        remedy = f"`chmod 600 {' '.join(map(str, open_to_others))}`"
        yield Finding("permissions", ok=False, message=f"others can read {shown}", remedy=remedy, code=ExitCode.SOME_FAILED)
    if (kind := network_file_system(state)) is not None:
        yield Finding(
            "state",
            ok=False,
            message=f"{state} is on a file system of another machine ({kind}), where locks and databases may fail",
            remedy="choose a folder of a local disk with --state-dir, or `state_dir` in the config",
        )
    free = shutil.disk_usage(state).free
    if free < LITTLE_SPACE:
        yield Finding(
            "space",
            ok=False,
            message=f"only {size_text(free)} are free for the catalogue and the journal in {state}",
            remedy="free some space, or choose another --state-dir",
            code=ExitCode.SAFETY_LIMIT,
        )


def check_databases(session: Session) -> Iterator[Finding]:
    """Read each database of the state directory in full."""
    state = session.state
    if (state / CATALOGUE_FILE).exists():
        try:
            session.catalogue.check()
        except OrchestratorError as error:
            yield Finding("catalogue", ok=False, message=error.message, code=error.exit_code)
        else:
            yield Finding("catalogue", ok=True, message="ok")
    for name, kind in _OTHERS.items():
        if (state / name).exists():
            try:
                kind(state / name).open_checked().close()
            except OrchestratorError as error:
                yield Finding(name.partition(".")[0], ok=False, message=error.message, code=error.exit_code)


def check_runs(session: Session) -> Iterator[Finding]:
    """Check the journal, and what stands unfinished in it. Raises IntegrityError for a damaged one."""
    if shutil.disk_usage(session.state).free < NEARLY_FULL_BYTES:
        yield Finding("journal", ok=True, message="not read, because its disk is full (see above)")
        return
    runs = session.journal.runs()
    yield Finding("journal", ok=True, message=counted(len(runs), "run"))
    now = time.time()
    holder = holder_of(session.state)
    if holder is not None:
        for_s = now - holder.since
        yield Finding(
            "lock",
            ok=for_s < LONG_RUNNING_S,
            message=f"a run is in progress: `{holder.command}`, process {holder.pid}, begun{_ago(for_s)}",
            remedy="" if for_s < LONG_RUNNING_S else f"see what it waits for; `kill {holder.pid}` ends it in good order",
            code=ExitCode.DONE if for_s < LONG_RUNNING_S else ExitCode.SOME_FAILED,
        )
        return
    for run in session.journal.unfinished():
        yield Finding(
            "unfinished run",
            ok=False,
            message=f"{run.described} was interrupted{_ago(now - run.changed)}",
            remedy=f"`music-orchestrator resume {run.id}`, or `music-orchestrator runs abandon {run.id}` to give it up",
            code=ExitCode.SOME_FAILED,
        )


def check_queue(session: Session) -> Iterator[Finding]:
    """Check what waits for a remote."""
    file = session.state / QUEUE_FILE
    if not file.exists():
        return
    with contextlib.suppress(OrchestratorError):  # a damaged one was reported
        QueueDatabase(file).open_checked().close()
        with open_queue(session) as queue:
            rows = queue.rows()
        now = time.time()
        for row in rows:
            long = now - row.since > LONG_WAITING_S
            yield Finding(
                "queue",
                ok=not long,
                message=f"{name_of_intention(row.intention)} was queued{_ago(now - row.since)} and waits: {row.reason}",
                remedy=f"`music-orchestrator queue flush` tries it, `music-orchestrator queue drop {row.number}` forgets it",
                code=ExitCode.SOME_FAILED if long else ExitCode.DONE,
            )


def _ago(seconds: float) -> str:
    return f" {age_text(seconds)} ago" if seconds >= 60 else ""
