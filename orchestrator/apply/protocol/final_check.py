"""The final check of a run: every file is where it was put, and gone from where it was, as the remote shows it now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import msgspec

from orchestrator.apply.own_paths import deletes_for_good
from orchestrator.apply.protocol.batches import forget_folders
from orchestrator.apply.protocol.fingerprint import same_file
from orchestrator.apply.protocol.missing_files import Evidence, find_moved
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.apply.results import Problem
from orchestrator.errors import ExitCode, NotFoundError, OrchestratorError, PartialListingError, TooManyFilesError
from orchestrator.foreign_folders import innermost_foreign_folder
from orchestrator.paths import case_key, join_location, own_directory_of
from orchestrator.plan.model import LEAVING_THE_SOURCE, CompletedOperation, Verb
from orchestrator.plan.request_rates import looks_cost_less, worth_listing
from orchestrator.progress import NoProgress, Progress
from orchestrator.records import Entry, Ref
from orchestrator.storage.protocol import StatCall, Storage

_SHOWN_EVERY = 100
"""After so many files of a listing, people see that it goes on."""


class FinalState(msgspec.Struct, frozen=True):
    """What must be true after the operations of a run."""

    there: dict[Ref, Entry | None]
    gone: frozenset[Ref]
    copies: Mapping[Ref, Ref] = {}
    """Of what is there: file -> the one that it was copied from, which stays."""
    known: frozenset[str] = frozenset()
    """Paths that the run knows in the location that is compared: none of these files is another one that was moved."""


def final_state(completed: Sequence[CompletedOperation]) -> FinalState:
    """What these operations lead to, in this order."""
    there: dict[Ref, Entry | None] = {}
    gone: set[Ref] = set()
    copies: dict[Ref, Ref] = {}
    for one in completed:
        if one.operation.verb not in LEAVING_THE_SOURCE:
            there.pop(one.operation.src, None)
            gone.add(one.operation.src)
        elif one.operation.verb is not Verb.REWRITE:
            copies[one.destination] = one.operation.src
        if not deletes_for_good(one.operation):
            there[one.destination] = one.entry
            gone.discard(one.destination)
    kept = {ref: source for ref, source in copies.items() if ref in there and source not in gone}
    return FinalState(there, frozenset(gone), kept)


def check_final_state(
    wanted: FinalState,
    storages: Mapping[str, Storage],
    obstacles: Obstacles,
    *,
    listed: int | None,
    seen: Collection[Ref] = (),
    progress: Progress | None = None,
) -> list[Problem]:
    """Compare with the storages: by single looks if these are few, otherwise by a new listing. Raises errors that may pass.

    `listed` is the number of files that the plan was made from, `seen` what was looked at after the last change. `progress`
    counts the files of new listings.
    """
    problems: list[Problem] = []
    unseen = FinalState(
        {ref: entry for ref, entry in wanted.there.items() if ref not in seen},
        frozenset(wanted.gone.difference(seen)),
    )
    locations = sorted({ref.fs for ref in (*unseen.there, *unseen.gone)})
    forget_folders(storages[fs] for fs in locations)
    for fs in locations:
        there = {ref: entry for ref, entry in unseen.there.items() if ref.fs == fs}
        gone = {ref for ref in unseen.gone if ref.fs == fs}
        # A storage that ignores case also finds a renamed file under the old spelling of its name.
        spelled = {case_key(ref.path) for ref in wanted.there if ref.fs == fs} if gone else set()
        known = frozenset(ref.path for ref in (*wanted.there, *wanted.copies.values()) if ref.fs == fs)
        state = FinalState(there, frozenset(gone), wanted.copies, known)
        problems += _check(storages[fs], state, spelled, obstacles, listed=listed, progress=progress or NoProgress())
    return problems


def _check(
    storage: Storage, wanted: FinalState, spelled: set[str], obstacles: Obstacles, *, listed: int | None, progress: Progress
) -> list[Problem]:
    """Compare with one location; `spelled`: see `_compare`."""
    there, gone = wanted.there, wanted.gone
    can, looks = storage.capabilities, len(there) + len(gone)
    if looks_cost_less(can, looks, listed):
        return _check_by_looks(storage, wanted, spelled, obstacles)
    at_most = worth_listing(can, looks) if can.current_listings and listed is not None else None
    with obstacles.named(storage.fs, "cannot be listed, so the final check was left out"):
        try:
            found = _list(storage, [*there, *gone], at_most, progress)
        except TooManyFilesError:  # of ours, for example, in the quarantine
            return _check_by_looks(storage, wanted, spelled, obstacles)
        # Some servers list a name in another case or Unicode form than it was given.
        respelled, unknown = _look(storage, [ref for ref in there if ref not in found], obstacles)
        return _compare(storage, _without(wanted, unknown), found | respelled, spelled, obstacles)
    return []


def _check_by_looks(storage: Storage, wanted: FinalState, spelled: set[str], obstacles: Obstacles) -> list[Problem]:
    found, unknown = _look(storage, [*wanted.there, *wanted.gone], obstacles)
    found = _without_other_forms(storage, found, wanted.gone, obstacles)
    return _compare(storage, _without(wanted, unknown), found, spelled, obstacles)


def _without(wanted: FinalState, unknown: set[Ref]) -> FinalState:
    there = {ref: entry for ref, entry in wanted.there.items() if ref not in unknown}
    return FinalState(there, wanted.gone - unknown, wanted.copies, wanted.known)


def _look(storage: Storage, refs: Sequence[Ref], obstacles: Obstacles) -> tuple[dict[Ref, Entry], set[Ref]]:
    """The files that are there, and those that could not be looked at."""
    found = {}
    unknown = set()
    for ref, outcome in zip(refs, storage.batch([StatCall(ref.path, ref.object_id) for ref in refs]), strict=True):
        if isinstance(outcome, Entry):
            found[ref] = outcome
        elif isinstance(outcome, OrchestratorError) and not isinstance(outcome, NotFoundError):
            unknown.add(ref)
            with obstacles.named(ref.path, "cannot be looked at in the final check"):
                raise outcome
    return found, unknown


def _without_other_forms(
    storage: Storage, found: dict[Ref, Entry], gone: frozenset[Ref], obstacles: Obstacles
) -> dict[Ref, Entry]:
    """Some servers find a file under every Unicode form of its path. Only a listing shows the one that it has."""
    doubtful = [ref for ref in gone & found.keys() if not ref.path.isascii()]
    if doubtful:
        with obstacles.named(doubtful[0].fs, "cannot be listed, so the final check is not complete"):
            listed = _list(storage, doubtful)
            return {ref: entry for ref, entry in found.items() if ref not in doubtful or ref in listed}
    return found


def _list(
    storage: Storage, refs: Sequence[Ref], at_most: int | None = None, progress: Progress | None = None
) -> dict[Ref, Entry]:
    """Those that are there. Raises TooManyFilesError if a folder holds more files than `at_most`."""
    wanted = {(ref.path, ref.object_id): ref for ref in refs}
    # What a listing of the location leaves out.
    apart = {directory for ref in refs for directory in (own_directory_of(ref.path) or innermost_foreign_folder(ref.path),)}
    listings = [storage.list(directory, at_most=at_most) for directory in ("", *sorted(filter(None, apart)))]
    found = {}
    for listing in listings:
        with suppress(NotFoundError, PartialListingError):  # what a run changed lies in no folder that it may not list
            for number, entry in enumerate(listing, start=1):
                if progress is not None and number % _SHOWN_EVERY == 0:
                    progress.advance(_SHOWN_EVERY)
                for ref in filter(
                    None, (wanted.get((entry.path, None)), wanted.get((entry.path, entry.id)) if entry.id else None)
                ):
                    found[ref] = entry
    return found


def _compare(
    storage: Storage, wanted: FinalState, found: Mapping[Ref, Entry], spelled: set[str], obstacles: Obstacles
) -> list[Problem]:
    """`spelled`: the keys of all names that files have now."""
    problems = []
    missing = []
    for ref, entry in wanted.there.items():
        now, path = found.get(ref), ref.path
        if now is None:
            missing.append(ref)
        elif entry is not None and not same_file(entry, now, storage.capabilities.mtime_precision_ns):
            problems.append(Problem(path, ExitCode.SOME_FAILED, f"{path}: was put there, and has changed since", ref.fs))
    problems += _explained(storage, missing, wanted, obstacles)
    still_there = sorted({ref.path for ref in wanted.gone & found.keys()})
    problems += [
        Problem(path, ExitCode.SOME_FAILED, f"{path}: was moved away, but the final check finds a file there", storage.fs)
        for path in still_there
        if case_key(path) not in spelled
    ]
    return problems


def _explained(storage: Storage, missing: Sequence[Ref], wanted: FinalState, obstacles: Obstacles) -> list[Problem]:
    """What became of files that were seen at their destinations, and are not there any more.

    People rename and delete what a run has just put there. It is alarming only if no content is left that is known of.
    """
    if not missing:
        return []
    found, ended_early = find_moved(storage, {ref: wanted.there[ref] for ref in missing}, wanted.known)
    if ended_early is not None and len(found) < len(missing):
        with obstacles.named(storage.fs, "cannot be listed, so not all files that are not where they were put were found"):
            raise ended_early
    problems = []
    for ref in missing:
        gone = f"{ref.path}: was put there, and is not there any more"
        source = wanted.copies.get(ref)
        if (at := found.get(ref)) is not None:
            # Any other file may have been there before: the missing one may not count as deleted in the next sync.
            unproven = None if at.evidence is Evidence.ID else ref
            problems.append(Problem(ref.path, ExitCode.SOME_FAILED, f"{gone}: {at}", ref.fs, unproven))
        elif source is not None:
            untouched = f"this run did not touch {join_location(source.fs, source.path)}"
            message = f"{gone}: it was moved or deleted there, or the storage has lost it; {untouched}"
            problems.append(Problem(ref.path, ExitCode.SOME_FAILED, message, ref.fs, ref))
        else:
            searched = "not found elsewhere" if ended_early is None else "not everything could be searched for it"
            message = f"{gone}, and {searched}: if nobody has moved or deleted it, the storage has lost it"
            problems.append(Problem(ref.path, ExitCode.INTEGRITY, message, ref.fs, ref))
    return problems
