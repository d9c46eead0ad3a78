"""What was read of one file, and why; recorded only for `scan --explain`."""

from __future__ import annotations

import msgspec


class RangeRequest(msgspec.Struct, frozen=True):
    """One request: `length` bytes from `offset`."""

    offset: int
    length: int
    why: str
    """For people: "the head", "the tail", "past the ID3v2 tag: the first MPEG frames"."""


class SkippedRange(msgspec.Struct, frozen=True):
    """Bulk that was not requested, because the container's headers told where it is: `length` bytes from `offset`."""

    offset: int
    length: int
    what: str
    """For people: "a picture (APIC)", "padding"."""


class Trace:
    """The record of one reading. `SparseFile` adds requests and holes, the reader adds the container."""

    def __init__(self) -> None:
        self.asked: list[RangeRequest] = []
        """In the order of requests; no two overlap."""
        self.holes: list[SkippedRange] = []
        """As they were made: some twice, some over bytes already fetched."""
        self.container: str | None = None
        """The kind of file; None if not recognised."""
        self.recognised_by: str | None = None
        """How the container was recognised: "its first bytes" or "its name"."""

    def skipped(self) -> list[SkippedRange]:
        """The holes without bytes fetched for other reasons, by offset; each byte once."""
        found = []
        position = 0
        for hole in sorted(self.holes, key=lambda hole: (hole.offset, -hole.length)):
            start, end = max(hole.offset, position), hole.offset + hole.length
            position = max(position, end)
            in_hand = sum(max(0, min(end, one.offset + one.length) - max(start, one.offset)) for one in self.asked)
            if end - start > in_hand:
                found.append(SkippedRange(start, end - start - in_hand, hole.what))
        return found
