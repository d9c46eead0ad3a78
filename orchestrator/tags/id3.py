"""Where the bulk of an ID3v2 tag is, from its frame headers: pictures and attachments are holes for the parser."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from orchestrator.tags.lazy_imports import loaded, slices_id3
from orchestrator.tags.parsed import NotReadableError
from orchestrator.tags.sparse import Frame, SparseFile
from orchestrator.tags.tag_texts import LONGEST_TEXT

_BULK = {
    b"APIC": "a picture",
    b"GEOB": "an attachment",
    b"PRIV": "private data",
    b"PIC": "a picture",
    b"GEO": "an attachment",
    b"USLT": "lyrics",
    b"ULT": "lyrics",
}
_KEPT = 1024
"""Bytes read of a bulk frame: its MIME type, its description and the first bytes of the picture."""
_UNUSED = re.compile(rb"CHAP|CTOC|ETC|MLL|EQU|RVA|ASPI")
_LARGE_UNUSED, _MANY_VALUES, _MOST_PASSED_OVER = 4096, 1000, 500
"""Frames that no field comes from, and that hold lists or frames of their own. The parser passes over those of at least this
size, and over frames of so many values if the tag has too many; but over no more than this number of frames."""
_CHAPTERS, _LARGE_CHAPTER = 8, 16 * 1024
"""After so many chapters of this size in a row, a tag that has named the track is read no further: the texts come first."""
_CHAPTER_FRAMES = frozenset({b"CHAP", b"CTOC"})
_PLACES = ({b"TIT2", b"TT2"}, {b"TPE1", b"TP1"}, {b"TALB", b"TAL"})
_HOP, _MANY_GAPS = 2048, 18
"""Bytes read at a time where one picture follows another; after so many of them, all the rest is read if it is little."""
_MOST_VALUES = 40_000
_MOST_COPYING = 3 << 29
_MOST_INFLATED = 1 << 20
"""Limits on mutagen's time and memory: it copies the rest of the tag for each frame and the rest of a frame for each value,
and inflates compressed frames of any size."""
_LISTS = re.compile(rb"T|COM|GP1|GRP1|IPL|MV|CHAP|CTOC|SYLT|SLT|ETC|MLL|EQU|RVA|ASPI")
"""Frames that hold several values; all other known frames hold one."""
_COUNTERS = re.compile(rb"PCNT|PCST|POP|POSS|SEEK|CNT")
_LONGEST_COUNTER = 2048
"""Frames that end in a number. mutagen's time grows with the square of its length; eight bytes are plenty."""
_ID3V1 = 128
_WIDE = (b"\1", b"\2")
"""The encodings with two bytes per character."""
_UTF8 = b"\3"
_COMPRESSED = {3: 0x0080, 4: 0x0008}
_FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{2,3}\Z")
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_COMPRESSED_TAG = 0x40
"""The same bit in 2.2."""
_FLAGS, _UNSYNCHRONISED_FRAME = 0x0F, 0x03
"""Flags of a 2.4 frame: compressed, encrypted, unsynchronised, with the original length in front; and the last two alone."""
_PAIR = b"\xff\x00"
_MOST_STACKED = 32
"""Tags that follow each other; more are damage."""


def synchsafe(raw: bytes) -> int:
    """A number in four bytes of seven bits each."""
    return (raw[0] & 127) << 21 | (raw[1] & 127) << 14 | (raw[2] & 127) << 7 | raw[3] & 127


def tag_end(header: bytes, start: int) -> int | None:
    """Where the tag with these first ten bytes ends; None if it is not an ID3v2 tag."""
    if len(header) < 10 or header[:3] != b"ID3":
        return None
    return start + 10 + synchsafe(header[6:10])


def stacked(file: SparseFile, position: int) -> Iterator[int]:
    """Where the tags that follow each other from `position` begin: some programs put a new one before the old one."""
    for _ in range(_MOST_STACKED):
        end = tag_end(file.peek(position, 10), position) if position < file.size else None
        if end is None:
            return
        yield position
        position = end


def appended(file: SparseFile) -> int | None:
    """Where the tag at the end of the file begins, before any ID3v1: a footer states its length."""
    tail = file.peek(max(0, file.size - _ID3V1 - 10), _ID3V1 + 10)
    end = file.size - _ID3V1 if tail[-_ID3V1:-125] == b"TAG" else file.size
    footer = file.peek(end - 10, 10) if end >= 20 else b""
    start = end - 20 - synchsafe(footer[6:10]) if footer[:3] == b"3DI" else -1
    return start if start >= 0 else None


