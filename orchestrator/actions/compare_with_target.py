"""Plan, and compare what target or mirrors may have already: by hashes if no download is needed, otherwise music by its ends.

Covers and other companions of equal size are downloaded for it where the listings have no hash in common. Folders whose spelling
would change are looked at as well. Thumbnails of other programs are listed where they alone would keep
an emptied folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from msgspec.structs import replace

from orchestrator.actions.duplicates import hash_files, read_file_ends
from orchestrator.actions.known_plans import organize_plan
from orchestrator.actions.reading_bill import bill_of_full_reads
from orchestrator.actions.scan import litter_items
from orchestrator.actions.session import Session
from orchestrator.actions.spellings import Spellings
from orchestrator.catalogue.content_hashes import EqualSizes, HashedSide
from orchestrator.config.options.organize import OrganizeChoices
from orchestrator.errors import ExitCode, worst
from orchestrator.location import Location
from orchestrator.paths import location_prefix
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.organize.request import OrganizeRequest, items_at
from orchestrator.records import Item, Ref
from orchestrator.storage.protocol import Storage

MOST_DOWNLOADED = 16 << 20
"""Bytes of a companion that is downloaded to be compared; a larger one is not, without --checksum. No cover is that large."""


class _Files(NamedTuple):
    """Files of the source and of the target, by path."""

    ours: dict[str, Item]
    theirs: dict[str, Item]


class _Ways(NamedTuple):
    """How files are compared."""

    to_hash: _Files
    """Those that may be read whole."""
    to_look_at: _Files
    """Music of which only the ends may be read."""


def plan_compared(
    session: Session,
    request: OrganizeRequest,
    source: Location,
    target: Location,
    options: OrganizeChoices,
    *,
    mirrors: Sequence[Location],
) -> tuple[OrganizeRequest, Plan, ExitCode]:
    """The plan, made again until all is known that matters: what may be at target and mirrors already, and how names are read.

    With the request that it was made of.

    What cannot be read is reported, and stays as undecided as it was.
    """
    asked: set[tuple[str, str]] = set()
    asked_of_mirrors: set[tuple[Ref, Ref]] = set()
    spellings = Spellings()
    code = ExitCode.DONE
    while True:
        made = organize_plan(request, session.state)
        pairs = [pair for pair in dict.fromkeys(made.undecided) if pair not in asked]
        asked.update(pairs)
        known = spellings.checked(request, made.respelled, session.storage(target))
        of_mirrors = [pair for pair in made.undecided_at_mirrors if pair not in asked_of_mirrors]
        asked_of_mirrors.update(of_mirrors)
        if known is request and not pairs and not of_mirrors:
            break
        request = known
        ways = _sorted_out(request, pairs, session.storage(source), session.storage(target), options)
        request, reading = _read(session, request, ways, (source, target), options)
        code = worst([code, reading])
        for here, mirror in product(dict.fromkeys((source, target)), mirrors):
            some = [pair for pair in of_mirrors if (pair[0].fs, pair[1].fs) == (here.fs, mirror.fs)]
            request, reading = _compared_with_mirror(session, request, some, (here, mirror), options)
            code = worst([code, reading])
        session.reporter.stage("planning")
    if made.litter:
        request = replace(request, litter=litter_items(session, source, made.litter))
        made = organize_plan(request, session.state)
    return request, made, code


def _sorted_out(
    request: OrganizeRequest, pairs: Iterable[tuple[str, str]], here: Storage, there: Storage, options: OrganizeChoices
) -> _Ways:
    """How the files of source and target are compared."""
    source, target = location_prefix(request.source_fs), location_prefix(request.target_fs)
    below = source[len(target) :] if source.startswith(target) else None
    at_source = {item.entry.path: item for item in request.items}
    at_target = {item.entry.path: item for item in request.target_items}
    ways = _Ways(_Files({}, {}), _Files({}, {}))
    for mine, other in pairs:
        inside = other[len(below) :] if below is not None and other.startswith(below) else None
        item, occupant = at_source[mine], at_target[other] if inside is None else at_source[inside]
        if _may_hash(here, item, there if inside is None else here, occupant, options):
            files = ways.to_hash
        elif item.reading is not None:
            files = ways.to_look_at
        else:
            continue
        files.ours[mine] = item
        if inside is None:
            files.theirs[other] = occupant
        else:
            files.ours[inside] = occupant
    return ways


def _compared_with_mirror(
    session: Session,
    request: OrganizeRequest,
    pairs: Iterable[tuple[Ref, Ref]],
    locations: tuple[Location, Location],
    options: OrganizeChoices,
) -> tuple[OrganizeRequest, ExitCode]:
    """The request with what is known of these files of source or target, and of a mirror, once they are compared."""
    here, there = (session.storage(location) for location in locations)
    ours, theirs = ({item.entry.path: item for item in items_at(request, location.fs)} for location in locations)
    ways = _Ways(_Files({}, {}), _Files({}, {}))
    for mine, other in pairs:
        item, occupant = ours.get(mine.path), theirs[other.path]
        if item is not None and (item.reading is not None or _may_hash(here, item, there, occupant, options)):
            files = ways.to_hash if _may_hash(here, item, there, occupant, options) else ways.to_look_at
            files.ours[mine.path], files.theirs[other.path] = item, occupant
    return _read(session, request, ways, locations, options)


def _may_hash(here: Storage, item: Item, there: Storage, occupant: Item, options: OrganizeChoices) -> bool:
    """Whether two files are read whole to compare them."""
    wanted = options.checksum or (item.reading is None and (item.entry.size or 0) <= MOST_DOWNLOADED)
    return (wanted and not options.cloud_only) or _without_download(here, item, there, occupant)


def _read(
    session: Session,
    request: OrganizeRequest,
    ways: _Ways,
    locations: tuple[Location, Location],
    options: OrganizeChoices,
) -> tuple[OrganizeRequest, ExitCode]:
    """The request with the hashes and ends of these files."""
    request, hashing = _hashed(session, request, ways.to_hash, locations)
    request, looking = _with_ends(session, request, ways.to_look_at, locations, options.reading)
    return request, worst([hashing, looking])


def _without_download(here: Storage, ours: Item, there: Storage, theirs: Item) -> bool:
    """Whether a disk is all that has to be read to compare two files."""
    one, other = here.capabilities.local, there.capabilities.local
    return (one and (other or bool(theirs.entry.hashes))) or (other and bool(ours.entry.hashes))


def _hashed(
    session: Session, request: OrganizeRequest, files: _Files, locations: tuple[Location, Location]
) -> tuple[OrganizeRequest, ExitCode]:
    """The request with the hashes that these files lack."""
    sides = [HashedSide(session.storage(one), list(items.values())) for one, items in zip(locations, files, strict=True)]
    sizes = EqualSizes(sides, session.catalogue, download=True, of=lambda _item: True)
    where = locations[1].typed if locations[1].fs != request.target_fs else "the target"
    bill_of_full_reads(session, sizes.downloads(), f"to compare them with {where}")
    hashed, code = hash_files(session, sizes)
    return _again(request, locations, hashed), code


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
    return _again(request, locations, sides), ExitCode.SOME_FAILED if failed else ExitCode.DONE


def _again(request: OrganizeRequest, locations: Iterable[Location], found: Iterable[Iterable[Item]]) -> OrganizeRequest:
    """The request with what is known of these files of each location now."""
    for location, changed in zip(locations, found, strict=True):
        known = {(item.entry.path, item.entry.id): item for item in changed}
        items = [known.get((item.entry.path, item.entry.id), item) for item in items_at(request, location.fs)] if known else None
        if items is None:
            continue
        if location.fs == request.source_fs:
            request = replace(request, items=items)
        elif location.fs == request.target_fs:
            request = replace(request, target_items=items)
        else:
            mirrors = [replace(one, items=items) if one.fs == location.fs else one for one in request.mirrors]
            request = replace(request, mirrors=mirrors)
    return request
