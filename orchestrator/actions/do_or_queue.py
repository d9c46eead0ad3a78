"""Sync a pair of locations, or queue it if a remote is away."""

from __future__ import annotations

from collections.abc import Callable, Collection

from orchestrator.actions.change import ChangeResult
from orchestrator.actions.session import Session
from orchestrator.actions.waiting import forget, interrupted_syncs, names_of_pair, put
from orchestrator.errors import ExitCode, RemoteError
from orchestrator.sync_queue.store import Intention


def do_or_queue(session: Session, intention: Callable[[], Intention], work: Callable[[], ChangeResult]) -> ChangeResult:
    """Sync a pair, or queue it if a remote is away before there is a run; forget what waits for a pair that was synced.

    An earlier run of the pair that stopped half-way may have other options, so this sync is queued all the same.
    """
    if session.options.dry_run:
        return work()
    earlier = {run.id for run in interrupted_syncs(session)}
    try:
        result = work()
    except RemoteError as error:  # queued or not, it is reported as it is
        if error.exit_code == ExitCode.UNREACHABLE and not session.stop.is_set():
            _queue_if_not_begun(session, intention(), error.message, earlier)
        raise
    if result.exit_code == ExitCode.UNREACHABLE and result.run is None:
        _queue_if_not_begun(session, intention(), "an interrupted run could not be finished", earlier)
    elif _settled(session, result):
        forget(session, intention().names)
    return result


def _settled(session: Session, result: ChangeResult) -> bool:
    """Whether the queue has nothing to remember: the sync was done, or it was begun, and so stands in the journal."""
    if result.run is not None and session.journal.run(result.run).state.unfinished:
        return True
    refused = result.run is None and result.plan is not None and result.plan.operations
    return result.exit_code in {ExitCode.DONE, ExitCode.SOME_FAILED} and not refused


def _queue_if_not_begun(session: Session, intention: Intention, reason: str, earlier: Collection[str]) -> None:
    begun = (names_of_pair(session, run.source, run.target) for run in interrupted_syncs(session) if run.id not in earlier)
    if any(intention.names & names for names in begun):
        forget(session, intention.names)
    else:
        put(session, intention, reason)
