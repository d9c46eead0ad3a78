"""The end of a run in which every operation has its verdict: the final check, then tidying up. All of it is safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchestrator.apply.directories.emptied import remove_emptied
from orchestrator.apply.journal.journal import Journal
from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.apply.own_paths import EMPTIED, TRASH, trash_of
from orchestrator.apply.protocol.final_check import check_final_state, final_state
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode, NotFoundError, RemoteError
from orchestrator.paths import split_path, without_partial_suffix
from orchestrator.plan.model import TEMPORARY, CompletedOperation, Plan, Verb
from orchestrator.progress import Progress
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

_SHORTENED_BYTES = 60
"""rclone shortens long names before it adds its ending, but keeps at least so many bytes of them."""


def check_and_tidy(
    journal: Journal,
    run_id: str,
    plan: Plan,
    storages: Mapping[str, Storage],
    *,
    progress: Progress,
    remove_partial_copies: bool,
    repeat: Callable[[Callable[[], list[Problem]]], list[Problem]],
) -> list[Problem]:
    """Check the final state, remove emptied directories, report files in the trash, and remove partial copies if asked to.

    `repeat` calls its argument again while the error may pass. An error of a remote is one of the problems; the run is then not
    finished.
    """
    completed = journal.completed(run_id)
    if not completed:
        return []
    wanted = final_state(completed)
    files = len(wanted.there) + len(wanted.gone)
    progress.stage("verifying", files)

    def once() -> list[Problem]:
        problems = check_final_state(wanted, storages, listed=plan.header.counts.get("files"))
        if remove_partial_copies:
            _remove_partial_copies(completed, storages)
        remove_emptied(wanted, storages, run_id)
        return problems + _report_trash(run_id, completed, storages)

    try:
        problems = repeat(once)
    except RemoteError as error:
        code = ExitCode.UNREACHABLE if error.exit_code is ExitCode.SOME_FAILED else error.exit_code
        return [Problem(error.path, code, f"every file was moved, but the final check failed: {error.message}")]
    progress.advance(files)
    return problems


def _report_trash(run_id: str, completed: Sequence[CompletedOperation], storages: Mapping[str, Storage]) -> list[Problem]:
    """Report files in the trash of this run, and remove those of the run's own directories that are empty.

    Such a file lay unexpectedly at a destination, or unseen in a directory that looked empty and was moved away. It is whole, and
    is kept until `quarantine restore` or `quarantine empty`. Raises the storages' errors.
    """
    problems = []
    reached = {one.destination.fs for one in completed}
    left = {one.operation.src.fs for one in completed if one.operation.verb not in {Verb.COPY, Verb.REWRITE}}
    for fs in sorted(reached | {fs for fs in left if storages[fs].capabilities.rmdir_is_recursive}):
        storage = storages[fs]
        directory = f"{TRASH}/{run_id}"
        caught = _listed(storage, directory)
        for entry in caught:
            attempt, _, original = entry.path.removeprefix(directory + "/").partition("/")
            if attempt.startswith(EMPTIED):
                message = f"{original}: was in a directory that looked empty and was moved away; it is kept as {entry.path}"
            else:
                message = f"{original}: an unexpected file was at this destination; it is kept as {entry.path}"
            problems.append(Problem(original, ExitCode.SOME_FAILED, message))
        remove_own_directories(storage, [TEMPORARY] if caught else [trash_of(run_id, 1), TEMPORARY])
    return problems


def _remove_partial_copies(completed: Sequence[CompletedOperation], storages: Mapping[str, Storage]) -> None:
    """Delete what an interrupted copy of ours left behind: `NAME.<8 hex>.partial` beside a destination of this run.

    Raises the storages' errors.
    """
    by_directory: dict[tuple[str, str], set[str]] = {}
    for one in completed:
        copied = one.operation.verb is Verb.COPY or one.operation.src.fs != one.destination.fs
        if copied or not storages[one.destination.fs].capabilities.move:
            directory, name = split_path(one.destination.path)
            by_directory.setdefault((one.destination.fs, directory), set()).add(name)
    for (fs, directory), names in sorted(by_directory.items()):
        for entry in _listed(storages[fs], directory):
            parent, name = split_path(entry.path)
            whole = without_partial_suffix(name)
            if parent == directory and whole is not None and _is_one_of(whole, names):
                storages[fs].delete(entry.path)


def _is_one_of(whole: str, names: set[str]) -> bool:
    if whole in names:
        return True
    return len(whole.encode("utf-8", "surrogatepass")) >= _SHORTENED_BYTES and any(name.startswith(whole) for name in names)


def _listed(storage: Storage, prefix: str) -> list[Entry]:
    try:
        return [*storage.list(prefix)]
    except NotFoundError:
        return []
