"""Carrying out a plan, or finishing an interrupted run, under the lock that the caller holds."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from orchestrator.actions.common_states import Arrivals, settle_common_state
from orchestrator.actions.locations import reaching
from orchestrator.actions.mirrors import queue_lost_mirrors
from orchestrator.actions.session import Session
from orchestrator.actions.surroundings import surroundings_of
from orchestrator.apply.abandon import abandon
from orchestrator.apply.executor import apply_plan
from orchestrator.apply.journal.records import Stage
from orchestrator.apply.own_paths import deletes_for_good
from orchestrator.apply.protocol.backoff import Backoff
from orchestrator.apply.results import FileChange, RunResult
from orchestrator.apply.resume import pending_in, resume, unfinished_runs
from orchestrator.apply.settings import Settings
from orchestrator.apply.spending import Limits
from orchestrator.catalogue.rows import Moved
from orchestrator.errors import (
    AccessDeniedError,
    AuthError,
    ExitCode,
    LockedError,
    OrchestratorError,
    RemoteError,
    SafetyLimitError,
    TransientError,
    UsageError,
    worst,
)
from orchestrator.paths import without_path
from orchestrator.plan.estimate import estimate
from orchestrator.plan.model import Plan, Verb, locations_of
from orchestrator.plan.request_rates import kinds_of
from orchestrator.prices import REQUEST_KINDS
from orchestrator.records import Capabilities, Ref
from orchestrator.retry_times import FIRST_WAIT_S
from orchestrator.storage.protocol import PROBE, Storage
from orchestrator.storage.rclone_backed.crypts import Crypts

_log = logging.getLogger(__name__)

MAY_CONTINUE = frozenset({ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE})
"""After an interrupted run that ends with one of these, the command's own work follows."""

_ERROR_CODES = {
    ExitCode.SOME_FAILED: "failed",
    ExitCode.STALE: "stale",
    ExitCode.UNREACHABLE: "unreachable",
    ExitCode.AUTH: "auth",
    ExitCode.SAFETY_LIMIT: "safety-limit",
    ExitCode.INTEGRITY: "integrity",
    ExitCode.INTERRUPTED: "interrupted",
}


def carry_out(
    session: Session, plan: Plan, *, command: str, undoes: str | None = None, verify_full: bool = False, fresh: bool = False
) -> RunResult:
    """Apply a plan, report its problems, and keep the catalogue up to date.

    `fresh`: the plan was made from a listing taken under this lock, so its storages are known to answer.
    """
    storages = session.storages(*locations_of(plan.operations))
    if not fresh:
        _check_reachable(session, storages)
    arrivals, before = Arrivals(session), _requests_sent(session)
    with session.while_applying(), _failures_counted(session, plan):
        result = apply_plan(
            plan,
            storages,
            session.journal,
            command=command,
            undoes=undoes,
            settings=_settings(session, verify_full=verify_full, fresh=fresh),
            progress=session.reporter,
            on_changes=lambda changes: _note_changes(session, arrivals, changes),
            stop=session.stop,
            backoff=_backoff(session),
        )
    if result.run is not None:
        _note_requests(session, result.run, before)
        settle_common_state(session, result.run, arrivals, _missing(result))
        queue_lost_mirrors(session, result.run)
    _report_result(session, result, plan)
    return result


def finish_interrupted_runs(session: Session, touching: Collection[str]) -> ExitCode:
    """Finish the interrupted runs that touch these locations (in canonical form), and say so.

    A run that cannot be finished now is reported, and no obstacle (3) if it has nothing left to do in these locations. Otherwise
    its error is raised, or its exit code returned: a second run over the same files would take them from it.
    """
    code = ExitCode.DONE
    for run in unfinished_runs(session.journal, set(touching), session.identities_of):
        session.reporter.note(
            f"run {run.described} was interrupted; finishing it first (`runs abandon {run.id}` gives up what is left of it)"
        )
        remedy = f"`music-orchestrator resume {run.id}` finishes it later, `music-orchestrator runs abandon {run.id}` gives it up"
        try:
            finished = finish_run(session, run.id).exit_code
        except (RemoteError, UsageError, SafetyLimitError, LockedError) as error:
            if session.stop.is_set() or pending_in(session.journal, run.id, touching, session.identities_of):
                error.message = f"run {run.id} could not be finished: {error.message} ({remedy})"
                raise
            session.problems.report("failed", f"run {run.id} could not be finished: {error.message} ({remedy})")
            code = worst([code, ExitCode.SOME_FAILED])
            continue
        if session.stop.is_set():
            return worst([code, finished])
        if session.journal.run(run.id).state.unfinished:
            if pending_in(session.journal, run.id, touching, session.identities_of):
                message = f"run {run.id} could not be finished, so nothing new was started: fix what stopped it; {remedy}"
                if finished in MAY_CONTINUE:
                    raise SafetyLimitError(message)
                session.reporter.warning(message)
                return worst([code, finished])
            session.reporter.warning(f"run {run.id} is still unfinished, but has nothing left to do here; {remedy}")
            session.problems.count()
            finished = ExitCode.SOME_FAILED
        code = worst([code, finished])
    return code


