"""Carry out a plan: windows of operations in the order of their dependencies, each noted before, during and after.

The caller holds the run lock and hands in the storages. A window is up to 100 operations; one is in flight at a time, so that
a stop (SIGINT, SIGTERM) has one window to finish and a crash one to look at. What cannot be done now stays without a verdict
and waits for `resume`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from orchestrator.apply.closing import finish
from orchestrator.apply.directories.emptied import DirectoriesInTheWay
from orchestrator.apply.directories.moves import DirectoryMoves
from orchestrator.apply.directories.whole import whole_directories
from orchestrator.apply.guard.exclusive_access import guarded
from orchestrator.apply.guard.marker import Markers
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import (
    Change,
    OperationState,
    Problem,
    Record,
    RunCounts,
    RunResult,
    RunState,
    Stage,
    VerifyMode,
)
from orchestrator.apply.own_paths import is_removal, place
from orchestrator.apply.preconditions import check_preconditions, check_space
from orchestrator.apply.protocol.backoff import Backoff
from orchestrator.apply.protocol.decide import Route
from orchestrator.apply.protocol.kept_copies import KeptCopies
from orchestrator.apply.protocol.schedule import Schedule
from orchestrator.apply.protocol.steps import Steps
from orchestrator.apply.protocol.stopped_remotes import Remotes
from orchestrator.apply.protocol.task import LOOK, Task, make_task, waits_at
from orchestrator.errors import ExitCode, QuotaError, RateLimitError, RemoteError, worst
from orchestrator.plan.model import Operation, Plan, is_temporary
from orchestrator.progress import NoProgress, Progress
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.retry import sent_once

_CARRIED_BYTES = 128 * 1024 * 1024
"""Bytes that a window copies at most (one file a transfer may always go): how long a stop takes hangs on it."""

OnChanges = Callable[[Sequence[Change]], None]


class Settings(msgspec.Struct, frozen=True):
    """How a plan is carried out."""

    transfers: int = 8
    """Requests at a time."""
    window: int = 100
    """Operations that are noted together."""
    tries: int = 2
    """How often the last look at a whole run is tried; how often an operation is, `task.REQUESTS` tells."""
    verify: VerifyMode = "fast"
    fresh: bool = False
    """The plan was made from a listing taken under the lock that is held now: it stands for "destination absent", for every
    request carries the trash as its net."""
    marker: bool = False
    """Leave a marker on remotes while at work, and stop (8) at the fresh one of another machine or state directory."""
    ignore_marker: bool = False
    """Go on in spite of another run's marker."""


def apply_plan(
    plan: Plan,
    storages: Mapping[str, Storage],
    journal: Journal,
    *,
    command: str = "apply",
    undoes: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    on_changes: OnChanges | None = None,
    stop: threading.Event | None = None,
    patience: Backoff | None = None,
) -> RunResult:
    """Carry out `plan`; `storages` holds one for each location in it, by its `fs`. No run is noted for an empty plan.

    `on_changes` is told after each window what lies elsewhere now. Setting `stop` ends the run after the window in flight.
    Raises IntegrityError when the plan is not sound or the journal cannot be written, SafetyLimitError when the space is known
    not to suffice; what goes wrong with single operations or remotes is in the result.
    """
    chosen = settings or Settings()
    check_preconditions(plan, storages)
    if not plan.operations:
        return RunResult(None, command, RunState.FINISHED)
    check_space(plan.operations, storages)
    with guarded(plan.operations, storages, journal, marker=chosen.marker, ignore_marker=chosen.ignore_marker) as markers:
        return Execution(
            journal.begin(plan, command, undoes=undoes, verify=chosen.verify),
            plan,
            storages,
            journal,
            command=command,
            states={},
            settings=chosen,
            markers=markers,
            progress=progress,
            on_changes=on_changes,
            stop=stop,
            patience=patience,
        ).run()


