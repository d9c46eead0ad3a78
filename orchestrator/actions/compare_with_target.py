"""Plan, and compare what may be at the target already: by hashes where that costs no download, otherwise music by its ends.

Covers and other companions of equal size are downloaded for it where the listings have no hash in common. Folders whose spelling
would change are looked at as well. Thumbnails of other programs are listed where they alone would keep
an emptied folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from orchestrator.actions.duplicates import hash_files, read_file_ends
from orchestrator.actions.scan import litter_items
from orchestrator.actions.session import Session
from orchestrator.actions.spellings import Spellings
from orchestrator.catalogue.content_hashes import EqualSizes, HashedSide
from orchestrator.config.options.organize import OrganizeChoices
from orchestrator.errors import ExitCode, worst
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


class _Files(NamedTuple):
    """Files of the source and of the target, by path."""

    ours: dict[str, Item]
    theirs: dict[str, Item]


def plan_compared(
    session: Session, request: OrganizeRequest, source: Location, target: Location, options: OrganizeChoices
) -> tuple[Plan, ExitCode]:
    """The plan, made again until all is known of the target that matters: what may be there already, and how it treats case.

    What cannot be read is reported, and stays as undecided as it was.
    """
    asked: set[tuple[str, str]] = set()
    spellings = Spellings()
    code = ExitCode.DONE
    while True:
        made = plan_organize(request)
        pairs = [pair for pair in dict.fromkeys(made.undecided) if pair not in asked]
        asked.update(pairs)
        here, there = session.storage(source), session.storage(target)
        known = spellings.checked(request, made.respelled, there)
        if known is request and not pairs:
            break
        request = known
        to_hash, to_look_at = _sorted_out(request, pairs, here, there, options)
        request, hashing = _hashed(session, request, to_hash, here, there)
        request, looking = _with_ends(session, request, to_look_at, (source, target), options.reading)
        code = worst([code, hashing, looking])
        session.reporter.stage("planning")
    if made.litter:
        made = plan_organize(replace(request, litter=litter_items(session, source, made.litter)))
    return made, code


def _sorted_out(
    request: OrganizeRequest, pairs: Iterable[tuple[str, str]], here: Storage, there: Storage, options: OrganizeChoices
) -> tuple[_Files, _Files]:
    """The files of source and target whose hashes decide, if they may be read, and the music of which only the ends may be."""
    source, target = location_prefix(request.source_fs), location_prefix(request.target_fs)
    below = source[len(target) :] if source.startswith(target) else None
    at_source = {item.entry.path: item for item in request.items}
    at_target = {item.entry.path: item for item in request.target_items}
    to_hash, to_look_at = _Files({}, {}), _Files({}, {})
    for mine, other in pairs:
        inside = other[len(below) :] if below is not None and other.startswith(below) else None
        item, occupant = at_source[mine], at_target[other] if inside is None else at_source[inside]
        wanted = options.checksum or (item.reading is None and (item.entry.size or 0) <= MOST_DOWNLOADED)
        if (wanted and not options.cloud_only) or _without_download(here, item, there if inside is None else here, occupant):
            files = to_hash
        elif item.reading is not None:
            files = to_look_at
        else:
            continue
        files.ours[mine] = item
        if inside is None:
            files.theirs[other] = occupant
        else:
            files.ours[inside] = occupant
    return to_hash, to_look_at


def _without_download(here: Storage, ours: Item, there: Storage, theirs: Item) -> bool:
    """Whether a disk is all that has to be read to compare two files."""
    one, other = here.capabilities.local, there.capabilities.local
    return (one and (other or bool(theirs.entry.hashes))) or (other and bool(ours.entry.hashes))


def _hashed(
    session: Session, request: OrganizeRequest, files: _Files, here: Storage, there: Storage
) -> tuple[OrganizeRequest, ExitCode]:
    """The request with the hashes that these files lack."""
    sides = [HashedSide(here, list(files.ours.values())), HashedSide(there, list(files.theirs.values()))]
    sizes = EqualSizes(sides, session.catalogue, download=True, of=lambda _item: True)
    number, size = sizes.downloads()
    if number:
        session.reporter.note(f"downloading {counted(number, 'file')} ({size_text(size)}) to compare them with the target")
    (ours, theirs), code = hash_files(session, sizes)
    return _again(request, ours, theirs), code


def _with_ends(
    session: Session, request: OrganizeRequest, files: _Files, locations: tuple[Location, Location], reading: str | None
) -> tuple[OrganizeRequest, ExitCode]:
    """The request with what the ends of these files look like."""
    sides: list[list[Item]] = []
    failed = False
    for location, items in zip(locations, files, strict=True):
        waiting = {item.entry.path: item for item in items.values() if item.reading is not None and item.reading.end is None}
        entries = [item.entry for item in waiting.values()]
        ends, some_failed = read_file_ends(session, location, entries, reading) if entries else ({}, False)
        failed |= some_failed
        found = ((waiting[path], end) for (path, _id), end in ends.items())
        sides.append([replace(item, reading=end) for item, end in found if not isinstance(end, str)])
    return _again(request, *sides), ExitCode.SOME_FAILED if failed else ExitCode.DONE


def _again(request: OrganizeRequest, ours: Iterable[Item], theirs: Iterable[Item]) -> OrganizeRequest:
    """The request with what is known of these files now."""

    def merged(items: Iterable[Item], changed: Iterable[Item]) -> list[Item]:
        known = {(item.entry.path, item.entry.id): item for item in changed}
        return [known.get((item.entry.path, item.entry.id), item) for item in items]

    return replace(request, items=merged(request.items, ours), target_items=merged(request.target_items, theirs))