def report_interrupted_runs(session: Session, touching: Collection[str]) -> None:
    """With --dry-run: say which interrupted runs the command would finish first."""
    for run in unfinished_runs(session.journal, set(touching), session.identities_of):
        session.reporter.note(
            f"run {run.described} was interrupted: without --dry-run, this command would finish it first, and only then plan "
            f"(`music-orchestrator resume {run.id}` finishes it, `music-orchestrator runs abandon {run.id}` gives it up)"
        )


def finish_run(session: Session, run_id: str) -> RunResult:
    """Finish one interrupted run, and report its problems."""
    plan = session.journal.plan(run_id)
    run = session.journal.run(run_id)
    was_unfinished = run.state.unfinished
    _check_reachable(session, session.storages(*locations_of(plan.operations)))
    arrivals, before = Arrivals(session), _requests_sent(session)
    with session.while_applying():
        result = resume(
            run_id,
            lambda fs: session.storages(fs)[fs],
            session.journal,
            settings=_settings(session),
            progress=session.reporter,
            on_changes=lambda changes: _note_changes(session, arrivals, changes),
            stop=session.stop,
            backoff=_backoff(session),
        )
    if was_unfinished:
        _note_requests(session, run_id, before, run.summary.requests if run.summary is not None else {})
    _update_catalogue_of_earlier_starts(session, run_id)
    settle_common_state(session, run_id, arrivals, _missing(result))
    if was_unfinished:
        queue_lost_mirrors(session, run_id)
    session.summary.ops_planned += result.planned
    _report_result(session, result, plan)
    return result


def _missing(result: RunResult) -> frozenset[Ref]:
    return frozenset(one.missing for one in result.problems if one.missing is not None)


def abandon_run(session: Session, run_id: str) -> RunResult:
    """Give an unfinished run up, and report what is half-way."""
    plan = session.journal.plan(run_id)
    result = abandon(run_id, lambda fs: session.storages(fs)[fs], session.journal)
    _update_catalogue_of_earlier_starts(session, run_id)
    settle_common_state(session, run_id, Arrivals(session))
    session.summary.ops_planned += result.planned
    _report_result(session, result, plan)
    return result


def _requests_sent(session: Session) -> Counter[str]:
    """HTTP method -> what rclone has sent so far; empty where it cannot say, because it is gone."""
    try:
        return Counter() if session.running_rclone is None else session.running_rclone.requests_sent()
    except OrchestratorError as error:
        _log.info("the requests could not be counted: %s", error.message)
        return Counter()


def _note_requests(session: Session, run_id: str, before: Counter[str], earlier: Mapping[str, int] = {}) -> None:
    """Record in the journal what a run has sent to remotes: `earlier` starts by kind, and this one since `before`."""
    sent = _requests_sent(session) - before
    run = session.journal.run(run_id)
    if sent and run.summary is not None:
        now = kinds_of(sent, *_determined(session, run_id, earlier))
        total = {kind: number for kind in REQUEST_KINDS if (number := earlier.get(kind, 0) + now.get(kind, 0))}
        session.journal.set_state(run_id, run.state, msgspec.structs.replace(run.summary, requests=total))


def _determined(session: Session, run_id: str, earlier: Mapping[str, int]) -> tuple[dict[str, float], list[Capabilities]]:
    """What the operations that a run has done take, without its `earlier` starts, and what its storages can do."""
    plan, states = session.journal.plan(run_id), session.journal.states(run_id)
    done = [one for one in plan.operations if one.id in states and states[one.id].stage is Stage.DONE]
    capabilities = {fs: storage.capabilities for fs, storage in session.storages(*locations_of(plan.operations)).items()}
    full = session.journal.run(run_id).verify == "full"
    took = estimate(done, capabilities, listed=plan.header.counts.get("files"), verify_full=full)
    return {kind: float(took[kind] or 0) - earlier.get(kind, 0) for kind in REQUEST_KINDS}, [*capabilities.values()]


def note_exit_code(session: Session, run_id: str, code: ExitCode) -> None:
    """Record in the journal that the command of a run ended with this code, if it is worse than that of its operations."""
    run = session.journal.run(run_id)
    if run.summary is not None and (all_in_all := worst([code, run.summary.exit_code])) != run.summary.exit_code:
        session.journal.set_state(run_id, run.state, msgspec.structs.replace(run.summary, exit_code=int(all_in_all)))


