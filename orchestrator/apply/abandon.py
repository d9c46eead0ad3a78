"""Give a run up: nothing is changed on the storages. What is half-way is looked at, recorded and reported; `undo` stays possible.

A look shows how far each operation that was begun had come. One that is complete is recorded as done, so that an undo knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import OperationState, Record, RunCounts, RunState, Stage
from orchestrator.apply.own_paths import destination_of
from orchestrator.apply.protocol.both_ends import decide, look_at_all_ends
from orchestrator.apply.protocol.next_action import Action
from orchestrator.apply.protocol.routes import Route
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.task import Task, make_task, with_temporary_name
from orchestrator.apply.results import Problem, RunResult
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError, worst
from orchestrator.plan.model import TEMPORARY, Operation, Plan, is_temporary, locations_of
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage

_GIVEN_UP = "the run was given up before this operation was begun"
_LOOKS_AT_A_TIME = 8


def abandon(run_id: str, open_storage: Callable[[str], Storage], journal: Journal) -> RunResult:
    """End an unfinished run. The problems are what is half-way: 3; 0 if nothing is.

    A storage that cannot be opened or does not answer is no obstacle: its files are reported as unknown. The caller holds the run
    lock. Raises UsageError for an unknown run, and IntegrityError for a damaged journal.
    """
    run = journal.run(run_id)
    plan, states = journal.plan(run_id), journal.states(run_id)
    storages, unreachable = _opened(plan, open_storage)
    records = _verdicts(run_id, plan, states, storages, unreachable)
    journal.append(run_id, [*records.values()])
    states = journal.states(run_id)
    at_temporary_names = _at_temporary_names(plan, states, run_id)
    problems = [*_half_way(plan, records), *at_temporary_names.values(), *_staged(run_id, storages, at_temporary_names)]
    stages = [state.stage for state in states.values()]
    code = worst(problem.code for problem in problems)
    counts = RunCounts(
        len(plan.operations),
        stages.count(Stage.DONE),
        stages.count(Stage.FAILED),
        stages.count(Stage.SKIPPED),
        sum(one.size or 0 for one in plan.operations if states[one.id].stage is Stage.DONE),
        int(code),
    )
    journal.set_state(run_id, RunState.FAILED, counts)
    return RunResult(
        run_id,
        run.command,
        RunState.FAILED,
        counts.planned,
        counts.done,
        counts.failed,
        counts.skipped,
        bytes_moved=counts.bytes_moved,
        problems=tuple(problems),
        exit_code=code,
    )


def _verdicts(
    run_id: str,
    plan: Plan,
    states: Mapping[str, OperationState],
    storages: Mapping[str, Storage],
    unreachable: Mapping[str, str],
) -> dict[str, Record]:
    """The verdict on each operation that has none, by its id."""
    left = [one for one in plan.operations if one.id not in states or not states[one.id].stage.is_verdict]
    records = {one.id: Record(one.id, Stage.SKIPPED, 0, message=_GIVEN_UP) for one in left}
    tasks = []
    for one in left:
        state = states.get(one.id)
        if state is None or not state.attempt:
            continue
        destination = destination_of(one, run_id)
        reason = unreachable.get(one.src.fs) or unreachable.get(destination.fs)
        if reason is not None:
            records[one.id] = _unknown(one, destination.path, reason, state.attempt)
            continue
        source, target = storages[one.src.fs], storages[destination.fs]
        tasks.append(make_task(one, source, target, run_id, state, name=one.src.path, trust_listing=False))
    look_at_all_ends(tasks, SharedLooks(run_id, (), None), concurrency=_LOOKS_AT_A_TIME)
    return records | {task.operation.id: _judged(task) for task in tasks}


def _opened(plan: Plan, open_storage: Callable[[str], Storage]) -> tuple[dict[str, Storage], dict[str, str]]:
    """The storages of a plan; and those that cannot be opened, with the reason."""
    storages: dict[str, Storage] = {}
    unreachable: dict[str, str] = {}
    for fs in locations_of(plan.operations):
        try:
            storages[fs] = open_storage(fs)
        except OrchestratorError as error:
            unreachable[fs] = error.message
    return storages, unreachable


def _judged(task: Task) -> Record:
    """How far an operation had come."""
    action = decide(task) if task.error is None else None
    arrived = task.arrived and action in {Action.VERIFY, Action.DELETE_SOURCE}
    if task.error is not None:
        return _unknown(task.operation, task.dst, task.error.message, task.attempt)
    if action is Action.DONE or (arrived and task.route is Route.COPY):
        return Record(task.operation.id, Stage.DONE, task.attempt, task.at_target)
    if action is Action.SEND:
        return Record(task.operation.id, Stage.SKIPPED, task.attempt, message=_GIVEN_UP)
    if arrived:
        message = f"{task.name}: copied to {task.dst}; the source is still there as well"
        return Record(task.operation.id, Stage.FAILED, task.attempt, task.at_target, int(ExitCode.SOME_FAILED), message)
    ends = (task.at_source, task.leaving, task.at_staged, task.in_trash, task.at_target)
    there = [entry.path for entry in ends if entry is not None]
    message = f"{task.name}: half-way; there is now a file at {' and at '.join(there) or 'neither end'}"
    return Record(task.operation.id, Stage.FAILED, task.attempt, None, int(ExitCode.SOME_FAILED), message)


def _unknown(operation: Operation, dst: str, reason: str, attempt: int) -> Record:
    message = f"{operation.src.path}: may be at its old path, at {dst}, or at both: {reason}"
    return Record(operation.id, Stage.FAILED, attempt, None, int(ExitCode.SOME_FAILED), message)


def _half_way(plan: Plan, records: Mapping[str, Record]) -> Iterator[Problem]:
    for one in plan.operations:
        record = records.get(one.id)
        if record is not None and record.stage is Stage.FAILED:
            yield Problem(one.src.path, ExitCode(record.code), record.message or "")


def _at_temporary_names(plan: Plan, states: Mapping[str, OperationState], run_id: str) -> dict[Ref, Problem]:
    """The files that reached a temporary name, and did not get further."""
    done = [one for one in plan.operations if states[one.id].stage is Stage.DONE]
    moved_on = {one.src for one in done}
    found = {}
    for one in done:
        if is_temporary(one.dst.path) and one.dst not in moved_on:
            at = destination_of(one, run_id)
            message = with_temporary_name(f"{one.src.path}: got only as far as its temporary name", at.path)
            found[at] = Problem(one.src.path, ExitCode.SOME_FAILED, message)
    return found


def _staged(run_id: str, storages: Mapping[str, Storage], reported: Container[Ref]) -> Iterator[Problem]:
    """The copies that this run had not given their final names; their sources are untouched."""
    for fs, storage in storages.items():
        for path in (path for path in _listed(storage, f"{TEMPORARY}/{run_id}") if Ref(fs, path) not in reported):
            message = f"{path}: an unfinished copy of this run, perhaps incomplete; `quarantine list` shows it"
            yield Problem(path, ExitCode.SOME_FAILED, message)


def _listed(storage: Storage, prefix: str) -> Sequence[str]:
    try:
        return [entry.path for entry in storage.list(prefix)]
    except NotFoundError:
        return []
    except OrchestratorError:
        return []  # it does not answer: its operations are reported as unknown
