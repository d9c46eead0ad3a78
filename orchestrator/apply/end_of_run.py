"""The end of a run in which every operation has its verdict: the final check, then tidying up. All of it is safe to repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from orchestrator.apply.directories.emptied import emptied_by, remove_at_once, remove_if_empty, seen_to_be_gone
from orchestrator.apply.folder_look import IDS_HOLD_S, FolderLook
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.apply.own_files import OwnFiles, listed
from orchestrator.apply.own_paths import EMPTIED, SOURCES, TRASH, is_wanted_in_trash, trash_of
from orchestrator.apply.protocol.final_check import FinalState, check_final_state, final_state
from orchestrator.apply.protocol.folder_names import FolderNames
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.apply.protocol.stopped_remotes import probe
from orchestrator.apply.results import Problem
from orchestrator.apply.trial import remove_left_over
from orchestrator.errors import AuthError, ExitCode, PermanentError, RateLimitError, RemoteError, TransientError
from orchestrator.paths import name_of, parent_of
from orchestrator.plan.model import LEAVING_THE_SOURCE, TEMPORARY, CompletedOperation, Plan, Verb
from orchestrator.progress import Progress
from orchestrator.records import OWN_DIRECTORY, Entry, Ref
from orchestrator.storage.protocol import Storage


class Seen(NamedTuple):
    """What a run has seen."""

    files: frozenset[Ref]
    """Those at which it looked after its last change, where requests are scarce."""
    moved: Collection[Ref]
    """The directories that it moved as a whole."""
    in_own: dict[str, FolderLook]
    """Location -> what our folder holds; filled in here."""


_UNKNOWN_TRASH = "cannot be listed, so it is unknown whether unexpected files were moved there"


def check_and_tidy(
    journal: Journal,
    run_id: str,
    plan: Plan,
    storages: Mapping[str, Storage],
    *,
    progress: Progress,
    sweep: bool,
    all_of_trash: bool,
    seen: Seen,
    repeat: Callable[[Callable[[], list[Problem]]], list[Problem]],
) -> list[Problem]:
    """Check the final state, remove emptied directories, report files in the trash, and with `sweep` remove left-over copies.

    Locations that `storages` does not have are left out. `all_of_trash`: look at all of the run's trash, because it may have
    moved something there before. `repeat` calls its argument again while the error may pass. What fails nevertheless is a problem
    with a name, and the run is over: 3. Only if a remote does not answer at all is the run not finished: 5.
    """
    completed = [one for one in journal.completed(run_id) if one.destination.fs in storages]
    if not completed and not sweep:
        return []
    own_files = OwnFiles(run_id, [one for one in plan.operations if one.dst.fs in storages], storages)
    wanted = final_state(completed)
    emptied = emptied_by(wanted, storages, plan.header)
    in_trash: dict[str, list[str]] = {fs: [] for fs in emptied}
    """Location -> the directories of the trash to which emptied ones were moved, or may have been."""
    progress.stage("verifying", at=storages.keys())

    def once(*, last_try: bool = False) -> list[Problem]:
        obstacles = Obstacles(last_try=last_try)
        left, removed = _remove_at_once(wanted, storages, emptied, seen.moved, obstacles)
        names, gone = _look_into_emptied(wanted, storages, left)
        found = seen.files | removed | gone
        listed = plan.header.counts.get("files")
        problems = check_final_state(wanted, storages, obstacles, listed=listed, seen=found, progress=progress)
        if sweep:
            problems += own_files.sweep({one.operation.id for one in completed}, obstacles)
        own_files.sweep_ended_runs(journal, obstacles)
        for fs, directories in left.items():
            remove_if_empty(storages[fs], directories, run_id, obstacles, names.get(fs), in_trash=in_trash[fs])
        others = dict(storages)
        for fs in () if all_of_trash else storages:
            if _only_renames(fs, storages[fs], completed):
                problems += _report_emptied(f"{TRASH}/{run_id}", in_trash.get(fs, ()), others.pop(fs), obstacles)
        problems += _tidy_own_folders(run_id, completed, others, seen.in_own, obstacles)
        problems += own_files.report_leaving_sources(obstacles)
        own_files.remove_directories(() if problems else {one.operation.id for one in completed}, obstacles)
        return problems + obstacles.problems

    try:
        problems = repeat(once)
    except RemoteError as error:
        if (unreachable := _unreachable(storages, error)) is not None:
            message = f"every file was moved, but the final check failed: {unreachable.message}"
            return [Problem(unreachable.path, unreachable.exit_code, message)]
        problems = once(last_try=True)
    return problems


def _remove_at_once(
    wanted: FinalState,
    storages: Mapping[str, Storage],
    emptied: Mapping[str, set[str]],
    moved: Collection[Ref],
    obstacles: Obstacles,
) -> tuple[dict[str, set[str]], set[Ref]]:
    """Remove emptied directories where requests are scarce and rclone looks into them itself; the others, and the files gone."""
    left, gone = dict(emptied), set[Ref]()
    for fs, directories in emptied.items():
        can = storages[fs].capabilities
        if can.by_directory and not can.rmdir_is_recursive:
            storages[fs].forget_folders(keep_s=IDS_HOLD_S)
            removed = remove_at_once(storages[fs], directories, [one.path for one in moved if one.fs == fs], obstacles)
            gone |= {ref for ref in wanted.gone if ref.fs == fs and parent_of(ref.path) in removed}
            left[fs] = directories.difference(removed)
    return {fs: directories for fs, directories in left.items() if directories}, gone


def _look_into_emptied(
    wanted: FinalState, storages: Mapping[str, Storage], emptied: Mapping[str, set[str]]
) -> tuple[dict[str, FolderNames], set[Ref]]:
    """What is in the directories that lost their files, where requests are scarce; and the files that are seen to be gone."""
    names: dict[str, FolderNames] = {}
    gone: set[Ref] = set()
    for fs, directories in emptied.items():
        if storages[fs].capabilities.by_directory:
            looked = FolderNames(storages[fs])
            try:
                gone |= seen_to_be_gone(wanted, storages[fs], directories, looked)
            except PermanentError:
                continue  # the final check looks by itself
            names[fs] = looked
    return names, gone


def _unreachable(storages: Mapping[str, Storage], error: RemoteError) -> RemoteError | None:
    """The error of a remote that does not answer, or refuses the credentials; None if only some requests fail."""
    if isinstance(error, AuthError):
        return error
    answers = map(probe, storages.values())
    return next((refused for refused in answers if isinstance(refused, TransientError | RateLimitError | AuthError)), None)


def _tidy_own_folders(
    run_id: str,
    completed: Sequence[CompletedOperation],
    storages: Mapping[str, Storage],
    seen_in_own: dict[str, FolderLook],
    obstacles: Obstacles,
) -> list[Problem]:
    """Report files in the trash of this run, remove what killed checks left, and our own folders that are empty.

    One look into our folder shows which of them are there at all. Raises errors that may pass.
    """
    problems = []
    reached = {one.destination.fs for one in completed if one.destination.fs in storages}
    left = {one.operation.src.fs for one in completed if one.operation.verb not in LEAVING_THE_SOURCE} & storages.keys()
    for fs in sorted(reached | {fs for fs in left if storages[fs].capabilities.rmdir_is_recursive}):
        storage = storages[fs]
        own: Sequence[str] | None = (f"{name_of(TRASH)}/", f"{name_of(TEMPORARY)}/")
        with obstacles.named(OWN_DIRECTORY, "cannot be listed, so files of checks that were killed may be left in it"):
            at = time.monotonic()
            own = storage.entries(OWN_DIRECTORY)
            seen_in_own[fs] = FolderLook(at, own)
            if fs in reached:
                remove_left_over(storage, own or ())
        there = [one for one in (TRASH, TEMPORARY) if f"{name_of(one)}/" in (own or ())]
        caught = _report_trash(f"{TRASH}/{run_id}", storage, obstacles) if TRASH in there else []
        problems += caught
        empty = {TRASH: [] if caught else [trash_of(run_id, 1)], TEMPORARY: [TEMPORARY]}
        with obstacles.named(OWN_DIRECTORY, "its empty folders could not be removed"):
            remove_own_directories(storage, [folder for one in there for folder in empty[one]])
    return problems


def _report_trash(directory: str, storage: Storage, obstacles: Obstacles) -> list[Problem]:
    """Report the files in the trash of this run that no plan has put there.

    Such a file lay unexpectedly at a destination, or unseen in a directory that looked empty and was moved away. It is whole, and
    is kept until `quarantine restore` or `quarantine empty`.
    """
    caught: list[Entry] = []
    with obstacles.named(directory, _UNKNOWN_TRASH):
        in_trash = [entry for entry in listed(storage, directory) if not is_wanted_in_trash(entry.path)]
        caught = [entry for entry in in_trash if not entry.path.startswith(f"{directory}/{SOURCES}/")]
    return _caught(directory, caught)


def _only_renames(fs: str, storage: Storage, completed: Sequence[CompletedOperation]) -> bool:
    """Whether a run has only renamed files there, on a storage that never moves others away for that: its trash is known then."""
    here = [one.operation for one in completed if fs in {one.operation.src.fs, one.destination.fs}]
    renamed = all(one.src.fs == one.dst.fs and one.verb in {Verb.MOVE, Verb.QUARANTINE} for one in here)
    return renamed and storage.capabilities.by_directory and storage.capabilities.refuses_taken_names


def _report_emptied(directory: str, emptied: Sequence[str], storage: Storage, obstacles: Obstacles) -> list[Problem]:
    """The same for what is known to hold nothing but directories that looked empty."""
    caught: list[Entry] = []
    with obstacles.named(directory, _UNKNOWN_TRASH):
        for files in storage.files_below(emptied).values() if emptied else ():
            caught += files or ()
    return _caught(directory, caught)


def _caught(directory: str, caught: Sequence[Entry]) -> list[Problem]:
    problems = []
    for entry in caught:
        attempt, _, original = entry.path.removeprefix(directory + "/").partition("/")
        if attempt.startswith(EMPTIED):
            message = f"{original}: was in a folder that looked empty and was moved away; it is kept as {entry.path}"
        else:
            message = f"{original}: an unexpected file was at this destination; it is kept as {entry.path}"
        problems.append(Problem(original, ExitCode.SOME_FAILED, message))
    return problems