def plan_tag(file: SparseFile, start: int) -> int | None:
    """Make the holes of the tag at `start` and return its end; None if there is no tag.

    Every frame header is read, because text may follow a picture. Tags whose frame headers do not give offsets (an extended
    header; whole-tag unsynchronisation before 2.4) get no holes and are read whole.
    """
    if start in file.planned:
        return file.planned[start]
    header = file.peek(start, 10)
    end = file.planned[start] = tag_end(header, start)
    if end is None or header[3] not in (2, 3, 4):
        return end
    version, flags, stop = header[3], header[5], min(end, file.size)
    if version == 2 and flags & _COMPRESSED_TAG:
        flags = _without_compression(file, start, flags)
    if flags & _EXTENDED or (flags & _UNSYNCHRONISED and version < 4):
        file.fetch(start, stop, "the whole ID3v2 tag: its frame headers do not give offsets")
        _Walk(*_decoded(file, file.peek(start + 10, stop - start - 10), version, flags), version, seen=False).run()
    else:
        frames = _Walk(file, start + 10, stop, version, seen=True).run()
        if slices_id3():  # and copies the rest of the tag for each frame, pictures included
            file.view(start + 10, end, frames)
    return end


def _without_compression(file: SparseFile, start: int, flags: int) -> int:
    """The flags without the one for compression, for the parser too: no way to compress was ever defined, and programs set it."""
    if not _FRAME_ID.match(file.peek(start + 10, 3).ljust(3, b"A")):
        raise NotReadableError("its ID3 tag says that it is compressed, and its frames cannot be read")
    file.patch(start + 5, flags & ~_COMPRESSED_TAG)
    return flags & ~_COMPRESSED_TAG


def _decoded(file: SparseFile, frames: bytes, version: int, flags: int) -> tuple[SparseFile, int, int]:
    """The content of a tag without unsynchronisation, and where its frames begin and end in it."""
    if flags & _UNSYNCHRONISED and version < 4:
        frames = frames.replace(b"\xff\x00", b"\xff")
    inside = SparseFile(len(frames), lambda offset, length: frames[offset : offset + length], file.policy)
    inside.fetch(0, len(frames), "the tag")
    start = 0
    if flags & _EXTENDED and not _FRAME_ID.match(frames[:4]):  # some taggers set the flag without writing an extended header
        start = synchsafe(frames[:4]) if version == 4 else 4 + int.from_bytes(frames[:4], "big")
    return inside, start, len(frames)


class _Headers:
    """The headers of the frames of a tag that ends at `end`; fetches little more than them where one picture follows another."""

    def __init__(self, file: SparseFile, start: int, end: int, version: int) -> None:
        self._file, self._end = file, end
        self.size = 6 if version == 2 else 10
        self._id_size = 3 if version == 2 else 4
        self._gaps = 0
        self._near, self._near_start = file.segment(start)

    def at(self, position: int) -> tuple[bytes, bytes]:
        """The header at `position`, and the name of its frame."""
        near = position - self._near_start
        header = self._near[near : near + self.size] if near >= 0 else b""
        if len(header) < self.size:
            header = self._further(position)
        return header, header[: self._id_size].rstrip(b"\0")

    def _further(self, position: int) -> bytes:
        if not self._file.has(position, position + self.size):
            self._gaps += 1
            rest = self._end - position
            if self._gaps > _MANY_GAPS and self._file.affords(rest + self._file.policy.extra):
                self._file.fetch(position, self._end, "the rest of an ID3v2 tag with many pictures")
            elif self._gaps > 1 and rest > 2 * self._file.policy.hole:
                self._file.fetch(position, min(position + _HOP, self._end), "the next ID3v2 frame")
        return self._file.peek(position, self.size, "the next ID3v2 frame")


class _Seen:
    """Which frames were seen, and whether they are enough: no text is expected behind many chapters with pictures."""

    def __init__(self) -> None:
        self._names: set[bytes] = set()
        self._chapters = 0

    def add(self, frame_id: bytes, size: int) -> None:
        """Note a frame."""
        self._names.add(frame_id)
        if frame_id not in _CHAPTER_FRAMES:
            self._chapters = 0
        elif size > _LARGE_CHAPTER:
            self._chapters += 1

    @property
    def are_enough(self) -> bool:
        """Whether the tag is read no further."""
        return self._chapters >= _CHAPTERS and all(names & self._names for names in _PLACES)