class Execution:
    """One start of a run: a new one, or `resume` with the `states` that the journal has."""

    def __init__(
        self,
        run_id: str,
        plan: Plan,
        storages: Mapping[str, Storage],
        journal: Journal,
        *,
        command: str,
        states: Mapping[str, OperationState],
        settings: Settings,
        markers: Markers,
        progress: Progress | None = None,
        on_changes: OnChanges | None = None,
        stop: threading.Event | None = None,
        patience: Backoff | None = None,
    ) -> None:
        self._run_id = run_id
        self._command = command
        self._plan = plan
        self._states = states
        self._storages = storages
        self._journal = journal
        self._settings = settings
        self._markers = markers
        self._progress = progress or NoProgress()
        self._on_changes = on_changes or (lambda _: None)
        self._stop = stop or threading.Event()
        self._patience = patience or Backoff()
        self._sent_once = {fs: sent_once(storage) for fs, storage in storages.items()}
        """For the operations: it is here that they are tried again."""
        twins = KeptCopies(run_id, plan.operations, self._sent_once, transfers=settings.transfers, verify=settings.verify)
        self._steps = Steps(run_id, journal, twins, transfers=settings.transfers, verify=settings.verify)
        self._directory_moves = DirectoryMoves(run_id, journal)
        self._remotes = Remotes(storages)
        self._sources = frozenset((operation.src.fs, operation.src.path) for operation in plan.operations)
        self._before = {operation.dst: operation.src.path for operation in plan.operations if is_temporary(operation.dst.path)}
        """Temporary name -> the path that its file left."""
        self._aside = {
            operation.dst for operation in plan.operations if self._step(operation) is Stage.DONE
        } & self._before.keys()
        """The temporary names at which a file has arrived."""
        self._counts: Counter[Stage] = Counter(state.step for state in states.values() if state.step.verdict)
        came_through = {identity for identity, state in states.items() if state.step is Stage.DONE}
        self._in_the_way = DirectoriesInTheWay(plan.operations, storages, run_id, came_through)
        self._done_now = 0
        self._bytes = 0
        self._problems: list[Problem] = []
        self._resumed = bool(states)
        self._again = False
        """Whether a copy was sent more than once: it may have left something behind."""

    def run(self) -> RunResult:
        """Work until all is done, or nothing more can be."""
        operations = self._plan.operations
        out = [operation for operation in operations if self._step(operation) in {Stage.FAILED, Stage.SKIPPED}]
        done = [operation for operation in operations if self._step(operation) is Stage.DONE]
        schedule = Schedule(operations, [o.id for o in done], [o.id for o in out])
        self._bytes = sum(operation.size or 0 for operation in done)
        if self._resumed:
            self._journal.set_state(self._run_id, RunState.RUNNING)
        self._progress.stage("moving", len(operations))
        self._progress.advance(len(done) + len(out), self._bytes)
        for operation in out:
            state = self._states[operation.id]
            self._problems.append(Problem(self._name(operation), ExitCode(state.code), state.message or ""))
        for operation in out:
            self._leave_out(schedule, operation, self._states[operation.id].code)
        with self._markers.at_work(self._run_id):
            self._in_the_way.begin()
            self._directories(schedule)
            while not self._stop.is_set():
                chosen = schedule.window(_Fit(self._settings, self._storages, self._run_id).fits)
                if not chosen:
                    break
                tasks = [task for task in map(self._task, chosen) if self._remotes.open_for(task)]
                if tasks:
                    self._window(schedule, tasks)
            return self._end()

    def _directories(self, schedule: Schedule) -> None:
        """Ahead of the windows: what can go by the directory. In any doubt its files go one by one."""
        for directory in whole_directories(self._plan.operations, self._storages):
            if any(operation.id in self._states for operation in directory.operations):
                continue  # begun: both ends of each tell how far it came
            try:
                ready = self._directory_moves.ready(directory, self._storages[directory.fs])
            except RemoteError:
                return  # whatever it is, the windows meet it and know what to do
            for one in ready:
                tasks = [*map(self._task, one.operations)]
                if self._stop.is_set() or not all(map(self._remotes.open_for, tasks)):
                    return
                schedule.take(one.operations)
                self._window(schedule, tasks, partial(self._directory_moves.try_once, one))

    def _window(self, schedule: Schedule, tasks: Sequence[Task], first: Callable[[Sequence[Task]], None] | None = None) -> None:
        """Try until each has its verdict, or nothing more can be done. `first` is another way, which is tried before."""
        still = list(tasks)
        way = first or self._steps.try_once

        def once() -> list[Task]:
            nonlocal still, way
            way(self._worth_a_try(still))
            way = self._steps.try_once
            still = [task for task in still if task.verdict is None]
            for task in still:
                self._remotes.note(task)
            if any(isinstance(task.trouble, RateLimitError) for task in still):
                self._steps.slow_down()
            self._remotes.probe(still)
            return self._worth_a_try(still)

        self._patience.until_settled(once, self._stop)
        for task in still:
            if task.trouble is not None:
                code = ExitCode.SOME_FAILED if isinstance(task.trouble, QuotaError) else task.trouble.exit_code
                self._problems.append(Problem(task.name, code, f"{task.trouble.message} (left for `resume`)"))
        self._settled(schedule, [task for task in tasks if task.verdict is not None])

    def _worth_a_try(self, tasks: Sequence[Task]) -> list[Task]:
        """Those about which more may be asked, if only to give the verdict on what is hopeless."""
        return [
            task
            for task in tasks
            if self._remotes.open_for(task)
            and (task.affords(LOOK) or (task.trouble is not None and task.hopeless_after(task.trouble)))
        ]

    def _settled(self, schedule: Schedule, tasks: Sequence[Task]) -> None:
        changes = []
        size = 0
        for task in tasks:
            record = task.verdict
            if record is None:
                continue
            self._counts[record.step] += 1
            operation = task.operation
            if record.step is Stage.DONE:
                schedule.done(operation.id)
                self._done_now += 1
                size += operation.size or 0
                self._in_the_way.left(task)
                if operation.dst in self._before:
                    self._aside.add(operation.dst)
                if task.route is not Route.REMOVE:
                    copied = task.route in {Route.COPY, Route.WRITE}
                    changes.append(Change(operation.src, task.destination, record.entry, copied, operation.content_bytes()))
            else:
                self._problems.append(Problem(task.name, ExitCode(record.code), record.message or ""))
                self._leave_out(schedule, operation, record.code)
            if task.attempt > 1 and task.route in {Route.COPY, Route.TRANSFER}:
                self._again = True
        self._bytes += size
        self._progress.advance(len(tasks), size)
        if changes:
            self._on_changes(changes)

    def _leave_out(self, schedule: Schedule, operation: Operation, code: int) -> None:
        """Skip, by name, what waits for an operation that did not come through."""
        lost = schedule.without(operation.id)
        stale = ExitCode.STALE if code == ExitCode.STALE else ExitCode.SOME_FAILED
        records = []
        for follower in lost:
            name = self._name(follower)
            message = f"{name}: waits for {self._name(operation)}, which was not carried out"
            if follower.src in self._aside:
                message = waits_at(message, follower.src.path)
            records.append(Record(follower.id, Stage.SKIPPED, code=int(stale), message=message))
            self._problems.append(Problem(name, stale, message))
        self._journal.append(self._run_id, records)
        self._counts[Stage.SKIPPED] += len(records)
        self._progress.advance(len(records))

    def _end(self) -> RunResult:
        planned = len(self._plan.operations)
        pending = planned - sum(self._counts.values())
        complete = not pending and not self._stop.is_set()
        if complete:
            self._problems += finish(
                self._journal,
                self._run_id,
                self._plan,
                self._storages,
                progress=self._progress,
                sweep=self._resumed or self._again,
                again=lambda work: self._patience.until_it_works(work, self._settings.tries, self._stop),
            )
        self._markers.end()
        codes = {problem.code for problem in self._problems} | self._remotes.codes()
        unreached = ExitCode.UNREACHABLE in codes and complete  # the last look at a remote did not come through
        if self._stop.is_set():
            codes.add(ExitCode.INTERRUPTED)
        if ExitCode.STALE in codes and self._counts[Stage.DONE]:
            codes = (codes - {ExitCode.STALE}) | {ExitCode.SOME_FAILED}
        code = worst(codes)
        ended = RunState.FAILED if codes else RunState.FINISHED
        state = ended if complete and not unreached else RunState.INTERRUPTED
        summary = RunCounts(
            planned,
            self._counts[Stage.DONE],
            self._counts[Stage.FAILED],
            self._counts[Stage.SKIPPED],
            self._bytes,
            int(code),
        )
        self._journal.set_state(self._run_id, state, summary)
        return RunResult(
            run=self._run_id,
            command=self._command,
            state=state,
            planned=planned,
            done=summary.done,
            failed=summary.failed,
            skipped=summary.skipped,
            done_now=self._done_now,
            bytes_moved=self._bytes,
            problems=(*self._problems, *self._remotes.problems(pending)),
            exit_code=code,
        )

    def _task(self, operation: Operation) -> Task:
        destination = place(operation, self._run_id)
        # Where the listing showed a file that was to go away first, only a look tells that it has.
        listed = (destination.fs, destination.path) in self._sources
        # And where a server takes two Unicode forms for one name, rclone's net does not hold: only a look does.
        one_form = destination.path.isascii()
        return make_task(
            operation,
            self._sent_once[operation.src.fs],
            self._sent_once[destination.fs],
            self._run_id,
            self._states.get(operation.id),
            name=self._name(operation),
            trust_listing=self._settings.fresh and not self._resumed and not listed and one_form,
        )

    def _name(self, operation: Operation) -> str:
        """What a user knows the file by."""
        return self._before.get(operation.src, operation.src.path)

    def _step(self, operation: Operation) -> Stage | None:
        state = self._states.get(operation.id)
        return state.step if state else None


class _Fit:
    """What goes into one window: a number of operations, a number of bytes to copy, and no path twice."""

    def __init__(self, settings: Settings, storages: Mapping[str, Storage], run_id: str) -> None:
        self._settings = settings
        self._storages = storages
        self._run_id = run_id
        self._touched: set[Ref] = set()
        self._count = 0
        self._bytes = 0

    def fits(self, operation: Operation) -> bool:
        """Whether one more goes in; it is then counted."""
        ends = {operation.src, place(operation, self._run_id)}
        carried = operation.src.fs != operation.dst.fs or not self._storages[operation.src.fs].capabilities.move
        # Before a delete for good a twin of about that size may be read, and not long before.
        carried = carried or (is_removal(operation) and bool(operation.expect.kept))
        size = (operation.size or 0) if carried else 0
        if self._count and (
            self._count >= self._settings.window
            or not ends.isdisjoint(self._touched)
            or (self._bytes + size > _CARRIED_BYTES and self._count >= self._settings.transfers)
        ):
            return False
        self._touched |= ends
        self._count += 1
        self._bytes += size
        return True
