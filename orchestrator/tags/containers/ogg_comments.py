"""The comment packet of an Ogg stream, across pages: pictures are skipped without reading the pages that they fill."""

from __future__ import annotations

from bisect import bisect_right
from contextlib import suppress
from typing import NamedTuple

from orchestrator.tags.covers import KEPT, LONGEST_PICTURE_NAME, PICTURE_NAMES, is_told_by_beginning
from orchestrator.tags.parsed import NotReadableError
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.tag_texts import LONGEST_TEXT

_HEADER = 27
LONGEST_HEADER = _HEADER + 255
_LONGEST_PAGE = LONGEST_HEADER + 255 * 255
_MOST_COMMENTS = 50_000
_CONTINUED = b"\1"
"""The flags of a page that begins inside a packet."""


class Page(NamedTuple):
    """One page: `header` with the lacing, and its offsets in the file."""

    start: int
    header: bytes
    end: int

    @property
    def payload(self) -> int:
        """Where the content begins."""
        return self.start + len(self.header)

    @property
    def serial(self) -> bytes:
        """Which stream it belongs to."""
        return self.header[14:18]

    @property
    def sequence(self) -> int:
        """Which page of the stream it is."""
        return int.from_bytes(self.header[18:22], "little")

    @property
    def position(self) -> bytes:
        """The granule position: how many samples there are up to the end of the page."""
        return self.header[6:14]

    @property
    def is_whole(self) -> bool:
        """Whether its header is complete: the file may end inside it."""
        return len(self.header) == _HEADER + self.header[26]

    @property
    def flags(self) -> bytes:
        """Whether it begins inside a packet, begins or ends the stream."""
        return self.header[5:6]

    @property
    def packets_ended(self) -> int:
        """How many packets end on it."""
        return sum(length < 255 for length in self.header[_HEADER:])


def page_at(file: SparseFile, position: int) -> Page | None:
    """The page at `position`; None if there is none."""
    header = file.peek(position, LONGEST_HEADER, "the next Ogg page")
    if len(header) < _HEADER or header[:4] != b"OggS":
        return None
    header = header[: _HEADER + header[26]]
    return Page(position, header, position + len(header) + sum(header[_HEADER:]))


def plan_comments(file: SparseFile, stream_magic: bytes, packet_magic_length: int) -> CommentPacket:
    """Plan the comments of the stream that begins with `stream_magic`."""
    page = page_at(file, 0)
    while page is not None and file.peek(page.payload, len(stream_magic)) != stream_magic:
        page = page_at(file, page.end)
    packet = CommentPacket(file, page)
    with suppress(EOFError):  # wrong lengths: mutagen decides what to make of them
        packet.skip_pictures(packet_magic_length)
    while packet.grow():
        pass
    return packet