class _Walk:
    """Walks the frames as mutagen does, makes holes for the bulk, and hides from it what would take it too long."""

    def __init__(self, file: SparseFile, start: int, end: int, version: int, *, seen: bool) -> None:
        """`seen`: the parser sees these bytes; otherwise they are a copy, and nothing can be hidden."""
        self._file, self._start, self._end, self._version = file, start, end, version
        self._seen = seen
        self._holes = seen and not file.has(start - 10, end)
        self._headers = _Headers(file, start, end, version)
        self._header_size = self._headers.size
        self._values = self._copied = self._passed_over = 0

    def run(self) -> list[Frame]:
        """Walk to the end of the tag. Returns the frames that the parser sees."""
        position, seen, frames = self._start, _Seen(), list[Frame]()
        size_of = _sizes(self._file, position, self._end, self._version)
        while position + self._header_size <= self._end:
            if self._seen and seen.are_enough:
                self._stop(position)
                return frames
            self._copied += self._end - position
            header, frame_id = self._headers.at(position)
            if not frame_id:
                if self._holes:
                    self._file.make_hole(position + self._header_size, self._end, "padding")
                return frames
            size = size_of(header)
            seen.add(frame_id, size)
            payload = position + self._header_size
            if self._look(header, frame_id, position, size):
                frames.append(Frame(header, payload, min(payload + size, self._end)))
            position = payload + size
            if self._copied > _MOST_COPYING:
                raise NotReadableError("its ID3 tag is damaged: it holds too many frames")
        return frames

    def _stop(self, position: int) -> None:
        """Let the parser see the end of the tag at `position`."""
        end = position + self._header_size
        if self._file.gap(position, end) == (position, end):
            self._file.make_hole(position, end, "more chapters")
        else:
            self._file.peek(position, self._header_size, "the next ID3v2 frame")
            self._file.patch(position, *bytes(self._header_size))
        if self._holes:
            self._file.make_hole(end, self._end, "more chapters")

    def _look(self, header: bytes, frame_id: bytes, position: int, stated: int) -> bool:
        """Look at one frame. Returns whether the parser sees it."""
        payload = position + self._header_size
        size = min(stated, self._end - payload)
        flagged = header[8:] not in (b"", b"\0\0")
        compressed = flagged and bool(int.from_bytes(header[8:10], "big") & _COMPRESSED[self._version])
        if frame_id in _BULK:
            if self._holes and size == stated:
                self._skip_bulk(header, frame_id, payload, size)
            return True
        if _COUNTERS.match(frame_id) and (size > _LONGEST_COUNTER or compressed):
            raise NotReadableError("its ID3 tag is damaged: a counter is too long")
        is_list = _LISTS.match(frame_id) is not None
        if self._seen and is_list and self._is_too_long(frame_id, size):
            self._pass_over(header, position, size)
            return False
        content = self._file.peek(payload, max(size, 0)) if is_list else b""
        inflated = _inflated_values(self._file, payload, size) if compressed else 0
        if not self._count_values(_values(content), inflated, size):
            self._pass_over(header, position, size)
            return False
        if self._seen and frame_id[:1] == b"T" and not flagged:
            self._check_encoding(payload, content)
        return True

    def _skip_bulk(self, header: bytes, frame_id: bytes, payload: int, size: int) -> None:
        self._file.make_hole(payload + _KEPT, payload + size, f"{_BULK[frame_id]} ({frame_id.decode()})")
        if self._version > 3 and header[9] & _FLAGS == _UNSYNCHRONISED_FRAME:
            _stuff(self._file, payload, payload + size)

    def _count_values(self, found: int, inflated: int | None, size: int) -> bool:
        """Count the values of a frame. Returns False if the parser is better off without it."""
        if self._seen and (inflated is None or (found >= _MANY_VALUES and self._values + found > _MOST_VALUES)):
            return False
        self._values += found + (_MOST_VALUES + 1 if inflated is None else inflated)
        self._copied += found * size // 2
        if self._values > _MOST_VALUES:
            raise NotReadableError("its ID3 tag is damaged: it holds too many texts")
        return True

    def _check_encoding(self, payload: int, text: bytes) -> None:
        """Let the parser take a text that says it is UTF-8, but is not, for Latin-1: it would drop it."""
        if text[:1] == _UTF8:
            try:
                text.decode()
            except UnicodeDecodeError:
                self._file.patch(payload, 0)

    def _is_too_long(self, frame_id: bytes, size: int) -> bool:
        """Whether the parser is better off without a frame of this size that holds a list."""
        if size > LONGEST_TEXT and frame_id[:1] == b"T":
            self._file.skip_text(frame_id.decode("latin-1"), size)
        return size > LONGEST_TEXT or (size >= _LARGE_UNUSED and _UNUSED.match(frame_id) is not None)

    def _pass_over(self, header: bytes, position: int, size: int) -> None:
        """Let the parser see a harmless frame of the same length, without flags."""
        self._passed_over += 1
        if self._passed_over > _MOST_PASSED_OVER:
            raise NotReadableError("its ID3 tag is damaged: it holds too many frames")
        if self._version == 2:
            self._file.patch(position, *b"MCI")
        else:
            self._file.patch(position, *b"MCDI", *header[4:8], 0, 0)
        if self._holes:
            payload = position + self._header_size
            self._file.make_hole(payload, payload + size, "a frame that is too long or not needed")


