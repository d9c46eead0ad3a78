"""Remove the directories that a run has emptied. Roots, and directories that were empty before, stay, unless the plan names them.

Where removing a directory also deletes files that were not listed in it, the directory is moved to the trash of the run instead,
by one rename. No directory in that trash is ever removed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from orchestrator.apply.own_paths import emptied_of
from orchestrator.apply.protocol.final_check import FinalState
from orchestrator.apply.protocol.folder_names import FolderNames
from orchestrator.apply.protocol.obstacles import Obstacles
from orchestrator.errors import RateLimitError, RemoteError
from orchestrator.paths import case_key, is_ours, parent_of, parents_of
from orchestrator.plan.model import GONE_FOLDERS, KEPT_FOLDERS, Header, folders_of
from orchestrator.records import Ref
from orchestrator.storage.protocol import Storage

_WORTH_A_LISTING = 4
"""So many folders are looked for together, by a look into the one that they were in."""
_CANNOT_BE_REMOVED = "lost its last file, but the folder could not be removed; delete it by hand if you do not need it"


def emptied_by(state: FinalState, storages: Mapping[str, Storage], header: Header) -> dict[str, set[str]]:
    """Location -> the directories that lost their last file, and those that the plan names, without those that it keeps."""
    kept, named = folders_of(header, KEPT_FOLDERS), folders_of(header, GONE_FOLDERS)
    found = {}
    for fs in sorted({ref.fs for ref in state.gone} | (named.keys() & storages.keys())):
        if storages[fs].capabilities.empty_directories:
            gone, there = ([ref for ref in refs if ref.fs == fs] for refs in (state.gone, state.there))
            found[fs] = _emptied(storages[fs], gone, there).union(named.get(fs, ())).difference(kept.get(fs, ()))
    return {fs: directories for fs, directories in found.items() if directories}


def seen_to_be_gone(state: FinalState, storage: Storage, emptied: Iterable[str], names: FolderNames) -> set[Ref]:
    """The files of which a look into the directories that they left shows that they are gone. Raises the storage's errors."""
    looked_into = sorted(emptied, key=depth)
    inside = Counter(map(parent_of, looked_into))
    for directory in looked_into:  # from above: what is in one that is gone is not looked for
        if inside[parent_of(directory)] >= _WORTH_A_LISTING:
            names.of(parent_of(directory))
        names.of(directory)
    left = {ref for ref in state.gone if ref.fs == storage.fs and parent_of(ref.path) in looked_into}
    return {ref for ref in left if not names.has(ref.path)}


def remove_at_once(
    storage: Storage, directories: Collection[str], moved: Collection[str], obstacles: Obstacles
) -> Collection[str]:
    """Remove them, deepest first, where rclone itself looks into a directory first: only empty ones go. Those that are gone then.

    A look of ours before that would show less: not what rclone leaves out of listings, such as some documents of Google's.
    `moved`: directories that the run has moved as a whole, which went with those that they were in.
    """
    left = [one for one in directories if not any(above in moved for above in (one, *parents_of(one)))]
    removed = set()
    for directory in sorted(left, key=depth, reverse=True):
        with obstacles.named(directory, _CANNOT_BE_REMOVED):
            if storage.remove_directory(directory, seen=True):
                removed.add(directory)
    return {one for one in directories if any(above in removed for above in (one, *parents_of(one)))}


def remove_if_empty(
    storage: Storage,
    directories: Iterable[str],
    run_id: str,
    obstacles: Obstacles,
    names: FolderNames | None = None,
    *,
    in_trash: list[str] | None = None,
) -> None:
    """Remove, deepest first, those that are empty, or hold only others of `directories` that are empty.

    `names`: what was just seen in them. `in_trash` gets the directories of the trash to which any were, or may have been, moved.
    Raises errors that may pass.
    """
    deepest_first = sorted(directories, key=depth, reverse=True)
    names = names or FolderNames(storage)
    if storage.capabilities.rmdir_is_recursive:
        ours = [directory for directory in deepest_first if not is_ours(directory)]
        _move_to_trash(storage, ours, names, run_id, obstacles, in_trash=[] if in_trash is None else in_trash)
        return
    if storage.capabilities.by_directory:
        for directory in _without_files(storage, deepest_first, names, obstacles).values():
            with obstacles.named(directory, _CANNOT_BE_REMOVED):
                _again_if_refused(partial(storage.remove_directory, directory, seen=True))
        return
    for directory in deepest_first:
        with obstacles.named(directory, _CANNOT_BE_REMOVED):
            try:
                storage.remove_directory(directory)  # does nothing if it is not empty
            except RemoteError:
                if storage.entries(directory):
                    continue  # SFTP servers refuse to remove a directory that is not empty with no more than "Failure"
                raise


def depth(directory: str) -> tuple[int, str]:
    """A sort key: parents before the directories in them."""
    return directory.count("/"), directory


def _emptied(storage: Storage, gone: Iterable[Ref], there: Iterable[Ref]) -> set[str]:
    in_use = {directory for ref in there for directory in parents_of(ref.path)}
    emptied = {directory for ref in gone for directory in parents_of(ref.path)} - in_use - {ref.path for ref in there}
    if storage.capabilities.case_insensitive:
        names = {*map(case_key, in_use)}
        emptied = {directory for directory in emptied if case_key(directory) not in names}
    return emptied


def _move_to_trash(
    storage: Storage,
    deepest_first: Sequence[str],
    names: FolderNames,
    run_id: str,
    obstacles: Obstacles,
    *,
    in_trash: list[str],
) -> None:
    if not storage.capabilities.directory_move or storage.capabilities.duplicate_names:
        return  # they stay: of two directories with one name, rclone may look into one and rename the other
    empty = _without_files(storage, deepest_first, names, obstacles)
    trash = emptied_of(run_id, secrets.token_hex(4))
    moved: dict[str, str] = {}
    """Key of what is in `trash` -> its spelling."""
    for key, directory in empty.items():
        if parent_of(key) not in empty:
            spelled = {case_key(above): above for above in (directory, *parents_of(directory))}
            if any(moved.get(one, spelling) != spelling for one, spelling in spelled.items()):
                # The trash may take the two spellings of a name for one folder as well.
                trash, moved = emptied_of(run_id, secrets.token_hex(4)), {}
            moved |= spelled
            in_trash.append(f"{trash}/{directory}")
            with obstacles.named(directory, _CANNOT_BE_REMOVED):
                _again_if_refused(partial(storage.move_directory, directory, in_trash[-1], seen=True))


def _again_if_refused(change: Callable[[], object]) -> None:
    """Send it once more after the pause: with all folders above, it may take more requests than the remote allows at once."""
    try:
        change()
    except RateLimitError as error:
        if error.out_of_reach:
            raise
        change()


def _without_files(storage: Storage, deepest_first: Sequence[str], names: FolderNames, obstacles: Obstacles) -> dict[str, str]:
    """Those that hold nothing, or only others of them: key -> directory. The key is the same for all spellings of a name."""
    key_of = case_key if storage.capabilities.case_insensitive else str
    empty: dict[str, str] = {}
    in_use: set[str] = set()
    for directory in deepest_first:
        key = key_of(directory)
        inside: Sequence[str] | None = None
        if key not in in_use:
            with obstacles.named(directory, "cannot be looked into, so it was kept although it lost its last file"):
                inside = names.of(directory)
        if inside is None:
            continue
        if all(entry.endswith("/") and key_of(f"{directory}/{entry[:-1]}") in empty for entry in inside):
            empty[key] = directory
        else:
            in_use.update(parents_of(key))
    return empty
