"""What a run may leave behind on a storage: files in its trash (reported), cut transfers of its own (removed)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from orchestrator.apply.journal.records import Fact, Problem
from orchestrator.apply.own_directories import remove_own_directories
from orchestrator.apply.own_paths import EMPTIED, TRASH, trash_of
from orchestrator.errors import ExitCode, NotFoundError
from orchestrator.paths import split_path
from orchestrator.plan.model import TEMPORARY, Verb
from orchestrator.records import Entry
from orchestrator.storage.protocol import Storage

_PARTIAL = re.compile(r"(?P<name>.+)\.[0-9a-f]{8}\.partial")

_SHORTENED_BYTES = 60
"""rclone shortens long names before it adds its ending; so much of a long name is left at least."""


def report_trash(run_id: str, facts: Sequence[Fact], storages: Mapping[str, Storage]) -> list[Problem]:
    """Name the files that the net has caught, and remove what is empty of the run's own directories.

    Files, too, that lay unseen in a directory which was put away as an empty one. Each is
    whole and stays where it is until `quarantine restore` or `quarantine empty`. Raises the storages' errors.
    """
    problems = []
    reached = {fact.now.fs for fact in facts}
    left = {fact.operation.src.fs for fact in facts if fact.operation.verb not in {Verb.COPY, Verb.REWRITE}}
    for fs in sorted(reached | {fs for fs in left if storages[fs].capabilities.rmdir_is_recursive}):
        storage = storages[fs]
        directory = f"{TRASH}/{run_id}"
        caught = _listed(storage, directory)
        for entry in caught:
            attempt, _, original = entry.path.removeprefix(directory + "/").partition("/")
            if attempt.startswith(EMPTIED):
                message = (
                    f"{original}: was not seen in a directory that looked empty and was put away; it is kept as {entry.path}"
                )
            else:
                message = f"{original}: a file was in the way there against the plan; it is kept as {entry.path}"
            problems.append(Problem(original, ExitCode.SOME_FAILED, message))
        remove_own_directories(storage, [TEMPORARY] if caught else [trash_of(run_id, 1), TEMPORARY])
    return problems


def sweep_partials(facts: Sequence[Fact], storages: Mapping[str, Storage]) -> None:
    """Delete what an earlier try of ours left of a transfer: `NAME.<8 hex>.partial` beside a destination of this run.

    Raises the storages' errors.
    """
    by_directory: dict[tuple[str, str], set[str]] = {}
    for fact in facts:
        copied = fact.operation.verb is Verb.COPY or fact.operation.src.fs != fact.now.fs
        if copied or not storages[fact.now.fs].capabilities.move:
            directory, name = split_path(fact.now.path)
            by_directory.setdefault((fact.now.fs, directory), set()).add(name)
    for (fs, directory), names in sorted(by_directory.items()):
        for entry in _listed(storages[fs], directory):
            parent, name = split_path(entry.path)
            found = _PARTIAL.fullmatch(name) if parent == directory else None
            if found is not None and _is_of(found["name"], names):
                storages[fs].delete(entry.path)


def _is_of(stem: str, names: set[str]) -> bool:
    if stem in names:
        return True
    return len(stem.encode("utf-8", "surrogatepass")) >= _SHORTENED_BYTES and any(name.startswith(stem) for name in names)


def _listed(storage: Storage, prefix: str) -> list[Entry]:
    try:
        return [*storage.list(prefix)]
    except NotFoundError:
        return []