def _stuff(file: SparseFile, payload: int, end: int) -> None:
    """Make a picture that is mostly a hole come out as long as its frame states.

    The parser removes a zero after each 0xFF, so the hole gets as many of these pairs as it must hold. A zero comes before
    them, for an 0xFF that may be the last byte before the hole.
    """
    before = file.peek(payload, min(_KEPT, end - payload), "the beginning of a picture")
    gap = file.gap(payload + len(before), end)
    if gap is None:
        return
    start, stop = gap
    before, after = file.peek(payload, start - payload), file.peek(stop, end - stop)
    surplus = end - payload - 4 - synchsafe(before) - before.count(_PAIR) - after.count(_PAIR) - before.endswith(b"\xff")
    if 0 < surplus <= (stop - start - 1) // 2:
        file.plant(start + 1, _PAIR * surplus)


def _values(data: bytes) -> int:
    """How many values the frame with this content may hold."""
    return 2 * data.count(b"\0\0") if data[:1] in _WIDE else data.count(b"\0")  # the wide ones take twice as long


def _inflated_values(file: SparseFile, payload: int, size: int) -> int | None:
    """How many empty bytes the compressed frame may inflate to; None for too many bytes.

    A frame that was not read is a hole and does not matter.
    """
    if size <= 0 or not file.has(payload, payload + size):
        return 0
    data, most = file.peek(payload, size), 0
    for compressed in (data, data[4:], data[4:].replace(b"\xff\x00", b"\xff")):  # whatever mutagen takes it for
        with suppress(zlib.error):
            inflated = zlib.decompressobj().decompress(compressed, _MOST_INFLATED)
            if len(inflated) == _MOST_INFLATED:
                return None
            most = max(most, inflated.count(b"\0"))
    return most


def _sizes(file: SparseFile, start: int, end: int, version: int) -> Callable[[bytes], int]:
    """How frame headers state the size of the payload. In ID3v2.4: synch-safe by the standard, plain in old iTunes files.

    The whole tag is of one kind, decided as mutagen decides it; only the common case, in which synch-safe sizes lead to every
    frame and to the end, is decided without reading anything else.
    """
    if version == 2:
        return lambda header: int.from_bytes(header[3:6], "big")

    def plain(header: bytes) -> int:
        return int.from_bytes(header[4:8], "big")

    def safe(header: bytes) -> int:
        return synchsafe(header[4:8])

    if version == 3:
        return plain
    known_if_safe, beyond_if_safe, perfect = _count(file, start, end, safe)
    if perfect:
        return safe
    known, beyond, _ = _count(file, start, end, plain)
    if known > known_if_safe or (known == known_if_safe and beyond_if_safe >= 1 and beyond <= 1):
        return plain
    return safe


def _count(file: SparseFile, position: int, end: int, size_of: Callable[[bytes], int]) -> tuple[int, int, bool]:
    """How many frames with known names such sizes lead to, how far they exceed the end, and whether all names were known.

    Zeros are no end of the frames for sure if they may be inside the last one, whose plain size leads to more of the tag.
    """
    known_frames = loaded("mutagen.id3", "Frames")
    known, perfect, seen, headers, end_if_plain = 0, True, _Seen(), _Headers(file, position, end, 4), end
    for _ in range(_MOST_VALUES):
        if position >= end - 10:
            return known, position - end, perfect and position <= end
        if seen.are_enough:
            return known, 0, perfect
        header, frame_id = headers.at(position)
        if not header.strip(b"\0"):
            return known, -((end - position) % 10), perfect and not position < end_if_plain < end - 10
        size = size_of(header)
        seen.add(frame_id, size)
        end_if_plain = position + 10 + int.from_bytes(header[4:8], "big")
        position += 10 + size
        if header[:4].decode("latin-1") in known_frames:
            known += 1
        else:
            perfect = perfect and _FRAME_ID.match(header[:4]) is not None
    raise NotReadableError("its ID3 tag is damaged: it holds too many texts")
