"""What was read of one file, and why: kept only where somebody wants it explained."""

from __future__ import annotations

import msgspec


class RangeRequest(msgspec.Struct, frozen=True):
    """One request: `length` bytes from `offset`."""

    offset: int
    length: int
    why: str
    """In words: "the head", "the tail", "past the ID3v2 tag: the first MPEG frames"."""


class SkippedRange(msgspec.Struct, frozen=True):
    """Bulk that nobody asked for, because the container's headers told where it lies: `length` bytes from `offset`."""

    offset: int
    length: int
    what: str
    """In words: "a picture (APIC)", "padding"."""


class Trace:
    """The story of one reading. `SparseFile` writes down requests and holes, the reader the container."""

    def __init__(self) -> None:
        self.asked: list[RangeRequest] = []
        """In the order of asking; no two overlap."""
        self.holes: list[SkippedRange] = []
        """As they were dug: some twice, some over bytes that were in hand."""
        self.container: str | None = None
        """What kind of file it is; None where nothing told."""
        self.recognised_by: str | None = None
        """What told the container: "its first bytes" or "its name"."""

    def skipped(self) -> list[SkippedRange]:
        """The holes less what was fetched for other reasons, by offset; each byte once."""
        found = []
        position = 0
        for hole in sorted(self.holes, key=lambda hole: (hole.offset, -hole.length)):
            start, end = max(hole.offset, position), hole.offset + hole.length
            position = max(position, end)
            in_hand = sum(max(0, min(end, one.offset + one.length) - max(start, one.offset)) for one in self.asked)
            if end - start > in_hand:
                found.append(SkippedRange(start, end - start - in_hand, hole.what))
        return found
