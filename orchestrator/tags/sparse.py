"""A file of full length of which only parts were read: missing parts are fetched on first access."""

from __future__ import annotations

import io
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

from orchestrator.tags.policy import Policy
from orchestrator.tags.trace import RangeRequest, SkippedRange, Trace

ReadRange = Callable[[int, int], bytes]
"""(offset, length) -> bytes, one request."""

ReadRanges = Callable[[Sequence[tuple[int, int]]], Sequence[bytes]]
"""Several such ranges at once, in ascending order."""


_REST = 3
"""If at most this many times the policy's `extra` is left of the file, it is fetched at once: cheaper than another request."""


class ReadLimitError(Exception):
    """The parser wants more of the file than the policy allows."""


class ShortReadError(Exception):
    """The storage returned fewer bytes than the listed size."""


class Frame(NamedTuple):
    """One frame of an ID3v2 tag: its header, and where its content begins and ends in the file."""

    header: bytes
    start: int
    end: int


class ContentView:
    """The bytes from `start` to `end`, for a parser that slices them: a slice to the end is another view, any other is bytes."""

    def __init__(
        self, assemble: Callable[[int, int], bytes], start: int, end: int, frames: Sequence[Frame] | None = None
    ) -> None:
        """`frames`: what lies in it, for who does not want to look for them again."""
        self.assemble = assemble
        self.frames = frames
        self._start, self._end = start, end

    def __len__(self) -> int:
        return self._end - self._start

    def __getitem__(self, part: slice) -> bytes | ContentView:
        """The slice, which neither begins before the view nor has a step."""
        start = min(self._start + (part.start or 0), self._end)
        if part.stop is None:
            return ContentView(self.assemble, start, self._end)
        return self.assemble(start, min(self._start + part.stop, self._end))


