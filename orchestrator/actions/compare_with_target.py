"""Plan, and compare what may be at the target already.

Covers and other companions of equal size are read where the listings have no hash in common.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from orchestrator.actions.duplicates import hash_files
from orchestrator.actions.session import Session
from orchestrator.catalogue.content_hashes import EqualSizes, HashedSide
from orchestrator.config.options.organize import OrganizeChoices
from orchestrator.errors import ExitCode
from orchestrator.location import Location
from orchestrator.paths import location_prefix
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest
from orchestrator.records import Item
from orchestrator.report.reporter import size_text
from orchestrator.storage.protocol import Storage
from orchestrator.wording import counted

MOST_DOWNLOADED = 16 << 20
"""Bytes of a companion that is downloaded to be compared; a larger one is not, without --checksum. No cover is that large."""


def plan_compared(
    session: Session, request: OrganizeRequest, source: Location, target: Location, options: OrganizeChoices
) -> tuple[Plan, ExitCode]:
    """The plan, made again once what was undecided has been read. What cannot be read is reported, and stays undecided."""
    made = plan_organize(request)
    if not made.undecided:
        return made, ExitCode.DONE
    here, there = session.storage(source), session.storage(target)
    ours, theirs = _files_to_hash(request, made.undecided, here, there, options)
    sizes = EqualSizes(
        [HashedSide(here, ours), HashedSide(there, theirs)], session.catalogue, download=True, of=lambda _path: True
    )
    files, size = sizes.downloads()
    if files:
        companions = counted(files, "companion")
        session.reporter.note(f"downloading {companions} ({size_text(size)}) to compare them with the target")
    (ours, theirs), code = hash_files(session, sizes)
    session.reporter.stage("planning")
    hashed = replace(request, items=_again(request.items, ours), target_items=_again(request.target_items, theirs))
    return plan_organize(hashed), code


def _files_to_hash(
    request: OrganizeRequest, undecided: Iterable[tuple[str, str]], here: Storage, there: Storage, options: OrganizeChoices
) -> tuple[list[Item], list[Item]]:
    """The files of source and target whose hashes decide, if they may be read."""
    source, target = location_prefix(request.source_fs), location_prefix(request.target_fs)
    below = source[len(target) :] if source.startswith(target) else None
    at_source = {item.entry.path: item for item in request.items}
    at_target = {item.entry.path: item for item in request.target_items}
    ours: dict[str, Item] = {}
    theirs: dict[str, Item] = {}
    for mine, other in undecided:
        inside = other[len(below) :] if below is not None and other.startswith(below) else None
        item, occupant = at_source[mine], at_target[other] if inside is None else at_source[inside]
        small = options.checksum or (item.entry.size or 0) <= MOST_DOWNLOADED
        if (small and not options.cloud_only) or _without_download(here, item, there if inside is None else here, occupant):
            ours[mine] = item
            if inside is None:
                theirs[other] = occupant
            else:
                ours[inside] = occupant
    return list(ours.values()), list(theirs.values())


def _without_download(here: Storage, ours: Item, there: Storage, theirs: Item) -> bool:
    """Whether a disk is all that has to be read to compare two files."""
    one, other = here.capabilities.local, there.capabilities.local
    return (one and (other or bool(theirs.entry.hashes))) or (other and bool(ours.entry.hashes))


def _again(items: Iterable[Item], hashed: Iterable[Item]) -> list[Item]:
    """The items with the hashes that are known now."""
    known = {(item.entry.path, item.entry.id): item for item in hashed}
    return [known.get((item.entry.path, item.entry.id), item) for item in items]
