"""What is asked of a remote before there is a plan: pages of its listing, ranges of files for their tags, files in full."""

from __future__ import annotations

from typing import Literal

import msgspec

from orchestrator.plan.estimate import Estimate, Load, said_of
from orchestrator.plan.request_rates import listing_requests, reading_rates, request_rates
from orchestrator.records import Capabilities

ReadingWay = Literal["rclone", "heads", "vfs", "direct"]
"""See `Profile.read`; "heads" only where that pays."""


class ExpectedReads(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan has listed, and what it expects to read."""

    listed: int = 0
    """Files."""
    folders: int = 0
    """That have files."""
    files: int = 0
    """Whose tags are read, and playlists and cue sheets."""
    folders_read: int = 0
    """That have such files."""
    ranges: float = 0.0
    size: float = 0.0
    """The bytes of the ranges."""


def scan_estimate(reads: ExpectedReads, storage: Capabilities, way: ReadingWay, *, listed_first: bool = False) -> Estimate:
    """The same keys as `Header.estimate`. `listed_first`: listing all before the first read pays (`another_listing_pays`)."""
    rates = reading_rates(storage, way)
    listed_twice = way == "heads" or (way == "vfs" and storage.flat_listing and listed_first)
    load = Load(down=round(reads.size))
    load.add(listing_requests(storage, reads.listed, reads.folders))
    load.add(rates.scan)
    load.add(listing_requests(storage, reads.listed, reads.folders), times=1 if listed_twice else 0)
    load.add(rates.head, min(reads.files, reads.ranges))
    load.add(rates.range, max(0.0, reads.ranges - reads.files))
    load.add(rates.folder, 0 if listed_twice else reads.folders_read)
    return said_of({"": load}, {"": storage}, round(reads.size))


def full_read_estimate(files: int, size: int, storage: Capabilities) -> Estimate:
    """What reading so many files in full takes, `size` bytes together; the same keys."""
    load = Load(down=size)
    load.add(request_rates(storage).full_read, files)
    return said_of({"": load}, {"": storage}, size)
