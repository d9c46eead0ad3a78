"""From a plan to its end: apply it, finish what was interrupted, tell the catalogue, report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.actions.scan import reaching
from orchestrator.actions.session import Session
from orchestrator.errors import (
    AuthError,
    ExitCode,
    OrchestratorError,
    RemoteError,
    SafetyLimitError,
    TransientError,
    worst,
)
from orchestrator.location import Location
from orchestrator.plan.model import Plan, Verb
from orchestrator.storage.protocol import PROBE

if TYPE_CHECKING:
    from orchestrator.apply.journal.records import Change, RunResult
    from orchestrator.storage.protocol import Storage

GOES_ON = frozenset({ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.STALE})
"""How an interrupted run may end that a command finishes first: the command's own work follows."""

WORDS_OF_CODES = {
    ExitCode.SOME_FAILED: "failed",
    ExitCode.STALE: "stale",
    ExitCode.UNREACHABLE: "unreachable",
    ExitCode.AUTH: "auth",
    ExitCode.SAFETY_LIMIT: "safety-limit",
    ExitCode.INTEGRITY: "integrity",
    ExitCode.INTERRUPTED: "interrupted",
}


def carry_out(
    session: Session, plan: Plan, *, undoes: str | None = None, verify_full: bool = False, fresh: bool = False
) -> ExitCode:
    """Apply a plan under the lock that the caller holds; report and give the exit code.

    `fresh`: the plan was made from a listing taken under that lock.
    """
    from orchestrator.apply.executor import Settings, apply_plan  # noqa: PLC0415
    from orchestrator.plan.model import locations_of  # noqa: PLC0415 - heavy

    storages = session.storages(*locations_of(plan.operations))
    if not fresh:
        _knock(session, storages)
    with session.executing(), _counted(session, plan):
        result = apply_plan(
            plan,
            storages,
            session.journal,
            command=session.command,
            undoes=undoes,
            settings=Settings(
                transfers=session.transfers,
                verify="full" if verify_full else "fast",
                fresh=fresh,
                marker=True,
                ignore_marker=bool(session.options.ignore_marker),
            ),
            progress=session.reporter,
            on_changes=lambda changes: note_changes(session, changes),
            stop=session.stop,
        )
    return report_result(session, result)


def finish_unfinished(session: Session, *wanted: Location) -> ExitCode:
    """Finish what earlier runs on these locations left undone, and say so.

    Raises the error of the first one that cannot be finished now: a second run over the same files would take them from it.
    """
    from orchestrator.apply.resume import unfinished_runs  # noqa: PLC0415 - heavy

    code = ExitCode.DONE
    for run in unfinished_runs(session.journal, {place.fs for place in wanted}, session.identity_of):
        session.reporter.note(f"the run {run.id} ({run.command} {run.source}) was interrupted: finishing it first")
        code = worst([code, resume_run(session, run.id)])
        if session.stop.is_set():
            break
        if code in GOES_ON and session.journal.run(run.id).state.unfinished:
            raise SafetyLimitError(
                f"the run {run.id} could not be finished, so nothing new was begun: see to what stopped it, "
                f"then `music-orchestrator resume {run.id}`"
            )
    return code


def resume_run(session: Session, run_id: str) -> ExitCode:
    """Finish one run, under the lock that the caller holds."""
    from orchestrator.apply.executor import Settings  # noqa: PLC0415
    from orchestrator.apply.resume import resume  # noqa: PLC0415
    from orchestrator.plan.model import locations_of  # noqa: PLC0415 - heavy

    plan = session.journal.plan(run_id)
    _knock(session, session.storages(*locations_of(plan.operations)))
    with session.executing():
        result = resume(
            run_id,
            lambda fs: session.storages(fs)[fs],
            session.journal,
            settings=Settings(transfers=session.transfers, marker=True, ignore_marker=bool(session.options.ignore_marker)),
            progress=session.reporter,
            on_changes=lambda changes: note_changes(session, changes),
            stop=session.stop,
        )
    _note_earlier(session, run_id)
    session.summary.ops_planned += result.planned
    return report_result(session, result)


@contextmanager
def _counted(session: Session, plan: Plan) -> Iterator[None]:
    """What a place refuses as a whole, before the first operation, all of them have failed for."""
    try:
        yield
    except RemoteError as error:
        if error.exit_code == ExitCode.SOME_FAILED:
            session.summary.ops_failed += len(plan.operations)
        raise


def _knock(session: Session, storages: Mapping[str, Storage]) -> None:
    """One look at each place before hundreds at once: a server that is away is one line. Raises TransientError, AuthError."""
    for place in session.places(*storages):
        with reaching(session, place):
            try:
                storages[place.fs].stat(PROBE)
            except (TransientError, AuthError):
                raise
            except RemoteError:
                continue  # it answers


def _note_earlier(session: Session, run_id: str) -> None:
    """Tell the catalogue what an earlier start of a run did and was killed before it could tell."""
    from orchestrator.apply.own_paths import place  # noqa: PLC0415 - heavy
    from orchestrator.catalogue.rows import Moved  # noqa: PLC0415

    facts = session.journal.facts(run_id, lambda operation: place(operation, run_id))
    taken = {fact.now for fact in facts}
    left = [fact for fact in facts if fact.operation.verb in (Verb.MOVE, Verb.QUARANTINE) and fact.operation.src not in taken]
    moved = [Moved(fact.operation.src, fact.now, fact.entry) for fact in left]
    # A list that was written anew goes on from its temporary name.
    written = {fact.now: content for fact in facts if (content := fact.operation.written()) is not None}
    homed = [fact for fact in facts if fact.operation.src in written]
    moved += [Moved(fact.operation.src, fact.now, fact.entry, content=written[fact.operation.src]) for fact in homed]
    with _catalogue_kept(session):
        session.catalogue.moved(moved, only_known=True)


def note_changes(session: Session, changes: Sequence[Change]) -> None:
    """Tell the catalogue what was done, so that nothing is read again. No run stops for it: the next scan sees the same."""
    from orchestrator.catalogue.rows import Moved  # noqa: PLC0415 - heavy

    with _catalogue_kept(session):
        session.catalogue.moved([Moved(one.src, one.dst, one.entry, one.copied, one.content) for one in changes])


@contextmanager
def _catalogue_kept(session: Session) -> Iterator[None]:
    try:
        yield
    except OrchestratorError as error:
        session.reporter.warning(f"the catalogue could not be kept up to date, the next scan reads more: {error.message}")


def report_result(session: Session, result: RunResult) -> ExitCode:
    """Name every problem of a run and count it in the summary."""
    for problem in result.problems:
        session.reporter.error(WORDS_OF_CODES.get(problem.code, "unexpected"), problem.message, problem.path)
    summary = session.summary
    summary.run = result.run or summary.run
    summary.ops_done += result.done
    summary.ops_failed += result.failed
    summary.ops_skipped += result.skipped
    summary.bytes_moved += result.bytes_moved
    if result.exit_code == ExitCode.INTERRUPTED:
        session.reporter.error("interrupted", f"interrupted; `music-orchestrator resume {result.run}` finishes it")
    return result.exit_code
