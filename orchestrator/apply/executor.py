"""Carry out a plan: windows of operations in the order of their dependencies, recorded before, during and after.

The caller holds the run lock and passes in the storages. One window, of up to 100 operations, is in flight at a time. After a
stop (SIGINT, SIGTERM) what is under way is finished and recorded. What cannot be done now waits for `resume`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from orchestrator.apply.directories.in_the_way import DirectoriesInTheWay
from orchestrator.apply.directories.movable import movable_on, windows_of
from orchestrator.apply.directories.move import DirectoryMover
from orchestrator.apply.end_of_run import Seen, check_and_tidy
from orchestrator.apply.guard.marker import Markers
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import OperationState, Record, RunCounts, RunState, Stage
from orchestrator.apply.left_copies import take_over
from orchestrator.apply.own_paths import destination_of
from orchestrator.apply.preconditions import check_preconditions, check_space
from orchestrator.apply.protocol.attempt import Attempts
from orchestrator.apply.protocol.backoff import Backoff
from orchestrator.apply.protocol.kept_copies import KeptCopies
from orchestrator.apply.protocol.mirrors import Mirrors
from orchestrator.apply.protocol.refused_changes import RefusedChanges, left_marker
from orchestrator.apply.protocol.roots import Roots, mount_points
from orchestrator.apply.protocol.routes import COPIES, Route
from orchestrator.apply.protocol.schedule import Schedule
from orchestrator.apply.protocol.shared_looks import SharedLooks
from orchestrator.apply.protocol.stopped_remotes import StoppedRemotes
from orchestrator.apply.protocol.task import Task, make_task, with_temporary_name, worth_another_try
from orchestrator.apply.protocol.unsettled import Unsettled
from orchestrator.apply.results import FileChange, Problem, RunResult, outcome
from orchestrator.apply.settings import Settings
from orchestrator.apply.spending import Spending
from orchestrator.apply.temporary_names import with_names_of_run
from orchestrator.apply.window import WindowLimit
from orchestrator.apply.work_name import name_of_work
from orchestrator.errors import ExitCode, RemoteError, UsageError
from orchestrator.paths import join_location
from orchestrator.plan.model import Operation, Plan, bytes_to_locations, is_temporary, locations_of, mirrors_of
from orchestrator.progress import NoProgress, Outcome, Progress
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage
from orchestrator.storage.wrappers.ignoring_case import as_planned
from orchestrator.storage.wrappers.retry import without_retries
from orchestrator.wording import counted

OnChanges = Callable[[Sequence[FileChange]], None]


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
    backoff: Backoff | None = None,
) -> RunResult:
    """Carry out `plan`; `storages` holds one for each location in it, by its `fs`. An empty plan is not recorded as a run.

    `on_changes` gets the changed files after each window. Setting `stop` ends the run after the transfers in flight. Raises
    IntegrityError when the plan is not sound or the journal cannot be written, and SafetyLimitError when there is known to be too
    little space; problems with single operations or remotes are in the result.
    """
    chosen = settings or Settings()
    check_preconditions(plan, storages)
    if not plan.operations:
        return RunResult(None, command, RunState.FINISHED)
    check_space(plan, storages)
    with chosen.exclusive_access(plan, storages, journal) as markers:
        run_id = journal.new_run_id()
        plan = with_names_of_run(plan, run_id)
        journal.begin(plan, command, undoes=undoes, run_id=run_id, verify=chosen.verify, mounts=mount_points(storages))
        return Execution(
            run_id,
            plan,
            storages,
            journal,
            command=command,
            states=take_over(journal, run_id, plan),
            settings=chosen,
            markers=markers,
            progress=progress,
            on_changes=on_changes,
            stop=stop,
            backoff=backoff,
        ).run()


class Execution:
    """One start of a run: a new run, or `resume` with the `states` from the journal."""

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
        backoff: Backoff | None = None,
    ) -> None:
        self._run_id = run_id
        self._command = command
        self._plan = plan
        self._states = states
        self._storages = as_planned(storages, plan.header.capabilities)
        self._journal = journal
        self._settings = settings
        self._markers = markers
        self._progress = progress or NoProgress()
        self._on_changes = on_changes or (lambda _: None)
        self._stop = stop or threading.Event()
        self._backoff = backoff or Backoff()
        self._sent_once = {fs: without_retries(storage) for fs, storage in storages.items()}
        """The storages for the operations, without retries: operations are tried again here."""
        shared = SharedLooks(run_id, plan.operations, plan.header.counts.get("files"))
        transfers, verify = settings.transfers, settings.verify
        kept_copies = KeptCopies(run_id, plan.operations, self._sent_once, shared, transfers=transfers, verify=verify)
        roots = Roots(storages, plan, states, journal.mounts(run_id))
        self._attempts = Attempts(run_id, journal, kept_copies, shared, roots, transfers=transfers, verify=verify)
        self._directory_mover = DirectoryMover(run_id, journal)
        self._stopped_remotes = StoppedRemotes(storages, roots, mirrors_of(plan.header))
        self._unsettled = Unsettled(run_id, journal, states, self._stopped_remotes)
        self._mirrors = Mirrors(run_id, plan, journal, self._stopped_remotes)
        self._refused_changes = RefusedChanges()
        self._sources = frozenset((operation.src.fs, operation.src.path) for operation in plan.operations)
        self._came_from = {operation.dst: operation.src.path for operation in plan.operations if is_temporary(operation.dst.path)}
        """Temporary name -> the path that its file came from."""
        self._at_temporary_name = {
            operation.dst for operation in plan.operations if self._stage(operation) is Stage.DONE
        } & self._came_from.keys()
        """The temporary names that a file has reached."""
        self._counts: Counter[Stage] = Counter(state.stage for state in states.values() if state.stage.is_verdict)
        done = {identity for identity, state in states.items() if state.stage is Stage.DONE}
        self._directories_in_the_way = DirectoriesInTheWay(plan.operations, self._storages, run_id, done)
        self._done_now = self._bytes = 0
        self._problems: list[Problem] = []
        self._not_kept: Counter[str] = Counter()
        """What targets refused to keep of files -> how many files."""
        self._resumed = bool(states)
        self._spending = Spending(settings.limits, self._storages)
        self._copies_left = False
        """Whether a copy may have been left under its staged name."""
        self._seen: set[Ref] = set()
        """The files at which the last window looked after it had moved them, where requests are scarce."""

    def run(self) -> RunResult:
        """Work until everything is done, or nothing more can be done."""
        schedule = self._schedule_what_is_left()
        with self._markers.at_work(self._run_id):
            self._directories_in_the_way.begin()
            self._move_directories(schedule)
            while not self._stop.is_set() and not self._spending.refused:
                sizes = self._settings.window, self._settings.transfers
                limit = WindowLimit(*sizes, self._storages, self._run_id, may_follow=self._spending.fits)
                chosen = schedule.next_window(limit.fits)
                if not chosen:
                    break
                tasks = self._worth_beginning(schedule, [*map(self._task, chosen)])
                if self._spending.allows(tasks) and tasks:
                    self._seen.clear()
                    self._carry_out(schedule, tasks)
            return self._end()

    def _schedule_what_is_left(self) -> Schedule:
        """The schedule without what earlier starts of the run brought to a verdict, which is counted and reported here."""
        operations = self._plan.operations
        abandoned = [operation for operation in operations if self._stage(operation) in {Stage.FAILED, Stage.SKIPPED}]
        done = [operation for operation in operations if self._stage(operation) is Stage.DONE]
        half_way = [operation.id for operation in operations if self._stage(operation) is Stage.VERIFIED]
        schedule = Schedule(operations, [o.id for o in done], [o.id for o in abandoned], first=half_way)
        self._bytes = sum(operation.size or 0 for operation in done)
        if self._resumed:
            self._journal.set_state(self._run_id, RunState.RUNNING)
        self._progress.run(self._run_id)
        total, where = bytes_to_locations(operations), locations_of(operations)
        self._progress.stage(name_of_work(operations, self._storages), len(operations), total, at=where)
        self._progress.advance(len(done) + len(abandoned), sum(bytes_to_locations(done).values()))
        for operation in abandoned:
            state = self._states[operation.id]
            self._problems.append(Problem(self._name(operation), ExitCode(state.code), state.message or ""))
        for operation in abandoned:
            self._skip_dependents(schedule, operation, self._states[operation.id].code)
        return schedule

    def _move_directories(self, schedule: Schedule) -> None:
        """Before the windows: move whole directories in one request each. In any doubt the files are moved one by one."""
        movable = movable_on(self._storages, self._mirrors.others(self._plan.operations), self._plan.header)
        for fs, directories in windows_of(
            # Begun: a look at both ends of each file shows how far it came.
            [one for one in movable if not any(operation.id in self._states for operation in one.operations)]
        ):
            self._seen.clear()
            try:
                ready = self._directory_mover.ready(directories, self._storages[fs])
            except (RemoteError, UsageError):
                return  # the windows will meet the same error and handle it
            for one in ready:
                tasks = [*map(self._task, one.operations)]
                if self._stop.is_set() or not all(map(self._stopped_remotes.allow, tasks)) or not self._spending.allows(tasks):
                    return
                schedule.take_out(one.operations)
                self._carry_out(schedule, tasks, partial(self._directory_mover.try_once, one))

    def _carry_out(
        self, schedule: Schedule, tasks: Sequence[Task], first_try: Callable[[Sequence[Task]], None] | None = None
    ) -> None:
        """Try until each task has its verdict, or nothing more can be done. `first_try` replaces the first of the tries."""
        remaining = list(tasks)
        attempt = first_try or self._attempts.try_once

        def once() -> list[Task]:
            nonlocal remaining, attempt
            attempt(self._worth_a_try(remaining))
            attempt = self._attempts.try_once
            remaining = [task for task in remaining if task.verdict is None]
            for task in remaining:
                self._stopped_remotes.note_error_of(task)
            self._attempts.adapt_to(task.error for task in remaining)
            if not self._stop.is_set():
                self._stopped_remotes.stop_unreachable(remaining)
            return self._worth_a_try(remaining)

        self._backoff.until_settled(once, self._stop)
        answered = [task for task in remaining if self._stopped_remotes.allow(task) and not self._stop.is_set()]
        self._unsettled.give_up(answered, others_succeed=self._counts[Stage.DONE] > 0 or any(task.succeeded for task in tasks))
        self._mirrors.give_up(remaining, tried=not self._stop.is_set())
        self._problems += self._unsettled.leave([task for task in remaining if not self._cut_short(task)], noted=answered)
        self._refused_changes.note(tasks)
        self._spending.note(tasks)
        self._count_verdicts(schedule, [task for task in tasks if task.verdict is not None])

    def _worth_beginning(self, schedule: Schedule, tasks: Sequence[Task]) -> list[Task]:
        """Those that can be begun. What is for a lost mirror, or would only make one more copy, is skipped and reported later."""
        given_up = self._mirrors.give_up(tasks)
        open_tasks = [task for task in tasks if self._stopped_remotes.allow(task)]
        if refused := self._refused_changes.skip(open_tasks):
            self._journal.append(self._run_id, [task.verdict for task in refused if task.verdict is not None])
        self._report_outcomes((task.operation, task.destination, task.verdict) for task in given_up + refused)
        for task in given_up + refused:
            self._counts[Stage.SKIPPED] += 1
            self._progress.advance()
            self._skip_dependents(schedule, task.operation, ExitCode.AUTH)
        return [task for task in open_tasks if task.verdict is None]

    def _cut_short(self, task: Task) -> bool:
        """Whether only the stop kept it from another try, which `resume` makes."""
        return self._stop.is_set() and task.error is not None and worth_another_try(task.error)

    def _worth_a_try(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks that may send more requests. Each try spends some of their budget, so this comes to an end."""
        return [task for task in tasks if self._stopped_remotes.allow(task) and task.may_be_tried()]

    def _count_verdicts(self, schedule: Schedule, tasks: Sequence[Task]) -> None:
        """Update schedule, counts, problems and catalogue after a window."""
        changes = []
        self._report_outcomes((task.operation, task.destination, task.verdict) for task in tasks)
        for task in tasks:
            if (record := task.verdict) is None:
                continue
            self._counts[record.stage] += 1
            operation = task.operation
            if record.stage is Stage.DONE:
                schedule.complete(operation.id)
                if task.route is Route.RENAME and task.target.capabilities.by_directory:
                    self._seen.add(task.destination)
                if record.message:
                    self._problems.append(Problem(task.name, ExitCode(record.code), record.message))
                self._done_now += 1
                self._bytes += operation.size or 0
                self._not_kept.update(task.not_kept)
                self._directories_in_the_way.file_left(task)
                if operation.dst in self._came_from:
                    self._at_temporary_name.add(operation.dst)
                if task.route is not Route.REMOVE:
                    copied = task.route in {Route.COPY, Route.WRITE}
                    changes.append(FileChange(operation.src, task.destination, record.entry, copied, operation.content_bytes()))
            else:
                self._problems.append(Problem(task.name, ExitCode(record.code), self._mirrors.said(operation, record.message)))
                self._skip_dependents(schedule, operation, record.code)
            if task.begun and task.route in COPIES and (task.attempt > 1 or record.stage is not Stage.DONE):
                self._copies_left = True
        arrived = bytes_to_locations(task.operation for task in tasks if task.succeeded)
        self._progress.advance(len(tasks), sum(arrived.values()))
        if changes:
            self._on_changes(changes)

    def _skip_dependents(self, schedule: Schedule, operation: Operation, code: int) -> None:
        """Skip, and report, the operations that depend on one that did not succeed; what waited for a mirror is ready."""
        if self._mirrors.have(operation):
            schedule.complete(operation.id)
            return
        stale = ExitCode.STALE if code == ExitCode.STALE else ExitCode.SOME_FAILED
        records: list[Record] = []
        dropped = []
        for dependent in schedule.drop_dependents(operation.id):
            name = self._name(dependent)
            message = f"{name}: skipped because it depends on {self._name(operation)}, which was not carried out"
            if dependent.src in self._at_temporary_name:
                message = with_temporary_name(message, dependent.src.path)
            dropped.append(dependent)
            records.append(Record(dependent.id, Stage.SKIPPED, code=int(stale), message=message))
            self._problems.append(Problem(name, stale, message))
        self._journal.append(self._run_id, records)
        self._report_outcomes((one, one.dst, record) for one, record in zip(dropped, records, strict=True))
        self._counts[Stage.SKIPPED] += len(records)
        self._progress.advance(len(records))

    def _report_outcomes(self, verdicts: Iterable[tuple[Operation, Ref, Record | None]]) -> None:
        for operation, destination, record in verdicts:
            if record is not None:
                ends = join_location(operation.src.fs, operation.src.path), join_location(destination.fs, destination.path)
                self._progress.outcome(Outcome(self._run_id, operation.verb, *ends, record.stage, record.message))

    def _end(self) -> RunResult:
        planned = len(self._plan.operations)
        pending = planned - sum(self._counts.values())
        complete = not pending and not self._stop.is_set()
        away = self._mirrors.away
        if complete:
            found = check_and_tidy(
                self._journal,
                self._run_id,
                self._plan,
                {fs: storage for fs, storage in self._storages.items() if fs not in away},
                progress=self._progress,
                sweep=self._resumed or self._copies_left,
                all_of_trash=self._resumed or self._directories_in_the_way.removed_any,
                seen=Seen(frozenset(self._seen), self._directory_mover.moved, self._markers.seen_in_own),
                repeat=lambda work: self._backoff.until_it_works(work, self._settings.tries, self._stop),
            )
            self._problems += found
            complete = all(problem.code is not ExitCode.UNREACHABLE for problem in found)
        self._problems += [*self._refused_changes.problems(), *self._spending.problems()]
        self._markers.end()
        if all(problem.code is not ExitCode.AUTH for problem in self._problems):  # otherwise the reason has been reported
            self._problems += [left_marker(spot.storage, spot.path) for spot in self._markers.left]
        codes = {problem.code for problem in self._problems} | self._stopped_remotes.codes()
        done, failed, skipped = (self._counts[stage] for stage in (Stage.DONE, Stage.FAILED, Stage.SKIPPED))
        code, state = outcome(codes, complete=complete, stopped=self._stop.is_set(), any_done=done > 0)
        self._journal.set_state(self._run_id, state, RunCounts(planned, done, failed, skipped, self._bytes, int(code)))
        return RunResult(
            run=self._run_id,
            command=self._command,
            state=state,
            planned=planned,
            done=done,
            failed=failed,
            skipped=skipped,
            done_now=self._done_now,
            bytes_moved=self._bytes,
            problems=(*self._problems, *self._mirrors.problems(), *self._stopped_remotes.problems(pending, reported=away)),
            exit_code=code,
            notes=tuple(
                f"{counted(number, 'file')}: {what} not kept, because the target does not support it"
                for what, number in self._not_kept.items()
            ),
        )

    def _task(self, operation: Operation) -> Task:
        destination = destination_of(operation, self._run_id)
        # If the listing showed a file there that is to be moved away first, only a look shows that it was.
        was_listed = (destination.fs, destination.path) in self._sources
        # If a server treats two Unicode forms as one name, rclone's trash is bypassed, so look first.
        one_unicode_form = destination.path.isascii()
        fresh = self._settings.fresh and not self._resumed
        return make_task(
            operation,
            self._sent_once[operation.src.fs],
            self._sent_once[destination.fs],
            self._run_id,
            self._states.get(operation.id),
            name=self._name(operation),
            trust_listing=fresh and not was_listed and one_unicode_form,
            trust_source=fresh and not operation.depends,  # otherwise another operation may have brought it there
            change_tries=self._settings.change_tries,
        )

    def _name(self, operation: Operation) -> str:
        """The path under which a user knows the file."""
        return self._came_from.get(operation.src, operation.src.path)

    def _stage(self, operation: Operation) -> Stage | None:
        return state.stage if (state := self._states.get(operation.id)) else None
