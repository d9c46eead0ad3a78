"""How much a scan is going to read: at first by the formats and sizes of the files, then by what reading the first ones took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from orchestrator.catalogue.rows import Unread
from orchestrator.paths import extension_of, parent_of
from orchestrator.plan.scan_estimate import ExpectedReads
from orchestrator.tags import formats
from orchestrator.tags.policy import Policy
from orchestrator.tags.reader import first_ranges
from orchestrator.track import Reading

SAMPLE: Final = 48
"""So many files show what the others will take: how large their pictures are, and where their tags."""

OnExpected = Callable[[ExpectedReads], None]


class _Sum(msgspec.Struct):
    ranges: float = 0
    size: float = 0

    def add(self, ranges: float, size: float) -> None:
        self.ranges += ranges
        self.size += size


class Expectation:
    """The files that a scan is going to read. `report` gets what that takes, once: before the first, or after SAMPLE of many."""

    def __init__(self, files: Iterable[Unread], policy: Policy, listed: int, folders: int, report: OnExpected) -> None:
        self._policy = policy
        self._report: OnExpected | None = report
        self._at_least: dict[str, _Sum] = defaultdict(_Sum)
        """Format -> what its files take at least."""
        self._sample: dict[str, tuple[_Sum, _Sum]] = defaultdict(lambda: (_Sum(), _Sum()))
        """Format -> what some files took at least, and what they took."""
        self._seen = 0
        self._files = 0
        read_in = set()
        for unread in files:
            self._files += 1
            read_in.add(parent_of(unread.entry.path))
            self._at_least[extension_of(unread.entry.path)].add(*self._least(unread))
        self._known = {"listed": listed, "folders": folders, "files": self._files, "folders_read": len(read_in)}
        if self._files < 2 * SAMPLE:
            self._say()

    def note(self, unread: Unread, reading: Reading) -> None:
        """One of the files was read."""
        if self._report is None:
            return
        least, took = self._sample[extension_of(unread.entry.path)]
        least.add(*self._least(unread))
        took.add(reading.requests, reading.bytes_read)
        self._seen += 1
        if self._seen == SAMPLE:
            self._say()

    def _least(self, unread: Unread) -> tuple[int, int]:
        """Ranges and bytes."""
        size, container = unread.entry.size or 0, formats.by_name(unread.entry.path)
        if container is None or not size:  # a list is read whole
            return int(size > 0), size
        head, tail = first_ranges(size, self._policy, container)
        return 1 + bool(tail), head + tail

    def _say(self) -> None:
        total = _Sum()
        for extension, least in self._at_least.items():
            sample_least, took = self._sample.get(extension, (_Sum(1, 1), _Sum(1, 1)))
            total.add(
                least.ranges * took.ranges / max(sample_least.ranges, 1), least.size * took.size / max(sample_least.size, 1)
            )
        report, self._report = self._report, None
        if report is not None:
            report(ExpectedReads(**self._known, ranges=total.ranges, size=total.size))
