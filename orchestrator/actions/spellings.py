"""Whether the target ignores the case of names: exFAT, NTFS, APFS, SMB and casefold folders do, and servers on such disks.

rclone knows this of a few providers only. So a file is looked up under another spelling of its folder, once for each folder whose
spelling a plan would change, or before a sync under another spelling that the other side has; nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from orchestrator.errors import RemoteError
from orchestrator.paths import join_path, location_prefix, parent_of, parents_of
from orchestrator.plan.model import Respelled
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Entry
from orchestrator.storage.protocol import StatCall, Storage

_MOST_LOOKS = 10
"""One shows it, unless only some of the folders ignore case."""


class Spellings:
    """The folders of one target that were looked at."""

    def __init__(self) -> None:
        self._looked_at: set[str] = set()

    def checked(self, request: OrganizeRequest, respelled: Sequence[Respelled], target: Storage) -> OrganizeRequest:
        """The request with what the folders show that were not looked at before; the same object if nothing new is known.

        Raises what the storage raises.
        """
        new = [one for one in respelled if one.directory not in self._looked_at]
        self._looked_at.update(one.directory for one in new)
        capabilities = request.target_capabilities
        if not new or not (capabilities.case_insensitive or _any_under_another_spelling(new, target)):
            return request
        kept = [*request.kept_spellings, *_holding_more(request, new, target)]
        if not capabilities.case_insensitive:
            request = replace(request, target_capabilities=replace(capabilities, case_insensitive=True))
            if request.source_fs == request.target_fs:
                request = replace(request, source_capabilities=request.target_capabilities)
        return replace(request, kept_spellings=kept) if len(kept) > len(request.kept_spellings) else request


def ignores_case(storage: Storage, paths: Collection[str], others: Iterable[str]) -> bool:
    """Whether a storage takes one of `others` for one of its own `paths`, from which it differs in case alone.

    A few such names are looked up, and nothing if there are none. Raises what the storage raises.
    """
    can = storage.capabilities
    if can.by_id or not can.empty_directories:
        return False  # Google Drive and buckets
    missing = [other for other in others if other not in paths]
    there = {path.casefold() for path in paths} if missing else set()
    doubtful = [StatCall(other) for other in missing if other.casefold() in there]
    return any(isinstance(found, Entry) for found in storage.batch(doubtful[:_MOST_LOOKS]))


def _any_under_another_spelling(respelled: Iterable[Respelled], target: Storage) -> bool:
    looks = [StatCall(one.other_path) for one in respelled]
    return any(isinstance(found, Entry) for found in target.batch(looks))


def _holding_more(request: OrganizeRequest, respelled: Iterable[Respelled], target: Storage) -> list[str]:
    """The folders that hold what no listing shows: an empty folder, a link, an excluded file. They cannot be emptied."""
    below = location_prefix(request.source_fs)[len(location_prefix(request.target_fs)) :]
    paths = {below + item.entry.path for item in request.items} | {item.entry.path for item in request.target_items}
    listed = paths | {f"{parent}/" for directory in {*map(parent_of, paths)} for parent in parents_of(f"{directory}/")}

    def holds_more(directory: str) -> bool:
        try:
            return any(join_path(directory, name) not in listed for name in target.entries(directory) or ())
        except RemoteError:  # it is unknown, so the folder keeps its spelling
            return True

    return [one.directory for one in respelled if holds_more(one.directory)]
