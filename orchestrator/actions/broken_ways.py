"""Ways to report that do not work: an address, a file for Prometheus, a page, the log. Each is news once, and again each week."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing

from orchestrator.actions.session import Session
from orchestrator.config.jobs import as_job
from orchestrator.config.notify import Notify
from orchestrator.job_history.announced import Announced, Broken
from orchestrator.job_history.database import HistoryDatabase
from orchestrator.job_history.store import HISTORY_FILE, JobHistory


def warn_of_ways(session: Session, ways: Mapping[str, str | None], history: JobHistory | None) -> None:
    """Warn of the ways that do not work, where that is news. `ways`: key of the config -> what went wrong, or None.

    Without a history, all of it is news. Raises what the history raises, after all warnings.
    """
    broken = {label: reason for label, reason in ways.items() if reason is not None}
    news = {*broken}
    try:
        if history is not None and ways:
            news = history.announced.tried(ways, time.time())
    finally:
        for label, reason in broken.items():
            (session.reporter.warning if label in news else session.reporter.note)(f"{label}: {reason}")


def broken_ways(session: Session) -> list[Broken]:
    """The ways of the config that did not work when `run` last used them, for `status` and `doctor`.

    Raises IntegrityError, UsageError; nothing is repaired.
    """
    database = HistoryDatabase(session.state / HISTORY_FILE)
    if not database.path.exists():
        return []
    used = {*_ways(session)}
    with closing(database.open()) as connection:
        return [one for one in Announced(database, connection).broken() if one.label in used]


def _ways(session: Session) -> Iterator[str]:
    """The keys of the config that say where to report."""
    config = session.config
    if session.log_file is not None:
        yield "log_file"
    if config.prometheus is not None:
        yield "prometheus"
    yield from _ways_of("notify", config.notify)
    for name, job in config.jobs.items():
        if as_job(job).html is not None:
            yield f"jobs.{name}.html"
        if (own := as_job(job).notify) is not None:
            yield from _ways_of(f"jobs.{name}.notify", own)


def _ways_of(where: str, notify: Notify) -> Iterator[str]:
    if notify.healthcheck is not None:
        yield f"{where}.healthcheck"
    if notify.urls:
        yield f"{where}.urls"
        yield from (f"{where}.urls.{number}" for number in range(len(notify.urls)))