def _settings(session: Session, *, verify_full: bool = False, fresh: bool = False) -> Settings:
    cloud = session.cloud_in_use
    return Settings(
        transfers=session.transfers,
        change_tries=cloud.retry_attempts if cloud is not None else None,
        verify="full" if verify_full else "fast",
        fresh=fresh,
        marker=True,
        ignore_marker=bool(session.options.ignore_marker),
        limits=Limits(
            session.max_cost, session.max_transfer, session.deadline, lambda: _requests_sent(session).total(), session.spent
        ),
        surroundings_of=partial(surroundings_of, session),
    )


def _backoff(session: Session) -> Backoff:
    delay_s = session.cloud_in_use.retry_delay if session.cloud_in_use is not None else None
    return Backoff(FIRST_WAIT_S if delay_s is None else delay_s, on_wait=session.reporter.wait)


@contextmanager
def _failures_counted(session: Session, plan: Plan) -> Iterator[None]:
    """When a storage refuses the whole plan before its first operation, all operations count as failed."""
    try:
        yield
    except RemoteError as error:
        if error.exit_code == ExitCode.SOME_FAILED:
            session.summary.ops_failed += len(plan.operations)
        raise


def _check_reachable(session: Session, storages: Mapping[str, Storage]) -> None:
    """Send one request to each storage before hundreds at once, so that a server that is down gives one error.

    Raises TransientError and AuthError.
    """
    for location in session.locations(*storages):
        with reaching(session, location):
            storage = storages[location.fs]
            _ = storage.capabilities  # raises what is wrong with the location as a whole
            Crypts(session.rclone, location.fs).check()
            try:
                storage.stat(PROBE)
            except (TransientError, AuthError):
                raise
            except AccessDeniedError:
                storage.entries("")  # a key that may not list gets 403 for what does not exist
            except RemoteError:
                continue  # it answers


def _note_changes(session: Session, arrivals: Arrivals, changes: Sequence[FileChange]) -> None:
    arrivals.note(changes)
    _update_catalogue(session, changes)


def _update_catalogue(session: Session, changes: Sequence[FileChange]) -> None:
    """Record in the catalogue what was done, so that nothing has to be read again."""
    with _catalogue_errors_reported(session):
        session.catalogue.record_moves([Moved(one.src, one.dst, one.entry, one.copied, one.content) for one in changes])


def _update_catalogue_of_earlier_starts(session: Session, run_id: str) -> None:
    """Record in the catalogue what an earlier start of this run did, but was killed before it could record."""
    completed = session.journal.completed(run_id)
    final = {one.destination for one in completed}
    moves = [one for one in completed if one.operation.verb in (Verb.MOVE, Verb.QUARANTINE) and one.operation.src not in final]
    moved = [Moved(one.operation.src, one.destination, one.entry) for one in moves]
    # A rewritten list is first written to a temporary name and then moved to its own.
    written = {one.destination: content for one in completed if (content := one.operation.content_bytes()) is not None}
    lists = [one for one in completed if one.operation.src in written]
    moved += [Moved(one.operation.src, one.destination, one.entry, content=written[one.operation.src]) for one in lists]
    with _catalogue_errors_reported(session):
        session.catalogue.record_moves(moved, only_known=True)


@contextmanager
def _catalogue_errors_reported(session: Session) -> Iterator[None]:
    """An error of the catalogue stops no run: the next scan finds the same changes."""
    try:
        yield
    except OrchestratorError as error:
        session.reporter.warning(f"the catalogue could not be updated, so the next scan will read more files: {error.message}")


def _interrupted(result: RunResult) -> str:
    """What is to be done about it, in one sentence: to undo a run that is not over finishes it first."""
    take_back = "; `runs abandon` and then `undo` of this run take back what was done" if result.done else ""
    return f"interrupted: `music-orchestrator resume {result.run}` does the rest{take_back}"


def _report_result(session: Session, result: RunResult, plan: Plan) -> None:
    """Report every problem of a run, and count it in the summary."""
    sources: dict[str, set[str]] = defaultdict(set)
    for one in plan.operations if result.problems else ():
        sources[one.src.path].add(one.src.fs)
    for problem in result.problems:
        locations = sources.get(problem.path or "", set()) if problem.fs is None else {problem.fs}
        location = next(iter(locations)) if len(locations) == 1 else None
        code = _ERROR_CODES.get(problem.code, "unexpected")
        stands = problem.code is ExitCode.SOME_FAILED
        message = without_path(problem.message, problem.path) if location is not None else problem.message
        session.problems.report(code, message, problem.path, location=location, stands=stands)
    for note in result.notes:
        session.reporter.warning(note)
    summary = session.summary
    summary.run = result.run or summary.run
    summary.for_good = summary.for_good or any(map(deletes_for_good, plan.operations))
    summary.ops_done += result.done
    summary.ops_failed += result.failed
    summary.ops_skipped += result.skipped
    summary.bytes_moved += result.bytes_moved
    if result.exit_code == ExitCode.INTERRUPTED:
        session.reporter.error("interrupted", _interrupted(result))
    session.reporter.run(None)
