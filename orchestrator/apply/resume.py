"""Finish an interrupted run from its journal: the records say how far each operation came, a look at both ends shows the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from orchestrator.apply.executor import Execution, OnChanges
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.journal.records import Run, RunCounts, RunState
from orchestrator.apply.own_paths import destination_of
from orchestrator.apply.preconditions import check_preconditions, check_space
from orchestrator.apply.protocol.backoff import Backoff
from orchestrator.apply.results import RunResult
from orchestrator.apply.settings import Settings
from orchestrator.paths import join_location, name_of, parent_of
from orchestrator.plan.model import locations_of, mirrors_of
from orchestrator.progress import Progress
from orchestrator.storage.protocol import Storage

OpenStorage = Callable[[str], Storage]
"""Location in canonical form -> its storage."""


IdentitiesOf = Callable[[str], Collection[str]]
"""Location in canonical form -> the servers and folders that it really is: several names may lead to one."""


def _by_name(fs: str) -> Collection[str]:
    return (fs,)


def unfinished_runs(journal: Journal, fs: set[str] | None = None, identities_of: IdentitiesOf = _by_name) -> list[Run]:
    """The runs that `resume` can finish, oldest first.

    With `fs` only those that touch these locations, or others in or around them.
    """
    runs = journal.unfinished()
    if fs is None or not runs:
        return runs
    wanted = {identity for one in fs for identity in identities_of(one)}
    return [
        run
        for run in runs
        if any(
            _overlap(one, identity)
            for other in {*locations_of(journal.plan(run.id).operations), run.source, run.target}
            for identity in identities_of(other)
            for one in wanted
        )
    ]


def pending_in(journal: Journal, run_id: str, fs: Iterable[str], identities_of: IdentitiesOf = _by_name) -> bool:
    """Whether a run still has an operation to do that takes a file out of one of these locations, or puts one there.

    Copies to mirrors do not count: nothing waits for a mirror that is away.
    """
    wanted = [identity for one in fs for identity in identities_of(one)]
    states = journal.states(run_id)
    plan = journal.plan(run_id)
    mirrors = mirrors_of(plan.header)
    open_ones = (one for one in plan.operations if one.id not in states or not states[one.id].stage.is_verdict)
    left = [one for one in open_ones if one.dst.fs not in mirrors]
    ends = (end for one in left for end in (one.src, destination_of(one, run_id)))
    # Folder by folder: the folders of a crypt have other names below it.
    folders: dict[str, set[str]] = {}
    for end in ends:
        folders.setdefault(join_location(end.fs, parent_of(end.path)), set()).add(name_of(end.path))
    return any(
        _overlap(one, join_location(identity, name))
        for folder, names in folders.items()
        for identity in identities_of(folder)
        for name in names
        for one in wanted
    )


def _overlap(one: str, other: str) -> bool:
    """Whether two locations are the same, or one is inside the other."""
    shorter, longer = sorted((one, other), key=len)
    return shorter == longer or longer.startswith(shorter if shorter.endswith((":", "/")) else f"{shorter}/")


def resume(
    run_id: str | None,
    open_storage: OpenStorage,
    journal: Journal,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    on_changes: OnChanges | None = None,
    stop: threading.Event | None = None,
    backoff: Backoff | None = None,
) -> RunResult:
    """Continue a run under its own id; without an id, the newest unfinished one.

    If no run is unfinished, nothing is sent, and the result is that of the last run (`run` is None when there was none). Raises
    UsageError for an unknown id, and IntegrityError before anything is sent when the journal is damaged. Otherwise as
    `apply_plan`.
    """
    run = _chosen(run_id, journal)
    if run is None:
        return RunResult(None, "resume", RunState.FINISHED)
    plan = journal.plan(run.id)
    states = journal.states(run.id)
    if not run.state.unfinished:
        counts = run.summary or RunCounts(planned=run.operations)
        return RunResult(run.id, run.command, run.state, counts.planned, counts.done, counts.failed, counts.skipped)
    storages: Mapping[str, Storage] = {fs: open_storage(fs) for fs in locations_of(plan.operations)}
    check_preconditions(plan, storages)
    check_space(plan, storages, states)
    chosen = msgspec.structs.replace(settings or Settings(), verify=run.verify)
    with chosen.exclusive_access(plan, storages, journal) as markers:
        return Execution(
            run.id,
            plan,
            storages,
            journal,
            command=run.command,
            states=states,
            settings=chosen,
            markers=markers,
            progress=progress,
            on_changes=on_changes,
            stop=stop,
            backoff=backoff,
        ).run()


def _chosen(run_id: str | None, journal: Journal) -> Run | None:
    if run_id is not None:
        return journal.run(run_id)
    runs = journal.runs()
    unfinished = [run for run in runs if run.state.unfinished]
    if unfinished:
        return unfinished[-1]
    return runs[-1] if runs else None