class SparseFile:
    """A read-only binary file over ranged reads, for parsers that seek.

    Bytes come from ranges already fetched, otherwise from holes (read as zeros; only a container module makes one, for bulk that
    cannot matter), otherwise from a new request. So a parser never mistakes unread bytes for absent ones. A failed request is
    kept in `failure`, so parsers that swallow exceptions cannot turn it into an empty result. If there is a `trace`, every
    request and hole is recorded there with its reason.
    """

    name = "audio file"

    def __init__(
        self,
        size: int,
        read_range: ReadRange,
        policy: Policy,
        trace: Trace | None = None,
        read_ranges: ReadRanges | None = None,
        *,
        noting: bool = False,
    ) -> None:
        """`noting` records every access, for `touched`."""
        self.size = size
        self.policy = policy
        self.requests = 0
        self.bytes_read = 0
        self.failure: Exception | None = None
        self.trace = trace
        self.too_long: str | None = None
        """The first text that was skipped because of its length, in words."""
        self.planned: dict[int, int | None] = {}
        """Where tags were searched for: start -> end."""
        self._touched: list[tuple[int, int, bool]] | None = [] if noting else None
        self._reads = 0
        self._read_range = read_range
        self._read_ranges = read_ranges
        self._position = 0
        self._starts: list[int] = []  # sorted; the segments of _segments never overlap
        self._segments: dict[int, bytes] = {}
        self._holes: list[tuple[int, int]] = []  # sorted (start, end)
        self._views: dict[tuple[int, int], Sequence[Frame] | None] = {}
        self._extra = policy.extra
        # The last segment read: almost every read by a parser hits it.
        self._current = b""
        self._current_start = 0

    # ------------------------------------------------------------ what container modules use

    def make_hole(self, start: int, end: int, what: str) -> None:
        """Make a hole: the bytes from `start` to `end` are bulk (`what`) and read as zeros unless already fetched."""
        end = min(end, self.size)
        if end > start:
            insort(self._holes, (start, end))
            if self.trace is not None:
                self.trace.holes.append(SkippedRange(start, end - start, what))

    def view(self, start: int, end: int, frames: Sequence[Frame] | None = None) -> None:
        """Give the parser a ContentView if it reads just the bytes from `start` to `end`, which it would copy again and again."""
        if end <= self.size:
            self._views[start, end] = frames

    def skip_text(self, name: str, length: int) -> None:
        """Note that a text of this many bytes is not read."""
        self.too_long = self.too_long or f"its text {name} of {length:,} bytes is too long, and was skipped"

    def plant(self, start: int, data: bytes) -> None:
        """Insert bytes that need no fetching, because fetched bytes determine them, where nothing was fetched yet."""
        if self._segment_end(start) is None:
            insort(self._starts, start)
            self._segments[start] = data

    def patch(self, offset: int, *content: int) -> None:
        """Show these bytes to the parser at `offset`, instead of bytes already fetched; a hole stays a hole."""
        while content:
            segment_end = self._segment_end(offset)
            if segment_end is None:
                return
            start = self._starts[bisect_right(self._starts, offset) - 1]
            segment = bytearray(self._segments[start])
            count = min(len(content), segment_end - offset)
            segment[offset - start : offset - start + count] = bytes(content[:count])
            self._segments[start] = self._current = bytes(segment)
            self._current_start = start
            offset, content = offset + count, content[count:]

    def fetch(self, start: int, end: int, why: str) -> None:
        """Fetch what is missing between `start` and `end`, except holes, in as few requests as possible. `why` is for people."""
        end = min(end, self.size)
        position = max(start, 0)
        while position < end:
            segment_end = self._segment_end(position)
            if segment_end is not None:
                position = segment_end
                continue
            hole_end = self._hole_end(position)
            if hole_end is not None:
                position = hole_end
                continue
            stop = min(end, self._next_boundary(position))
            self._request((position, stop, why))
            position = stop

    def fetch_ends(self, head: int, tail: int) -> None:
        """Fetch the first `head` and last `tail` bytes, which must not overlap or be fetched yet; both at once if possible."""
        self._request((0, head, "the head"), (self.size - tail, self.size, "the tail"))

    def peek(self, start: int, length: int, why: str = "the next header") -> bytes:
        """The bytes there, fetched if needed; fewer only at the end of the file. Does not move the position."""
        if self._touched is not None:
            self._touched.append((start, start + length, False))
        offset = start - self._current_start
        if offset >= 0 and offset + length <= len(self._current):
            return self._current[offset : offset + length]
        end = min(start + length, self.size)
        return self._assemble(start, end, why) if end > start >= 0 else b""

    def has(self, start: int, end: int) -> bool:
        """Whether the real bytes from `start` to `end` were fetched."""
        if self._current_start <= start < self._current_start + len(self._current) >= end:
            return True
        segment_end = self._segment_end(start)
        while segment_end is not None and segment_end < end:
            segment_end = self._segment_end(segment_end)
        return segment_end is not None

    def segment(self, position: int) -> tuple[bytes, int]:
        """The bytes fetched in one piece that hold `position`, and where they begin; nothing while accesses are noted."""
        if self._touched is not None or self._segment_end(position) is None:
            return b"", position
        start = self._starts[bisect_right(self._starts, position) - 1]
        return self._segments[start], start

    def gap(self, start: int, end: int) -> tuple[int, int] | None:
        """The first part from `start` to `end` that was not fetched."""
        while start < end and (segment_end := self._segment_end(start)) is not None:
            start = segment_end
        return (start, min(end, self._next_start(start))) if start < end else None

    def affords(self, length: int) -> bool:
        """Whether the policy allows one more request of this many bytes."""
        return self.requests < self.policy.requests and self.bytes_read + length <= self.policy.budget

    def touched(self) -> Iterator[tuple[int, int]]:
        """(start, end) of everything accessed; reads by the parser without the holes at their ends."""
        for first, last, by_parser in self._touched or ():
            start, end = first, min(last, self.size)
            for hole_start, hole_end in self._holes if by_parser else ():
                if hole_start <= start < hole_end:
                    start = hole_end
                if hole_start < end <= hole_end:
                    end = hole_start
            if start < end:
                yield start, end

    # ------------------------------------------------------------ the file protocol

    def read(self, length: int = -1) -> bytes:
        """Read from the position; fewer bytes only at the end of the file. The policy stops parsers that would never end."""
        self._reads += 1
        if self._reads > self.policy.reads:
            self._fail(ReadLimitError("its header is damaged: reading it would never end"))
        start = self._position
        if self._touched is not None:
            self._touched.append((start, start + length if length >= 0 else self.size, True))
        if self._views and (start, start + length) in self._views:
            self._position = end = start + length
            self._complete(start, end)
            frames = self._views[start, end]
            return cast("bytes", ContentView(lambda start, end: self._assemble(start, end, None), start, end, frames))
        offset = start - self._current_start
        if length >= 0 and offset >= 0 and offset + length <= len(self._current):
            self._position = start + length
            return self._current[offset : offset + length]
        end = self.size if length < 0 else min(start + length, self.size)
        if end <= start:
            return b""
        self._position = end
        return self._assemble(start, end, None)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, also beyond the end; OSError before the start, as for a real file."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            offset += self.size
        if offset < 0:
            raise OSError(22, "Invalid argument")
        self._position = offset
        return offset

    def tell(self) -> int:
        """The position."""
        return self._position

    # ------------------------------------------------------------ inside

    def _complete(self, start: int, end: int) -> None:
        """Fetch what is missing there, as `_assemble` does."""
        self._check_length(end - start)
        while start < end:
            if (segment_end := self._segment_end(start)) is not None:
                start = segment_end
            elif (hole_end := self._hole_end(start)) is not None:
                start = min(hole_end, self._next_start(start))
            else:
                self._fetch_unforeseen(start, end, None)

    def _check_length(self, length: int) -> None:
        if length > self.policy.memory:
            self._fail(ReadLimitError(f"a part of its header claims {length:,} bytes"))

    def _assemble(self, start: int, end: int, why: str | None) -> bytes:
        self._check_length(end - start)
        pieces: list[bytes] = []
        starts, position = self._starts, start
        while position < end:
            index = bisect_right(starts, position)
            if index:
                self._current_start = starts[index - 1]
                self._current = self._segments[self._current_start]
                offset = position - self._current_start
                if piece := self._current[offset : offset + end - position]:
                    pieces.append(piece)
                    position += len(piece)
                    continue
            hole_end = self._hole_end(position)
            if hole_end is None:
                self._fetch_unforeseen(position, end, why)
            else:
                stop = min(end, hole_end, starts[index] if index < len(starts) else self.size)
                pieces.append(bytes(stop - position))
                position = stop
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _fetch_unforeseen(self, position: int, end: int, why: str | None) -> None:
        """Fetch at least the policy's `extra` from `position`, twice as much each time, to keep requests few."""
        stop = max(end, position + self._extra)
        if self.size - position <= _REST * self.policy.extra:
            stop = self.size
        stop = min(stop, self._next_boundary(position))
        self._extra *= 2
        self._request((position, stop, why or f"unforeseen: the parser wanted {end - position:,} bytes"))

    def _request(self, *wanted: tuple[int, int, str]) -> None:
        """Read the ranges (start, end, why). The first of them becomes the current segment."""
        if self.failure is not None:
            raise self.failure
        length = sum(end - start for start, end, _ in wanted)
        if self.bytes_read + length > self.policy.budget:
            self._fail(ReadLimitError(f"its header needs more than {self.policy.budget // 1024:,} KiB to read"))
        if self.requests + len(wanted) > self.policy.requests:
            self._fail(
                ReadLimitError(f"its header is in more than {self.policy.requests} places: pictures or other data lie between")
            )
        self.requests += len(wanted)
        if self.trace is not None:
            self.trace.asked.extend(RangeRequest(start, end - start, why) for start, end, why in wanted)
        try:
            if len(wanted) == 1 or self._read_ranges is None:
                parts: Sequence[bytes] = [self._read_range(start, end - start) for start, end, _ in wanted]
            else:
                parts = self._read_ranges([(start, end - start) for start, end, _ in wanted])
        except Exception as error:  # any error is kept: a parser may swallow it, but the caller must see it
            self.failure = error
            raise
        self.bytes_read += sum(map(len, parts))
        for (start, end, _), data in reversed([*zip(wanted, parts, strict=True)]):
            if len(data) != end - start:
                self._fail(
                    ShortReadError(
                        f"{len(data):,} of {end - start:,} bytes came at offset {start:,}: it changed since the listing"
                    )
                )
            insort(self._starts, start)
            self._segments[start] = data
            self._current, self._current_start = data, start

    def _fail(self, error: Exception) -> None:
        self.failure = error
        raise error

    def _segment_end(self, position: int) -> int | None:
        """End of the segment that holds `position`."""
        index = bisect_right(self._starts, position) - 1
        if index < 0:
            return None
        start = self._starts[index]
        end = start + len(self._segments[start])
        return end if position < end else None

    def _hole_end(self, position: int) -> int | None:
        for start, end in self._holes:
            if start <= position < end:
                return end
        return None

    def _next_start(self, position: int) -> int:
        index = bisect_right(self._starts, position)
        return self._starts[index] if index < len(self._starts) else self.size

    def _next_boundary(self, position: int) -> int:
        """Where the next segment or hole after `position` begins, or the file ends; small holes are read."""
        boundary = self._next_start(position)
        for start, end in self._holes:
            if start > position and end - start >= self.policy.hole:
                return min(boundary, start)
        return boundary