class CommentPacket:
    """The packet after the first page of the stream, as the list of pages that hold it."""

    def __init__(self, file: SparseFile, first: Page | None) -> None:
        if first is None:
            raise NotReadableError("its Ogg stream is of an unsupported kind")
        self._file = file
        self._first = first
        self.serial = first.serial
        self.end = first.end
        self._pages: list[Page] = []
        self._offsets: list[int] = []  # of each page's content within the packet
        self._length = 0
        self._unread: list[tuple[int, bytes]] = []
        self._cuts: list[tuple[int, int, int]] = []

    @property
    def last(self) -> Page:
        """The page on which it ends so far."""
        return self._pages[-1]

    def grow(self) -> bool:
        """Add the next page of the stream; False if the packet is already complete."""
        if self._pages and self._pages[-1].packets_ended:
            return False
        while True:
            page = page_at(self._file, self.end)
            if page is None:
                raise NotReadableError("its Ogg comments are damaged or cut short")
            self.end = page.end
            if page.serial == self.serial:
                self._add(page)
                return True

    def show_unread(self) -> None:
        """Let the parser see the headers of pages that were not read, which are known from those of others."""
        for start, header in self._unread:
            self._file.plant(start, header)

    def without_pictures(self, last: Page) -> bytes | None:
        """A stream with the first page, comments whose pictures are cut after their beginning, and the `last` page.

        None if that would not say the same, or not be much shorter.
        """
        if not self._cuts or last.start < self.last.end or self._pages[0].flags == _CONTINUED:
            return None
        parts, position = list[bytes](), 0
        for comment, start, end in self._cuts:
            parts += (
                self._content(position, comment),
                (start - comment - 4).to_bytes(4, "little"),
                self._content(comment + 4, start),
            )
            position = end
        lacing = self.last.header[_HEADER:]
        ends_after = next(count for count, length in enumerate(lacing, 1) if length < 255)
        content = b"".join((*parts, self._content(position, self._offsets[-1] + sum(lacing[:ends_after]))))
        whole, rest = divmod(len(content), 255)
        if whole > 254:
            return None
        header = self._pages[0].header[: _HEADER - 1] + bytes((whole + 1, *[255] * whole, rest))
        return self._bytes_of(self._first) + header + content + self._bytes_of(last)

    def _bytes_of(self, page: Page) -> bytes:
        return self._file.peek(page.start, page.end - page.start)

    def skip_pictures(self, start: int) -> None:
        """Walk the comments from `start`, and make a hole for each picture."""
        position = start + 4 + self._number(start)
        count = self._number(position)
        position += 4
        if count > _MOST_COMMENTS:
            raise NotReadableError("its comments are damaged: there are too many")
        for _ in range(count):
            length = self._number(position)
            position += 4
            if length >= self._file.policy.hole and (
                length > LONGEST_TEXT or self._read(position, LONGEST_PICTURE_NAME).upper().startswith(PICTURE_NAMES)
            ):
                unread = len(self._unread)
                self._skip(position + KEPT, position + length)
                if len(self._unread) > unread and is_told_by_beginning(self._read(position, KEPT)):
                    self._cuts.append((position - 4, position + KEPT, position + length))
            position += length

    def _skip(self, start: int, end: int) -> None:
        """Make a hole from `start` to `end` of the packet, page headers included: the first full page determines them."""
        begin = self._locate(start)
        if end > self._length and self._pages[-1].end - self._pages[-1].start < _LONGEST_PAGE:
            while self._pages[-1].start < begin:
                if not self.grow():
                    return
        if end > self._length and not self._add_pages_to(end):
            return
        self._file.make_hole(begin, self._locate(end - 1) + 1, "a picture")  # it may be the last of the packet

    def _add_pages_to(self, end: int) -> bool:
        """Add the pages up to the one that holds the byte before `end` of the packet, of which only the last one is read.

        False if they are not all as long as the last page so far, or of several streams.
        """
        full = self._pages[-1]
        size, content = full.end - full.start, full.end - full.payload
        count = (end - self._length) // content + 1
        if size < _LONGEST_PAGE:
            count -= 1  # programs that write short pages make the last one up to half as long again
        start = full.start + count * size
        if size == _LONGEST_PAGE:
            stop = start + LONGEST_HEADER + end - self._length - (count - 1) * content
            if not self._file.has(start, min(stop, self._file.size)):
                self._file.fetch(start, stop + self._file.policy.extra, "the page on which a picture ends")
        last = page_at(self._file, start) if not full.packets_ended and (count > 1 or size == _LONGEST_PAGE) else None
        if last is None or last.serial != self.serial or last.sequence != full.sequence + count:
            return False
        for index in range(1, count):
            sequence = (full.sequence + index).to_bytes(4, "little")
            header = full.header[:5] + _CONTINUED + full.header[6:18] + sequence + full.header[22:]
            self._unread.append((full.start + index * size, header))
            self._add(Page(full.start + index * size, header, full.start + (index + 1) * size))
        self._add(last)
        self.end = last.end
        return True

    def _add(self, page: Page) -> None:
        self._pages.append(page)
        self._offsets.append(self._length)
        self._length += page.end - page.payload

    def _locate(self, offset: int) -> int:
        """The file offset of the packet's byte `offset`."""
        while offset >= self._length:
            if not self.grow():
                raise EOFError
        index = bisect_right(self._offsets, offset) - 1
        return self._pages[index].payload + offset - self._offsets[index]

    def _read(self, start: int, length: int) -> bytes:
        """`length` bytes of the packet, possibly from several pages."""
        self._locate(start + length - 1)
        return self._content(start, start + length)

    def _content(self, start: int, end: int) -> bytes:
        """What lies there on the pages so far."""
        parts = []
        while start < end:
            index = bisect_right(self._offsets, start) - 1
            stop = min(end, self._offsets[index + 1] if index + 1 < len(self._offsets) else self._length)
            parts.append(self._file.peek(self._pages[index].payload + start - self._offsets[index], stop - start))
            start = stop
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _number(self, start: int) -> int:
        return int.from_bytes(self._read(start, 4), "little")
